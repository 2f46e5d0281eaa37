"""The renderer of tensors: every pixel is that of NumPy's renderer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.golden.cases import CASES
from tests.property.test_windows import boxes_in, small_scenes
from tests.repeated import repeated
from tests.segment_glyphs import segment_glyphs
from umnist_core.errors import GlyphMismatchError, InvalidValueError
from umnist_core.geometry import Box
from umnist_core.rendering import FILTERS, LAYERS, level_box_of_whole, render
from umnist_core.rendering_torch import budget, render_batch
from umnist_core.rendering_torch import render as render_there
from umnist_core.scenes import PRESETS, Circle, Digit, Scene, Triangle, plan_scene

GLYPHS = segment_glyphs()
REDUCTIONS = (1, 2, 3, 8, 64)


def _both(scene: Scene, **arguments: object) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return what the two renderers draw: tensors, and NumPy."""
    there = render_there(scene, GLYPHS, device="cpu", **arguments)  # type: ignore[arg-type]
    assert there.dtype == torch.uint8
    return there.numpy(), render(scene, GLYPHS, **arguments)  # type: ignore[arg-type]


def _views(
    scene: Scene, rng: np.random.Generator, count: int
) -> Iterator[tuple[str, str, int, Box]]:
    """Yield layers, filters, reductions and boxes, each layer and filter in turn."""
    for number in range(count):
        reduction = int(rng.choice(REDUCTIONS))
        whole = level_box_of_whole(scene, reduction)
        rows, cols = (np.sort(rng.integers(0, px + 1, 2)) for px in (whole.row1, whole.col1))
        box = Box(int(rows[0]), int(cols[0]), int(rows[1]), int(cols[1]))
        yield LAYERS[number % 4], FILTERS[number // 4 % 2], reduction, box


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_drawn_as_by_numpy(preset: str) -> None:
    """Random boxes of random levels, every layer and filter, at a size that is no multiple of 8."""
    rng = np.random.default_rng(len(preset))
    size = {"canvas": str(int(rng.integers(500, 900)))}
    size |= {"factor": "0.5..9"} if "factor" in PRESETS[preset].table else {}
    scene = plan_scene(preset, seed=3, index=5, glyphs=GLYPHS, overrides=size)
    for layer in LAYERS:
        there, here = _both(scene, layer=layer)
        np.testing.assert_array_equal(there, here, layer)
    for layer, pyramid_filter, reduction, box in _views(scene, rng, 16):
        there, here = _both(
            scene, layer=layer, pyramid_filter=pyramid_filter, reduction=reduction, level_box=box
        )
        np.testing.assert_array_equal(there, here, f"{layer} {pyramid_filter} {reduction} {box}")


@pytest.mark.parametrize("name", repeated(CASES, len(CASES)))
def test_golden_scenes_are_drawn_as_by_numpy(name: str) -> None:
    """Those whose pixels are kept; at full size where that is quick, and reduced."""
    preset, index, overrides = CASES[name]
    scene = plan_scene(preset, seed=1, index=index, glyphs=GLYPHS, overrides=overrides)
    reduction = max(8, scene.width // 500)
    box = Box(0, 0, 60, 60).intersection(level_box_of_whole(scene, reduction))
    for pyramid_filter in FILTERS:
        there, here = _both(
            scene, level_box=box, reduction=reduction, pyramid_filter=pyramid_filter
        )
        np.testing.assert_array_equal(there, here)
    inner = Box.from_size(scene.height // 20, scene.width // 13, 1000, 1100)
    there, here = _both(scene, level_box=inner.intersection(scene.canvas))
    np.testing.assert_array_equal(there, here)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_scene_and_box_is_drawn_as_by_numpy(data: st.DataObject) -> None:
    """What hypothesis finds: grounds of up to 40 cells, 8 pairs of shapes, boxes of one px."""
    scene = data.draw(small_scenes())
    reduction = data.draw(st.integers(1, 40))
    arguments = {
        "reduction": reduction,
        "level_box": data.draw(boxes_in(level_box_of_whole(scene, reduction))),
        "layer": data.draw(st.sampled_from(LAYERS)),
        "pyramid_filter": data.draw(st.sampled_from(FILTERS)),
    }
    there, here = _both(scene, **arguments)
    np.testing.assert_array_equal(there, here)


def _by_hand(rng: np.random.Generator, quality: int | None) -> Scene:
    """Return digits one over the other and shapes that leave the canvas, as no planner has them."""
    digits = tuple(
        Digit(
            0,
            int(rng.integers(0, 50)),
            int(rng.integers(0, 200)),
            int(rng.integers(0, 150)),
            28 * int(rng.integers(1, 4)),
            Box(0, 0, 1, 1),
        )
        for _ in range(6)
    )
    shapes = (
        Circle(-5, 210, 60),
        Circle(100, 90, 40),
        Circle(150, 299, 1),
        Triangle(((5, 5), (5, 5), (90, 90))),
        Triangle(((-40, 300), (350, 10), (100, 100))),
        Triangle(((0, 0), (200, 0), (0, 200))),
    )
    return Scene(
        301,
        253,
        digits,
        None,
        shapes,
        int(rng.integers(0, 200)),
        GLYPHS.name,
        GLYPHS.checksum,
        False,
        digit_jpeg=quality,
    )


@pytest.mark.parametrize("quality", [75, 10, None])
def test_digits_that_overlap_are_drawn_as_by_numpy(quality: int | None) -> None:
    """Of the blocks that they share all of them are coded together; and the canvas is no square."""
    rng = np.random.default_rng(quality)
    for _ in range(4):
        scene = _by_hand(rng, quality)
        for layer in LAYERS:
            there, here = _both(scene, layer=layer)
            np.testing.assert_array_equal(there, here)
        there, here = _both(scene, reduction=5, layer="digits")
        np.testing.assert_array_equal(there, here)


def test_squares_of_all_sides_hide_one_another_as_by_numpy() -> None:
    """Strokes and digits of sides above and below 28 px, one over the other."""
    for side in ("9", "28", "29", "75"):
        overrides = {"canvas": "400", "digit_size": "61", "noise_size": side, "noise_count": "90"}
        for mode in ("integer", "continuous"):
            chosen = {**overrides, "thickness_mode": mode}
            scene = plan_scene("megapixel", seed=2, glyphs=GLYPHS, overrides=chosen)
            for layer in LAYERS:
                there, here = _both(scene, layer=layer)
                np.testing.assert_array_equal(there, here)


def test_digits_that_are_added_are_drawn_as_by_numpy() -> None:
    """So many that sums are far above white; of 14, 28 and 84 px; the needle under others."""
    crowd = plan_scene("needle", glyphs=GLYPHS, overrides={"canvas": "70", "distractors": "900"})
    sides = replace(crowd, digits=(*crowd.digits, *_by_hand(np.random.default_rng(0), None).digits))
    (needle,) = crowd.digits
    sides = replace(
        sides, height=301, width=253, digits=(replace(needle, side_px=14), *sides.digits)
    )
    for scene in (crowd, sides):
        for layer in LAYERS:
            for arguments in ({}, {"reduction": 3}, {"reduction": 2, "pyramid_filter": "nearest"}):
                there, here = _both(scene, layer=layer, **arguments)
                np.testing.assert_array_equal(there, here)


def _mixed(canvas: int) -> list[Scene]:
    overrides = {"canvas": str(canvas), "factor": "0.5..5"}
    return [
        plan_scene("released", seed=1, index=0, glyphs=GLYPHS, overrides=overrides),
        plan_scene("megapixel", seed=1, glyphs=GLYPHS, overrides={"canvas": str(canvas)}),
        plan_scene("paper", seed=1, index=2, glyphs=GLYPHS, overrides=overrides),
        plan_scene("released", seed=1, index=3, glyphs=GLYPHS, overrides=overrides),
        plan_scene("megapixel-bezier", seed=1, glyphs=GLYPHS, overrides={"canvas": str(canvas)}),
        plan_scene("needle", seed=1, glyphs=GLYPHS, overrides={"canvas": str(canvas)}),
        plan_scene("patchgd", seed=1, glyphs=GLYPHS, overrides={**overrides, "label": "9"}),
        plan_scene("needle", seed=1, index=1, glyphs=GLYPHS, overrides={"canvas": str(canvas)}),
    ]


@pytest.mark.parametrize("arguments", [{}, {"reduction": 7}, {"layer": "digits", "reduction": 3}])
def test_a_batch_is_its_scenes_one_by_one(arguments: dict[str, object]) -> None:
    """Of any presets, with strokes and without, in their order."""
    scenes = _mixed(631)
    batch = render_batch(scenes, GLYPHS, device="cpu", **arguments)  # type: ignore[arg-type]
    assert batch.shape[0] == len(scenes)
    for drawn, scene in zip(batch, scenes, strict=True):
        here = render(scene, GLYPHS, **arguments)  # type: ignore[arg-type]
        np.testing.assert_array_equal(drawn.numpy(), here)


@pytest.mark.parametrize("px", [1, 5_000, 1 << 21])
def test_pixels_do_not_depend_on_how_much_is_drawn_at_once(
    px: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bands of a row, of several, and of several scenes."""
    scenes = _mixed(300)
    views = []
    for reduction in (1, 4, 40):
        whole = level_box_of_whole(scenes[0], reduction)
        middle = Box(whole.row1 // 2, 0, whole.row1 // 2 + 2, whole.col1)
        for layer in ("full", "digits"):
            box = middle if px == 1 else whole
            views.append({"reduction": reduction, "layer": layer, "level_box": box})
    usual = [render_batch(scenes, GLYPHS, device="cpu", **view) for view in views]  # type: ignore[arg-type]
    monkeypatch.setattr(budget, "PROCESSOR", budget.Budget(px, max(1, px // 7), px, px, 1))
    for expected, view in zip(usual, views, strict=True):
        drawn = render_batch(scenes, GLYPHS, device="cpu", **view)  # type: ignore[arg-type]
        assert torch.equal(drawn, expected)


def test_arguments_are_refused_as_by_numpy() -> None:
    """The same sentences; and a batch has one size, and something in it."""
    scene = plan_scene("released", glyphs=GLYPHS, overrides={"canvas": "300", "factor": "1"})
    other = plan_scene("released", glyphs=GLYPHS, overrides={"canvas": "301", "factor": "1"})
    for arguments, words in (
        ({"layer": "all"}, "layer is one of"),
        ({"reduction": 0}, "reduction is a whole number"),
        ({"pyramid_filter": "cubic"}, "pyramid_filter is one of"),
        ({"level_box": Box(0, 0, 301, 10)}, "ask for a box inside the level"),
    ):
        with pytest.raises(InvalidValueError, match=words):
            render_there(scene, GLYPHS, device="cpu", **arguments)
    with pytest.raises(InvalidValueError, match="one canvas size, found 2 sizes"):
        render_batch([scene, other], GLYPHS, device="cpu")
    with pytest.raises(InvalidValueError, match="one canvas size, found 0 sizes"):
        render_batch([], GLYPHS, device="cpu")
    fewer = type(GLYPHS)("fewer", GLYPHS.images[:40].copy(), GLYPHS.labels[:40].copy())
    with pytest.raises(GlyphMismatchError):
        render_there(scene, fewer, device="cpu")
    empty = render_there(scene, GLYPHS, device="cpu", level_box=Box(3, 3, 3, 9))
    assert empty.shape == (0, 6)
