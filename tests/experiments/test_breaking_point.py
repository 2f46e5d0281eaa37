"""Curves of where models break: which scenes, in which order, and what is made of the answers."""

from __future__ import annotations

import csv
import io
import json
import random
import shlex
from itertools import pairwise
from typing import Any

import pytest

from umnist_core.cli import breaking_point, root
from umnist_core.datasets.large_scale.ref import AnyRef, DigitRef
from umnist_core.digits import load_glyphs
from umnist_core.errors import InvalidValueError, PlacementError
from umnist_core.experiments.breaking_point import (
    COLUMNS,
    BreakingCurve,
    BreakingPoint,
    Marks,
    TaskMark,
    coarse_to_fine,
    parse_values,
    trace_curve,
)
from umnist_core.scenes import SceneRef
from umnist_core.scoring import wilson

SMALL = SceneRef.of("released", {"canvas": "600", "factor": "1..4"}, seed=7, split="test", index=3)


def plan_of(**changes: Any) -> BreakingPoint:
    """Return a plan of a curve over pairs of shapes."""
    given = {
        "checkpoints": ("digit-finder",),
        "parameter": "shape_pairs",
        "values": ("0", "2", "5"),
        "count": 4,
        "ref": SMALL,
    }
    return BreakingPoint(**{**given, **changes})


def right_below(most: int) -> Any:
    """Return who is right of images with fewer pairs than that, and of every second one beyond."""

    def ask(_checkpoint: str, ref: AnyRef) -> Marks:
        pairs = int(dict(ref.overrides)["shape_pairs"])
        is_right = pairs < most or ref.index % 2 == 0
        return {"sum": TaskMark((9,), (9 if is_right else 8,), is_right)}

    return ask


def test_digits_are_the_same_at_every_value() -> None:
    """So the curve tells of the noise; and the first scene is the one that was named."""
    plan, glyphs = plan_of(values=("0", "9")), load_glyphs()
    for place in range(plan.count):
        few, many = (plan.scene(value, place) for value in plan.values)
        assert isinstance(few, SceneRef)
        assert isinstance(many, SceneRef)
        assert few.plan(glyphs).digits == many.plan(glyphs).digits
        assert len(few.plan(glyphs).shapes) == 0
        assert len(many.plan(glyphs).shapes) == 18
        assert (few.index, few.seed, few.split) == (3 + place, 7, "test")


@pytest.mark.parametrize("count", [1, 2, 3, 8, 17, 64])
def test_every_value_is_asked_for_once_before_any_is_again(count: int) -> None:
    """The ends first, then the middle: the curve is there early, and then its bars shrink."""
    order = coarse_to_fine(count)
    assert sorted(order) == list(range(count))
    assert order[:3] == list(dict.fromkeys((0, count - 1, (count - 1) // 2)))
    values = tuple(str(number) for number in range(min(count, 20)))
    plan = plan_of(values=values, count=2, checkpoints=("a", "b"))
    samples = list(plan.samples())
    assert len(samples) == len(set(samples)) == plan.total
    first = samples[: 2 * len(values)]
    assert {one.place for one in first} == {0}
    assert [one.checkpoint for one in first[:2]] == ["a", "b"]


def test_curve_is_the_same_in_whatever_order_answers_come() -> None:
    """Counts, shares and Wilson's intervals at every value; the misses by their index."""
    plan = plan_of()
    curve = trace_curve(plan, right_below(3))
    rows = curve.rows("digit-finder", "sum")
    assert [(row.value, row.right, row.images) for row in rows] == [
        ("0", 4, 4),
        ("2", 4, 4),
        ("5", 2, 4),
    ]
    expected = wilson(2, 4)
    assert (rows[2].accuracy, rows[2].low, rows[2].high) == (0.5, expected.low, expected.high)
    shuffled = list(curve.answers.items())
    random.Random(4).shuffle(shuffled)
    other = BreakingCurve(plan, dict(shuffled))
    assert other.curves() == curve.curves()
    misses = other.misses("digit-finder", "5", "sum")
    assert [ref.index for ref, _ in misses] == [3, 5]
    assert all(
        ref
        == SMALL.at(ref.index).of(
            "released",
            {**dict(SMALL.overrides), "shape_pairs": "5"},
            seed=7,
            split="test",
            index=ref.index,
        )
        for ref, _ in misses
    )


def test_scene_that_cannot_be_is_counted_and_no_answer() -> None:
    """It is neither right nor wrong, and what comes after it is asked all the same."""

    def ask(checkpoint: str, ref: AnyRef) -> Marks:
        if ref.index == 4:
            raise PlacementError("The digits find no place.")
        return right_below(3)(checkpoint, ref)  # type: ignore[no-any-return]

    told: list[Marks] = []
    curve = trace_curve(plan_of(), ask, lambda _, marks: told.append(marks))
    row = curve.rows("digit-finder", "sum")[0]
    assert (row.images, row.not_drawn) == (3, 1)
    assert len(told) == 12
    assert curve.curves()[0]["rows"][0]["not_drawn"] == 1


def test_truth_that_nobody_knows_counts_for_nothing() -> None:
    """Without a truth there is no share, and JSON has no NaN."""
    curve = trace_curve(plan_of(count=1), lambda *_: {"sum": TaskMark((9,), None, None)})
    assert [row.images for row in curve.rows("digit-finder", "sum")] == [0, 0, 0]
    assert json.loads(curve.to_json())["curves"][0]["rows"][0]["accuracy"] is None


def test_files_hold_every_value_and_every_answer() -> None:
    """The table a row a value, JSON besides what was answered to each image, and the command."""
    curve = trace_curve(plan_of(), right_below(3))
    rows = list(csv.DictReader(io.StringIO(curve.as_csv())))
    assert tuple(rows[0]) == COLUMNS
    assert [row["value"] for row in rows] == ["0", "2", "5"]
    assert [row["right"] for row in rows] == ["4", "4", "2"]
    kept = json.loads(curve.to_json())
    assert len(kept["answers"]) == 12
    assert kept["plan"]["first"] == 3
    assert kept["command"] == curve.plan.command


@pytest.mark.parametrize(
    "ref",
    [SMALL, DigitRef.of({"slope": "0.1"}, split="test", index=2)],
    ids=["scene", "digit"],
)
def test_command_and_program_name_the_same_plan(ref: AnyRef) -> None:
    """What is copied makes the same curve: read back, it is the same plan."""
    parameter = "scale" if isinstance(ref, DigitRef) else "factor"
    values = ("0.5", "2..4") if parameter == "factor" else ("1", "2")
    plan = plan_of(parameter=parameter, values=values, ref=ref, checkpoints=("a model", "b"))
    read: list[BreakingPoint] = []
    words = shlex.split(plan.command)[1:]
    command = root.get_command(None, words[0])  # type: ignore[arg-type]
    assert command is not None
    context = command.make_context("umnist", words[1:])
    options = dict(context.params)
    given = tuple(word for flag, word in pairwise(words) if flag == "--model")
    read.append(breaking_point._plan(given, options))
    program = plan.python_code.replace("curve = measure_curve(plan)\nprint(curve.as_csv())\n", "")
    made: dict[str, Any] = {}
    exec(program, made)
    read.append(made["plan"])
    for one in read:
        assert [one.scene(value, 1) for value in one.values] == [
            plan.scene(value, 1) for value in plan.values
        ]
        assert (one.checkpoints, one.count) == (plan.checkpoints, plan.count)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"parameter": "noise_count"}, "parameters of released are digits"),
        ({"parameter": "noise_seed"}, "parameters of released are digits"),
        ({"values": ("0", "99")}, "from 0 to 50"),
        ({"values": ("1", "1")}, "every value once"),
        ({"values": ()}, "1 to 65"),
        ({"checkpoints": ()}, "every model once"),
        ({"count": 0}, "1 to 10000"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_is_asked(
    changes: dict[str, Any], sentence: str
) -> None:
    """In a sentence that says what may be."""
    with pytest.raises(InvalidValueError, match=sentence):
        plan_of(**changes)


def test_values_are_read_with_and_without_spaces() -> None:
    """Numbers and ranges, in the order in which they stand."""
    assert parse_values("0, 2,0.5..75 ,") == ("0", "2", "0.5..75")
