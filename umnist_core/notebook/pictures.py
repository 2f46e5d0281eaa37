"""The pictures by which records show themselves in a notebook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from umnist_core.attention import AttentionMap
from umnist_core.attention.tiles import paint
from umnist_core.datasets.large_scale.ref import DigitRef
from umnist_core.digits import GlyphSet
from umnist_core.errors import UmnistError
from umnist_core.geometry import Box, reduced_size_px
from umnist_core.inference.picture import heat_colours
from umnist_core.inference.prediction import Prediction
from umnist_core.inference.report import prediction_lines
from umnist_core.notebook.images import source_of
from umnist_core.pyramid import TileSource, encode_png
from umnist_core.scenes import PRESETS, Scene, SceneRef
from umnist_core.scenes.parameters import PlannerParameters

PICTURE_PX = 768
"""Longer side of a picture at most; larger images are reduced by a power of two."""

GLYPHS_A_CLASS = 20

Pixels = NDArray[np.uint8]


def bundle_of(record: Any) -> dict[str, Any]:
    """Return what a notebook shows of a record, by media type.

    Parameters
    ----------
    record
        Of a class that `umnist_core.shown.ShowsItself` is a base of.

    Returns
    -------
    dict
        A picture and a text; the text alone, with the reason, where it cannot be drawn.
    """
    draw = next(draw for kind, draw in _DRAWN.items() if isinstance(record, kind))
    try:
        pixels, text = draw(record)
    except UmnistError as error:
        return {"text/plain": f"{record!r}\n{error}"}
    return {"image/png": encode_png(pixels), "text/plain": text}


def overview(source: TileSource, longest_px: int = PICTURE_PX) -> Pixels:
    """Return the whole of an image, reduced by a power of two to at most so many px a side."""
    reduction = 1
    while max(source.height, source.width) > longest_px * reduction:
        reduction *= 2
    height, width = (reduced_size_px(px, reduction) for px in (source.height, source.width))
    return source.read_region(Box(0, 0, height, width), reduction)


def _draw_scene(scene: Scene) -> tuple[Pixels, str]:
    answer = scene.label
    text = f"Scene of {scene.width} x {scene.height} px: {len(scene.digits)} digits, label {answer}"
    return overview(source_of(scene)), text


def _draw_ref(ref: SceneRef) -> tuple[Pixels, str]:
    return overview(source_of(ref)), repr(ref)


def _draw_digit_ref(ref: DigitRef) -> tuple[Pixels, str]:
    return ref.draw(), repr(ref)


def _draw_parameters(parameters: PlannerParameters) -> tuple[Pixels, str]:
    """Return the first sample of the settings, and every value that differs from its preset."""
    text = parameters.to_text()
    of_planner = {name: one for name, one in PRESETS.items() if type(one) is type(parameters)}

    def changes(preset: str) -> dict[str, str]:
        plain = of_planner[preset].to_text()
        return {name: value for name, value in text.items() if plain.get(name) != value}

    nearest = min(of_planner, key=lambda name: len(changes(name)))
    pixels, _ = _draw_ref(SceneRef.of(nearest, changes(nearest)))
    values = ", ".join(f"{name} {value}" for name, value in text.items())
    changed = f", {len(changes(nearest))} changed" if changes(nearest) else ""
    return pixels, f"{nearest}{changed}; seed 0, train, 0 is shown\n{values}"


def _draw_glyphs(glyphs: GlyphSet) -> tuple[Pixels, str]:
    """Return the first digits of each class, a row for each."""
    rows = []
    for indices in glyphs.indices_by_label:
        images = list(glyphs.images[indices[:GLYPHS_A_CLASS]])
        blank = np.zeros_like(glyphs.images[0])
        rows.append(np.hstack([*images, *[blank] * (GLYPHS_A_CLASS - len(images))]))
    kind = "bundled stand-in digits" if glyphs.is_stand_in else "digits"
    return np.vstack(rows), f"{glyphs.name}: {len(glyphs)} {kind}; the first of each class"


def _draw_map(found: AttentionMap) -> tuple[Pixels, str]:
    """Return the mean over tasks and heads, in the colours of the viewer on grey."""
    reduction = 1
    while max(found.height, found.width) > PICTURE_PX * reduction:
        reduction *= 2
    height, width = (reduced_size_px(px, reduction) for px in (found.height, found.width))
    colours = heat_colours()[paint(found, Box(0, 0, height, width), reduction)]
    cover = colours[:, :, 3:]
    pixels = np.asarray(np.rint(128 * (1 - cover) + colours[:, :, :3] * cover), np.uint8)
    tasks = ", ".join(found.tasks)
    size = f"{found.width} x {found.height} px"
    return pixels, f"{found.kind} of {size}: {len(found.boxes)} places, for {tasks}"


def _draw_prediction(prediction: Prediction) -> tuple[Pixels, str]:
    """Return where the model looked, or the probabilities of its first task."""
    text = "\n".join(prediction_lines(prediction))
    if prediction.attention is not None:
        return _draw_map(prediction.attention)[0], text
    return _bars(prediction.tasks[0].probabilities or (1.0,)), text


def _bars(values: tuple[float, ...]) -> Pixels:
    height, wide = 120, 14
    pixels = np.full((height, wide * len(values)), 235, np.uint8)
    for place, value in enumerate(values):
        top = height - round(value / max(*values, 1e-9) * (height - 4)) if value else height
        cv2.rectangle(pixels, (wide * place + 2, top), (wide * place + wide - 3, height), 60, -1)
    return pixels


_DRAWN: dict[type, Callable[[Any], tuple[Pixels, str]]] = {
    Scene: _draw_scene,
    SceneRef: _draw_ref,
    DigitRef: _draw_digit_ref,
    GlyphSet: _draw_glyphs,
    PlannerParameters: _draw_parameters,
    AttentionMap: _draw_map,
    Prediction: _draw_prediction,
}
