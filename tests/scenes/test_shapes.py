"""Shapes by their kind: what counts them counts every one, also one that is new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from inspect import isabstract
from typing import Any, ClassVar, Self

import numpy as np
import pytest

from tests.segment_glyphs import segment_glyphs
from tests.subclasses import subclasses_of
from umnist_core.datasets.truth import truth_row
from umnist_core.rendering import render, scene_figures
from umnist_core.scenes import PRESETS, SHAPES, Scene, plan_scene, shapes
from umnist_core.scenes.shapes import Draw, Point, Polygon, Shape, count_shapes

GLYPHS = segment_glyphs()


@dataclass(frozen=True, slots=True)
class Bar(Polygon):
    """A shape as the words of CONTRIBUTING.md would add it."""

    kind: ClassVar[str] = "bar"
    plural: ClassVar[str] = "bars"

    row: int
    col: int
    height_px: int
    width_px: int

    @property
    def points(self) -> tuple[Point, ...]:
        """The corners."""
        down, right = self.row + self.height_px, self.col + self.width_px
        return ((self.row, self.col), (self.row, right), (down, right), (down, self.col))

    @classmethod
    def drawn(cls, draw: Draw) -> Self:
        """Draw one at random."""
        return cls(*draw.point(), draw.radius(), draw.radius())

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read its fields from JSON."""
        return cls(data["row"], data["col"], data["height_px"], data["width_px"])


@pytest.fixture
def scene_with_bar(monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Let there be a third shape, and give a scene with one of it and nothing else but digits."""
    known = {**SHAPES, Bar.kind: Bar}
    for module in (shapes, __import__("umnist_core.scenes.scene", fromlist=["scene"])):
        monkeypatch.setattr(module, "SHAPES", known)
    plain = plan_scene(glyphs=GLYPHS, overrides={"shape_pairs": "0", "checkerboard": "0"})
    return replace(plain, shapes=(Bar(100, 200, 300, 400),))


def test_new_shape_is_counted_stored_and_shown_as_what_it_is(scene_with_bar: Scene) -> None:
    """Not as a triangle, and not left out."""
    counts = {**dict.fromkeys((shape.plural for shape in SHAPES.values()), 0), "bars": 1}
    assert count_shapes(scene_with_bar.shapes) == counts
    assert scene_figures(scene_with_bar, GLYPHS).shapes == counts
    assert {name: truth_row("a", scene_with_bar, "")[name] for name in counts} == counts
    assert Scene.from_json(scene_with_bar.to_json()) == scene_with_bar
    shown = scene_with_bar.shapes[0].mark()
    assert shown == {"kind": "bar", "points": [(200, 100), (600, 100), (600, 400), (200, 400)]}


def test_polygon_is_drawn_as_its_corners_say(scene_with_bar: Scene) -> None:
    """A bar is white from its first row and column to its last."""
    ground = render(scene_with_bar, GLYPHS, layer="background")
    rows, cols = np.nonzero(ground)
    assert (rows.min(), rows.max() + 1, cols.min(), cols.max() + 1) == (100, 400, 200, 600)
    assert ground.astype(bool).sum() == 300 * 400


def test_every_shape_has_its_place_its_parameter_and_its_own_name() -> None:
    """What a new shape must not forget; see CONTRIBUTING.md."""
    ours = {one for one in subclasses_of(Shape) if one.__module__ == shapes.__name__}
    assert {one.kind for one in ours if not isabstract(one)} == set(SHAPES)
    assert len({shape.plural for shape in SHAPES.values()}) == len(SHAPES)
    for kind, shape in SHAPES.items():
        assert shape.kind == kind
        assert shape.plural in PRESETS["released"].table


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_every_shape_is_drawn_and_has_a_mark_around_its_pixels(shape: type[Shape]) -> None:
    """Also one that is neither a circle nor a convex polygon."""
    corners = iter([(300, 250), (700, 400), (500, 800), (450, 600)])
    one = shape.drawn(Draw(point=lambda: next(corners), radius=lambda: 120))
    plain = plan_scene(glyphs=GLYPHS, overrides={"shape_pairs": "0", "checkerboard": "0"})
    rows, cols = np.nonzero(render(replace(plain, shapes=(one,)), GLYPHS, layer="background"))
    mark = one.mark()
    points = mark.get("points") or [
        (mark["x"] + side * mark["r"], mark["y"] + side * mark["r"]) for side in (-1, 1)
    ]
    for found, marked in ((cols, [x for x, _ in points]), (rows, [y for _, y in points])):
        assert abs(found.min() - min(marked)) <= 1
        assert abs(found.max() + 1 - max(marked)) <= 1
