"""xlqa: learning curves for cross-lingual question answering."""

__version__ = "0.1.0"
