"""The tables and figures of the documents as data: every cell with where it may be read.

Each is a JSON file in ``tables/``, named by its key. Nothing here needs torch.

A file
------
``title``, ``about``, ``system``, ``paper``, ``row_title``, ``unit``
    ``system`` is the key of a data system, ``paper`` one of ``papers.json`` or empty, ``unit``
    that of the columns which name no other.
``also``, ``epoch``
    Other keys by which sweeps name it, and whether the figures of a training are those of its
    ``"best"`` epoch, by validation, or of the ``"final"`` one.
``columns``
    ``key`` and ``title``, ``task`` (what a model answers in it; ``"digits"`` for single ones,
    ``"class"`` of ``scene`` for those of the class that is the row);
    ``unit``, ``where`` and ``provenance`` (``"table"`` unless it says so)
    of all their cells that say nothing else.
``spread``
    Of cells with a standard deviation: over how many ``runs``, and of which ``kind``:
    ``"sample"``, ``"population"``, or empty where that is not known.
``figure``
    How it is drawn: ``kind`` (``"lines"``, ``"bars"`` or ``"none"``), the name of its axis ``x``,
    whether that is ``log``, the ``parameter`` of scenes or models that it is, whether it may be
    a ``heat`` map of series over the axis, and which ``columns`` if not all of the first unit.
``contradictions``
    ``id``, ``says``, and the ``rows`` and ``columns`` that it stands at; all where it names none.
``rows``
    ``key``, ``title``, and where there are such: ``series`` and ``x`` (its place in the figure),
    ``kind`` (``"people"``, ``"chance"`` or ``"unconstrained"``), ``note``, ``where``,
    ``provenance``, ``paper``, and

    - ``cells``: column -> a number, a number and its standard deviation as a list, an object with
      fields of `PublishedCell`, ``{"people": POOL}``, or a list of objects where a document has
      two figures. What is not published is not there.
    - ``logs``: the same, as the authors' public logs have it.
    - ``seeds``: column -> figures of single runs in the public logs; mean and standard deviation
      of the sample follow.
    - ``recomputed``: column -> a figure that follows from others by arithmetic.
    - ``scene``: parameter -> value of the images of this row, by which results of sweeps find it.
    - ``ours``: what cards of checkpoints say of it: ``checkpoint``, ``task`` and ``column``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import mean, stdev
from typing import Any, Protocol, TypeVar

from umnist_core.errors import NotFoundError
from umnist_core.scoring.published import PUBLISHED, PUBLISHED_LABELS

_FOLDER = Path(__file__).parent
_TABLES = _FOLDER / "tables"

TEXT, TABLE, FIGURE, LOG, RECOMPUTED = "text", "table", "figure", "log", "recomputed"
PROVENANCES = (TEXT, TABLE, FIGURE, LOG, RECOMPUTED)
"""Where a figure is from: a document's text, table or figure; the authors' public logs; or worked
out from those."""

SAMPLE, POPULATION = "sample", "population"

LINES, BARS, NO_FIGURE = "lines", "bars", "none"


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...


Part = TypeVar("Part", bound=_Keyed)


@dataclass(frozen=True)
class Paper:
    """A publication.

    Attributes
    ----------
    authors, year
        As it is cited.
    identifier
        ``"doi …"`` or ``"arXiv …"``; empty where it has none.
    """

    authors: str
    year: int
    identifier: str


@dataclass(frozen=True)
class PublishedCell:
    """A figure, and where it is from.

    Attributes
    ----------
    value
        In the unit of its column.
    provenance, where
        One of `PROVENANCES`, and the place.
    sd, runs, kind
        Standard deviation over so many runs, and whether it is that of the sample or of the
        population; None and empty where that is not known.
    right, of
        How many of how many, where that is known.
    """

    value: float
    provenance: str
    where: str = ""
    sd: float | None = None
    runs: int | None = None
    kind: str = ""
    right: int | None = None
    of: int | None = None

    @property
    def is_published(self) -> bool:
        """Whether a document has it, and not the logs alone or arithmetic."""
        return self.provenance in (TEXT, TABLE, FIGURE)


@dataclass(frozen=True)
class PublishedColumn:
    """A column; the module's text explains every field."""

    key: str
    title: str
    unit: str
    task: str = ""
    scene: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CardFigure:
    """A figure of ours on the card of a checkpoint that comes with umnist."""

    checkpoint: str
    column: str
    task: str


@dataclass(frozen=True)
class PublishedRow:
    """A row; the module's text explains every field.

    Attributes
    ----------
    cells
        Column -> figures, those of a document before those of logs; none where nothing is known.
    """

    key: str
    title: str
    cells: Mapping[str, tuple[PublishedCell, ...]]
    series: str = ""
    x: float | None = None
    kind: str = ""
    note: str = ""
    paper: Paper | None = None
    scene: Mapping[str, str] = field(default_factory=dict)
    ours: tuple[CardFigure, ...] = ()

    def find(self, column: str) -> PublishedCell | None:
        """Return what a document has in a cell; None where nothing is published."""
        return next((one for one in self.cells.get(column, ()) if one.is_published), None)


@dataclass(frozen=True)
class Contradiction:
    """Where a source contradicts itself, its logs or its code.

    Attributes
    ----------
    rows, columns
        Keys of what it stands at; empty for all.
    """

    id: str
    says: str
    rows: frozenset[str] = frozenset()
    columns: frozenset[str] = frozenset()

    def is_at(self, row: str, column: str) -> bool:
        """Return whether it stands at a cell."""
        return row in (self.rows or {row}) and column in (self.columns or {column})


@dataclass(frozen=True)
class PublishedTable:
    """A table or a figure of a document; the module's text explains every field."""

    key: str
    title: str
    about: str
    system: str
    paper: Paper | None
    row_title: str
    columns: tuple[PublishedColumn, ...]
    rows: tuple[PublishedRow, ...]
    contradictions: tuple[Contradiction, ...]
    figure: Mapping[str, Any]
    also: tuple[str, ...] = ()
    epoch: str = "best"

    def get_row(self, key: str) -> PublishedRow:
        """Return a row.

        Raises
        ------
        NotFoundError
            If there is none of that key.
        """
        return _get(self.rows, key, f"row of {self.key}")

    def get_column(self, key: str) -> PublishedColumn:
        """Return a column.

        Raises
        ------
        NotFoundError
            If there is none of that key.
        """
        return _get(self.columns, key, f"column of {self.key}")

    def at(self, row: str, column: str) -> tuple[Contradiction, ...]:
        """Return what contradicts a cell."""
        return tuple(one for one in self.contradictions if one.is_at(row, column))

    @property
    def drawn(self) -> tuple[PublishedColumn, ...]:
        """The columns of its figure."""
        named = self.figure.get("columns")
        if named:
            return tuple(one for one in self.columns if one.key in named)
        return tuple(one for one in self.columns if one.unit == self.columns[0].unit)


def _get(parts: tuple[Part, ...], key: str, what: str) -> Part:
    for one in parts:
        if one.key == key:
            return one
    raise NotFoundError(
        f"Expected a {what}, found {key[:60]!r}; there are {', '.join(one.key for one in parts)}."
    )


# -- reading --------------------------------------------------------------------------


@cache
def papers() -> Mapping[str, Paper]:
    """Return the publications, by key."""
    found = _load(_FOLDER / "papers.json")
    return {key: Paper(one["authors"], one["year"], one["id"]) for key, one in found.items()}


@cache
def published_tables() -> tuple[PublishedTable, ...]:
    """Return all tables and figures, in the order in which people are shown them."""
    order = _load(_FOLDER / "order.json")
    return tuple(_read_table(key, _load(_TABLES / f"{key}.json")) for key in order)


def get_table(key: str) -> PublishedTable:
    """Return a table.

    Raises
    ------
    NotFoundError
        If there is none of that key.
    """
    return _get(published_tables(), key, "published table")


def get_cell(place: str) -> PublishedCell:
    """Return what a document has in a cell.

    Parameters
    ----------
    place
        ``TABLE/ROW/COLUMN``, or ``TABLE/ROW/COLUMN/log`` for what its logs have.

    Raises
    ------
    NotFoundError
        If there is no such cell, or nothing in it.
    """
    table, row, column, *provenance = place.split("/")
    figures = get_table(table).get_row(row).cells.get(column, ())
    for one in figures:
        if one.provenance in provenance or (not provenance and one.is_published):
            return one
    raise NotFoundError(f"Expected a published figure at {place}, found none; name another cell.")


def _load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _read_table(key: str, data: Mapping[str, Any]) -> PublishedTable:
    unit = data["unit"]
    paper = papers().get(data["paper"])
    columns = tuple(
        PublishedColumn(
            one["key"],
            one["title"],
            one.get("unit", unit),
            one.get("task", ""),
            one.get("scene", {}),
        )
        for one in data["columns"]
    )
    return PublishedTable(
        key,
        data["title"],
        data["about"],
        data["system"],
        paper,
        data["row_title"],
        columns,
        tuple(_read_row(one, data, paper) for one in data["rows"]),
        tuple(
            Contradiction(
                one["id"],
                one["says"],
                frozenset(one.get("rows", ())),
                frozenset(one.get("columns", ())),
            )
            for one in data["contradictions"]
        ),
        data["figure"],
        tuple(data.get("also", ())),
        data.get("epoch", "best"),
    )


def _read_row(
    row: Mapping[str, Any], table: Mapping[str, Any], paper: Paper | None
) -> PublishedRow:
    found = {
        one["key"]: cells
        for one in table["columns"]
        if (cells := tuple(_cells_of(row, one, table.get("spread", {}))))
    }
    named = ("key", "title", "series", "x", "kind", "note", "scene")
    return PublishedRow(
        **{name: row[name] for name in named if name in row},
        cells=found,
        paper=papers()[row["paper"]] if "paper" in row else paper,
        ours=tuple(CardFigure(**one) for one in row.get("ours", ())),
    )


def _cells_of(
    row: Mapping[str, Any], column: Mapping[str, Any], spread: Mapping[str, Any]
) -> Iterator[PublishedCell]:
    key = column["key"]
    plain = {
        "provenance": row.get("provenance", column.get("provenance", TABLE)),
        "where": row.get("where", column.get("where", "")),
    }
    if key in row.get("cells", {}):
        yield from _read_cells(row["cells"][key], plain, spread)
    if key in row.get("logs", {}):
        log = {"provenance": LOG, "where": "the authors' public logs"}
        yield from _read_cells(row["logs"][key], log, {**spread, "kind": ""})
    if key in row.get("seeds", {}):
        yield _over_seeds(row["seeds"][key])
    if key in row.get("recomputed", {}):
        yield PublishedCell(row["recomputed"][key], RECOMPUTED, "by its formula")


def _read_cells(
    found: Any, plain: Mapping[str, str], spread: Mapping[str, Any]
) -> Iterator[PublishedCell]:
    if isinstance(found, dict) and "people" in found:
        value = round(100 * PUBLISHED[found["people"]], 1)
        right = round(value * PUBLISHED_LABELS / 100)
        yield PublishedCell(value, plain["provenance"], plain["where"], None, None, "", right, 1000)
    elif isinstance(found, list) and isinstance(found[0], dict):
        for one in found:
            yield from _read_cells(one, plain, spread)
    else:
        fields = dict(found) if isinstance(found, dict) else {}
        if isinstance(found, list):
            fields = {"value": found[0], "sd": found[1]}
        elif not isinstance(found, dict):
            fields = {"value": found}
        over = dict(spread) if "sd" in fields else {}
        yield PublishedCell(**{**plain, **over, **fields})


def _over_seeds(figures: list[float]) -> PublishedCell:
    where = f"single runs in the authors' public logs: {', '.join(f'{one:g}' for one in figures)}"
    if len(figures) == 1:
        return PublishedCell(figures[0], RECOMPUTED, where, None, 1)
    value, spread = mean(figures), stdev(figures)
    return PublishedCell(value, RECOMPUTED, where, spread, len(figures), SAMPLE)
