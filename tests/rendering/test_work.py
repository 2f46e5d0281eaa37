"""The time that a scene takes, told before it is drawn."""

from __future__ import annotations

import threading

import pytest

from tests.segment_glyphs import segment_glyphs
from umnist_core.errors import TooLargeError
from umnist_core.giving_up import GivenUpError, go_on, until
from umnist_core.rendering import WORK_BUDGET_S, check_work, estimate_work_s, render
from umnist_core.scenes import PRESETS, Scene, SceneRef

_ENORMOUS = {"canvas": "200000", "noise_count": "10000", "noise_size": "2800"}


def _scene(preset: str, **overrides: str) -> Scene:
    return SceneRef.of(preset, overrides).plan(segment_glyphs())


@pytest.mark.parametrize("preset", PRESETS)
def test_work_of_every_preset_is_a_small_part_of_the_budget(preset: str) -> None:
    """As published, and of 16,000 px with all its noise, a preset is allowed."""
    assert check_work(_scene(preset)) < WORK_BUDGET_S / 30
    assert check_work(_scene(preset, canvas="16000")) < WORK_BUDGET_S / 5


@pytest.mark.parametrize("side_px", [149, 299, 448, 597])
def test_work_of_published_strokes_enlarged_to_16000_px_is_allowed(side_px: int) -> None:
    """The four ratios of digits to image, with strokes as large as their digits."""
    count = {149: 800, 299: 600, 448: 400, 597: 200}[side_px]
    sizes = {"canvas": "16000", "digit_size": str(side_px), "noise_size": str(side_px)}
    assert check_work(_scene("o2i-28", noise_count=str(count), **sizes)) < WORK_BUDGET_S / 4


def test_work_of_the_largest_canvas_with_most_shapes_is_allowed() -> None:
    """UltraMNIST scenes are drawn from their edges, which grow with the side alone."""
    check_work(_scene("released", canvas="200000", shape_pairs="50", checkerboard="64"))


def test_work_of_most_distractors_is_allowed() -> None:
    """As many as can be planned, unless each lies by itself in the largest canvas."""
    for canvas in ("64", "16190"):
        check_work(_scene("needle", canvas=canvas, distractors="100000"))
    with pytest.raises(TooLargeError, match="100000 distractors"):
        check_work(_scene("needle", canvas="200000", distractors="100000"))


def test_work_that_is_enormous_is_refused_with_what_to_do() -> None:
    """The sentence has what is allowed, what was found and another way."""
    scene = _scene("megapixel", **_ENORMOUS)
    with pytest.raises(TooLargeError, match=r"at most 3 s, found one of about \d+ s .*10000"):
        check_work(scene)
    with pytest.raises(TooLargeError, match="`umnist render`"):
        check_work(scene)


def test_work_grows_with_the_area_of_strokes_and_with_the_length_of_edges() -> None:
    """Twice as many strokes are twice the work, twice the side four times; edges go by length."""
    strokes = {"canvas": "100000", "noise_size": "2000"}
    one = estimate_work_s(_scene("megapixel", noise_count="500", **strokes))
    assert estimate_work_s(_scene("megapixel", noise_count="1000", **strokes)) == pytest.approx(
        2 * one, rel=0.01
    )
    halved = strokes | {"noise_size": "1000"}
    assert estimate_work_s(_scene("megapixel", noise_count="500", **halved)) < one / 2.5
    small, large = (_scene("released", canvas=side) for side in ("20000", "200000"))
    assert 8 < estimate_work_s(large) / estimate_work_s(small) < 12


@pytest.mark.parametrize("preset", ["released", "megapixel"])
def test_drawing_ends_where_it_is_given_up(preset: str) -> None:
    """Nothing is drawn any more once nobody waits; outside of such work nothing changes."""
    scene, given_up = _scene(preset, canvas="2000"), threading.Event()
    with until(given_up):
        render(scene, segment_glyphs(), reduction=4)
        given_up.set()
        with pytest.raises(GivenUpError):
            render(scene, segment_glyphs(), reduction=4)
    go_on()
