"""A report as LaTeX to \\input into a paper: one booktabs table for all results of a kind, then the sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xlqa.curves.report.document import Report, Section, Table, join_tables
from xlqa.curves.report.render import COMMANDS, COMPUTED, missing_lines

_LETTERS = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": "$<$", ">": "$>$", "−": "$-$", "±": r"$\pm$",
    "Δ": r"$\Delta$", "ε": r"$\varepsilon$", "α": r"$\alpha$", "β": r"$\beta$", "γ": r"$\gamma$", "ρ": r"$\rho$",
    "σ": r"$\sigma$", "·": r"$\cdot$", "×": r"$\times$", "√": r"$\surd$", "≥": r"$\ge$", "≤": r"$\le$", "–": "--",
    "₀": "$_0$", "“": "``", "”": "''", "’": "'", "…": r"\dots{}", "→": r"$\to$", "|": r"\textbar{}",
}  # fmt: skip
_MATH = {
    "D_E(N)": r"$D_E(N)$", "D_E": "$D_E$", "D_T": "$D_T$", "S_T(all)": r"$S_T(\mathrm{all})$", "N₀": "$N_0$", "Δ(N)": r"$\Delta(N)$",
    "N^α": r"$N^{\alpha}$", "N^β": r"$N^{\beta}$",
}  # fmt: skip
_SYMBOL = re.compile("|".join([*map(re.escape, _MATH), r"N\^(?P<power>−?[\d.]+)", r"(?<![\w.])N(?![\w.-])"]))
"""Symbols of the statistics, which are set as mathematics."""

_NEEDS = r"Needs \usepackage{booktabs,graphicx,longtable}."
MOST_ROWS = 45
"""A longer table does not fit a page."""


def as_tex(report: Report) -> str:
    """LaTeX in the order of the other forms; the tables of one kind are joined, so that nine languages share one."""
    parts = [f"% {' '.join(report.title.split())}", f"% {_NEEDS}"]
    parts += [_paragraph(report.lead)] if report.lead else []
    first, rest = report.sections[:1], report.sections[1:]
    label = _Labels(report.name)
    parts += [_tex_table(table, label(table)) for section in first for table in section.tables]
    parts += [text for section in first for text in _tex_section(section)]
    parts += [_paragraph(text) for text in report.failures]
    parts += [_paragraph(text) for section in rest for text in missing_lines(section)]
    joined = join_tables([table for section in rest for table in section.tables])
    parts += [_tex_table(table, label(table)) for table in joined]
    parts += [text for section in rest for text in _tex_section(section)]
    parts += [rf"\subsection*{{{COMPUTED}}}", *map(_paragraph, report.methods)] if report.methods else []
    parts += [_tex_table(table, label(table)) for table in join_tables(report.settings)]
    commands = "\n".join(report.commands)
    parts += [f"\\subsection*{{{COMMANDS}}}\n\\begin{{verbatim}}\n{commands}\n\\end{{verbatim}}"] if commands else []
    return "\n\n".join(parts) + "\n"


def tables_as_tex(tables: Sequence[Table], name: str) -> str:
    """Tables alone.

    Args:
        name: of the study, for the labels.
    """
    label = _Labels(name)
    return "\n\n".join([f"% {_NEEDS}", *(_tex_table(table, label(table)) for table in tables)]) + "\n"


def _tex_section(section: Section) -> list[str]:
    """What a section has besides its tables: nothing, or a heading, its facts and its sentences."""
    parts = [_paragraph(section.lead)] if section.lead else []
    facts = "\n".join(f"  \\item {escape(fact)}" for fact in section.facts)
    parts += [f"\\begin{{itemize}}\n{facts}\n\\end{{itemize}}"] if facts else []
    parts += ["\n".join(map(escape, section.sentences))] if section.sentences else []
    return [rf"\subsection*{{{escape(section.title)}}}", *parts] if parts else []


def _paragraph(text: str) -> str:
    return escape(text) + r"\par"


def escape(text: str) -> str:
    """A text with every special letter escaped, and the symbols of the statistics as mathematics."""
    text, made, end = " ".join(text.split()), [], 0
    for found in _SYMBOL.finditer(text):
        made.append(_letters(text[end : found.start()]))
        power = found["power"]
        made.append(_MATH.get(found[0], f"$N^{{{power.replace('−', '-')}}}$" if power else "$N$"))
        end = found.end()
    return "".join([*made, _letters(text[end:])])


def _letters(text: str) -> str:
    return "".join(_LETTERS.get(letter, letter) for letter in text)


class _Labels:
    """A label for each table, unlike those before it: tab:STUDY-gain, tab:STUDY-gain-2."""

    def __init__(self, study: str) -> None:
        self.begin = f"tab:{re.sub(r'[^a-z0-9]+', '-', study.lower()).strip('-') or 'xlqa'}"
        self.used: dict[str, int] = {}

    def __call__(self, table: Table) -> str:
        name = f"{self.begin}-{table.name or 'table'}"
        self.used[name] = self.used.get(name, 0) + 1
        return name if self.used[name] == 1 else f"{name}-{self.used[name]}"


def _tex_table(table: Table, label: str) -> str:
    """A floating table no wider than the text; a long one runs over pages."""
    caption = f"\\caption{{{escape(table.title)}.}}\\label{{{label}}}"
    columns, head = table.alignment, " & ".join(map(escape, table.header)) + r" \\"
    body = "\n".join(_tex_row(row, len(table.header)) for row in table.rows)
    if len(table.rows) > MOST_ROWS:
        return (
            f"{{\\scriptsize\\setlength{{\\tabcolsep}}{{3pt}}\n\\begin{{longtable}}{{{columns}}}\n{caption}\\\\\n\\toprule\n{head}\n\\midrule\n\\endfirsthead\n"
            f"\\toprule\n{head}\n\\midrule\n\\endhead\n\\bottomrule\n\\endfoot\n{body}\n\\end{{longtable}}}}"
        )
    fit = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    return (
        f"\\begin{{table}}\n\\centering\\small\n{caption}\n{fit}\n\\begin{{tabular}}{{{columns}}}\n\\toprule\n{head}\n\\midrule\n"
        f"{body}\n\\bottomrule\n\\end{{tabular}}}}\n\\end{{table}}"
    )


def _tex_row(row: Sequence[str], width: int) -> str:
    if len(row) == 1 < width:
        return rf"\multicolumn{{{width}}}{{l}}{{\emph{{{escape(row[0])}}}}} \\"
    cells = " & ".join(map(escape, row))
    # A row that begins with a bracket would be read as an argument of the rule above it.
    return f"{'{}' if cells.startswith('[') else ''}{cells} \\\\"
