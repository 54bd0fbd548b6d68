"""The same scheduler on a Ray cluster."""
