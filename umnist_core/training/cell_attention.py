"""Cells that ask where a model looks: how much of its attention is on digits, noise, nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from umnist_core.attention import AttentionMap, DigitMask, compare
from umnist_core.errors import InvalidValueError
from umnist_core.experiments.sweeps.plan import Resolved, Settings
from umnist_core.experiments.sweeps.running import CellOutcome
from umnist_core.hardware import find_hardware
from umnist_core.rendering import digit_masks, render
from umnist_core.scenes import PRESETS, UltraMnistParameters
from umnist_core.training.cell_evaluation import (
    EvaluateKind,
    evaluation_samples,
    loaded_model,
)
from umnist_core.training.provenance import find_versions
from umnist_core.training.validate import evaluation_mode

KINDS = ("digits", "noise", "blank")
"""What a place that is looked at holds: ink of a digit, else of noise, else nothing."""

ROOMS = ("training/cell_attention.py", "attention/compare.py", "attention/maps.py")


class AttendKind:
    """See `umnist_core.experiments.sweeps.plan.CellKind`."""

    def resolve(self, settings: Settings, seed: int) -> Resolved:
        """Return the settings of an evaluation, of scenes whose noise has ink of its own."""
        found = EvaluateKind().resolve(settings, seed)
        preset = PRESETS.get(found.config["preset"])
        if preset is None or isinstance(preset, UltraMnistParameters):
            raise InvalidValueError(
                "Expected scenes whose noise is ink beside the digits, as of megapixel and needle, "
                f"got preset = {found.config['preset']!r:.40}, whose noise has no ink of its own; "
                "choose another."
            )
        return replace(found, rooms=(*found.rooms, *ROOMS), command="")


def run_attend_cell(config: Mapping[str, Any]) -> CellOutcome:
    """Let a checkpoint look at a cell's images.

    Raises
    ------
    UmnistError
        If the checkpoint or the device is not there, or the model has no attention.
    """
    hardware = find_hardware(config["device"])
    hardware.use()
    model = loaded_model(config["checkpoint"], str(hardware.key))
    samples, not_drawn = evaluation_samples(config)
    glyphs = samples.glyphs
    assert glyphs is not None  # of scenes
    rows = []
    with evaluation_mode(model), torch.no_grad():
        for place in range(len(samples)):
            sample = samples.get(place)
            assert sample.scene is not None
            output = model.attend(model.collate([model.prepare(sample.source)]))
            if output.attention is None:
                raise InvalidValueError(
                    f"Expected a model with attention, found {config['checkpoint']} "
                    f"({output.no_attention.rstrip('.') or 'it has none'}); choose another."
                )
            image = render(sample.scene, glyphs)
            rows.append(image_shares(output.attention[0], image, digit_masks(sample.scene, glyphs)))
    cost = {"device": hardware.title, "hardware": hardware.description, "versions": find_versions()}
    return CellOutcome(
        {
            "index": samples.indices,
            "not_drawn": not_drawn,
            "by_image": {name: [row[name] for row in rows] for name in (rows[0] if rows else ())},
        },
        cost,
    )


def image_shares(
    found: AttentionMap, image: NDArray[np.uint8], masks: Sequence[DigitMask]
) -> dict[str, float]:
    """Return how much of an image's attention lies where, and how much would by chance.

    Parameters
    ----------
    found
        The map, of which the mean of tasks and heads counts.
    image
        uint8 (height, width), 0 where there is no ink.
    masks
        The ink of its digits.

    Returns
    -------
    dict
        ``digits``, ``noise`` and ``blank``: shares of the weight of places by what they hold, and
        ``digits_chance`` and so on, the shares of such places among all of the image's, as many as
        lie beside each other. ``ink`` and ``ink_chance`` of the digits' ink itself, and
        ``pointing``, as `umnist_core.attention.compare`.
    """
    ink = np.zeros(image.shape, bool)
    for mask in masks:
        row0, col0, row1, col1 = mask.ends
        ink[row0:row1, col0:col1] |= mask.ink
    noise = (image > 0) & ~ink
    weights = found.place_weights().astype(np.float64)
    held = _holds(found.boxes, ink, noise)
    shares = {name: float(weights[held == at].sum()) for at, name in enumerate(KINDS)}
    sides = (found.boxes[:, 2] - found.boxes[:, 0], found.boxes[:, 3] - found.boxes[:, 1])
    grid = _grid(image.shape, tuple(int(side.max()) for side in sides))
    all_of_them = _holds(grid, ink, noise)
    chance = {f"{name}_chance": float((all_of_them == at).mean()) for at, name in enumerate(KINDS)}
    whole = compare(found, masks)
    told = {"ink": whole.mass, "ink_chance": whole.chance, "pointing": whole.pointing}
    return {name: round(value, 6) for name, value in {**shares, **chance, **told}.items()}


def _holds(
    boxes: NDArray[np.float32], ink: NDArray[np.bool_], noise: NDArray[np.bool_]
) -> NDArray[np.intp]:
    """Return for each box its place in `KINDS`, intp (places,)."""
    has_ink, has_noise = _touches(boxes, ink), _touches(boxes, noise)
    return np.where(has_ink, 0, np.where(has_noise, 1, 2)).astype(np.intp)


def _touches(boxes: NDArray[np.float32], pixels: NDArray[np.bool_]) -> NDArray[np.bool_]:
    sums = np.zeros((pixels.shape[0] + 1, pixels.shape[1] + 1), np.int64)
    sums[1:, 1:] = pixels.cumsum(axis=0, dtype=np.int64).cumsum(axis=1)
    row0, col0, row1, col1 = boxes.round().astype(np.int64).T
    rows = np.clip((row0, row1), 0, pixels.shape[0])
    cols = np.clip((col0, col1), 0, pixels.shape[1])
    inside = sums[rows[1], cols[1]] - sums[rows[0], cols[1]]
    inside -= sums[rows[1], cols[0]] - sums[rows[0], cols[0]]
    touched: NDArray[np.bool_] = inside > 0
    return touched


def _grid(shape: tuple[int, ...], side: tuple[int, ...]) -> NDArray[np.float32]:
    """Return boxes of a size that lie beside each other and fill an image, (places, 4)."""
    rows = np.arange(0, shape[0] - side[0] + 1, side[0])
    cols = np.arange(0, shape[1] - side[1] + 1, side[1])
    row0, col0 = (one.ravel() for one in np.meshgrid(rows, cols, indexing="ij"))
    boxes = np.stack([row0, col0, row0 + side[0], col0 + side[1]], axis=1)
    return boxes.astype(np.float32)
