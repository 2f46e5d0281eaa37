"""Needle MNIST scenes: when there is a 3, among what it is hidden, and where everything lies."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.segment_glyphs import segment_glyphs
from umnist_core.digits import GlyphSet, find_digits, load_glyphs
from umnist_core.errors import DamagedFileError, InvalidValueError
from umnist_core.scenes import (
    NEEDLE_PARAMETERS,
    PUBLISHED_DISTRACTORS,
    Added,
    NeedleParameters,
    NeedleTasks,
    Provenance,
    Scene,
    get_preset,
    needle,
    plan_scene,
)
from umnist_core.scenes import (
    scene as scene_module,
)
from umnist_core.scenes.needle import count_published
from umnist_core.scenes.parameters import parse_parameter

GLYPHS = segment_glyphs()
SAMPLES = 1000


def plan(index: int = 0, seed: int = 0, split: str = "train", **overrides: Any) -> Scene:
    """Plan one scene on the segment digits."""
    texts = {name: str(value) for name, value in overrides.items()}
    return plan_scene("needle", seed, split, index, glyphs=GLYPHS, overrides=texts)


def added_of(scene: Scene) -> Added:
    """Return what is added in a Needle MNIST scene."""
    assert scene.added is not None
    return scene.added


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    """Return 1,000 images, half of them with a needle."""
    return [plan(index, seed=3, canvas=256) for index in range(SAMPLES)]


# -- the answer -------------------------------------------------------------------


def test_images_with_and_without_a_needle_take_turns(scenes: list[Scene]) -> None:
    """The first has one; label and task are whether there is one, and it is a 3."""
    for index, scene in enumerate(scenes):
        has_needle = index % 2 == 0
        assert [digit.label for digit in scene.digits] == [3] * has_needle
        assert scene.tasks == NeedleTasks(int(has_needle))
        assert scene.label == int(has_needle)
        assert not scene.asks_sum


def test_an_image_without_a_needle_has_as_many_digits(scenes: list[Scene]) -> None:
    """One distractor more, so that neither the number of digits nor the ink tells."""
    for scene in scenes:
        assert len(scene.digits) + len(added_of(scene).distractors) == 26
    ink = np.array(
        [sum(int(GLYPHS.images[g].sum()) for g, _, _ in added_of(s).distractors) for s in scenes]
    )
    ink += [sum(int(GLYPHS.images[d.glyph].sum()) for d in scene.digits) for scene in scenes]
    ours, others = ink[0::2], ink[1::2]
    error = (ours.var() / len(ours) + others.var() / len(others)) ** 0.5
    assert abs(ours.mean() - others.mean()) < 4 * error


@pytest.mark.parametrize(("canvas", "count"), PUBLISHED_DISTRACTORS.items())
def test_distractors_are_as_many_as_published(canvas: int, count: int) -> None:
    """At all eight sides of the canvas, with a needle and without."""
    for index in (0, 1):
        assert len(added_of(plan(index, canvas=canvas)).distractors) == count + index


@pytest.mark.parametrize(
    ("canvas", "percent"), [(64, 19.1), (128, 4.8), (256, 1.2), (512, 0.3), (1024, 0.075)]
)
def test_object_to_image_ratio_is_the_published_one(canvas: int, percent: float) -> None:
    """To the digits that are published."""
    (ratio,) = plan(canvas=canvas).object_to_image_ratios
    assert 100 * ratio == pytest.approx(percent, rel=0.005)


def test_label_can_be_fixed_or_drawn_and_changes_nothing_else() -> None:
    """Place and earlier distractors stay; a free label is a fair coin."""
    for index in range(0, 20, 2):
        has, lacks = plan(index, label=1), plan(index, label=0)
        assert (has.label, lacks.label, lacks.digits) == (1, 0, ())
        assert has.boxes == plan(index).boxes
        assert added_of(lacks).distractors[:-1] == added_of(has).distractors
    free = sum(plan(index, canvas=64, label="free").label for index in range(SAMPLES))
    assert free / SAMPLES == pytest.approx(0.5, abs=4 * (0.25 / SAMPLES) ** 0.5)


# -- which digits -----------------------------------------------------------------


def test_distractors_are_any_digits_but_3(scenes: list[Scene]) -> None:
    """With replacement, uniform over the glyphs (40 degrees of freedom, 99.9 %)."""
    glyphs = [glyph for scene in scenes for glyph, _, _ in added_of(scene).distractors]
    allowed = [place for place in range(4, len(GLYPHS)) if GLYPHS.labels[place] != 3]
    counts = Counter(glyphs)
    assert sorted(counts) == allowed
    expected = len(glyphs) / len(allowed)
    assert sum((count - expected) ** 2 / expected for count in counts.values()) < 73.4
    assert any(len({g for g, _, _ in added_of(s).distractors}) < 25 for s in scenes)


def test_every_3_is_a_needle_before_any_is_again(scenes: list[Scene]) -> None:
    """In turns, each in an order of its own."""
    needles = [scene.digits[0].glyph for scene in scenes[::2]]
    turns = [tuple(needles[first : first + 5]) for first in range(0, len(needles), 5)]
    assert all(sorted(turn) == [15, 16, 17, 18, 19] for turn in turns)
    assert len(set(turns)) > 20
    fixed = [plan(index, seed=3, canvas=256, label=1).digits[0].glyph for index in range(10)]
    assert fixed == needles[:10]


def _halves() -> GlyphSet:
    """Return 120 digits: 10 of each class, then again."""
    images = np.tile(GLYPHS.images, (3, 1, 1))[:120].copy()
    return GlyphSet("tiled", images, np.tile(np.arange(10, dtype=np.uint8), 12))


def test_parts_of_the_digits_are_kept_apart() -> None:
    """The first twelfth is for validation, the rest for training; a test split has all."""
    glyphs, ranges, places = _halves(), {}, set()
    for split, part in (("train", "training"), ("train", "validation"), ("test", "training")):
        chosen = {"canvas": "256", "digits_from": part, "distractors": "400"}
        scene = plan_scene("needle", 0, split, 0, glyphs=glyphs, overrides=chosen)
        used = {glyph for glyph, _, _ in added_of(scene).distractors} | {scene.digits[0].glyph}
        ranges[split, part] = (min(used), max(used))
        places.add((scene.boxes[0], added_of(scene).distractors[0][1:]))
    assert len(places) == 3, "nor are they images of the same places"
    assert ranges == {
        ("train", "training"): (10, 119),
        ("train", "validation"): (0, 9),
        ("test", "training"): (0, 119),
    }


def test_published_training_set_has_11_276_images_of_each_kind() -> None:
    """Of MNIST's 55,000: each of 5,638 digits 3 in two images, and as many images without."""
    if not find_digits().is_official:
        pytest.skip("MNIST is not on this machine; set UMNIST_DIGITS to its folder to run this")
    glyphs, parameters = load_glyphs("train"), NeedleParameters()
    assert count_published(glyphs) == 2 * 11_276
    assert count_published(glyphs, digits_from="validation") == 4 * 493
    assert count_published(load_glyphs("test"), "test") == 4 * 1010
    pool = needle._find_pool(glyphs, "train", "training")
    needles = [
        needle._plan_needle(
            parameters, Provenance("needle", "", 1234, "train", index), glyphs, pool
        )
        for index in range(0, 2 * 11_276, 500)
    ]
    assert all(digit is not None and digit.label == 3 for digit in needles)
    orders = [needle._order_of_needles(1234, "train", turn, 5638) for turn in (0, 1)]
    assert Counter(pool.needles[np.concatenate(orders)].tolist()) == dict.fromkeys(
        np.flatnonzero(glyphs.labels[5000:] == 3) + 5000, 2
    )
    assert needle._number_of_needle("balanced", 2 * 11_276 - 2, 0) == 11_275


def test_glyphs_without_a_3_or_without_others_are_refused() -> None:
    """The sentence says of which digits."""
    for labels in ([3, 3], [1, 2]):
        glyphs = GlyphSet("two", GLYPHS.images[:2].copy(), np.array(labels, np.uint8))
        with pytest.raises(InvalidValueError, match="Of the 2 digits 0 to 1 of glyph set two"):
            plan_scene("needle", glyphs=glyphs)


# -- places -----------------------------------------------------------------------


def test_needle_lies_within_one_cell_of_the_grid(scenes: list[Scene]) -> None:
    """Any of the cells, and any of 36 x 36 places in it (chi-square, 99.9 %)."""
    places = np.array([(scene.digits[0].row, scene.digits[0].col) for scene in scenes[::2]])
    cells, offsets = np.divmod(places, 64)
    assert (offsets.min(), offsets.max()) == (0, 35)
    counts = np.bincount(cells[:, 0] * 4 + cells[:, 1], minlength=16)
    assert ((counts - len(cells) / 16) ** 2 / (len(cells) / 16)).sum() < 37.7
    bands, _ = np.histogram(offsets, bins=9, range=(0, 36))
    assert ((bands - offsets.size / 9) ** 2 / (offsets.size / 9)).sum() < 26.1


def test_canvas_that_is_no_multiple_of_a_cell_has_whole_cells_alone() -> None:
    """Of 200 px three cells, and nothing of a fourth."""
    places = [plan(index, canvas=200).digits[0] for index in range(0, 400, 2)]
    assert max(max(digit.row, digit.col) for digit in places) < 3 * 64


def test_distractors_lie_anywhere_but_at_the_last_place(scenes: list[Scene]) -> None:
    """Rows and columns fall into ten equal bands alike (9 degrees of freedom, 99.9 %)."""
    distractors = [one for scene in scenes for one in added_of(scene).distractors]
    for axis in (1, 2):
        places = np.array([one[axis] for one in distractors])
        assert (places.min(), places.max()) == (0, 256 - 28 - 1)
        counts, _ = np.histogram(places, bins=12, range=(0, 228))
        assert ((counts - len(places) / 12) ** 2 / (len(places) / 12)).sum() < 31.3


def test_noise_and_needle_do_not_move_one_another() -> None:
    """The needle follows the sample's seed, distractors the noise's; more keep the earlier."""
    first, other_noise = plan(4), plan(4, noise_seed=9)
    assert other_noise.digits == first.digits
    assert added_of(other_noise) != added_of(first)
    other_needle = plan(4, seed=9, noise_seed=0)
    assert other_needle.digits != first.digits
    assert added_of(other_needle) == added_of(first)
    more = added_of(plan(4, distractors=900)).distractors
    assert more[:400] == added_of(first).distractors


# -- parameters, and as data ------------------------------------------------------


def test_every_parameter_is_documented_and_plans_the_scene_again() -> None:
    """The table names exactly what a scene records."""
    scene = plan(3, canvas=128, label="free", digits_from="training")
    assert scene.provenance is not None
    assert set(scene.provenance.parameters) == set(NEEDLE_PARAMETERS) - {"noise_seed"}
    assert all(parameter.meaning for parameter in NEEDLE_PARAMETERS.values())
    assert plan(3, **scene.provenance.parameters) == scene


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("canvas", "63", "a whole number from 64 to 200000;"),
        ("distractors", "100001", "by-area or a whole number from 0 to 100000;"),
        ("distractors", "1..3", "1..3"),
        ("label", "2", "balanced, free or a whole number from 0 to 1"),
        ("digits_from", "test", "training, validation"),
    ],
)
def test_wrong_value_is_refused_with_the_allowed(name: str, text: str, said: str) -> None:
    """In one sentence."""
    with pytest.raises(InvalidValueError) as caught:
        parse_parameter(name, text, NEEDLE_PARAMETERS)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_more_distractors_by_area_than_can_be_planned_are_refused() -> None:
    """Canvases of up to 16,190 px have them by area, larger ones a number that is set."""
    assert get_preset("needle").with_overrides({"canvas": "16190"}).noise_squares == 99_989
    with pytest.raises(InvalidValueError, match="lower canvas or set distractors"):
        plan(canvas=16_191)
    assert len(added_of(plan(canvas=200_000, distractors=7)).distractors) == 7


@pytest.mark.parametrize("index", [0, 1])
def test_scene_survives_json_both_ways(index: int) -> None:
    """What is written is read back equal, with its answer."""
    scene = plan(index)
    text = scene.to_json()
    assert Scene.from_json(text) == scene
    assert Scene.from_json(text).to_json() == text
    data = json.loads(text)
    assert data["tasks"] == {"needle": 1 - index}
    assert (data["label"], data["version"]) == (1 - index, 3)


def test_older_programs_refuse_what_they_do_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that knows version 2 alone says so, and reads other scenes as before."""
    monkeypatch.setattr(scene_module, "SCENE_VERSION", 2)
    with pytest.raises(DamagedFileError, match="version 2 or earlier, found version 3"):
        Scene.from_json(plan().to_json())
    for preset in ("released", "megapixel"):
        other = plan_scene(preset, glyphs=GLYPHS)
        assert Scene.from_json(other.to_json()) == other
        assert "added" not in json.loads(other.to_json())


def test_scene_of_two_kinds_is_refused() -> None:
    """There is no rule for drawing both."""
    scene = plan()
    for other in ("megapixel", "released"):
        with pytest.raises(InvalidValueError, match="found both"):
            replace(plan_scene(other, glyphs=GLYPHS), added=scene.added)
    with pytest.raises(DamagedFileError, match="JSON of a scene"):
        Scene.from_json(scene.to_json().replace('"distractors": [[', '"distractors": [[1, '))
