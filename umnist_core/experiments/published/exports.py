"""Published tables with ours as files: comma-separated, Parquet, LaTeX, SVG and PNG.

The first two have a row for each figure (`COLUMNS`); LaTeX has the table as a document would.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

from umnist_core.experiments.drawing.chart import HeatMap, SeriesChart
from umnist_core.experiments.drawing.picture import Drawing, svg_text
from umnist_core.experiments.drawing.plots import chart_picture, heat_picture
from umnist_core.experiments.drawing.png import png_bytes
from umnist_core.experiments.published.beside import TIERS, OurFigure
from umnist_core.experiments.published.grid import GridCell, GridRow, cell_words, grid_of, tier_of
from umnist_core.experiments.published.tables import PublishedCell, PublishedTable
from umnist_core.spreadsheets import csv_text

COLUMNS = (
    *("table", "row", "row_title", "column", "unit", "tier", "name", "value", "low", "high"),
    *("interval", "sd", "sd_kind", "runs", "right", "of", "provenance", "where", "hardware"),
    *("date_utc", "recipe", "command", "by", "contradictions", "note"),
)
"""Of a file with a row for each figure; ``value``, ``low``, ``high`` and ``sd`` are in ``unit``."""

Row = dict[str, Any]


def figure_rows(table: PublishedTable, ours: Sequence[OurFigure]) -> list[Row]:
    """Return a row for each figure, published or ours, in the order of the table."""
    return [
        {**dict.fromkeys(COLUMNS), "table": table.key, **row}
        for line in grid_of(table, ours)
        for cell in line.cells
        for row in _cell_rows(line, cell)
    ]


def _cell_rows(line: GridRow, cell: GridCell) -> Iterator[Row]:
    place = {
        "row": line.key,
        "row_title": line.title,
        "column": cell.column.key,
        "unit": cell.column.unit,
        "note": line.note or None,
    }
    against = " ".join(f"{one.id}: {one.says}" for one in cell.contradictions) or None
    for one in (*cell.published, *cell.others):
        yield {**place, **_published_row(one), "contradictions": against}
    for own in cell.ours:
        yield {**place, **_our_row(own)}


def _published_row(cell: PublishedCell) -> Row:
    told = {name: getattr(cell, name) for name in ("value", "sd", "runs", "right", "of")}
    told |= {"provenance": cell.provenance, "where": cell.where or None}
    return {**told, "sd_kind": cell.kind or None, "tier": TIERS[tier_of(cell)]}


def _our_row(figure: OurFigure) -> Row:
    plain = ("name", "value", "low", "high", "interval", "sd", "right", "of")
    texts = ("hardware", "date_utc", "recipe", "command", "by")
    return {
        **{name: getattr(figure, name) for name in plain},
        **{name: getattr(figure, name) or None for name in texts},
        "runs": figure.seeds,
        "sd_kind": None if figure.sd is None else "sample",
        "tier": TIERS[figure.tier],
    }


def figures_text(rows: Sequence[Row]) -> str:
    """Return rows as comma-separated text that spreadsheets open without running anything."""
    return csv_text(COLUMNS, rows)


def parquet_bytes(rows: Sequence[Row]) -> bytes:
    """Return rows as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    whole, real = ("runs", "right", "of"), ("value", "low", "high", "sd")
    schema = pa.schema(
        [
            (name, pa.int64() if name in whole else pa.float64() if name in real else pa.string())
            for name in COLUMNS
        ]
    )
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), file, compression="zstd")
    return file.getvalue()


# -- LaTeX ----------------------------------------------------------------------------

_SPECIAL = {
    "\\": r"\textbackslash{}",
    **{one: f"\\{one}" for one in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{SUPERSCRIPT TWO}": r"$^2$",
}


def latex_text(table: PublishedTable, ours: Sequence[OurFigure]) -> str:
    """Return a table as LaTeX, with booktabs; ours stand in rows below those of the document."""
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        rf"\caption{{{latex_escaped(f'{table.title}. {table.about}')}}}",
        rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        r"\toprule",
        latex_line([table.row_title, *(_head(one.title, one.unit) for one in table.columns)]),
        r"\midrule",
    ]
    for row in grid_of(table, ours):
        lines += [latex_line(cells) for cells in _latex_rows(row)]
    lines += [r"\bottomrule", r"\end{tabular}"]
    marks = dict.fromkeys(f"{one.id}: {one.says}" for one in table.contradictions)
    lines += [rf"\par\smallskip\footnotesize {latex_escaped(one)}" for one in marks]
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def _head(title: str, unit: str) -> str:
    return f"{title} ({unit})" if unit else title


def _latex_rows(row: GridRow) -> Iterator[list[str]]:
    if row.is_published:
        yield [row.title, *(_latex_cell(cell) for cell in row.cells)]
    names = dict.fromkeys(one.name for cell in row.cells for one in cell.ours)
    for name in names:
        cells = [
            "; ".join(_our_words(one) for one in cell.ours if one.name == name)
            for cell in row.cells
        ]
        title = f"  ours: {name}" if row.is_published else f"{row.title}, ours: {name}"
        yield [title, *cells]


def _latex_cell(cell: GridCell) -> str:
    told = "; ".join(cell_words(one, cell.column.unit).rstrip(" %") for one in cell.published)
    marks = ",".join(dict.fromkeys(one.id for one in cell.contradictions))
    return f"{told} [{marks}]" if told and marks else told


def _our_words(figure: OurFigure) -> str:
    if figure.low is None or figure.high is None:
        return f"{figure.value:.1f}"
    return f"{figure.value:.1f} ({figure.low:.1f} to {figure.high:.1f})"


def latex_line(cells: Sequence[str]) -> str:
    """Return the cells of a row of a LaTeX table; one that begins with blanks is indented."""
    indent = r"\quad " if cells[0].startswith("  ") else ""
    return indent + " & ".join(latex_escaped(one.strip()) for one in cells) + r" \\"


def latex_escaped(text: str) -> str:
    """Return a text with what is special in LaTeX escaped."""
    return re.sub(r"[\\&%$#_{}~^\u00b1\u00b2]", lambda found: _SPECIAL[found[0]], text)


# -- pictures -------------------------------------------------------------------------


def picture_of(drawn: SeriesChart | HeatMap) -> Drawing:
    """Return a chart or a heat map as a picture."""
    return chart_picture(drawn) if isinstance(drawn, SeriesChart) else heat_picture(drawn)


def svg_bytes(drawn: SeriesChart | HeatMap) -> bytes:
    """Return a chart or a heat map as an SVG file on white."""
    return svg_text(picture_of(drawn), ground="#ffffff").encode()


def png_file(drawn: SeriesChart | HeatMap) -> bytes:
    """Return a chart or a heat map as a PNG file."""
    return png_bytes(picture_of(drawn))
