"""Figure 6 of Gupta et al. by class: which digits a model finds under which noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from umnist_core.experiments.drawing.chart import HeatMap
from umnist_core.experiments.published.tables import PublishedTable
from umnist_core.experiments.sweeps.results import CellResult

CLASS = "class"
"""Task of a column whose rows are classes of digits."""

Counts = Mapping[str, tuple[int, int]]
"""Class -> digits that were right, and all."""


def counts_of(cells: tuple[CellResult, ...], part: str = "test") -> Counts:
    """Return how many digits of each class cells found and read right; none where they do not.

    Parameters
    ----------
    cells
        Of one point.
    part
        Images of a table's row: a further test of a trained net by its name.
    """
    found: dict[str, tuple[int, int]] = {}
    for cell in cells:
        told = cell.figures.get("tests", {}).get(part, cell.figures)
        for row in (told.get("digits") or {}).get("by_class", ()):
            right, of = found.get(str(row["value"]), (0, 0))
            found[str(row["value"])] = (right + row["right"], of + row["digits"])
    return found


def is_by_class(table: PublishedTable) -> bool:
    """Return whether the rows of a table are classes of digits."""
    return bool(table.figure.get("classes"))


def columns_at(table: PublishedTable, holds: Callable[[Mapping[str, str]], bool]) -> Iterator[str]:
    """Yield the columns of a table whose images are those of which something holds."""
    for column in table.columns:
        if column.task == CLASS and column.scene and holds(column.scene):
            yield column.key


def class_heat(
    table: PublishedTable, name: str, shares: Mapping[tuple[str, str], float]
) -> HeatMap:
    """Return the heat map of a model: classes from the top, noise from the left.

    Parameters
    ----------
    name
        Of the model.
    shares
        Row and column -> per cent.
    """
    columns = [one for one in table.columns if one.task == CLASS]
    return HeatMap(
        f"{table.title}, {name}",
        "Noise of the images",
        table.row_title,
        "% of the digits of a class",
        tuple(one.title for one in columns),
        tuple(row.title for row in table.rows),
        tuple(tuple(shares.get((row.key, one.key)) for one in columns) for row in table.rows),
        tuple(tuple({"row": row.key, "column": one.key} for one in columns) for row in table.rows),
    )
