"""A report as plain text or Markdown. What comes from data is escaped. `tex` and `page` write the other forms."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence

from xlqa.curves.report.document import Report, Section, Table

WIDTH = 100
FOR_A_PAPER = "For a paper"
COMPUTED, SETTINGS, COMMANDS = "How this was computed", "Settings and versions", "Commands"
LEAST_FOR_CONTENTS = 5
"""A report of fewer sections is read without a list of them."""


# ------------------------------------------------------------------------------------------------------------ text


def as_text(report: Report) -> str:
    """Plain text for a terminal."""
    parts = [*_heading(report.title, "="), *([_wrap(report.lead), ""] if report.lead else [])]
    for place, section in enumerate(report.sections):
        parts += _text_section(section)
        if place == 0:
            parts += [line for text in report.failures for line in (_wrap(text, "! "), "")]
    parts += _heading(COMPUTED) if report.methods else []
    parts += [line for note in report.methods for line in (_wrap(note), "")]
    parts += _heading(SETTINGS) if report.settings else []
    parts += [line for table in report.settings for line in (_text_table(table, grouped=True), "")]
    parts += [*_heading(COMMANDS), *report.commands] if report.commands else []
    return "\n".join(parts).rstrip() + "\n"


def _heading(title: str, rule: str = "-") -> list[str]:
    return [title, rule * text_width(title), ""]


def _text_section(section: Section) -> list[str]:
    parts = [*_heading(section.title), *([_wrap(section.lead), ""] if section.lead else [])]
    parts += [line for text in missing_lines(section) for line in (_wrap(text, "! "), "")]
    parts += [line for table in section.tables for line in (_text_table(table), "")]
    parts += [_wrap(fact, "- ") for fact in section.facts] + [""] * bool(section.facts)
    if section.sentences:
        parts += [f"{FOR_A_PAPER}:", _wrap(" ".join(section.sentences), "  "), ""]
    return parts


def _wrap(text: str, mark: str = "") -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent=mark, subsequent_indent=" " * len(mark), break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def missing_lines(section: Section) -> list[str]:
    """What a section lacks, a line each."""
    return [f"missing, and left out of every mean: {cell}" for cell in section.missing]


def tables_as_text(tables: Sequence[Table]) -> str:
    """Tables alone, as plain text."""
    return "\n\n".join(map(_text_table, tables)) + "\n"


def _text_table(table: Table, grouped: bool = False) -> str:
    whole = [row for row in (table.header, *table.rows) if len(row) > 1]
    widths = [max(text_width(row[i]) for row in whole) for i in range(len(table.header))]
    caption = f"{table.title}: {table.group}" if grouped and table.group else table.title
    lines = [_text_row(row, widths, table.alignment) for row in (table.header, *table.rows)]
    return "\n".join([_wrap(caption), lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _text_row(row: Sequence[str], widths: Sequence[int], align: str) -> str:
    if len(row) == 1:
        return row[0]
    cells = [_pad(cell, width, letter == "l") for cell, width, letter in zip(row, widths, align, strict=True)]
    return "  ".join(cells).rstrip()


def _pad(cell: str, width: int, left: bool) -> str:
    blanks = " " * (width - text_width(cell))
    return cell + blanks if left else blanks + cell


def text_width(text: str) -> int:
    """Columns of a terminal that a text takes: two for an East Asian letter, none for a combining mark."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


# -------------------------------------------------------------------------------------------------------- Markdown


def as_markdown(report: Report) -> str:
    """Markdown with pipe tables, as GitHub shows it."""
    parts = [f"# {_md(report.title)}", *([_md(report.lead)] if report.lead else [])]
    for place, section in enumerate(report.sections):
        parts += _md_section(section)
        if place == 0:
            parts += [f"**{_md(text)}**" for text in report.failures]
            parts += _md_contents(report)
    parts += [f"## {COMPUTED}", *map(_md, report.methods)] if report.methods else []
    parts += (
        [f"## {SETTINGS}", *(_md_table(table, grouped=True) for table in report.settings)] if report.settings else []
    )
    parts += [f"## {COMMANDS}", "```sh\n" + "\n".join(report.commands) + "\n```"] if report.commands else []
    return "\n\n".join(parts) + "\n"


def _md_section(section: Section) -> list[str]:
    parts = [f"## {_md(section.title)}", *([_md(section.lead)] if section.lead else [])]
    parts += [f"**{_md(text)}**" for text in missing_lines(section)]
    parts += [_md_table(table) for table in section.tables]
    parts += ["\n".join(f"- {_md(fact)}" for fact in section.facts)] if section.facts else []
    if section.sentences:
        # GitHub folds what HTML folds; elsewhere the words stay readable.
        inside = _md(" ".join(section.sentences))
        parts.append(f"<details><summary>{FOR_A_PAPER}</summary>\n\n{inside}\n\n</details>")
    return parts


def _md_contents(report: Report) -> list[str]:
    """Links to the sections, where there are many."""
    if len(report.sections) < LEAST_FOR_CONTENTS:
        return []
    ends = [title for title, there in ((COMPUTED, report.methods), (SETTINGS, report.settings)) if there]
    titles = [*(section.title for section in report.sections[1:]), *ends]
    return ["\n".join(f"- [{_md(title)}](#{_md_anchor(title)})" for title in titles)]


def _md_anchor(title: str) -> str:
    """The anchor that GitHub gives a heading."""
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in "-_ ")
    return kept.replace(" ", "-")


def _md(text: str) -> str:
    for letter in "\\`*_[]<>|#":
        text = text.replace(letter, f"\\{letter}")
    return " ".join(text.split())


def tables_as_markdown(tables: Sequence[Table]) -> str:
    """Tables alone, as Markdown."""
    return "\n\n".join(map(_md_table, tables)) + "\n"


def _md_table(table: Table, grouped: bool = False) -> str:
    caption = f"{table.title}: {table.group}" if grouped and table.group else table.title
    width = len(table.header)
    cells = [
        [f"**{_md(row[0])}**", *[""] * (width - 1)] if len(row) == 1 < width else [*map(_md, row)] for row in table.rows
    ]
    lines = [f"| {' | '.join(row)} |" for row in ([*map(_md, table.header)], *cells)]
    rule = "|" + "|".join(":---" if letter == "l" else "---:" for letter in table.alignment) + "|"
    return "\n".join([f"{_md(caption)}:", "", lines[0], rule, *lines[1:]])
