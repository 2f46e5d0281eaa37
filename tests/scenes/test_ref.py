"""The one name of a scene: what it refuses, what is equal, and every way to write it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.golden.remake_addresses import GOLDEN_FILE, address
from tests.segment_glyphs import segment_glyphs
from umnist_core.errors import InvalidValueError
from umnist_core.scenes import PRESETS, SceneRef, plan_scene
from umnist_core.seeds import MAX_SEED, SPLITS
from umnist_core.server.query import parse_scene_query

GLYPHS = segment_glyphs()
GOLDEN = json.loads(GOLDEN_FILE.read_text())
CASES = [pytest.param(one["ref"], one["address"], id=one["address"]) for one in GOLDEN["cases"]]

NUMBERS = st.integers(0, MAX_SEED)
CHANGES = st.sampled_from(
    [(), (("canvas", "900"),), (("canvas", "900.0"), ("rotation", "-45..45"), ("shear", "7"))]
)
REFS = st.builds(SceneRef, st.just("released"), NUMBERS, st.sampled_from(SPLITS), NUMBERS, CHANGES)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"preset": "relaesed"}, "preset is one of"),
        ({"preset": "released", "overrides": {"circles": "-1"}}, "circles is a whole number"),
        ({"preset": "megapixel", "overrides": {"circles": "1"}}, "'circles'"),
        ({"preset": "released", "seed": -1}, "seed is a whole number"),
        ({"preset": "released", "seed": MAX_SEED + 1}, "seed is a whole number"),
        ({"preset": "released", "index": MAX_SEED + 1}, "index is a whole number"),
        ({"preset": "released", "split": "dev"}, "split is one of train, test"),
    ],
)
def test_scene_that_cannot_be_is_refused(arguments: dict[str, Any], said: str) -> None:
    """The sentence says what is allowed."""
    with pytest.raises(InvalidValueError, match=re.escape(said)):
        SceneRef.of(**arguments)


def test_one_image_has_one_name() -> None:
    """An override with the preset's own value is none; order and way of writing do not matter."""
    given_twice = SceneRef.of("released", {"rotation": "-45..45", "zoom": "1", "circles": "2"})
    assert given_twice == SceneRef.of("released", {"circles": "2..2", "zoom": "1.0"})
    assert given_twice.overrides == (("circles", "2"), ("zoom", "1"))
    assert hash(given_twice) == hash(SceneRef("released", overrides=given_twice.overrides))


def test_no_digit_of_a_number_is_lost() -> None:
    """Two images that differ have two names, however little it is."""
    near = SceneRef.of("released", {"rotation": "12.3456789"})
    assert near.overrides == (("rotation", "12.3456789"),)
    assert near != SceneRef.of("released", {"rotation": "12.3457"})
    assert near.plan(GLYPHS) == plan_scene(glyphs=GLYPHS, overrides={"rotation": "12.3456789"})


@pytest.mark.parametrize("preset", PRESETS)
def test_scene_is_that_of_the_planner(preset: str) -> None:
    """Found or planned, it is what `plan_scene` gives."""
    ref = SceneRef(preset, 5, "test", 2)
    scene = plan_scene(preset, 5, "test", 2, glyphs=GLYPHS)
    assert ref.plan(GLYPHS) == ref.plan(GLYPHS) == scene
    assert ref.at(3).plan(GLYPHS) == plan_scene(preset, 5, "test", 3, glyphs=GLYPHS)


@given(ref=REFS)
def test_what_is_written_is_read(ref: SceneRef) -> None:
    """As an address and as JSON."""
    assert SceneRef.from_query(ref.to_query()) == ref
    assert SceneRef.from_dict(json.loads(json.dumps(ref.to_dict()))) == ref


@pytest.mark.parametrize("text", ["", "-1", "1.5", "1e3", " 1", "²", "9" * 16, "9" * 5000])
def test_number_that_is_none_is_refused(text: str) -> None:
    """In decimal digits alone, and no longer than the largest."""
    for name in ("seed", "index"):
        with pytest.raises(InvalidValueError, match=f"{name} is a whole number from 0 to"):
            SceneRef.from_query({name: text})


@pytest.mark.parametrize(("given", "written"), CASES)
def test_addresses_are_the_golden_ones(given: dict[str, Any], written: str) -> None:
    """Written and read; ``scene_address.test.mjs`` holds the viewer's JavaScript to the same."""
    ref = SceneRef.from_dict(given)
    assert address(ref) == written
    assert parse_scene_query(written.partition("?")[2]).ref == ref


@pytest.mark.parametrize(
    ("preset", "sample", "is_kept"),
    [
        ("megapixel", {"noise_count": "20"}, True),
        ("megapixel", {"noise_count": "2000"}, False),
        ("needle", {}, True),
        ("needle", {"canvas": "2048"}, False),
        ("needle", {"canvas": "2048", "distractors": "20"}, True),
    ],
)
def test_few_scenes_with_very_many_squares_are_kept_planned(
    preset: str, sample: dict[str, str], is_kept: bool
) -> None:
    """Each is megabytes, and whoever asks for others all the time fills no memory with them."""
    glyphs = segment_glyphs()
    first = SceneRef.of(preset, sample, seed=1).plan(glyphs)
    for index in range(1, 12):
        SceneRef.of(preset, sample, seed=1, index=index).plan(glyphs)
    again = SceneRef.of(preset, sample, seed=1).plan(glyphs)
    assert again == first
    assert (again is first) == is_kept
