"""People's time on screen, kept by this process so that attention can be compared with it."""

from __future__ import annotations

import hashlib
import math
import threading
from collections import OrderedDict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from umnist_core.attention.dwell import compare_with_dwell
from umnist_core.errors import NotFoundError
from umnist_core.inference.process import Outcome
from umnist_core.server.heat import Choice, get_map

_MOST = 64
"""Grids that are kept, the newest; each has at most 128 x 128 cells."""

_lock = threading.Lock()
_grids: OrderedDict[str, NDArray[np.float64]] = OrderedDict()


def register_dwell(grid: NDArray[np.float64]) -> str:
    """Keep a grid of times over an image, and return the id it is asked for by.

    Parameters
    ----------
    grid
        float64 (rows, columns), 0 or more; registering it again changes nothing.
    """
    key = hashlib.sha256(repr(grid.shape).encode() + grid.tobytes()).hexdigest()[:16]
    with _lock:
        _grids[key] = grid
        _grids.move_to_end(key)
        if len(_grids) > _MOST:
            _grids.popitem(last=False)
    return key


def agreement(outcome: Outcome, choice: Choice, key: str) -> dict[str, Any]:
    """Return how a map of a prediction agrees with a registered grid, for JSON.

    Raises
    ------
    NotFoundError
        If there is no such map, or the grid is not kept.
    InvalidValueError
        If there is no such task or head.
    """
    with _lock:
        grid = _grids.get(key)
    if grid is None:
        raise NotFoundError(
            f"Expected where people looked under {key[:40]!r}, found nothing; open the image again."
        )
    found = compare_with_dwell(get_map(outcome, choice), grid, choice.task, choice.head)
    correlation = None if math.isnan(found.correlation) else found.correlation
    return {"similarity": found.similarity, "correlation": correlation}
