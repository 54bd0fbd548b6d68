"""Small pieces of HTML for notebooks: escaped, and without colours of their own, so that they suit light and dark pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from xlqa.util.text import printable

MOST_ROWS = 60
"""Rows that a notebook shows of a table."""


def text(value: object) -> str:
    """A value as HTML text, without control and direction characters."""
    return escape(printable(str(value)))


def paragraph(*values: object) -> str:
    """A paragraph of one line for each value; nothing where there is none."""
    return f"<p>{'<br>'.join(map(text, values))}</p>" if values else ""


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> str:
    """A table; columns of numbers to the right. A row of one cell is a heading.

    Columns that are empty throughout are left out, and so is a table without rows.
    """
    cells = [[str(cell) for cell in row] for row in rows]
    whole = [row for row in cells if len(row) == len(heads)]
    kept = [at for at in range(len(heads)) if any(row[at] for row in whole)]
    if not kept:
        return ""
    align = {at: "right" if all(_is_number(row[at]) for row in whole) else "left" for at in kept}

    def line(row: Sequence[str], tag: str) -> str:
        if len(row) < len(heads):
            return f'<tr><th colspan="{len(kept)}" style="text-align:left">{text(row[0])}</th></tr>'
        cells = (f'<{tag} style="text-align:{align[at]};padding:0.1em 0.6em">{text(row[at])}</{tag}>' for at in kept)
        return f"<tr>{''.join(cells)}</tr>"

    above = f'<caption style="text-align:left">{text(caption)}</caption>' if caption else ""
    body = "".join(line(row, "td") for row in cells[:MOST_ROWS])
    more = paragraph(f"and {len(cells) - MOST_ROWS:,} more rows") if len(cells) > MOST_ROWS else ""
    return f"<table>{above}<thead>{line(heads, 'th')}</thead><tbody>{body}</tbody></table>{more}"


def _is_number(cell: str) -> bool:
    return cell in ("", "–", "?", "nan") or cell.lstrip("+−-≥≤<> ")[:1].isdigit()


def marked(whole: str, spans: Iterable[tuple[int, int, str]]) -> str:
    """A text in which spans of characters [start, end) are marked, with a note each; spans that overlap an earlier one are left out."""
    parts, at = [], 0
    for start, end, note in sorted(spans):
        if start >= at:
            parts += [
                text(whole[at:start]),
                f"<b><u>{text(whole[start:end])}</u></b>",
                f" <sub>{text(note)}</sub>" if note else "",
            ]
            at = end
    return f"<p>{''.join(parts)}{text(whole[at:])}</p>"
