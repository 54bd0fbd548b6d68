"""xlqa: learning curves for cross-lingual question answering. In Python: `xlqa.sweep`, `load_results`, `plot`,
`compare`, `ask`."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from xlqa.errors import XlqaError

if TYPE_CHECKING:
    from xlqa.api import Compared, Sweep, ask, compare, load_results, plot, sweep

__version__ = "0.1.0"
__all__ = ["Compared", "Sweep", "XlqaError", "__version__", "ask", "compare", "load_results", "plot", "sweep"]


class _Package(ModuleType):
    """The package itself: its names are fetched on use, so that `import xlqa` stays light."""

    def __getattr__(self, name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module 'xlqa' has no attribute {name!r}")
        from xlqa import api

        return getattr(api, name)

    def __setattr__(self, name: str, value: Any) -> None:
        # Importing the submodule xlqa.ask would put the module where the function of that name belongs.
        if not (name == "ask" and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *__all__})


sys.modules[__name__].__class__ = _Package
