"""Pages of the static site: plain HTML with their style and figures in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from umnist_core.experiments.drawing.chart import HeatMap, SeriesChart
from umnist_core.experiments.drawing.picture import svg_text
from umnist_core.experiments.published.beside import (
    HERE,
    OTHERS,
    TIERS,
    OurFigure,
    Rerun,
    SweepFolder,
    reruns_of,
)
from umnist_core.experiments.published.exports import picture_of
from umnist_core.experiments.published.grid import (
    GridCell,
    GridRow,
    cell_words,
    facts_of,
    figure_words,
    provenance_words,
    sentences_at,
    tier_of,
)
from umnist_core.experiments.published.tables import PublishedTable
from umnist_core.experiments.sweeps.results import COLUMNS
from umnist_core.experiments.sweeps.tables import axes_of

STYLE = """
:root { color-scheme: light dark; --quiet: light-dark(#595959, #b8b8b8);
  --accent: light-dark(#0b6b78, #4fb3c0); --warn: light-dark(#8a4b00, #e0a030);
  --line: light-dark(#d4d4d4, #46484c); }
body { margin: 0 auto; max-width: 76rem; padding: 1rem 1.2rem 4rem; line-height: 1.5;
  font-family: system-ui, sans-serif; font-variant-numeric: tabular-nums;
  background: light-dark(#ffffff, #14161a); color: light-dark(#1f1f1f, #ececec); }
a { color: var(--accent); }
nav a, .files a { display: inline-block; padding: 0.5rem 0.6rem 0.5rem 0; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.92rem; width: 100%; }
caption { text-align: left; color: var(--quiet); padding-bottom: 0.4rem; }
th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.9rem 0.35rem 0;
  border-bottom: 1px solid var(--line); font-weight: 400; }
thead th { font-weight: 600; } td b { font-weight: 600; white-space: nowrap; }
small { display: block; color: var(--quiet); }
.ours { display: block; color: var(--accent); font-weight: 600; }
.warn { color: var(--warn); font-weight: 600; }
.empty { color: var(--quiet); }
figure { margin: 1rem 0; } figure svg { width: 100%; min-width: 34rem; max-width: 56rem; }
figcaption, .about { color: var(--quiet); } figcaption a { padding: 0.5rem 0.3rem; }
dl { display: grid; grid-template-columns: 8rem 1fr; gap: 0.2rem 1rem; margin: 0.4rem 0 1.2rem; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
code { overflow-wrap: anywhere; white-space: pre-wrap; }
li { margin: 0.3rem 0; }
@media print { nav, .files { display: none; } }
"""


def page(title: str, body: str, *, up: str = "") -> str:
    """Return a whole page.

    Parameters
    ----------
    up
        Path from it to the folder of the site, ending in ``/``; empty for the first page.
    """
    home = f'<nav aria-label="Site"><a href="{up}index.html">All results</a></nav>' if up else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:,">\n<title>{escape(title)}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n{home}\n<main>\n<h1>{escape(title)}</h1>\n"
        f"{body}\n</main>\n</body>\n</html>\n"
    )


def list_html(items: Iterable[str]) -> str:
    """Return HTML as a list."""
    return f"<ul>{''.join(f'<li>{one}</li>' for one in items)}</ul>"


def link(address: str, words: str) -> str:
    """Return a link."""
    return f'<a href="{escape(address)}">{escape(words)}</a>'


def figure_html(drawn: SeriesChart | HeatMap, files: Sequence[tuple[str, str]]) -> str:
    """Return a chart or a heat map, below it its title and links to its files."""
    links = " ".join(link(path, words) for path, words in files)
    title = escape(drawn.title)
    return (
        f'<figure><div class="scroll" tabindex="0" role="group" aria-label="{title}">'
        f"{svg_text(picture_of(drawn))}</div><figcaption>{title} {links}</figcaption></figure>"
    )


def table_body(
    table: PublishedTable,
    rows: Sequence[GridRow],
    figures: Sequence[str],
    files: Sequence[tuple[str, str]],
) -> str:
    """Return the page of a published table: figures, the table, what contradicts it, and ours."""
    about = table.about
    if table.paper is not None:
        where = " ".join(filter(None, (f"({table.paper.year})", table.paper.identifier)))
        about += f" {table.paper.authors} {where}."
    against = sentences_at(cell for row in rows for cell in row.cells)
    ours = [one for row in rows for cell in row.cells for one in cell.ours]
    return "".join(
        (
            f'<p class="about">{escape(about)}</p>',
            f'<p class="files">{" ".join(link(path, words) for path, words in files)}</p>',
            *figures,
            "<h2>Published, and ours</h2>",
            _grid_html(table, rows),
            f"<h2>Contradictions</h2>{list_html(map(escape, against))}" if against else "",
            "<h2>What stands behind ours</h2>",
            _ours_html(ours) if ours else "<p>Nothing of ours is here yet.</p>",
            _reruns_html(reruns_of(table)),
        )
    )


def _grid_html(table: PublishedTable, rows: Sequence[GridRow]) -> str:
    heads = "".join(
        f'<th scope="col">{escape(one.title)}{f" ({escape(one.unit)})" if one.unit else ""}</th>'
        for one in table.columns
    )
    body = "".join(
        f'<tr><th scope="row">{escape(row.title)}'
        f"{f'<small>{escape(row.note)}</small>' if row.note else ''}</th>"
        f"{''.join(f'<td>{_cell_html(cell)}</td>' for cell in row.cells)}</tr>"
        for row in rows
    )
    caption = "A dash: nothing is published that can be read. In colour: ours, with 95 % intervals."
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(table.title)}"><table>'
        f"<caption>{caption}</caption>"
        f'<thead><tr><th scope="col">{escape(table.row_title)}</th>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell_html(cell: GridCell) -> str:
    unit = cell.column.unit
    parts = [
        f"<b>{escape(cell_words(one, unit))}</b><small>{escape(provenance_words(one))}</small>"
        for one in cell.published
    ] or ['<span class="empty">\N{EN DASH}</span>']
    parts += [
        f"<small>{escape(TIERS[tier_of(one)])}: {escape(cell_words(one, unit))}"
        f"{f', {one.runs} runs' if one.runs and one.runs > 1 else ''}</small>"
        for one in cell.others
    ]
    if marks := dict.fromkeys(one.id for one in cell.contradictions):
        parts.append(f'<small class="warn">contradicted: {", ".join(marks)}</small>')
    parts += [
        f'<span class="ours">{escape(figure_words(one, unit))}</span>'
        f"<small>{escape(one.name)}, {TIERS[one.tier]}</small>"
        for one in cell.ours
    ]
    return "".join(parts)


def _ours_html(ours: Sequence[OurFigure]) -> str:
    groups: dict[tuple[Any, ...], list[OurFigure]] = {}
    for one in ours:
        groups.setdefault((one.name, one.hardware, one.date_utc, one.command), []).append(one)
    return "".join(
        f"<h3>{escape(found[0].name)}</h3><dl>"
        + "".join(
            f"<dt>{escape(name)}</dt><dd>{escape(said)}</dd>"
            for name, said in facts_of(found[0])
            if len(found) == 1 or name not in ("Right",)
        )
        + (f"<dt>Command</dt><dd><code>{escape(found[0].command)}</code></dd>" * bool(key[3]))
        + "</dl>"
        for key, found in groups.items()
    )


def _reruns_html(reruns: Sequence[Rerun]) -> str:
    if not reruns:
        return ""
    items = [
        f"{escape(one.title)} ({one.size})."
        f"{f' It needs {escape(one.needs)}.' if one.needs else ''}"
        f"<br><code>{escape(one.commands[1])}</code>"
        for one in reruns
    ]
    return f"<h2>Run it yourself</h2>{list_html(items)}"


def sweep_body(sweep: SweepFolder, figures: Sequence[str], files: Sequence[tuple[str, str]]) -> str:
    """Return the page of a sweep: what it is, figures, and a row for each point at its end."""
    plan: Mapping[str, Any] = sweep.plan
    axes = axes_of(sweep.rows)
    named = ("task", "part", "at", "seeds", "failed", "missing", "images", "mean", "low", "high")
    columns = [*axes, *(one for one in named if one in COLUMNS), "sd", "interval"]
    heads = "".join(f'<th scope="col">{escape(one)}</th>' for one in columns)
    ends = [row for row in sweep.rows if row["at"] in ("", "final", None)]
    body = "".join(
        f"<tr>{''.join(f'<td>{_plain(row.get(one))}</td>' for one in columns)}</tr>" for row in ends
    )
    done = sum(one.is_done for one in sweep.results.values())
    hardware = "; ".join(sorted({str(one.cost.get("hardware", "")) for one in _done(sweep)}))
    tier = TIERS[OTHERS if plan.get("by") else HERE]
    about = f"{tier}; {done:,} of {len(plan['cells']):,} cells done; {hardware}. {plan['about']}"
    if len(ends) < len(sweep.rows):
        about += " Earlier epochs are in the file."
    return (
        f'<p class="about">{escape(about)}</p>'
        f'<p class="files">{" ".join(link(path, words) for path, words in files)}</p>'
        f"{''.join(figures)}"
        f'<div class="scroll" tabindex="0" role="region" aria-label="Results"><table>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _done(sweep: SweepFolder) -> list[Any]:
    return [one for one in sweep.results.values() if one.is_done]


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return escape(f"{value:.4g}" if isinstance(value, float) else str(value))
