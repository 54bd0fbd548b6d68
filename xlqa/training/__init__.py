"""Training and inference machinery: the loop, batches, checkpoints, devices, model folders."""
