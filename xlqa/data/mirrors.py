"""Other addresses of the same files: XLQA_MIRROR for the registered data sets, HF_ENDPOINT for what is on the hub."""

from __future__ import annotations

import os
from collections.abc import Iterable

from xlqa.errors import XlqaError

HUB = "https://huggingface.co"
SCHEMES = ("https://", "http://")


def mirrored(urls: Iterable[str]) -> tuple[str, ...]:
    """The addresses to try for a file, in order: the mirror's, then the original ones; on the hub, those of HF_ENDPOINT.

    XLQA_MIRROR is either one base address, below which a mirror has the files by host and path
    (`https://mirror.example/data` has `https://host/path` as `https://mirror.example/data/host/path`), or pairs
    `PREFIX=ADDRESS` separated by blanks.

    Raises:
        XlqaError: XLQA_MIRROR is neither.
    """
    base, pairs = _read_mirror(os.environ.get("XLQA_MIRROR", ""))
    hub = os.environ.get("HF_ENDPOINT", "").rstrip("/") or HUB
    found: list[str] = []
    originals = [hub + url.removeprefix(HUB) if url.startswith(f"{HUB}/") else url for url in urls]
    for url in originals:
        if base:
            found.append(f"{base}/{url.split('://', 1)[-1]}")
        found += [address + url.removeprefix(prefix) for prefix, address in pairs if url.startswith(prefix)]
    return tuple(dict.fromkeys([*found, *originals]))


def _read_mirror(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The base address, "" where there is none, and the pairs of a mirror's setting."""
    words = text.split()
    if len(words) == 1 and words[0].startswith(SCHEMES) and "=" not in words[0]:
        return words[0].rstrip("/"), []
    pairs = []
    for word in words:
        prefix, sign, address = word.partition("=")
        if not sign or not prefix.startswith(SCHEMES) or not address.startswith(SCHEMES):
            raise XlqaError(
                f'XLQA_MIRROR: "{word}" is not an address (https://mirror.example/data) and not a pair PREFIX=ADDRESS '
                "(https://github.com/=https://mirror.example/github/): correct it or unset it."
            )
        pairs.append((prefix, address))
    return "", pairs
