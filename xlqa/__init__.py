"""xlqa: learning curves for cross-lingual transfer. In Python: `xlqa.sweep`, `status`, `load_results`, `plot`, `report`,
`compare`, `evaluate`, `ask`, `score`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xlqa.errors import XlqaError

if TYPE_CHECKING:
    from xlqa.api import (
        Answers,
        Compared,
        Evaluation,
        PairEvaluation,
        Report,
        Score,
        Status,
        Sweep,
        ask,
        compare,
        evaluate,
        load_results,
        plot,
        report,
        score,
        status,
        sweep,
    )

__version__ = "0.1.0"
__all__ = [
    "Answers", "Compared", "Evaluation", "PairEvaluation", "Report", "Score", "Status", "Sweep", "XlqaError", "__version__", "ask",
    "compare", "evaluate", "load_results", "plot", "report", "score", "status", "sweep",
]  # fmt: skip


if not TYPE_CHECKING:  # type checkers know the names above, and no others

    def __getattr__(name: str) -> Any:
        """The names are fetched on use, so that `import xlqa` stays light."""
        if name not in __all__:
            raise AttributeError(f"module 'xlqa' has no attribute {name!r}")
        from xlqa import api

        return getattr(api, name)

    def __dir__() -> list[str]:
        return sorted(__all__)
