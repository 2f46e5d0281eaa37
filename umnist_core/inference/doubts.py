"""What makes an image unlike those that a model knows, whichever model it is.

Our own models say themselves what they find odd. Of every model that reads digits it is told as
well what needs no model: that the image has other sides than those that its card names, that it
has colours, a ground that is not black, one grey value alone, or no digits. Nothing was warned of
in 12 images each of `megapixel`, `megapixel-bezier`, `needle` and MNIST Large Scale at four scales
(at least 92 % of their px are dark, with 2000 strokes 95; the ground of Large Scale, of whose
largest digits it is 11, is not looked at).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from umnist_core.datasets.large_scale import LARGE_SCALE_PX
from umnist_core.datasets.large_scale.sets import LARGE_SCALE
from umnist_core.geometry import Box
from umnist_core.inference.requests import FileImage
from umnist_core.inference.sight import SeenImage
from umnist_core.models.base import Doubt, ModelOutput
from umnist_core.models.cards import Card
from umnist_core.models.own.unlike import image_doubts
from umnist_core.models.reduced import ReducedBatch
from umnist_core.pyramid import TileSource
from umnist_core.pyramid.sources import WHOLE_MAX_PX
from umnist_core.scenes import (
    PRESETS,
    MegapixelParameters,
    NeedleParameters,
    Scene,
    UltraMnistParameters,
)

WINDOW_PX = 256
GRID = 3
"""Windows along each side."""

STRIP_PX = 256
"""Rows that are read at once where every px is looked at."""

COLOUR_STEP = 24
"""Channels that differ by no more are those of grey: JPEG of grey images makes them differ so."""

COLOUR_SHARE = 0.05
DARK_MOST = 24
DARK_SHARE = 0.75
_ON_BLACK = (MegapixelParameters, NeedleParameters)


@dataclass(frozen=True)
class KnownImages:
    """The images that a model learned from, as far as its card says.

    Attributes
    ----------
    sides_px
        Of their canvases; empty where that is not known.
    is_black_and_white
        Whether there are two grey values; else digits are grey.
    is_on_black
        Whether the ground is black and nearly all of it is seen.
    """

    sides_px: tuple[int, ...] = ()
    is_black_and_white: bool = False
    is_on_black: bool = False


def known_images(card: Card) -> KnownImages:
    """Return what a card says of the images that its model learned from."""
    parts = [card.data, *card.data.get("turns", ())]
    named = [(str(one.get("preset", "")), dict(one.get("overrides") or {})) for one in parts]
    named = [(preset, overrides) for preset, overrides in named if preset]
    if not named:
        return KnownImages()
    if all(preset == LARGE_SCALE for preset, _ in named):
        return KnownImages((LARGE_SCALE_PX,))
    if any(preset not in PRESETS for preset, _ in named):
        return KnownImages()
    settings = [PRESETS[preset].with_overrides(overrides) for preset, overrides in named]
    is_plain = all(isinstance(one, UltraMnistParameters) for one in settings)
    sides = dict.fromkeys(int(one.to_text()["canvas"]) for one in settings)
    is_on_black = all(isinstance(one, _ON_BLACK) for one in settings)
    return KnownImages(tuple(sides), is_plain, is_on_black)


def all_doubts(sight: SeenImage, card: Card, output: ModelOutput) -> tuple[Doubt, ...] | None:
    """Return what makes an image unlike those that a model knows; None of models of photographs.

    Parameters
    ----------
    sight, output
        The image, and what the model gave for it alone.
    card
        Of the model, which says what it learned from.
    """
    own = output.doubts[0] if output.doubts else None
    if sight.model.sees_colour:
        return own
    known = known_images(card)
    found = [*_empty_doubts(sight), *_pixel_doubts(sight, known)]
    if own is None:
        found += _unlike_doubts(sight, known)
    return tuple({one.kind: one for one in (*found, *(own or ()))}.values())


def _pixel_doubts(sight: SeenImage, known: KnownImages) -> Iterator[Doubt]:
    """Yield what windows show; of a scene it is known what they would."""
    if sight.scene is not None:
        yield from _scene_doubts(sight.scene, known)
        return
    windows = [sight.source.read_region(box, 1) for box in _windows(sight.source)]
    yield from _colour_doubts(windows)
    if known.is_on_black:
        yield from _ground_doubts(windows)


def _unlike_doubts(sight: SeenImage, known: KnownImages) -> Iterator[Doubt]:
    """Yield what our own models would say of an image themselves."""
    source = sight.source
    is_usual = (source.height, source.width) in [(side, side) for side in known.sides_px]
    if known.sides_px and not is_usual:
        yield _canvas_doubt(source, known.sides_px)
    if known.is_black_and_white and sight.scene is None:
        # A reduced image is the same whatever scaled it before; of its canvas it is told above.
        left_out = {"canvas"} | ({"rescaled"} if isinstance(sight.batch, ReducedBatch) else set())
        yield from (one for one in image_doubts(source) if one.kind not in left_out)


def _empty_doubts(sight: SeenImage) -> Iterator[Doubt]:
    scene, image = sight.scene, sight.image
    is_ground = not isinstance(image, FileImage) and image.layer == "background"
    if scene is not None and (is_ground or (scene.asks_sum and not scene.digits)):
        what = "the ground alone, which has none" if is_ground else "a generated one without any"
        yield Doubt("no-digits", f"Expected an image with digits; found {what}.")
    elif scene is not None:
        return
    value = _only_value(sight.source)
    if value is not None:
        yield Doubt(
            "blank",
            "Expected digits on a ground; found an image of one colour "
            f"({' '.join(map(str, value))} of 255 everywhere).",
        )


def _colour_doubts(windows: list[NDArray[np.uint8]]) -> Iterator[Doubt]:
    coloured = total = 0
    for window in windows:
        total += window.shape[0] * window.shape[1]
        if window.ndim == 3:
            coloured += int(np.count_nonzero(np.ptp(window, axis=2) > COLOUR_STEP))
    if coloured > COLOUR_SHARE * total:
        yield Doubt(
            "colour",
            "Expected black, white and grey alone; found colours in "
            f"{100 * coloured / total:.0f} % of what was looked at, as in a colour photograph.",
        )


def _ground_doubts(windows: list[NDArray[np.uint8]]) -> Iterator[Doubt]:
    total = sum(window.shape[0] * window.shape[1] for window in windows)
    dark = 0
    for window in windows:
        highest = window if window.ndim == 2 else window.max(axis=2)
        dark += int(np.count_nonzero(highest <= DARK_MOST))
    if dark < DARK_SHARE * total:
        yield Doubt(
            "ground",
            f"Expected a black ground, as in training; found {100 * dark / total:.0f} % of what "
            "was looked at dark.",
        )


def _scene_doubts(scene: Scene, known: KnownImages) -> Iterator[Doubt]:
    plain = "black and white digits on a checkerboard"
    if known.is_on_black and not scene.is_grey:
        yield Doubt(
            "ground",
            f"Expected grey digits on a black ground, as in training; found {plain}, as in "
            "UltraMNIST.",
        )
    if known.is_black_and_white and scene.is_grey:
        yield Doubt(
            "ground", f"Expected {plain}, as in training; found grey ones on a black ground."
        )


def _canvas_doubt(source: TileSource, sides_px: tuple[int, ...]) -> Doubt:
    usual = " or ".join(f"{side} x {side}" for side in sides_px)
    return Doubt(
        "canvas",
        f"Expected {usual} px, as in training; found {source.width} x {source.height} px.",
    )


def _windows(source: TileSource) -> list[Box]:
    """Return the windows of a grid, each once."""
    boxes = [
        Box.from_size(
            int(row), int(col), min(WINDOW_PX, source.height), min(WINDOW_PX, source.width)
        )
        for row in np.linspace(0, max(0, source.height - WINDOW_PX), GRID)
        for col in np.linspace(0, max(0, source.width - WINDOW_PX), GRID)
    ]
    return list(dict.fromkeys(boxes))


def _only_value(source: TileSource) -> tuple[int, ...] | None:
    """Return the value that all px have; None if they differ, or are too many to read."""
    if source.height * source.width > WHOLE_MAX_PX:
        return None
    first = source.read_region(Box(0, 0, 1, 1), 1).reshape(-1)
    middle = Box.from_size(0, source.width // 2, source.height, 1)
    strips = [
        Box(row, 0, min(row + STRIP_PX, source.height), source.width)
        for row in range(0, source.height, STRIP_PX)
    ]
    for box in (middle, *strips):
        if (source.read_region(box, 1).reshape(-1, len(first)) != first).any():
            return None
    return tuple(int(one) for one in first)
