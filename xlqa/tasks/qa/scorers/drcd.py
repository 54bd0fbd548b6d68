"""DRCD as the field reports it: CMRC 2018's rules, over characters, on traditional Chinese.

DRCD (Shao et al. 2018) came without a script, so these are not its makers' rules: those are `drcd-makers`. The figures
published since (Chinese-BERT-wwm, Chinese-ELECTRA) come from `cmrc2018_drcd_evaluate.py`, which is CMRC 2018's script under
another name: `xlqa.tasks.qa.scorers.cmrc` states what it does and where we depart from it.
"""

from __future__ import annotations

from xlqa.tasks.qa.scorers.cmrc import normalize, units
from xlqa.tasks.qa.scorers.rules import Rules, substring_f1

SCORER = Rules("drcd", normalize, units, substring_f1)
