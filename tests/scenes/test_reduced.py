"""Reduced UltraMNIST: its ten sums, and all that it has in common with UltraMNIST."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from tests.segment_glyphs import segment_glyphs
from umnist_core.digits.glyphs import GlyphSet
from umnist_core.errors import InvalidValueError
from umnist_core.rendering import render
from umnist_core.scenes import REDUCED_PARAMETERS, Scene, plan_scene
from umnist_core.scenes.ultramnist import digit_multisets

GLYPHS = segment_glyphs()


def plan(index: int = 0, seed: int = 0, **overrides: Any) -> Scene:
    """Plan one scene on the segment digits."""
    texts = {name: str(value) for name, value in overrides.items()}
    return plan_scene("patchgd", seed, index=index, glyphs=GLYPHS, overrides=texts)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    """Return 600 images."""
    return [plan(index) for index in range(600)]


def test_each_sum_from_0_to_9_comes_once_in_ten_images(scenes: list[Scene]) -> None:
    """In an order of its own in each ten; it is the label, and no task is asked."""
    labels = [scene.label for scene in scenes]
    runs = [tuple(labels[first : first + 10]) for first in range(0, 600, 10)]
    assert all(sorted(run) == list(range(10)) for run in runs)
    assert len(set(runs)) > 30
    assert all(scene.asks_sum for scene in scenes)
    assert {plan(index, label=7).label for index in range(20)} == {7}


def test_digits_are_3_to_5_of_any_multiset_in_the_order_of_their_classes(
    scenes: list[Scene],
) -> None:
    """Every multiset of 3 to 5 digits with a sum of 9 is as likely (99.9 %)."""
    drawn = [tuple(d.label for d in plan(index, label=4).digits) for index in range(600)]
    multisets = digit_multisets(4, 3, 5)
    counts = Counter(drawn)
    assert set(counts) == set(multisets)
    expected = len(drawn) / len(multisets)
    statistic = sum((counts[one] - expected) ** 2 / expected for one in multisets)
    assert statistic < {11: 31.3, 13: 34.5, 14: 36.1}[len(multisets) - 1]
    assert {len(scene.digits) for scene in scenes} == {3, 4, 5}


def test_canvas_and_sizes_are_those_of_the_released_generator(scenes: list[Scene]) -> None:
    """512 px; 14 px and 28 to 252 px; digits do not overlap."""
    sides = {digit.side_px for scene in scenes for digit in scene.digits}
    assert sides == {14, *range(28, 253, 28)}
    for scene in scenes:
        assert (scene.height, scene.width) == (512, 512)
        for place, box in enumerate(scene.boxes):
            assert not any(box.overlaps(other) for other in scene.boxes[:place])


def test_ground_is_black_and_digits_keep_their_greys(scenes: list[Scene]) -> None:
    """Each pixel of a glyph is repeated; at 14 px every second one is kept."""
    for scene in scenes[:40]:
        image = np.zeros((512, 512), np.uint8)
        for digit in scene.digits:
            pixels = GLYPHS.images[digit.glyph]
            times = digit.side_px // 28
            pixels = (
                np.kron(pixels, np.ones((times, times), np.uint8)) if times else pixels[::2, ::2]
            )
            image[digit.box.slices] = pixels
        np.testing.assert_array_equal(render(scene, GLYPHS), image)


def test_ink_box_is_tight(scenes: list[Scene]) -> None:
    """Around all that is not black."""
    for scene in scenes[:20]:
        image = render(scene, GLYPHS)
        for digit in scene.digits:
            rows, cols = np.nonzero(image[digit.box.slices])
            assert digit.ink_box.row0 - digit.row == rows.min()
            assert digit.ink_box.col1 - digit.col == cols.max() + 1


def test_digit_that_is_black_at_14_px_is_drawn_again() -> None:
    """Only its odd rows have ink, which every second row leaves out."""
    images = GLYPHS.images.copy()
    images[::5, ::2] = 0  # one of the five variants of each class
    glyphs = GlyphSet("odd", images, GLYPHS.labels.copy())
    chosen = {"factor": "0.5", "scale_distribution": "fixed"}
    for index in range(30):
        scene = plan_scene("patchgd", index=index, glyphs=glyphs, overrides=chosen)
        assert all(digit.glyph % 5 for digit in scene.digits)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"largest_sum": 30, "digits": "1..3"}, "at most 3 digits"),
        ({"label": 10}, "more than largest_sum=9"),
        ({"canvas": 100, "factor": "5..9"}, "does not fit"),
        ({"shape_pairs": 1}, "'shape_pairs'"),
    ],
)
def test_parameters_that_cannot_be_are_refused(overrides: dict[str, Any], said: str) -> None:
    """Before anything is drawn, in one sentence."""
    with pytest.raises(InvalidValueError, match=said):
        plan(**overrides)


def test_every_parameter_is_documented_and_plans_the_scene_again() -> None:
    """The table names exactly what a scene records."""
    scene = plan(3, largest_sum=12, digits="2..4")
    assert scene.provenance is not None
    assert set(scene.provenance.parameters) == set(REDUCED_PARAMETERS)
    assert all(parameter.meaning for parameter in REDUCED_PARAMETERS.values())
    assert plan(3, **scene.provenance.parameters) == scene
    assert Scene.from_json(scene.to_json()) == scene
