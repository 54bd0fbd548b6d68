"""What a report consists of, before it takes a form: tables of words, sections, and the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

MISSING = "–"


@dataclass(frozen=True)
class Table:
    """A table of words. A row of one cell is a heading across the table.

    Attributes:
        align: a letter for each column, "l" or "r"; by default the first column is left, the others right.
        name: what `xlqa report --table` calls it; "" where it has no name.
        note: what the caption adds about this result alone; group: the result's title, where tables are joined.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: str = ""
    name: str = ""
    note: str = ""
    group: str = ""

    @property
    def title(self) -> str:
        """The caption with its note."""
        return f"{self.caption}; {self.note}" if self.note else self.caption

    @property
    def alignment(self) -> str:
        """A letter for each column."""
        return self.align or "l" + "r" * (len(self.header) - 1)


@dataclass(frozen=True)
class Section:
    """One comparison, one panel, or the summary.

    Attributes:
        lead: what a reader needs first; sentences: to paste into a paper.
        facts: single results, a line each; missing: cells that are not there, and what was left out for it.
    """

    title: str
    sentences: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    facts: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    lead: str = ""


@dataclass(frozen=True)
class Report:
    """The summary, the sections, and at the end how it was computed, with which settings, versions and commands.

    Attributes:
        lead: what was measured, in a line; failures: runs that failed.
        name: of the study, for the labels of TeX tables.
    """

    title: str
    lead: str
    failures: tuple[str, ...]
    sections: tuple[Section, ...]
    methods: tuple[str, ...]
    settings: tuple[Table, ...] = ()
    commands: tuple[str, ...] = ()
    name: str = ""

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables, in their order."""
        return (*(table for section in self.sections for table in section.tables), *self.settings)


def join_tables(tables: Sequence[Table]) -> tuple[Table, ...]:
    """One table for all results that have the same one, in the order of the first of each.

    A heading names each result. A column that some results lack is missing there.
    """
    kinds: dict[tuple[str, str], list[Table]] = {}
    for table in tables:
        kinds.setdefault((table.name, table.caption), []).append(table)
    return tuple(_join(same) for same in kinds.values())


def _join(tables: Sequence[Table]) -> Table:
    if len(tables) == 1:
        return tables[0]
    keys = list(dict.fromkeys(key for table in tables for key in _columns(table)))
    align = {key: letter for table in tables for key, letter in zip(_columns(table), table.alignment, strict=True)}
    notes = {table.note for table in tables}
    rows: list[tuple[str, ...]] = []
    for table in tables:
        at = {key: place for place, key in enumerate(_columns(table))}
        rows.append((f"{table.group} ({table.note})" if table.note and len(notes) > 1 else table.group,))
        rows += [tuple(row[at[key]] if key in at else MISSING for key in keys) for row in table.rows]
    return replace(
        tables[0],
        header=tuple(name for name, _ in keys),
        rows=tuple(rows),
        align="".join(align[key] for key in keys),
        note=tables[0].note if len(notes) == 1 else "",
    )


def _columns(table: Table) -> list[tuple[str, int]]:
    """Each column by its name and how often that came before: "95 % interval" may be there twice."""
    return [(name, table.header[:place].count(name)) for place, name in enumerate(table.header)]
