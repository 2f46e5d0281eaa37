"""Whether a free place can be given away, against every way to give them all."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from umnist_core.labeling.promises import Allocation, Seat


def flow(free: Mapping[str, int], seats: Sequence[Seat]) -> int:
    """Return how many images the seats can have together, by another program."""
    names = sorted(free)
    first_seat, first_image, sink = 1, 1 + len(seats), 1 + len(seats) + len(names)
    table = np.zeros((sink + 1, sink + 1), np.int32)
    for number, seat in enumerate(seats):
        table[0, first_seat + number] = max(seat.wanted, 0)
        for place, name in enumerate(names):
            table[first_seat + number, first_image + place] = name not in seat.barred
    for place, name in enumerate(names):
        table[first_image + place, sink] = free[name]
    return int(maximum_flow(csr_array(table), 0, sink).flow_value)


def owed(free: Mapping[str, int], seats: Sequence[Seat]) -> list[int]:
    """Return how many images each seat gets, the first ones first."""
    totals = [flow(free, seats[:number]) for number in range(len(seats) + 1)]
    return [after - before for before, after in itertools.pairwise(totals)]


def can_take(free: Mapping[str, int], seats: Sequence[Seat], index: int, name: str) -> bool:
    """Return whether a seat can have an image and everybody still gets what they are owed."""
    promised = owed(free, seats)
    if name in seats[index].barred or promised[index] == 0:
        return False
    left = {one: count - (one == name) for one, count in free.items() if count > (one == name)}
    after = [
        Seat(seat.annotator, promised[place] - (place == index), seat.barred | {name})
        if place == index
        else Seat(seat.annotator, promised[place], seat.barred)
        for place, seat in enumerate(seats)
    ]
    return flow(left, after) == sum(promised) - 1


@pytest.mark.parametrize("seed", range(60))
def test_options_are_exactly_the_images_that_cost_nobody_any(seed: int) -> None:
    """Nothing is held back without need, and nothing given away that somebody needs."""
    rng = random.Random(seed)
    names = [f"x{number}" for number in range(rng.randint(2, 7))]
    free = {name: rng.randint(1, 3) for name in names}
    seats = [
        Seat(f"p{number}", rng.randint(0, 4), frozenset(rng.sample(names, rng.randint(0, 2))))
        for number in range(rng.randint(1, 5))
    ]
    allocation = Allocation(free, seats)
    assert [len(images) for images in allocation.given] == owed(free, seats)
    for index, seat in enumerate(seats):
        expected = {name for name in names if can_take(free, seats, index, name)}
        assert allocation.options(seat) == expected
