"""Environment variables that could change a run behind its config's back."""

from __future__ import annotations

import os
from collections.abc import Mapping

from xlqa.errors import XlqaError

ALLOWED_VARIABLES = frozenset({"DP_ROOT", "DP_DEVICE", "DP_SKIP_NLTK_DOWNLOAD", "DP_CACHE_DIR", "DP_SETTINGS_PATH"})
"""DeepPavlov lets any DP_<NAME> override a config's variable; all but these could change what a run computes."""


def refuse_overrides(environment: Mapping[str, str] = os.environ) -> None:
    """Refuse to start under DP_ variables that would change a run.

    Raises:
        XlqaError: names them.
    """
    found = sorted(name for name in environment if name.startswith("DP_") and name not in ALLOWED_VARIABLES)
    if found:
        raise XlqaError(f"{', '.join(found)} is set and could change this run behind its config: unset it.")
