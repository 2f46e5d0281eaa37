"""Attention as a browser takes it: tiles of values, the strongest places, and a table of all."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from umnist_core.attention import AttentionMap, effective_places
from umnist_core.attention.colours import last_colour
from umnist_core.attention.strongest import strongest_places
from umnist_core.attention.tiles import as_colours, paint
from umnist_core.errors import InvalidValueError, NotFoundError
from umnist_core.inference.process import Outcome
from umnist_core.pyramid import PyramidGrid, encode_png
from umnist_core.pyramid.grid import DEFAULT_TILE_PX
from umnist_core.server.web.fields import parse_whole

TOP = 24
"""Places that are listed where nobody says how many."""


@dataclass(frozen=True)
class Choice:
    """Which of a prediction's maps is meant, and what of it.

    Attributes
    ----------
    round
        Of the selection, from 0; None for the map of the end.
    task, head
        One of the map's; None for the mean over them.
    """

    round: int | None = None
    task: str | None = None
    head: int | None = None


def parse_choice(fields: Mapping[str, str]) -> Choice:
    """Read the parameters round, task and head; an empty one counts as none.

    Raises
    ------
    InvalidValueError
        If round or head is no whole number.
    """
    numbers = {name: fields.get(name) or None for name in ("round", "head")}
    found = {
        name: None if text is None else parse_whole(name, text) for name, text in numbers.items()
    }
    return Choice(found["round"], fields.get("task") or None, found["head"])


def get_map(outcome: Outcome, choice: Choice) -> AttentionMap:
    """Return the map that is meant.

    Raises
    ------
    NotFoundError
        If the model gave none, or there is no such round.
    """
    if choice.round is not None:
        if choice.round >= len(outcome.rounds):
            raise NotFoundError(
                f"This prediction has {len(outcome.rounds)} rounds, counted from 0; there is no "
                f"round {choice.round}."
            )
        return outcome.rounds[choice.round]
    if outcome.attention is None:
        reason = outcome.result.get("no_attention") or "The model gives no attention."
        raise NotFoundError(str(reason))
    return outcome.attention


def heat_tile(outcome: Outcome, choice: Choice, address: tuple[int, int, int], tile: str) -> bytes:
    """Return a tile of a map as PNG: the high byte of a value in red, the low one in green.

    Parameters
    ----------
    outcome, choice
        Which map.
    address
        Level, column and row, as in Deep Zoom; tiles do not overlap.
    tile
        Side of a tile in px, as text; 512 if empty.

    Raises
    ------
    NotFoundError, InvalidValueError
        If there is no such map, task, head or tile.
    """
    found = get_map(outcome, choice)
    tile_px = parse_whole("tile", tile) if tile else DEFAULT_TILE_PX
    grid = PyramidGrid(found.height, found.width, tile_px, 0)
    level_box, reduction = grid.tile_box(*address), grid.reduction(address[0])
    values = paint(found, level_box, reduction, task=choice.task, head=choice.head)
    return encode_png(as_colours(values))


def places_json(outcome: Outcome, choice: Choice, top: str) -> dict[str, Any]:
    """Return the heaviest places of a map for JSON, heaviest first, and what is known of the map.

    Parameters
    ----------
    outcome, choice
        Which map.
    top
        How many, as text; ``"all"`` for all of them, 24 if empty.

    Raises
    ------
    NotFoundError, InvalidValueError
        If there is no such map, task or head, or ``top`` is no number.
    """
    found = get_map(outcome, choice)
    count = None if top == "all" else parse_whole("top", top) if top else TOP
    places = strongest_places(found, count, task=choice.task, head=choice.head)
    for place in places:
        place["box"] = [round(px, 3) for px in place["box"]]
    weights = found.place_weights(choice.task, choice.head)
    return {
        "kind": found.kind,
        "task": choice.task,
        "head": choice.head,
        "round": choice.round,
        "max": float(weights.max(initial=0)),
        "last_colour": last_colour(float(weights.max(initial=0)), _mean_of(found, weights)),
        "places": places,
        "count": len(weights),
        "effective_places": effective_places(weights),
        **_compared(outcome, choice, found.tasks),
    }


def _compared(outcome: Outcome, choice: Choice, tasks: tuple[str, ...]) -> dict[str, Any]:
    """Return the map against the truth, which is worked out for all heads of a task at the end."""
    task = choice.task or (tasks[0] if len(tasks) == 1 else None)
    is_whole = choice.round is None and choice.head is None
    looked = outcome.result.get("looked") or {}
    return {
        "looked": looked.get(task) if is_whole and task else None,
        "chosen": outcome.result.get("chosen") if choice.round is None else None,
    }


def _mean_of(found: AttentionMap, weights: NDArray[np.floating[Any]]) -> float:
    """Return the mean weight over the image; 0 where no place is."""
    row0, col0, row1, col1 = found.boxes.T.astype(np.float64)
    areas = (row1 - row0) * (col1 - col0)
    return float((weights.astype(np.float64) * areas).sum() / (found.height * found.width))


def attention_table(outcome: Outcome) -> bytes:
    """Return all maps as ``.npy``: a record for each place, with its round (-1: the end).

    Raises
    ------
    NotFoundError
        If the model gave no attention.
    """
    last = get_map(outcome, Choice())
    shape = last.weights.shape[:2]
    fields = [("round", "<i4")]
    fields += [(name, "<f4") for name in ("row0", "col0", "row1", "col1")]
    kind = np.dtype([*fields, ("weights", "<f4", shape)])
    parts = []
    for number, found in [*enumerate(outcome.rounds), (-1, last)]:
        if found.weights.shape[:2] != shape:
            raise InvalidValueError(
                f"Expected all rounds with {shape[0]} tasks and {shape[1]} heads, found round "
                f"{number} with {found.weights.shape[:2]}; download the rounds as JSON."
            )
        part = np.zeros(len(found.boxes), kind)
        part["round"] = number
        for name, column in zip(("row0", "col0", "row1", "col1"), found.boxes.T, strict=True):
            part[name] = column
        part["weights"] = found.weights.transpose(2, 0, 1)
        parts.append(part)
    body = io.BytesIO()
    np.save(body, np.concatenate(parts), allow_pickle=False)
    return body.getvalue()
