"""Extractive question answering: reading, windows, decoding, scoring."""
