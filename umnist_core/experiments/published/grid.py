"""A published table with ours in its cells, as words that pages and sites show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from umnist_core.experiments.published.beside import (
    ARITHMETIC,
    FROM_LOGS,
    PUBLISHED,
    TIERS,
    OurFigure,
)
from umnist_core.experiments.published.tables import (
    LOG,
    POPULATION,
    RECOMPUTED,
    SAMPLE,
    Contradiction,
    PublishedCell,
    PublishedColumn,
    PublishedRow,
    PublishedTable,
)

PLUS_MINUS = "\N{PLUS-MINUS SIGN}"

_SD_WORDS = {
    SAMPLE: "standard deviation of the sample",
    POPULATION: "standard deviation of the population",
    "": "standard deviation, the document does not say which",
}

_FORMULA = "by its formula"


@dataclass(frozen=True)
class GridCell:
    """A cell: what is published, what its logs have, and ours.

    Attributes
    ----------
    column
        Which.
    published, others, ours
        Figures of documents, of logs or arithmetic, and of ours; each may be empty.
    contradictions
        What stands at it.
    """

    column: PublishedColumn
    published: tuple[PublishedCell, ...]
    others: tuple[PublishedCell, ...]
    ours: tuple[OurFigure, ...]
    contradictions: tuple[Contradiction, ...]


@dataclass(frozen=True)
class GridRow:
    """A row of a table, or of ours that no row is published for."""

    key: str
    title: str
    note: str
    is_published: bool
    cells: tuple[GridCell, ...]


def grid_of(table: PublishedTable, ours: Sequence[OurFigure]) -> list[GridRow]:
    """Return the rows of a table with ours, then those that are ours alone."""
    rows = [_published_row(table, row, ours) for row in table.rows]
    return [*rows, *_own_rows(table, ours)]


def _published_row(table: PublishedTable, row: PublishedRow, ours: Sequence[OurFigure]) -> GridRow:
    def cell(column: PublishedColumn) -> GridCell:
        figures = row.cells.get(column.key, ())
        return GridCell(
            column,
            tuple(one for one in figures if one.is_published),
            tuple(one for one in figures if not one.is_published),
            tuple(one for one in ours if (one.row, one.column) == (row.key, column.key)),
            table.at(row.key, column.key) if figures else (),
        )

    return GridRow(row.key, row.title, row.note, True, tuple(map(cell, table.columns)))


def _own_rows(table: PublishedTable, ours: Sequence[OurFigure]) -> Iterator[GridRow]:
    """Yield a row for each place or method that nothing is published of."""
    alone = [one for one in ours if not one.row]
    axis = str(table.figure.get("parameter", "")).replace("_", " ")
    keys = dict.fromkeys(own_key(one) for one in sorted(alone, key=lambda one: one.x or 0.0))
    for key in keys:
        own = [one for one in alone if own_key(one) == key]
        title = own[0].name if own[0].x is None else f"{axis} {own[0].x:g}"
        cells = (
            GridCell(column, (), (), tuple(one for one in own if one.column == column.key), ())
            for column in table.columns
        )
        yield GridRow(key, title, "", False, tuple(cells))


def own_key(figure: OurFigure) -> str:
    """Return the key of the row of a figure that stands in none of the document's."""
    return f"own-{figure.name}" if figure.x is None else f"own-{figure.x:g}"


# -- words ----------------------------------------------------------------------------


def number(value: float, unit: str) -> str:
    """Return a figure with its unit, where that is per cent; other units stand in the head."""
    # As a table has it: 76.0 keeps its place behind the point, 1130 never had one.
    text = f"{value:,.4g}" if value != round(value, 3) else f"{value:,.8g}"
    if isinstance(value, float) and unit == "%" and "." not in text:
        text += ".0"
    return f"{text} %" if unit == "%" else text


def cell_words(cell: PublishedCell, unit: str) -> str:
    """Return a published figure with its spread."""
    if cell.sd is None:
        return number(cell.value, unit)
    spread = f"{cell.sd:.1f}"
    if cell.provenance == RECOMPUTED:  # as many places as its spread has a meaning for
        return f"{cell.value:.1f} {PLUS_MINUS} {spread}{' %' if unit == '%' else ''}"
    tail = " %" if unit == "%" else ""
    return f"{number(cell.value, unit).removesuffix(' %')} {PLUS_MINUS} {spread}{tail}"


def provenance_words(cell: PublishedCell) -> str:
    """Return where a figure is from, its runs and the kind of its spread, in one phrase.

    Of what no document has, the tier says whether it is from logs.
    """
    told = [cell.provenance if cell.is_published else "", cell.where]
    if cell.of is not None:
        told.append(f"{cell.right:,} of {cell.of:,}")
    if cell.runs is not None:
        told.append(f"{cell.runs} run{'s' * (cell.runs != 1)}")
    if cell.sd is not None:
        told.append(_SD_WORDS[cell.kind])
    return "; ".join(dict.fromkeys(filter(None, told)))


def tier_of(cell: PublishedCell) -> str:
    """Return the tier of a figure of others."""
    if cell.is_published:
        return PUBLISHED
    return ARITHMETIC if cell.where == _FORMULA and cell.provenance != LOG else FROM_LOGS


def figure_words(figure: OurFigure, unit: str) -> str:
    """Return one of ours with its interval."""
    text = f"{figure.value:.1f}"
    if figure.low is not None and figure.high is not None:
        text += f" ({figure.low:.1f} to {figure.high:.1f})"
    return f"{text} %" if unit == "%" else text


def facts_of(figure: OurFigure) -> list[tuple[str, str]]:
    """Return what stands behind one of ours: name and words, without what is not known."""
    count = f"{figure.right:,} of {figure.of:,}" if figure.of and figure.right is not None else ""
    spread = f", sd of the sample {figure.sd:.1f}" if figure.sd is not None else ""
    facts = [
        ("Tier", TIERS[figure.tier] + (f": {figure.by}" if figure.by else "")),
        ("Right", count),
        ("Interval", f"95 %, {figure.interval}"),
        ("Seeds", f"{figure.seeds}{spread}"),
        ("Hardware", figure.hardware or "not kept"),
        ("Date", figure.date_utc[:10] or "not kept"),
        ("Recipe", figure.recipe),
    ]
    return [(name, said) for name, said in facts if said]


def sentences_at(cells: Iterable[GridCell]) -> list[str]:
    """Return what contradicts some cells, each sentence once, with its id before it."""
    return list(dict.fromkeys(f"{c.id}. {c.says}" for cell in cells for c in cell.contradictions))
