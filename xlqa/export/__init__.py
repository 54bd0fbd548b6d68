"""Trained models for use outside xlqa: a folder that transformers loads, with a model card."""
