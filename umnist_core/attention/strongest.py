"""The places that a model looked at most, as lists of them are written."""

from __future__ import annotations

from typing import Any

import numpy as np

from umnist_core.attention.maps import AttentionMap


def strongest_places(
    found: AttentionMap,
    most: int | None = None,
    *,
    task: str | None = None,
    head: int | None = None,
) -> list[dict[str, Any]]:
    """Return the heaviest places of a map, heaviest first; of equal ones, in the map's order.

    Parameters
    ----------
    found
        The map.
    most
        How many; all by default.
    task, head
        As of `AttentionMap.place_weights`.

    Returns
    -------
    list
        Of ``rank`` from 1, ``weight``, and ``box`` as x, y, width, height in image px.

    Raises
    ------
    InvalidValueError
        If there is no such task or head.
    """
    weights = found.place_weights(task, head)
    order = np.argsort(-weights, kind="stable")[:most]
    row0, col0, row1, col1 = found.boxes[order].astype(float).T
    boxes = np.stack([col0, row0, col1 - col0, row1 - row0], axis=1).tolist()
    listed = zip(boxes, weights[order].astype(float).tolist(), strict=True)
    return [
        {"rank": rank, "weight": weight, "box": box}
        for rank, (box, weight) in enumerate(listed, start=1)
    ]
