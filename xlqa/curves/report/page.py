"""A report as one self-contained HTML page: no resource from elsewhere, one small script for copying. What comes from data is escaped."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from xlqa.curves.report.document import Report, Section, Table
from xlqa.curves.report.render import (
    COMMANDS,
    COMPUTED,
    FOR_A_PAPER,
    LEAST_FOR_CONTENTS,
    SETTINGS,
    missing_lines,
)

MOST_CARDS = 4
"""On a phone a table of so few rows is shown as cards; a longer one scrolls sideways."""


@dataclass(frozen=True)
class Picture:
    """A figure of the page: an SVG file's bytes, what it shows, and what a reader who can't see it is told."""

    svg: bytes
    caption: str
    alt: str


_STYLE = """
:root{color-scheme:light dark;--fg:#1b1b1b;--bg:#fff;--soft:#555;--rule:#ddd;--line:#888;--accent:#005f99;--box:#f2f7fb;
--warn:#b34700;--warnbox:#fdf4ee}
@media (prefers-color-scheme:dark){:root{--fg:#e9e9e9;--bg:#17191c;--soft:#b5b8bb;--rule:#373b40;--line:#83888d;
--accent:#7cc0ee;--box:#1f2830;--warn:#f0a36b;--warnbox:#2e231b}}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;color:var(--fg);background:var(--bg);margin:0}
main{max-width:66rem;margin:0 auto;padding:1rem 1rem 3rem}
h1{font-size:1.7rem;line-height:1.2;margin:1rem 0 .3rem;overflow-wrap:anywhere}
h2{font-size:1.2rem;line-height:1.3;margin:2.2rem 0 .6rem;border-top:1px solid var(--rule);padding-top:1rem;overflow-wrap:anywhere}
header+section h2{border:0;margin-top:.8rem;padding-top:0}
p{margin:.5rem 0}
a{color:var(--accent)}
.soft,.caption,figcaption,.methods{color:var(--soft);font-size:.92rem}
.missing{border-left:4px solid var(--warn);background:var(--warnbox);padding:.5rem 1rem;margin:.8rem 0}
.wide{overflow-x:auto;margin:.2rem 0 1.2rem}
.wide:focus-visible,summary:focus-visible,button:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
.caption{margin:1.1rem 0 .2rem}
th,td{padding:.25rem .7rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule)}
thead th{white-space:normal;border-bottom:1.5px solid var(--line);font-weight:600;vertical-align:bottom}
th.l,td.l{text-align:left}
tbody th{font-weight:400}
th:first-child{position:sticky;left:0;background:var(--bg)}
.summary tbody th,.summary td:last-child{font-weight:600}
.summary th,.summary td{vertical-align:top}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,20rem),1fr));gap:1rem;align-items:start;margin:1rem 0}
figure{margin:0}
figure img{width:100%;max-width:34rem;height:auto;background:#fff;border-radius:4px}
ul{padding-left:1.2rem}
li{overflow-wrap:anywhere}
nav ul{columns:20rem;list-style:none;padding:0;margin:.3rem 0}
summary{cursor:pointer;font-weight:600;margin:.6rem 0}
.paper{background:var(--box);border-left:4px solid var(--accent);padding:.1rem 1rem;margin:.8rem 0}
button{font:inherit;color:var(--bg);background:var(--accent);border:0;border-radius:4px;padding:.3rem .9rem;margin:.2rem 0 .8rem;cursor:pointer}
pre{background:var(--box);padding:.7rem 1rem;overflow-x:auto;font-size:.88rem}
@media (max-width:40rem){body{font-size:15px}main{padding:.6rem .8rem 2rem}th,td{padding:.2rem .45rem}
.cards,.cards tbody,.cards tr,.cards th,.cards td{display:block}
.cards thead,.cards br{display:none}
.cards table{width:100%}
.cards tr{border:1px solid var(--rule);border-radius:6px;padding:.3rem .7rem;margin:.5rem 0}
.cards tbody th,.cards td{display:flex;justify-content:space-between;gap:1rem;border:0;text-align:right;white-space:normal;padding:.15rem 0}
.cards tbody th::before,.cards td::before{content:attr(data-label);color:var(--soft);font-weight:400;text-align:left}}
@media print{:root{color-scheme:light;--fg:#000;--bg:#fff;--soft:#444;--rule:#ccc;--line:#666;
--accent:#005f99;--box:#fff;--warn:#b34700;--warnbox:#fff}
main{max-width:none;padding:0}.wide{overflow:visible}table{font-size:7.5pt}h2{break-after:avoid}button,nav{display:none}
figure,tr,.paper,.missing{break-inside:avoid}th,td{white-space:normal}th:first-child{position:static}
.figures{grid-template-columns:1fr 1fr}}
"""

_SCRIPT = """
for(const b of document.querySelectorAll('.copy')){b.hidden=false;b.onclick=async()=>{const p=b.previousElementSibling;let ok=true;
try{await navigator.clipboard.writeText(p.textContent)}catch{const s=getSelection();s.selectAllChildren(p);ok=document.execCommand('copy')}
b.textContent=ok?'Copied':'Selected: copy it';setTimeout(()=>{b.textContent='Copy'},2000)}}
addEventListener('beforeprint',()=>{for(const d of document.querySelectorAll('.paper'))d.open=true})
"""


def as_html(report: Report, pictures: Mapping[str, Sequence[Picture]], runs: Sequence[Table]) -> str:
    """One HTML file that needs nothing else: figures inside, one script whose hash the page names.

    Args:
        pictures: of the sections, by their titles.
        runs: every run's settings, folded away.
    """
    body = [f"<header><h1>{_h(report.title)}</h1><p>{_h(report.lead)}</p></header>"]
    for place, section in enumerate(report.sections):
        body.append(f'<section id="s{place}"><h2>{_h(section.title)}</h2>')
        body += _section(section, pictures.get(section.title, ()), summary=place == 0)
        body.append("</section>")
        if place == 0:
            body += [f'<p class="missing">{_h(text)}</p>' for text in report.failures]
            body += _contents(report)
    body += _ends(report, runs)
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode("ascii")
    policy = f"default-src 'none';img-src data:;style-src 'unsafe-inline';script-src 'sha256-{digest}';base-uri 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{_h(report.title)}</title><style>{_STYLE}</style></head>\n<body><main>\n"
        + "\n".join(body)
        + f"\n</main><script>{_SCRIPT}</script></body></html>\n"
    )


def _section(section: Section, pictures: Sequence[Picture], summary: bool) -> list[str]:
    """The summary has its table first, then the curves; a result has its figures first."""
    figures = [f'<div class="figures">{"".join(map(_figure, pictures))}</div>'] if pictures else []
    cards = summary and bool(section.tables) and len(section.tables[0].rows) <= MOST_CARDS
    tables = [
        _html_table(table, kind=("summary cards" if cards else "summary") if summary and place == 0 else "")
        for place, table in enumerate(section.tables)
    ]
    parts = [f"<p>{_h(section.lead)}</p>"] if section.lead else []
    parts += [f'<p class="missing">{_h(text)}</p>' for text in missing_lines(section)]
    facts = [f"<ul>{_items(section.facts)}</ul>"] if section.facts else []
    parts += [*tables[:1], *facts, *figures, *tables[1:]] if summary else [*figures, *tables, *facts]
    if section.sentences:
        made = _h(" ".join(section.sentences))
        copy = '<button type="button" class="copy" hidden>Copy</button>'
        parts.append(f'<details class="paper"><summary>{FOR_A_PAPER}</summary><p>{made}</p>{copy}</details>')
    return parts


def _contents(report: Report) -> list[str]:
    if len(report.sections) < LEAST_FOR_CONTENTS:
        return []
    named = [(f"s{place}", section.title) for place, section in enumerate(report.sections)][1:]
    ends = [(COMPUTED, report.methods), (SETTINGS, report.settings), (COMMANDS, report.commands)]
    named += [(title.partition(" ")[0].lower(), title) for title, there in ends if there]
    links = "".join(f'<li><a href="#{anchor}">{_h(title)}</a></li>' for anchor, title in named)
    return [f'<nav aria-label="Contents"><details><summary>Contents</summary><ul>{links}</ul></details></nav>']


def _ends(report: Report, runs: Sequence[Table]) -> list[str]:
    """How it was computed, with which settings and versions, and by which commands."""
    notes = "".join(f"<p>{_words(note)}</p>" for note in report.methods)
    body = [f'<section class="methods" id="how"><h2>{COMPUTED}</h2>{notes}</section>'] if notes else []
    if report.settings or runs:
        body += [f'<section id="settings"><h2>{SETTINGS}</h2>', *(_html_table(table) for table in report.settings)]
        body += [f"<details><summary>{_h(_name(t))}</summary>{_html_table(t, caption=False)}</details>" for t in runs]
        body.append("</section>")
    if report.commands:
        lines = _h("\n".join(report.commands))
        body.append(f'<section id="commands"><h2>{COMMANDS}</h2><pre tabindex="0">{lines}</pre></section>')
    return body


def _h(text: str) -> str:
    return html.escape(text, quote=True)


def _words(text: str) -> str:
    """A text between tags, with the subscripts of the statistics."""
    return re.sub(r"\b([DS])_([ET])\b", r"\1<sub>\2</sub>", _h(text))


def _items(lines: Iterable[str]) -> str:
    return "".join(f"<li>{_words(line)}</li>" for line in lines)


def _figure(picture: Picture) -> str:
    data = base64.b64encode(picture.svg).decode("ascii")
    image = f'<img src="data:image/svg+xml;base64,{data}" alt="{_h(picture.alt)}">'
    return f"<figure>{image}<figcaption>{_h(picture.caption)}</figcaption></figure>"


def _name(table: Table) -> str:
    return f"{table.title}: {table.group}" if table.group else table.title


def table_page(tables: Sequence[Table], title: str) -> str:
    """A page of tables alone."""
    return as_html(Report(title, "", (), (Section(title, tables=tuple(tables)),), ()), {}, ())


def _html_table(table: Table, caption: bool = True, kind: str = "") -> str:
    align = table.alignment
    head = "".join(
        f'<th scope="col" class="{a}">{_words(cell)}</th>' for a, cell in zip(align, table.header, strict=True)
    )
    rows = "".join(f"<tr>{_cells(row, table, kind)}</tr>" for row in table.rows)
    # The caption is outside of what scrolls sideways, so that a phone shows all of it.
    words = f'<p class="caption">{_words(table.title)}</p>' if caption else ""
    label = f'tabindex="0" role="region" aria-label="{_h(_name(table))}"'
    body = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
    return f'{words}<div class="{" ".join(["wide", kind]).strip()}" {label}><table>{body}</table></div>'


def _cells(row: Sequence[str], table: Table, kind: str) -> str:
    if len(row) == 1 < len(table.header):
        return f'<th class="l" scope="rowgroup" colspan="{len(table.header)}">{_h(row[0])}</th>'
    cells = []
    for place, (cell, letter, name) in enumerate(zip(row, table.alignment, table.header, strict=True)):
        tag, scope = ("td", "") if place else ("th", ' scope="row"')
        label = f' data-label="{_h(name)}"' if "cards" in kind else ""
        # An interval goes below its value, so that the summary fits a page.
        words = _h(cell).replace(" [", " <br>[").replace(" (N", " <br>(N") if kind else _h(cell)
        cells.append(f'<{tag}{scope} class="{letter}"{label}>{words}</{tag}>')
    return "".join(cells)
