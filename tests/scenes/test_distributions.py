"""5,000 scenes of each preset against the distributions that the preset states.

Everything is seeded, so a test here fails only when the planner changes. The level is
one in ten thousand: a planner that follows its rules passes with nearly any seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np
import pytest
from scipy import stats

from tests.segment_glyphs import segment_glyphs
from umnist_core.scenes import Circle, Scene, Triangle, plan_scene
from umnist_core.scenes.parameters import Span
from umnist_core.scenes.ultramnist import digit_multisets, factor_distribution

COUNT = 5000
LEVEL = 1e-4


@cache
def scenes(preset: str) -> list[Scene]:
    """Return 5,000 scenes of a preset, without the JPEG of their digits.

    It takes four fifths of the time, and what is drawn at random is the same without it
    (``test_digit_jpeg.py``).
    """
    glyphs, overrides = segment_glyphs(), {"digit_jpeg": "0"}
    return [
        plan_scene(preset, seed=2024, index=index, glyphs=glyphs, overrides=overrides)
        for index in range(COUNT)
    ]


def assert_follows(found: Iterable[int], expected: Mapping[int, float]) -> None:
    """Chi-square test of whole numbers against stated probabilities."""
    counts = Counter(found)
    assert set(counts) <= set(expected)
    total = counts.total()
    observed = [counts[value] for value in expected]
    p_value = stats.chisquare(observed, [total * share for share in expected.values()]).pvalue
    assert p_value > LEVEL, f"p = {p_value:.2g}: {counts}"


def uniform(low: int, high: int) -> dict[int, float]:
    """Return equal probabilities of low to high."""
    return dict.fromkeys(range(low, high + 1), 1 / (high - low + 1))


def assert_uniform(values: Iterable[float], low: float, high: float) -> None:
    """Kolmogorov-Smirnov test against the uniform distribution."""
    p_value = stats.kstest(list(values), stats.uniform(low, high - low).cdf).pvalue
    assert p_value > LEVEL, f"p = {p_value:.2g}"


def test_released_labels_are_balanced() -> None:
    """1,000 images of each of 28 labels in 28,000: here 178 or 179 of each in 5,000."""
    counts = Counter(scene.label for scene in scenes("released"))
    assert set(counts) == set(range(28))
    assert set(counts.values()) <= {178, 179}


def test_released_digit_count_follows_the_list_of_multisets() -> None:
    """Given the label, each multiset of 3, 4 or 5 digits is as likely as another."""
    expected = dict.fromkeys((3, 4, 5), 0.0)
    for label in range(28):
        sizes = Counter(len(multiset) for multiset in digit_multisets(label, 3, 5))
        for size, count in sizes.items():
            expected[size] += count / sizes.total() / 28
    assert_follows((len(scene.digits) for scene in scenes("released")), expected)


def test_paper_digit_count_and_label_follow_free_digits_up_to_27() -> None:
    """3 to 5 digits, each class alike, kept where the sum is at most 27."""
    sums = {0: 1.0}
    counts: dict[int, float] = {}
    labels: dict[int, float] = dict.fromkeys(range(28), 0.0)
    for count in range(1, 6):
        following: dict[int, float] = {}
        for total, share in sums.items():
            for digit in range(10):
                following[total + digit] = following.get(total + digit, 0.0) + share / 10
        sums = following
        if count >= 3:
            counts[count] = sum(share for total, share in sums.items() if total <= 27)
            for label in labels:
                labels[label] += sums.get(label, 0.0)
    kept = sum(counts.values())
    planned = scenes("paper")
    assert_follows((len(s.digits) for s in planned), {n: c / kept for n, c in counts.items()})
    assert_follows((s.label for s in planned), {n: share / kept for n, share in labels.items()})


@pytest.mark.parametrize(("preset", "most"), [("released", 75), ("paper", 76)])
def test_first_digit_follows_the_v_shape_of_sizes(preset: str, most: int) -> None:
    """The digit placed first is never redrawn, so its size is that of the V-shape."""
    factors, shares = factor_distribution("v-shaped", Span(0.5, most))
    expected = {28 * factor: share for factor, share in zip(factors, shares, strict=True)}
    expected[14] = expected[28] = expected[28] / 2
    assert_follows((scene.digits[0].side_px for scene in scenes(preset)), expected)


def test_released_v_shape_is_38_down_to_1_and_1_up_to_37() -> None:
    """The weights of the released generator, over their sum 1,444."""
    factors, shares = factor_distribution("v-shaped", Span(0.5, 75))
    assert factors == tuple(range(1, 76))
    weights = [*range(38, 0, -1), *range(1, 38)]
    assert np.array(shares) * 1444 == pytest.approx(weights)


def test_14_px_is_half_of_the_smallest_by_a_fair_coin() -> None:
    """Where the range starts at 0.5, a factor of 1 becomes 14 px half of the time."""
    glyphs = segment_glyphs()
    planned = (
        plan_scene(
            seed=5, index=index, glyphs=glyphs, overrides={"factor": "0.5..1", "digit_jpeg": "0"}
        )
        for index in range(3000)
    )
    assert_follows((scene.digits[0].side_px for scene in planned), {14: 0.5, 28: 0.5})


def test_later_digits_lean_small() -> None:
    """Redrawing size and place together makes later digits smaller, as in the original."""
    planned = [scene for scene in scenes("released") if len(scene.digits) == 5]
    first = np.mean([scene.digits[0].side_px for scene in planned])
    last = np.mean([scene.digits[4].side_px for scene in planned])
    assert last < 0.8 * first


def test_uniform_scale_distribution_is_uniform() -> None:
    """With `uniform` every factor is as likely."""
    glyphs = segment_glyphs()
    overrides = {"scale_distribution": "uniform", "factor": "1..10", "digit_jpeg": "0"}
    sides = (
        plan_scene(seed=5, index=index, glyphs=glyphs, overrides=overrides).digits[0].side_px
        for index in range(2000)
    )
    assert_follows((side // 28 for side in sides), uniform(1, 10))


@pytest.mark.parametrize(("preset", "most"), [("released", 4), ("paper", 5)])
def test_shape_counts_are_uniform_and_independent(preset: str, most: int) -> None:
    """Circles and triangles, each from none to the most, without regard to each other."""
    circles = [sum(isinstance(s, Circle) for s in scene.shapes) for scene in scenes(preset)]
    triangles = [sum(isinstance(s, Triangle) for s in scene.shapes) for scene in scenes(preset)]
    assert_follows(circles, uniform(0, most))
    assert_follows(triangles, uniform(0, most))
    pairs = (c * (most + 1) + t for c, t in zip(circles, triangles, strict=True))
    assert_follows(pairs, uniform(0, (most + 1) ** 2 - 1))


def test_shapes_are_uniform_in_place_and_size() -> None:
    """Radius 50 to 999 px; centres and corners anywhere on the canvas."""
    shapes = [shape for scene in scenes("released") for shape in scene.shapes]
    circles = [shape for shape in shapes if isinstance(shape, Circle)]
    corners = [c for shape in shapes if isinstance(shape, Triangle) for c in shape.corners]
    assert min(c.radius_px for c in circles) == 50
    assert max(c.radius_px for c in circles) == 999
    assert_uniform((c.radius_px for c in circles), 50, 1000)
    for values in ([c.row for c in circles], [c.col for c in circles], *zip(*corners, strict=True)):
        assert_uniform(values, 0, 4001)


@pytest.mark.parametrize(("preset", "zoom"), [("released", (0.8, 1.2)), ("paper", (1.0, 1.0))])
def test_checkerboard_follows_the_preset(preset: str, zoom: tuple[float, float]) -> None:
    """12 to 23 cells of fair bits, rotation within 45, shear within 50 degrees."""
    boards = [scene.checkerboard for scene in scenes(preset)]
    kept = [board for board in boards if board is not None]
    assert len(kept) == COUNT
    assert_follows((board.size for board in kept), uniform(12, 23))
    assert_uniform((board.rotation_deg for board in kept), -45, 45)
    assert_uniform((board.shear_deg for board in kept), -50, 50)
    if zoom[0] == zoom[1]:
        assert {board.zoom for board in kept} == {1.0}
    else:
        assert_uniform((board.zoom for board in kept), *zoom)
    white = sum(row.count("1") for board in kept for row in board.cells)
    cells = sum(board.size**2 for board in kept)
    assert stats.binomtest(white, cells, 0.5).pvalue > LEVEL


def test_first_digit_is_uniform_in_place_and_glyph() -> None:
    """Row, column and glyph of the digit placed first, given its size and class."""
    digits = [scene.digits[0] for scene in scenes("released")]
    assert_uniform((digit.row / (4001 - digit.side_px) for digit in digits), 0, 1)
    assert_uniform((digit.col / (4001 - digit.side_px) for digit in digits), 0, 1)
    assert_follows((digit.glyph % 5 for digit in digits), uniform(0, 4))
