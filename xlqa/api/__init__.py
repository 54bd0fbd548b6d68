"""xlqa in Python, for notebooks and scripts: what the command line does, with its words, as frames, axes and records.

    import xlqa
    done = xlqa.sweep("ru", sizes=[100, 1000], seeds=3, out="ru")
    xlqa.report(done).save("ru.html")
    ax = xlqa.plot(done, metric="em")
    xlqa.ask("Мара живёт в Бренне.", "Where does Mara live?", home="ru")[0].text

Keyword arguments are the commands' flags. The commands themselves call these functions, or what these call.
"""

from xlqa.api.asking import Answers, Labels, Tagged, ask
from xlqa.api.comparing import Compared, compare
from xlqa.api.drawing import plot
from xlqa.api.evaluating import Evaluation, PairEvaluation, evaluate
from xlqa.api.progress import Status, status
from xlqa.api.reporting import Report, report
from xlqa.api.results import load_results
from xlqa.api.scoring import Score, score
from xlqa.api.sweeps import Failure, Sweep, sweep

__all__ = [
    "Answers", "Compared", "Evaluation", "Failure", "Labels", "PairEvaluation", "Report", "Score", "Status", "Sweep", "Tagged", "ask",
    "compare", "evaluate", "load_results", "plot", "report", "score", "status", "sweep",
]  # fmt: skip
