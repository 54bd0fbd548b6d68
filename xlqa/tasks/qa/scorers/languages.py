"""Languages that scorers treat apart."""

from __future__ import annotations

WITHOUT_BLANKS = frozenset(("bo", "dz", "ja", "km", "lo", "my", "th", "wuu", "yue"))
"""Languages written without blanks between words, for which a local file's F1 counts characters; Chinese is apart."""
