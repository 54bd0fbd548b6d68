"""Experiment trackers: what a sweep's files hold, sent to TensorBoard, Weights & Biases or MLflow after the fact."""
