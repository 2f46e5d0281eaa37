"""Megapixel MNIST scenes: the label rules, what is drawn how often, and where it lies."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from tests.megapixel import megapixel_tasks
from tests.segment_glyphs import segment_glyphs
from umnist_core.digits.glyphs import GlyphSet
from umnist_core.errors import DamagedFileError, InvalidValueError, PlacementError
from umnist_core.scenes import MEGAPIXEL_PARAMETERS, PARAMETERS, Scene, Strokes, plan_scene
from umnist_core.scenes.parameters import parse_parameter
from umnist_core.scenes.presets import PRESETS

GLYPHS = segment_glyphs()
SAMPLES = 5000
MEGAPIXEL_PRESETS = tuple(name for name in PRESETS if PRESETS[name].table is MEGAPIXEL_PARAMETERS)


def plan(preset: str = "megapixel", index: int = 0, seed: int = 0, **overrides: Any) -> Scene:
    """Plan one scene on the segment digits."""
    texts = {name: str(value) for name, value in overrides.items()}
    return plan_scene(preset, seed, "train", index, glyphs=GLYPHS, overrides=texts)


def strokes_of(scene: Scene) -> Strokes:
    """Return the strokes of a Megapixel scene."""
    assert scene.strokes is not None
    return scene.strokes


def chi_square(counts: ArrayLike, expected: Sequence[float]) -> float:
    """Return Pearson's statistic."""
    observed, model = np.asarray(counts), np.asarray(expected)
    return float(((observed - model) ** 2 / model).sum())


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    """Return 5,000 samples of the original setting."""
    return [plan(index=index, seed=3) for index in range(SAMPLES)]


# -- labels -----------------------------------------------------------------------


def test_three_digits_are_alike_and_the_others_are_of_other_classes(scenes: list[Scene]) -> None:
    """Of five digits exactly three are of the majority's class (the released generators)."""
    for scene in scenes:
        labels = [digit.label for digit in scene.digits]
        assert len(labels) == 5
        assert labels.count(megapixel_tasks(scene).majority) == 3


def test_tasks_are_those_of_the_digits(scenes: list[Scene]) -> None:
    """Majority, largest class, class of the topmost digit, and the set of classes."""
    for scene in scenes:
        labels = [digit.label for digit in scene.digits]
        rows = [digit.row for digit in scene.digits]
        (majority, _), *_ = Counter(labels).most_common()
        assert megapixel_tasks(scene).majority == majority == scene.label
        assert megapixel_tasks(scene).max == sorted(labels)[-1]
        assert megapixel_tasks(scene).top == labels[int(np.argmin(rows))]
        assert set(megapixel_tasks(scene).multi) == set(labels)
        assert list(megapixel_tasks(scene).multi) == sorted(set(labels))


def test_majority_is_uniform_and_so_are_the_others(scenes: list[Scene]) -> None:
    """Ten classes alike (chi-square of 9 degrees of freedom, 99.9 %), for both kinds of digit."""
    majority = np.bincount([scene.label for scene in scenes], minlength=10)
    assert chi_square(majority, [SAMPLES / 10] * 10) < 27.9
    others = [d.label for s in scenes for d in s.digits if d.label != s.label]
    assert chi_square(np.bincount(others, minlength=10), [len(others) / 10] * 10) < 27.9


def test_the_two_others_are_alike_as_often_as_chance_has_it(scenes: list[Scene]) -> None:
    """They are drawn one by one from nine classes, so one pair in nine is alike."""
    alike = sum(len(megapixel_tasks(scene).multi) == 2 for scene in scenes) / SAMPLES
    assert alike == pytest.approx(1 / 9, abs=4 * (8 / 81 / SAMPLES) ** 0.5)


def test_top_is_any_digit_alike(scenes: list[Scene]) -> None:
    """The topmost digit is of the majority in three images of five."""
    share = sum(megapixel_tasks(scene).top == scene.label for scene in scenes) / SAMPLES
    assert share == pytest.approx(0.6, abs=4 * (0.24 / SAMPLES) ** 0.5)


def test_balanced_majority_comes_once_in_ten_images() -> None:
    """``label=balanced`` gives every class once in each block, in an order of its own."""
    labels = [plan(index=index, label="balanced", noise_count=0).label for index in range(100)]
    blocks = [tuple(labels[first : first + 10]) for first in range(0, 100, 10)]
    assert all(sorted(block) == list(range(10)) for block in blocks)
    assert len(set(blocks)) > 1


def test_fixed_majority_changes_nothing_else() -> None:
    """``label=7`` makes every majority a 7; the places and the noise stay."""
    for index in range(20):
        free, fixed = plan(index=index), plan(index=index, label=7)
        assert fixed.label == 7
        assert fixed.boxes == free.boxes
        assert fixed.strokes == free.strokes


@pytest.mark.parametrize(("digits", "alike"), [(1, 1), (2, 2), (3, 2), (4, 3), (7, 4)])
def test_more_than_half_of_any_number_of_digits_are_alike(digits: int, alike: int) -> None:
    """The majority is one whatever the number of digits."""
    scene = plan(digits=digits, noise_count=0)
    assert [d.label for d in scene.digits].count(scene.label) == alike


# -- places -----------------------------------------------------------------------


@pytest.mark.parametrize(("canvas", "size"), [(1500, 28), (120, 28), (400, 112)])
def test_digits_do_not_overlap_and_lie_inside(canvas: int, size: int) -> None:
    """Two squares are apart by their size in rows or in columns."""
    for index in range(200):
        scene = plan(index=index, canvas=canvas, digit_size=size, noise_count=0)
        places = [(digit.row, digit.col) for digit in scene.digits]
        for place, (row, col) in enumerate(places):
            assert 0 <= row <= canvas - size
            assert 0 <= col <= canvas - size
            for other_row, other_col in places[:place]:
                assert max(abs(row - other_row), abs(col - other_col)) >= size


def test_digits_are_placed_uniformly(scenes: list[Scene]) -> None:
    """Rows and columns fall into ten equal bands alike."""
    places = np.array([(d.row, d.col) for s in scenes for d in s.digits])
    for axis in (0, 1):
        counts, _ = np.histogram(places[:, axis], bins=10, range=(0, 1473))
        assert chi_square(counts, [len(places) / 10] * 10) < 27.9
    assert places.min() == 0
    assert places.max() == 1472


def test_digits_without_room_are_an_error_and_no_endless_loop() -> None:
    """Five squares that cannot lie apart are refused, and the message says what to change."""
    with pytest.raises(PlacementError, match="lower digit_size"):
        plan(canvas=60, noise_count=0)


def test_ink_box_is_tight_around_the_grey_of_the_digit() -> None:
    """The box comes from the resized glyph, inside its square."""
    for size in (14, 28, 46, 84):
        for digit in plan(digit_size=size).digits:
            assert digit.box.contains(digit.ink_box)
            assert digit.ink_box.width < digit.box.width


# -- strokes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "first", "last"), [("lines", 28, 1500 - 29), ("bezier", 0, 1500 - 29)]
)
def test_strokes_are_placed_uniformly_within_their_margin(kind: str, first: int, last: int) -> None:
    """Straight lines keep 28 px from the first edge, curves reach it; both as released."""
    scene = plan(noise_kind=kind, noise_count=10_000)
    patches = np.array(strokes_of(scene).patches)
    for axis in (1, 2):
        assert first <= patches[:, axis].min() < first + 5
        assert last - 5 < patches[:, axis].max() <= last
        counts, _ = np.histogram(patches[:, axis], bins=10, range=(first, last + 1))
        assert chi_square(counts, [1000] * 10) < 27.9


def test_strokes_say_nothing_about_the_digits(scenes: list[Scene]) -> None:
    """No part of a stroke goes with a part of a digit: correlations stay below 4 / sqrt(5000)."""
    first_strokes = np.array([strokes_of(scene).patches[0] for scene in scenes]).T
    digits = np.array(
        [(s.label, s.digits[0].glyph, s.digits[1].glyph, s.digits[0].row) for s in scenes]
    ).T
    correlations = np.corrcoef(first_strokes, digits)[:3, 3:]
    assert np.abs(correlations).max() < 4 / SAMPLES**0.5


def test_control_points_are_4_6_and_8_with_odds_of_3_5_and_1() -> None:
    """The odds of arXiv 2412.11237, section 3 (chi-square of 2 degrees, 99.9 %)."""
    patterns = strokes_of(plan("megapixel-bezier", noise_count=9000)).patterns
    counts = Counter(len(curve) // 2 for (curve,) in patterns)
    assert set(counts) == {4, 6, 8}
    assert chi_square([counts[4], counts[6], counts[8]], [3000, 5000, 1000]) < 13.8


def test_control_points_are_uniform_on_the_grid() -> None:
    """Every row and column of the 28-px grid is as likely (27 degrees of freedom, 99.9 %)."""
    patterns = strokes_of(plan("megapixel-bezier", noise_count=5000)).patterns
    for axis in (0, 1):
        values = [value for (curve,) in patterns for value in curve[axis::2]]
        counts = np.bincount(values)
        assert len(counts) == 28
        assert chi_square(counts, [len(values) / 28] * 28) < 55.5


def test_fixed_number_of_control_points_is_kept() -> None:
    """``control_points=5`` draws nothing else."""
    patterns = strokes_of(plan("megapixel-bezier", control_points=5)).patterns
    assert {len(curve) for (curve,) in patterns} == {10}


def test_lines_leave_a_corner_and_reach_an_edge() -> None:
    """Each pattern is two lines, from pixel centre to 27.49 px away; a third are flipped."""
    patterns = strokes_of(plan(noise_count=3000)).patterns
    lines = np.array(patterns) / 1024  # (patterns, 2 lines, row0 col0 row1 col1)
    assert lines.shape == (3000, 2, 4)
    reach = np.abs(lines[..., 2:] - lines[..., :2]).max(axis=-1)
    np.testing.assert_allclose(reach, 27.49, atol=1e-3)
    assert (lines[:, 0, :2] == 0.5).all()
    for axis in (0, 1):
        flipped = (lines[:, 1, axis] == 27.5).mean()
        assert flipped == pytest.approx(0.33, abs=4 * (0.33 * 0.67 / 3000) ** 0.5)
    angles = np.degrees(np.arctan2(lines[:, 0, 3] - 0.5, lines[:, 0, 2] - 0.5))
    counts, _ = np.histogram(angles, bins=8, range=(0, 72))
    assert chi_square(counts, [3000 / 8] * 8) < 24.3


def test_second_lines_are_the_first_lines_in_another_order() -> None:
    """As released, every slope occurs once as a first line and once as a second."""
    patterns = strokes_of(plan(noise_count=200)).patterns
    first, second = (
        sorted(tuple(abs(b - a) for a, b in zip(line[:2], line[2:], strict=True)) for line in lines)
        for lines in zip(*patterns, strict=True)
    )
    assert first == second


def test_patterns_are_drawn_with_replacement() -> None:
    """Of n patterns an image of n strokes shows a share of 1 - 1/e."""
    used = [
        len({pattern for pattern, _, _ in strokes_of(plan("o2i-28", index)).patches}) / 800
        for index in range(30)
    ]
    assert np.mean(used) == pytest.approx(1 - np.exp(-1), abs=0.01)


@pytest.mark.parametrize("preset", ["megapixel", "megapixel-bezier"])
def test_images_of_a_split_share_their_patterns(preset: str) -> None:
    """A data set has one set of patterns for training and another for testing."""
    one, other = strokes_of(plan(preset, 0)), strokes_of(plan(preset, 1))
    test = plan_scene(preset, 0, "test", 0, glyphs=GLYPHS)
    assert one.patterns == other.patterns
    assert one.patches != other.patches
    assert strokes_of(test).patterns != one.patterns
    assert strokes_of(plan(preset, seed=1)).patterns != one.patterns


def test_thickness_and_count_keep_the_curves() -> None:
    """A slider thickens or adds strokes; those that are there stay what they are."""
    few = strokes_of(plan("megapixel-bezier", noise_count=100))
    many = strokes_of(plan("megapixel-bezier", noise_count=101, thickness=3))
    assert many.patterns[:100] == few.patterns
    assert [place[1:] for place in many.patches[:100]] == [place[1:] for place in few.patches]


@pytest.mark.parametrize(
    "overrides",
    [
        {"noise_kind": "lines"},
        {"noise_count": 3},
        {"noise_size": 56},
        {"thickness": 2.5, "thickness_mode": "continuous"},
        {"control_points": 4},
    ],
)
def test_noise_leaves_the_digits_where_they_are(overrides: dict[str, Any]) -> None:
    """Digits and noise are drawn apart."""
    assert plan("megapixel-bezier", 4, **overrides).digits == plan("megapixel-bezier", 4).digits


# -- presets and parameters -------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "canvas", "size", "count", "percent"),
    [
        ("megapixel", 1500, 28, 50, 0.035),
        ("megapixel-bezier", 1500, 28, 800, 0.035),
        ("o2i-28", 3000, 28, 800, 0.009),
        ("o2i-56", 3000, 56, 600, 0.035),
        ("o2i-84", 3000, 84, 400, 0.078),
        ("o2i-112", 3000, 112, 200, 0.139),
    ],
)
def test_preset_is_that_of_its_text(
    preset: str, canvas: int, size: int, count: int, percent: float
) -> None:
    """Canvas, sizes, strokes and object-to-image ratio are the published ones."""
    scene = plan(preset)
    strokes = strokes_of(scene)
    assert (scene.height, scene.width) == (canvas, canvas)
    assert {digit.side_px for digit in scene.digits} == {size} == {strokes.side_px}
    assert len(strokes.patches) == len(strokes.patterns) == count
    ratio = size**2 / canvas**2
    assert scene.object_to_image_ratios == (ratio,) * 5
    assert 100 * ratio == pytest.approx(percent, abs=5e-4)


def test_every_parameter_of_megapixel_is_documented() -> None:
    """The table names exactly what a scene records, each with a meaning."""
    provenance = plan().provenance
    assert provenance is not None
    unset = {"noise_seed"}
    assert set(provenance.parameters) == set(MEGAPIXEL_PARAMETERS) - unset
    assert all(parameter.meaning for parameter in MEGAPIXEL_PARAMETERS.values())


@pytest.mark.parametrize("preset", MEGAPIXEL_PRESETS)
def test_recorded_parameters_plan_the_scene_again(preset: str) -> None:
    """What a scene records is enough, whichever of the presets it is laid over."""
    scene = plan(preset, 2)
    assert scene.provenance is not None
    again = plan("megapixel", 2, **scene.provenance.parameters)
    assert scene.provenance.planner == "megapixel"
    assert replace(again, provenance=None) == replace(scene, provenance=None)


def test_unknown_parameter_lists_those_of_its_planner() -> None:
    """Each planner names its own."""
    with pytest.raises(InvalidValueError, match=r"'shape_pairs'.*noise_count"):
        plan(shape_pairs=3)
    with pytest.raises(InvalidValueError, match=r"'thickness'.*shape_pairs"):
        plan("released", thickness=2)
    assert set(PARAMETERS) != set(MEGAPIXEL_PARAMETERS)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("thickness", "0.1", "a number from 0.2 to 6;"),
        ("thickness", "nan", "nan"),
        ("thickness", "1..2", "1..2"),
        ("noise_count", "2.5", "a whole number from 0 to 10000;"),
        ("noise_count", "-1", "-1"),
        ("digit_size", "1..30", "1..30"),
        ("thickness_mode", "round", "integer, continuous"),
        ("noise_kind", "dots", "lines, bezier"),
        ("control_points", "9", "mixed or a whole number from 2 to 8"),
        ("label", "10", "balanced, free or a whole number from 0 to 9"),
        ("canvas", "1e9", "200000"),
    ],
)
def test_wrong_value_is_refused_in_one_sentence_that_names_the_allowed(
    name: str, text: str, said: str
) -> None:
    """A value that is one number is not offered as a range."""
    with pytest.raises(InvalidValueError) as caught:
        parse_parameter(name, text, MEGAPIXEL_PARAMETERS)
    assert said in str(caught.value)
    assert "or a range" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"canvas": 100, "digit_size": 112}, "digit_size"),
        ({"canvas": 80}, "84 px"),
        ({"canvas": 100, "noise_kind": "bezier", "noise_size": 112}, "noise_size"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(overrides: dict[str, Any], said: str) -> None:
    """A square larger than its canvas is an error before anything is drawn."""
    with pytest.raises(InvalidValueError, match=said):
        plan(**overrides)


def test_thickness_just_below_a_whole_number_stays_below() -> None:
    """1.9999 is cut to 1 px, as the released int() does, and never rounded to 2."""
    assert strokes_of(plan(thickness=1.9999)).thickness // 1024 == 1
    assert strokes_of(plan(thickness=2)).thickness // 1024 == 2


def test_glyphs_of_one_class_are_refused() -> None:
    """A majority needs others; their absence is said, not looped over."""
    ones = GlyphSet("ones", GLYPHS.images[5:10].copy(), GLYPHS.labels[5:10].copy())
    with pytest.raises(InvalidValueError, match="all ten classes"):
        plan_scene("megapixel", glyphs=ones, overrides={"label": "1"})


def test_glyph_without_ink_is_refused() -> None:
    """A black glyph would be a digit that nobody can see."""
    black = GlyphSet("black", np.zeros((10, 28, 28), np.uint8), np.arange(10, dtype=np.uint8))
    with pytest.raises(InvalidValueError, match="black at 28 px"):
        plan_scene("megapixel", glyphs=black)


# -- as data ----------------------------------------------------------------------


@pytest.mark.parametrize("preset", MEGAPIXEL_PRESETS)
def test_scene_survives_json_both_ways(preset: str) -> None:
    """What is written is read back equal, and the labels are in the text."""
    scene = plan(preset, 1)
    text = scene.to_json()
    assert Scene.from_json(text) == scene
    assert Scene.from_json(text).to_json() == text
    data = json.loads(text)
    assert data["label"] == data["tasks"]["majority"] == scene.label
    assert data["tasks"]["multi"] == list(megapixel_tasks(scene).multi)


def test_json_without_strokes_is_as_before() -> None:
    """Scenes of UltraMNIST neither gain a field nor need one."""
    scene = plan("released")
    assert not {"strokes", "tasks"} & set(json.loads(scene.to_json()))
    assert Scene.from_json(scene.to_json()).strokes is None


def test_tasks_of_a_scene_without_strokes_are_refused() -> None:
    """An UltraMNIST image has a sum and no majority."""
    with pytest.raises(InvalidValueError, match="label"):
        _ = plan("released").tasks


def test_scene_with_strokes_and_checkerboard_is_refused() -> None:
    """There is no rule for drawing both."""
    strokes, ground = plan(), plan("released")
    with pytest.raises(InvalidValueError, match="found both"):
        replace(ground, strokes=strokes.strokes)
    data = {**json.loads(strokes.to_json()), "digits": []}
    with pytest.raises(DamagedFileError):
        Scene.from_json(json.dumps(data))
