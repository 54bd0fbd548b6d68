"""A report as text, Markdown, TeX or one self-contained HTML file. What comes from data is escaped in each of them."""

from __future__ import annotations

import base64
import html
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from xlqa.curves.report.contents import Report, Section, Table

WIDTH = 100


# ------------------------------------------------------------------------------------------------------------ text


def as_text(report: Report) -> str:
    """Plain text for a terminal."""
    parts = [report.title, "=" * len(report.title), "", _wrap(report.lead), ""]
    parts += [line for text in report.failures for line in (_wrap(text, "! "), "")]
    for section in report.sections:
        parts += [section.title, "-" * _width(section.title), ""]
        parts += [_wrap(" ".join(section.sentences)), ""] if section.sentences else []
        parts += [line for text in _missing(section) for line in (_wrap(text, "! "), "")]
        parts += [line for table in section.tables for line in (_text_table(table), "")]
        parts += [_wrap(fact, "- ") for fact in section.facts] + [""] * bool(section.facts)
    parts += ["How this was computed", "---------------------", ""] if report.methods else []
    parts += [_wrap(note) for note in report.methods]
    return "\n".join(parts).rstrip() + "\n"


def _wrap(text: str, mark: str = "") -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent=mark, subsequent_indent=" " * len(mark), break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def _missing(section: Section) -> list[str]:
    return [f"missing, and left out of every mean: {cell}" for cell in section.missing]


def _text_table(table: Table) -> str:
    rows = [table.header, *table.rows]
    widths = [max(_width(row[i]) for row in rows) for i in range(len(table.header))]
    lines = ["  ".join(_pad(cell, width, left=i == 0) for i, (cell, width) in enumerate(zip(row, widths, strict=True)))
             for row in rows]  # fmt: skip
    return "\n".join(
        [_wrap(table.caption), lines[0].rstrip(), "  ".join("-" * w for w in widths), *map(str.rstrip, lines[1:])]
    )


def _pad(cell: str, width: int, left: bool) -> str:
    blanks = " " * (width - _width(cell))
    return cell + blanks if left else blanks + cell


def _width(text: str) -> int:
    """Columns of a terminal that a text takes: two for an East Asian letter, none for a combining mark."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


# -------------------------------------------------------------------------------------------------------- Markdown


def as_markdown(report: Report) -> str:
    """Markdown with pipe tables, as GitHub shows it."""
    parts = [f"# {_md(report.title)}", _md(report.lead), *(f"**{_md(text)}**" for text in report.failures)]
    for section in report.sections:
        parts.append(f"## {_md(section.title)}")
        parts += [f"> {_md(' '.join(section.sentences))}"] if section.sentences else []
        parts += [f"**{_md(text)}**" for text in _missing(section)]
        parts += [_md_table(table) for table in section.tables]
        parts += ["\n".join(f"- {_md(fact)}" for fact in section.facts)] if section.facts else []
    parts += ["## How this was computed", *map(_md, report.methods)] if report.methods else []
    parts += [_md_table(table) for table in report.settings]
    return "\n\n".join(parts) + "\n"


def _md(text: str) -> str:
    for letter in "\\`*_[]<>|#":
        text = text.replace(letter, f"\\{letter}")
    return " ".join(text.split())


def _md_table(table: Table) -> str:
    lines = [f"| {' | '.join(map(_md, row))} |" for row in (table.header, *table.rows)]
    rule = "|" + "|".join([":---"] + ["---:"] * (len(table.header) - 1)) + "|"
    return "\n".join([f"{_md(table.caption)}:", "", lines[0], rule, *lines[1:]])


# ------------------------------------------------------------------------------------------------------------- TeX

_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": "$<$", ">": "$>$", "−": "$-$", "±": r"$\pm$",
    "Δ": r"$\Delta$", "ε": r"$\varepsilon$", "·": r"$\cdot$", "≥": r"$\ge$", "≤": r"$\le$", "–": "--", "₀": "$_0$",
    "“": "``", "”": "''", "…": r"\dots{}", "−1": "$-1$",
}  # fmt: skip


def as_tex(report: Report) -> str:
    """LaTeX to \\input into a paper: paragraphs and booktabs tables."""
    parts = [f"% {' '.join(report.title.split())} Needs \\usepackage{{booktabs}}."]
    parts += [_tex(text) + r"\par" for text in report.failures]
    for section in report.sections:
        parts.append(f"\\subsection*{{{_tex(section.title)}}}")
        parts += ["\n".join(map(_tex, section.sentences))] if section.sentences else []
        parts += [_tex(text) + r"\par" for text in _missing(section)]
        parts += [_tex_table(table) for table in section.tables]
        facts = "\n".join(f"  \\item {_tex(fact)}" for fact in section.facts)
        parts += [f"\\begin{{itemize}}\n{facts}\n\\end{{itemize}}"] if section.facts else []
    parts += ["\n".join(map(_tex, report.methods))] if report.methods else []
    return "\n\n".join(parts) + "\n"


def _tex(text: str) -> str:
    return "".join(_TEX.get(letter, letter) for letter in " ".join(text.split()))


def _tex_table(table: Table) -> str:
    rows = [" & ".join(map(_tex, row)) + r" \\" for row in table.rows]
    # A row that begins with a bracket would be read as an argument of the rule above it.
    body = "\n".join(f"{{}}{row}" if row.startswith("[") else row for row in rows)
    return (
        "\\begin{table}\n\\centering\\small\n"
        f"\\caption{{{_tex(table.caption)}.}}\n"
        f"\\begin{{tabular}}{{l{'r' * (len(table.header) - 1)}}}\n\\toprule\n"
        f"{' & '.join(map(_tex, table.header))} \\\\\n\\midrule\n{body}\n\\bottomrule\n\\end{{tabular}}\n\\end{{table}}"
    )


# ------------------------------------------------------------------------------------------------------------ HTML


@dataclass(frozen=True)
class Picture:
    """A figure of the page: an SVG file's bytes, what it shows, and what a reader who can't see it is told."""

    svg: bytes
    caption: str
    alt: str


_STYLE = """
:root{color-scheme:light}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;color:#1b1b1b;background:#fff;
margin:0}
main{max-width:62rem;margin:0 auto;padding:1rem 1rem 3rem}
h1{font-size:1.7rem;line-height:1.2;margin:1rem 0 .3rem}
h2{font-size:1.2rem;line-height:1.3;margin:2.2rem 0 .6rem;border-top:1px solid #ddd;padding-top:1rem}
p{margin:.5rem 0}
.say{border-left:4px solid #0072b2;background:#f2f7fb;padding:.7rem 1rem;margin:.8rem 0}
.missing{border-left:4px solid #d55e00;background:#fdf4ee;padding:.5rem 1rem;margin:.8rem 0}
.wide{overflow-x:auto;margin:.2rem 0 1.2rem;-webkit-overflow-scrolling:touch}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
.caption{color:#444;margin:1.1rem 0 .2rem;font-size:.92rem}
th,td{padding:.25rem .7rem;text-align:right;white-space:nowrap;border-bottom:1px solid #eee}
th{white-space:normal;border-bottom:1.5px solid #888;font-weight:600;vertical-align:bottom}
th:first-child,td:first-child{text-align:left;position:sticky;left:0;background:#fff}
td.hash{font-family:ui-monospace,Menlo,Consolas,monospace}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,21rem),1fr));gap:1rem;align-items:start}
figure{margin:0}
figure img{width:100%;max-width:34rem;height:auto}
figcaption{color:#444;font-size:.9rem;text-align:left}
ul{padding-left:1.2rem}
.methods{color:#444;font-size:.92rem}
summary{cursor:pointer;font-weight:600;margin:.6rem 0}
@media (max-width:40rem){body{font-size:15px}main{padding:.6rem .8rem 2rem}th,td{padding:.2rem .45rem}}
@media print{main{max-width:none;padding:0}.wide{overflow:visible}table{font-size:7.5pt}h2{break-after:avoid}
figure,tr,.say{break-inside:avoid}th,td{white-space:normal}th:first-child,td:first-child{position:static}}
"""


def as_html(report: Report, pictures: Mapping[str, Sequence[Picture]], runs: Sequence[Table]) -> str:
    """One HTML file that needs nothing else: figures inside, no script.

    Args:
        pictures: of the sections, by their titles.
        runs: every run's settings, folded away.
    """
    body = [f"<h1>{_h(report.title)}</h1>", f"<p>{_h(report.lead)}</p>"]
    body += [f'<p class="missing">{_h(text)}</p>' for text in report.failures]
    body += [f'<p class="say">{_h(" ".join(s.sentences))}</p>' for s in report.sections if s.sentences]
    for section in report.sections:
        body.append(f"<section><h2>{_h(section.title)}</h2>")
        body += [f'<p class="missing">{_h(text)}</p>' for text in _missing(section)]
        body.append(f'<div class="figures">{"".join(map(_figure, pictures.get(section.title, ())))}</div>')
        body += [_html_table(table) for table in section.tables]
        body += [f"<ul>{_items(section.facts)}</ul>"] if section.facts else []
        body.append("</section>")
    methods = "".join(f"<p>{_h(note)}</p>" for note in report.methods)
    body += [f'<section class="methods"><h2>How this was computed</h2>{methods}</section>'] if methods else []
    body += ["<h2>Settings</h2>", *(_html_table(table) for table in report.settings)]
    body += [f"<details><summary>{_h(t.caption)}</summary>{_html_table(t, caption=False)}</details>" for t in runs]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{_h(report.title)}</title><style>{_STYLE}</style></head>\n<body><main>\n"
        + "\n".join(body)
        + "\n</main></body></html>\n"
    )


def _h(text: str) -> str:
    return html.escape(text, quote=True)


def _items(lines: Iterable[str]) -> str:
    return "".join(f"<li>{_h(line)}</li>" for line in lines)


def _figure(picture: Picture) -> str:
    data = base64.b64encode(picture.svg).decode("ascii")
    image = f'<img src="data:image/svg+xml;base64,{data}" alt="{_h(picture.alt)}">'
    return f"<figure>{image}<figcaption>{_h(picture.caption)}</figcaption></figure>"


def _html_table(table: Table, caption: bool = True) -> str:
    head = "".join(f'<th scope="col">{_h(cell)}</th>' for cell in table.header)
    rows = "".join(f"<tr>{''.join(f'<td>{_h(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    # The caption is outside of what scrolls sideways, so that a phone shows all of it.
    said = f'<p class="caption">{_h(table.caption)}</p>' if caption else ""
    name = _h(table.caption)
    body = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
    return f'{said}<div class="wide" tabindex="0"><table aria-label="{name}">{body}</table></div>'
