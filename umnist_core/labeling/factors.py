"""Factors of a study: parameters of its images whose levels are crossed, and balanced in a person.

Every combination of levels is a cell. Each cell has as many images as every other, and each person
answers as many of each; which images they are is drawn from the study's key, and their names tell
nothing of a cell. Both pools see the same images, so factors are crossed with the pools too.

The order of cells follows a Williams design (Williams, Australian Journal of Scientific Research
A 2 (1949) 149-168): over its rows, each cell is at each place equally often, and follows each
other one equally often. A person's first block of cells is one row, the next block the next one,
and whoever joins after begins a row later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from umnist_core.errors import InvalidValueError

CELLS_MAX = 100

Cell = Mapping[str, str]
"""Factor -> level, as a parameter's value is written."""


def cells_of(factors: Mapping[str, Sequence[str]]) -> tuple[dict[str, str], ...]:
    """Return every combination of levels, the last factor's changing fastest.

    Factors are in the order of their names, since the log keeps no other. Without factors there
    is one cell, of nothing.
    """
    names = sorted(factors)
    levels = [factors[name] for name in names]
    return tuple(dict(zip(names, one, strict=True)) for one in product(*levels))


def cell_text(cell: Cell) -> str:
    """Return a cell as ``NAME=LEVEL``, a space between."""
    return " ".join(f"{name}={level}" for name, level in cell.items())


def read_cell(text: str) -> dict[str, str]:
    """Read what `cell_text` returned."""
    return dict(part.split("=", 1) for part in text.split())


def check_factors(factors: object, overrides: Mapping[str, str], counts: Mapping[str, int]) -> None:
    """Check the factors of a study; whether a level is allowed is checked with the images.

    Parameters
    ----------
    factors
        Name -> levels.
    overrides
        Parameters that are the same in every image.
    counts
        What has to be a multiple of the number of cells, by what it is called.

    Raises
    ------
    InvalidValueError
        If they cannot be; the sentence says what to change.
    """
    if not isinstance(factors, Mapping):
        raise InvalidValueError(
            f"Factors are names of parameters with their levels; got {str(factors)[:40]!r}."
        )
    for name, levels in factors.items():
        _check_levels(name, levels)
        if name in overrides:
            raise InvalidValueError(
                f"The parameter {name} is a factor, so it has no value of its own; leave "
                f"{name}={overrides[name]} out."
            )
    cells = len(cells_of(factors))
    if cells > CELLS_MAX:
        raise InvalidValueError(
            f"Factors make at most {CELLS_MAX} cells; got {cells}. Take fewer levels."
        )
    for what, number in counts.items():
        if number % cells:
            raise InvalidValueError(
                f"With {cells} cells, {what} are a multiple of {cells}, so that each cell has as "
                f"many; got {number}. Take {number - number % cells or cells} or "
                f"{number - number % cells + cells}."
            )


def _check_levels(name: object, levels: object) -> None:
    found = list(levels) if isinstance(levels, list | tuple) else []
    is_text = all(isinstance(one, str) and one.split() == [one] for one in found)
    if not isinstance(name, str) or not is_text or not 2 <= len(set(found)) == len(found):
        raise InvalidValueError(
            f"The factor {str(name)[:40]} has two different levels or more, such as "
            f"shape_pairs=0,5,20; got {str(levels)[:60]!r}."
        )


def williams_rows(cells: int) -> list[list[int]]:
    """Return the orders of a Williams design: as many as cells, twice that if they are odd."""
    zigzag = [place // 2 if place % 2 == 0 else cells - 1 - place // 2 for place in range(cells)]
    rows = [[(one + shift) % cells for one in zigzag] for shift in range(cells)]
    return rows if cells % 2 == 0 else [*rows, *(row[::-1] for row in rows)]


def order_of_cells(cells: int, person: int, block: int) -> list[int]:
    """Return the order of cells in one block of a person.

    Parameters
    ----------
    cells
        How many there are.
    person, block
        Place of the person among those of the pool, and of the block; 0 for the first.
    """
    rows = williams_rows(cells)
    return rows[(person + block) % len(rows)]


def groups_of(cells: Mapping[str, int]) -> tuple[frozenset[str], ...]:
    """Return the images of each cell; nothing for a study without factors.

    Parameters
    ----------
    cells
        Image -> number of its cell.
    """
    numbers = range(max(cells.values(), default=-1) + 1)
    return tuple(frozenset(one for one, cell in cells.items() if cell == n) for n in numbers)


def share_out(total: int, cells: int) -> list[int]:
    """Return how many of some images each cell has, as evenly as can be."""
    return [total * (cell + 1) // cells - total * cell // cells for cell in range(cells)]


def read_factors(texts: Sequence[str]) -> dict[str, list[str]]:
    """Read ``NAME=LEVEL,LEVEL``, one for each factor.

    Raises
    ------
    InvalidValueError
        If one is written otherwise, or there twice.
    """
    factors: dict[str, list[str]] = {}
    for text in texts:
        name, equals, levels = text.partition("=")
        if not equals or not name or name in factors:
            raise InvalidValueError(
                f"A factor is written as NAME=LEVEL,LEVEL such as shape_pairs=0,5,20, each once; "
                f"got {text[:60]!r}."
            )
        factors[name] = levels.split(",")
    return factors
