"""The sliders of settings, from the parameters' own descriptions.

A parameter that is named nowhere here still gets a control: from its smallest to its
largest value, in the last group. What stands here makes it handier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from umnist_core.datasets.large_scale import LARGE_SCALE_PX
from umnist_core.datasets.large_scale.ref import ALL_PRESETS
from umnist_core.datasets.large_scale.sets import LARGE_SCALE
from umnist_core.digits import GlyphSet
from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.experiments import NAMED_SETTINGS
from umnist_core.rendering import pixel_pin
from umnist_core.rendering.strokes import PEN_WIDTHS_PX, pen_width_px
from umnist_core.scenes import PUBLISHED_DISTRACTORS, Parameter, Scene
from umnist_core.scenes import SHAPES as KINDS_OF_SHAPES
from umnist_core.scenes.needle_parameters import BY_AREA
from umnist_core.scenes.parameters import PlannerParameters
from umnist_core.scenes.shapes import count_shapes
from umnist_core.seeds import SPLITS

TILE_PX = 1024
"""So the whole image is one tile on most screens: one request for each change."""

DIGITS, CHECKERBOARD, SHAPES, STROKES = "Digits", "Checkerboard", "Shapes", "Strokes"
DISTRACTORS, RESCALING = "Distractors", "Rescaling"

NO_CONTROL = ("noise_seed",)
"""Parameters that have a place of their own among the controls."""


@dataclass(frozen=True)
class Handle:
    """How a parameter is handled.

    Attributes
    ----------
    group, label
        Where it stands, and its name for people; the parameter's own when empty.
    start, end
        Where its slider begins and ends; None for the smallest and largest allowed value.
        Any allowed value can be typed.
    step
        Between two places of a linear slider.
    is_log
        Whether equal distances on the slider are equal ratios.
    object_px
        Side of a digit at the value 1, where the value decides the side.
    cut_by
        The parameter that decides whether the fraction of the value is cut off.
    only_with
        Another parameter, and its value without which this one means nothing.
    note
        A sentence that stands under it.
    replaces, switch
        The parameters that it stands for when it is set, and what that is called.
    word, per_area
        The word that stands for a number, which ``switch`` is then the name of; and how many that
        is on a canvas of so many px, growing with its area.
    """

    group: str
    label: str = ""
    start: float | None = None
    end: float | None = None
    step: float = 1
    is_log: bool = False
    object_px: int | None = None
    cut_by: str | None = None
    only_with: tuple[str, str] | None = None
    replaces: tuple[str, ...] = ()
    switch: str = ""
    note: str = ""
    word: str = ""
    per_area: tuple[int, int] | None = None


HANDLES: Mapping[str, Handle] = {
    "digits": Handle(DIGITS, "Number of digits"),
    "scale_distribution": Handle(DIGITS, "Sizes are drawn"),
    "factor": Handle(DIGITS, "Size", 0.5, 142, is_log=True, object_px=GLYPH_PX),
    "digit_size": Handle(DIGITS, "Size", 7, 500, is_log=True, object_px=1),
    "digit_jpeg": Handle(
        DIGITS,
        "JPEG of the digits",
        note="The released generator saves its digits as a JPEG of quality 75 and reads them again "
        "before it cuts them to ink: cells of a middling grey break into specks. 0 leaves it out.",
    ),
    "digit_order": Handle(DIGITS, "Digits are placed"),
    "digits_from": Handle(DIGITS, "Train digits are those of"),
    "largest_sum": Handle(DIGITS, "Largest sum", end=45),
    "label": Handle(DIGITS),
    "canvas": Handle(DIGITS, start=64, end=16_000, is_log=True),
    "distractors": Handle(
        DISTRACTORS,
        "Number",
        start=1,
        end=20_000,
        is_log=True,
        switch="As published, by the canvas's area",
        word=BY_AREA,
        per_area=(PUBLISHED_DISTRACTORS[512], 512),
    ),
    "checkerboard": Handle(CHECKERBOARD, "Cells"),
    "rotation": Handle(CHECKERBOARD),
    "shear": Handle(CHECKERBOARD),
    "zoom": Handle(CHECKERBOARD, start=0.2, end=5, is_log=True),
    "shape_pairs": Handle(
        SHAPES,
        "Pairs",
        end=20,
        replaces=("circles", "triangles"),
        switch="As many circles as triangles",
    ),
    **{shape.plural: Handle(SHAPES, end=20) for shape in KINDS_OF_SHAPES.values()},
    "noise_kind": Handle(STROKES, "Strokes are"),
    "noise_count": Handle(STROKES, "Number of strokes", 0, 2000, step=10),
    "thickness": Handle(STROKES, start=0.2, end=6, step=0.05, cut_by="thickness_mode"),
    "thickness_mode": Handle(STROKES, "Thickness is"),
    "noise_size": Handle(STROKES, "Size", 7, 500, is_log=True),
    "scale": Handle(RESCALING, "Scale", is_log=True, object_px=GLYPH_PX),
    "smoothing": Handle(RESCALING, "Smoothing", 0.05, 3, step=0.025),
    "slope": Handle(RESCALING, "Slope of the threshold", 0.002, 0.5, is_log=True),
    "middle": Handle(RESCALING, "Middle of the threshold"),
    "control_points": Handle(STROKES, only_with=("noise_kind", "bezier")),
}
"""In the order in which they stand."""

_UNITS = {"degrees": "°", "x 28 px": "times 28 px", "cells a side": "a side"}
_UNITS |= {"px of the 28-px grid": "px of 28"}


def control_specs(table: Mapping[str, Parameter]) -> list[dict[str, Any]]:
    """Return the controls of a planner's parameters; ``LabControl`` in ``lab.js``."""
    known = [name for name in HANDLES if name in table]
    others = [name for name in table if name not in HANDLES and name not in NO_CONTROL]
    return [_spec(name, table[name]) for name in (*known, *others)]


def _spec(name: str, parameter: Parameter) -> dict[str, Any]:
    handle = HANDLES.get(name, Handle("Other"))
    return {
        "name": name,
        "group": handle.group,
        "label": handle.label or name.replace("_", " ").capitalize(),
        "kind": parameter.kind,
        "low": parameter.low,
        "high": parameter.high,
        "from": parameter.low if handle.start is None else handle.start,
        "to": parameter.high if handle.end is None else handle.end,
        "step": handle.step,
        "scale": "log" if handle.is_log else "linear",
        "unit": _UNITS.get(parameter.unit, parameter.unit),
        "meaning": parameter.meaning,
        "words": list(parameter.words),
        "ranged": parameter.ranged,
        "object_px": handle.object_px,
        "cut_by": handle.cut_by,
        "only_with": None if handle.only_with is None else list(handle.only_with),
        "replaces": list(handle.replaces),
        "switch": handle.switch,
        "note": handle.note,
        "word": handle.word,
        "per_area": None if handle.per_area is None else list(handle.per_area),
    }


def _texts(preset: str, parameters: PlannerParameters) -> dict[str, str]:
    """Return a preset's values, and the side of its images where that is none of them."""
    texts = parameters.to_text()
    return {**texts, "canvas": str(LARGE_SCALE_PX)} if preset == LARGE_SCALE else texts


def _pen_widths() -> dict[str, Any]:
    """Return how wide strokes are drawn."""
    thickest = round(PEN_WIDTHS_PX[-1][0])
    return {
        "integer": [pen_width_px(whole, "integer") for whole in range(1, thickest + 1)],
        "continuous": [list(knot) for knot in PEN_WIDTHS_PX],
    }


def controls_data(glyphs: GlyphSet) -> dict[str, Any]:
    """Return what controls show whatever they are set to; see ``LabData`` in ``lab.js``."""
    tables = {parameters.planner: parameters.table for parameters in ALL_PRESETS.values()}
    return {
        "named": [
            {
                "key": one.key,
                "title": one.title,
                "group": one.group,
                "preset": one.ref.preset,
                "overrides": dict(one.ref.overrides),
            }
            for one in NAMED_SETTINGS.values()
        ],
        "presets": {
            name: {
                "planner": parameters.planner,
                "noisy": "noise_seed" in parameters.table,
                "values": _texts(name, parameters),
            }
            for name, parameters in ALL_PRESETS.items()
        },
        "controls": {planner: control_specs(table) for planner, table in tables.items()},
        "splits": list(SPLITS),
        "penWidths": _pen_widths(),
        "pin": pixel_pin(glyphs),
        "tileSize": TILE_PX,
    }


def drawn_values(scene: Scene) -> dict[str, str]:
    """Return what an image drew from the ranges of its noise, by parameter; no digit is told."""
    counts = count_shapes(scene.shapes)
    drawn = {name: str(count) for name, count in counts.items()}
    if len(set(counts.values())) == 1:
        drawn["shape_pairs"] = str(next(iter(counts.values())))
    ground = scene.checkerboard
    if ground is not None:
        drawn["checkerboard"] = str(ground.size)
        angles = {"rotation": ground.rotation_deg, "shear": ground.shear_deg, "zoom": ground.zoom}
        drawn |= {name: f"{value:.3g}" for name, value in angles.items()}
    return drawn
