"""Searches for noise under which a model answers otherwise, with models that answer as told."""

from __future__ import annotations

from urllib.parse import urlencode

import numpy as np
import pytest

from pages._ui.shared.setting import state_from_query
from umnist_core.digits import load_glyphs
from umnist_core.errors import InvalidValueError
from umnist_core.experiments.fool import (
    Ask,
    GivenAnswer,
    NoiseSearch,
    Variation,
    find_flip,
    other_images,
    parse_variation,
)
from umnist_core.rendering import render
from umnist_core.scenes import SceneRef

GLYPHS = load_glyphs()
REF = SceneRef.of("released", {"canvas": "600", "factor": "0.5..4"}, seed=3)
TRUTH = (17,)


def _flipping(*flips: SceneRef, answer: tuple[int, ...] = TRUTH) -> Ask:
    """Return a model that says 13 of some images, and else one answer."""
    return lambda ref, _until: GivenAnswer((13,) if ref in flips else answer, TRUTH)


def _search(ask: Ask, ref: SceneRef = REF, vary: str = "noise_seed", **how: object) -> NoiseSearch:
    variation = parse_variation(vary)
    return find_flip(ref, ask, GLYPHS, variation=variation, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "preset",
    ["released", "released-clean", "paper", "megapixel", "megapixel-bezier", "o2i-112", "needle"],
)
def test_digits_stay_and_noise_does_not(preset: str) -> None:
    """Of every image that is tried the digits are those of the first, and the pixels are not."""
    ref = SceneRef(preset, seed=3, index=1)
    scene = ref.plan(GLYPHS)
    pixels = render(scene, GLYPHS, reduction=4)
    for other in other_images(ref, Variation(), 3):
        plan = other.plan(GLYPHS)
        assert plan.digits == scene.digits
        assert plan.label == scene.label
        assert plan.ink_threshold == scene.ink_threshold
        assert not np.array_equal(render(plan, GLYPHS, reduction=4), pixels)


def test_own_noise_is_not_tried_again() -> None:
    """Neither the sample's seed nor a seed that was set is among those that are tried."""
    tried = [dict(one.overrides)["noise_seed"] for one in other_images(REF, Variation(), 5)]
    assert tried == ["0", "1", "2", "4", "5"]
    set_ref = SceneRef.of("released", {"noise_seed": "1"}, seed=3)
    tried = [dict(one.overrides)["noise_seed"] for one in other_images(set_ref, Variation(), 4)]
    assert tried == ["0", "2", "3", "4"]


def test_first_image_that_flips_the_answer_is_found_and_said() -> None:
    """From right to wrong: after how many tries, what it was and what it became."""
    images = other_images(REF, Variation(), 24)
    told: list[tuple[int, int]] = []
    search = _search(
        _flipping(images[8], images[11]),
        on_tried=lambda tried, of, _first: told.append((tried, of)),
    )
    assert search.found == images[8]
    assert search.sentence == "Flipped after 9 tries of other noise: 17 became 13."
    assert told == [(count, 24) for count in range(10)]


def test_none_that_flips_it_is_said_with_how_many_were_tried() -> None:
    """What was not found is no promise, so its number is said."""
    search = _search(_flipping(), tries=7)
    assert search.found is None
    assert search.query is None
    assert search.sentence == "None of 7 tries of other noise flipped it; it stayed 17."


def test_answer_that_was_wrong_already_is_said_to_have_been() -> None:
    """Then any other answer is a change, and a right one is said to be right."""
    images = other_images(REF, Variation(), 24)
    changed = _search(lambda ref, _until: GivenAnswer(TRUTH if ref == images[1] else (20,), TRUTH))
    assert changed.sentence == (
        "It was wrong already: it said 20 for 17. The answer changed after 2 tries of other noise: "
        "20 became 17, which is right."
    )
    stayed = _search(_flipping(answer=(20,)), tries=2)
    assert stayed.sentence == (
        "It was wrong already: it said 20 for 17. None of 2 tries of other noise changed it; it "
        "stayed 20."
    )


def test_search_ends_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two tries, and within one that is not answered by then."""
    now = [100.0]
    monkeypatch.setattr("umnist_core.experiments.fool.time.monotonic", lambda: now[0])

    def ask(_ref: SceneRef, until: float) -> GivenAnswer:
        now[0] += 25
        if now[0] > until:
            now[0] = until
            raise TimeoutError
        return GivenAnswer(TRUTH, TRUTH)

    search = _search(ask)
    assert (search.tried, search.is_late, search.seconds) == (2, True, 60)
    assert "None of 2 tries of other noise in 60 s flipped it" in search.sentence


def test_one_parameter_is_changed_from_the_nearest_value_outward() -> None:
    """The noise itself stays: values are tried by their distance from the image's own."""
    ref = SceneRef.of("released", {"canvas": "600", "factor": "0.5..4", "shape_pairs": "3"}, seed=3)
    images = other_images(ref, parse_variation("shape_pairs=0..6"), 24)
    values = [dict(one.overrides)["shape_pairs"] for one in images]
    assert values == ["2", "4", "1", "5", "0", "6"]
    search = _search(_flipping(images[3]), ref, "shape_pairs=0..6")
    assert search.sentence == (
        "Flipped after 4 tries of shape_pairs from 0..6, at 5: 17 became 13."
    )
    angles = other_images(REF, parse_variation("rotation=-45..45"), 4)
    assert [dict(one.overrides)["rotation"] for one in angles] == ["-45", "-15", "15", "45"]


@pytest.mark.parametrize(
    ("ref", "vary", "words"),
    [
        (REF, "factor=1..2", "leaves the digits"),
        (REF, "canvas=700..900", "leaves the digits"),
        (REF, "thickness=1..2", "that images of the preset released have"),
        (REF, "shape_pairs=40..90", "shape_pairs"),
        (SceneRef("patchgd"), "noise_seed", "which has none"),
        (
            SceneRef.of("released", {"checkerboard": "0", "shape_pairs": "0"}),
            "noise_seed",
            "without such noise",
        ),
    ],
)
def test_what_cannot_be_varied_is_one_sentence(ref: SceneRef, vary: str, words: str) -> None:
    """Digits that would change, noise that is not there, and values that are not allowed."""
    with pytest.raises(InvalidValueError, match=words):
        _search(_flipping(), ref, vary)


@pytest.mark.parametrize("text", ["shape_pairs", "shape_pairs=3", "a=b..c", "a=3..1", "a=0..inf"])
def test_variation_without_a_range_is_refused(text: str) -> None:
    """A range is two numbers, the smaller first."""
    with pytest.raises(InvalidValueError, match=r"shape_pairs=0\.\.10"):
        parse_variation(text)


def test_pair_is_an_address_of_the_page() -> None:
    """The page reads both images of it, beside each other."""
    images = other_images(REF, Variation(), 3)
    query = _search(_flipping(images[1])).query
    assert query is not None
    state = state_from_query(query)
    assert (state.a, state.b, state.compare) == (REF, images[1], "wipe")
    assert "b.noise_seed=1" in urlencode(query)
