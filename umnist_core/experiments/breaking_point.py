"""Where models break: accuracy over one parameter of the noise, on the same scenes at each value.

A `BreakingPoint` says which scenes: a preset with overrides, a seed, a split and as many indices
from a first one on; at each value of the parameter they are drawn anew. Noise has generators of
its own (`umnist_core.seeds`), so the digits of an index are the same at every value, and
differences between values are not those of other digits. A parameter of the digits themselves,
such as their size, moves them.

`trace_curve` asks in an order in which the curve is there early: every value once before any is
asked for again, and the ends and the middle first. What is asked is not known here: a model on
the command line, the pool of the server, or a test.
"""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from umnist_core.datasets.large_scale.ref import ALL_PRESETS, AnyRef, any_ref
from umnist_core.errors import InvalidValueError, PlacementError
from umnist_core.scoring import wilson
from umnist_core.spreadsheets import csv_text

VALUES_MAX = 65
COUNT_MAX = 10_000

NOT_FOR_CURVES = ("noise_seed",)
"""Parameters along which nothing can be measured: they say which noise, not how much."""

COLUMNS = (
    "checkpoint",
    "task",
    "parameter",
    "value",
    "images",
    "right",
    "accuracy",
    "low",
    "high",
    "not_drawn",
)
"""Of the table of a curve."""


@dataclass(frozen=True)
class TaskMark:
    """What was answered to one task, and whether that is right; None where nobody knows.

    Attributes
    ----------
    said, true
        The class, or the classes where several may be right.
    """

    said: tuple[int, ...]
    true: tuple[int, ...] | None
    is_right: bool | None


Marks = Mapping[str, TaskMark]
"""Task -> what was answered to it, a model's first task first; empty where there is no scene."""

Ask = Callable[[str, AnyRef], Marks]
"""Lets a checkpoint answer for an image."""


@dataclass(frozen=True)
class BreakingSample:
    """One question: a checkpoint, a value in its text form, and the place among the scenes."""

    checkpoint: str
    value: str
    place: int


OnAnswer = Callable[[BreakingSample, Marks], object]
"""Is told of each answer."""


@dataclass(frozen=True)
class BreakingPoint:
    """Which models, and which scenes.

    Attributes
    ----------
    checkpoints
        One or more names or paths, each once.
    parameter
        The one that is changed, as in ``--set``.
    values
        Its values in their text form, each once. Of a range such as ``0.5..75`` every image
        draws its own.
    count
        Scenes at each value.
    ref
        The first of them; its own value of the parameter does not count.

    Raises
    ------
    InvalidValueError
        If there is no such parameter, a value is not allowed or given twice, or there are too many.
    """

    checkpoints: tuple[str, ...]
    parameter: str
    values: tuple[str, ...]
    count: int
    ref: AnyRef

    def __post_init__(self) -> None:
        table = ALL_PRESETS[self.ref.preset].table
        names = [name for name in table if name not in NOT_FOR_CURVES]
        if self.parameter not in names:
            raise InvalidValueError(
                f"The parameters of {self.ref.preset} are {', '.join(names)}; got "
                f"{self.parameter[:40]!r}; choose one of these."
            )
        _check_number("values", len(self.values), VALUES_MAX)
        _check_number("count", self.count, COUNT_MAX)
        for name, given in (("model", self.checkpoints), ("value", self.values)):
            if not given or len(set(given)) < len(given):
                raise InvalidValueError(
                    f"Expected every {name} once, got {', '.join(given)[:120] or 'none'}; leave "
                    "out what is there twice."
                )
        for value in self.values:  # says what may not be, before anything is asked
            self.scene(value, 0)
        self.scene(self.values[0], self.count - 1)

    def scene(self, value: str, place: int) -> AnyRef:
        """Return an image: at a value, the so many-th from 0 on."""
        changed = {**dict(self.ref.overrides), self.parameter: value}
        ref = self.ref
        return any_ref(ref.preset, changed, seed=ref.seed, split=ref.split, index=ref.index + place)

    def samples(self) -> Iterator[BreakingSample]:
        """Yield all questions: each value of each model, ends and middles first; then again."""
        order = [self.values[place] for place in coarse_to_fine(len(self.values))]
        for place in range(self.count):
            for value in order:
                for checkpoint in self.checkpoints:
                    yield BreakingSample(checkpoint, value, place)

    @property
    def total(self) -> int:
        """How many questions there are."""
        return len(self.checkpoints) * len(self.values) * self.count

    @property
    def kept_overrides(self) -> dict[str, str]:
        """What differs from the preset at every value alike."""
        given = dict(self.ref.overrides)
        return {name: text for name, text in given.items() if name != self.parameter}

    @property
    def command(self) -> str:
        """The command line that makes the same curve."""
        ref, kept = self.ref, self.kept_overrides
        words = ["umnist", "breaking-point"]
        words += [word for name in self.checkpoints for word in ("--model", name)]
        words += ["--parameter", self.parameter, "--values", ",".join(self.values)]
        words += ["--count", str(self.count), "--preset", ref.preset, "--seed", str(ref.seed)]
        words += ["--split", ref.split, "--index", str(ref.index)]
        words += [word for name, text in kept.items() for word in ("--set", f"{name}={text}")]
        return shlex.join(words)

    @property
    def python_code(self) -> str:
        """A program that makes the same curve."""
        ref = self.ref
        return (
            "from umnist_core.datasets.large_scale.ref import any_ref\n"
            "from umnist_core.experiments.breaking_point import BreakingPoint\n"
            "from umnist_core.inference.breaking import measure_curve\n\n"
            "plan = BreakingPoint(\n"
            f"    checkpoints={self.checkpoints!r},\n"
            f"    parameter={self.parameter!r},\n"
            f"    values={self.values!r},\n"
            f"    count={self.count},\n"
            "    ref=any_ref(\n"
            f"        {ref.preset!r},\n"
            f"        {self.kept_overrides!r},\n"
            f"        seed={ref.seed}, split={ref.split!r}, index={ref.index},\n"
            "    ),\n"
            ")\n"
            "curve = measure_curve(plan)\n"
            "print(curve.as_csv())\n"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the plan, ready for JSON."""
        ref = self.ref
        return {
            "checkpoints": list(self.checkpoints),
            "parameter": self.parameter,
            "values": list(self.values),
            "count": self.count,
            "preset": ref.preset,
            "overrides": self.kept_overrides,
            "seed": ref.seed,
            "split": ref.split,
            "first": ref.index,
        }


@dataclass(frozen=True)
class BreakingRow:
    """The accuracy at a value, with Wilson's 95 % interval; NaN while nothing was answered.

    Attributes
    ----------
    images, right
        Answers whose truth is known, and those that are right.
    not_drawn
        Scenes that cannot be, since their digits find no place.
    """

    value: str
    images: int
    right: int
    not_drawn: int
    accuracy: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """Return the row, ready for JSON, which has no NaN."""
        shares = {"accuracy": self.accuracy, "low": self.low, "high": self.high}
        known = {name: None if math.isnan(share) else share for name, share in shares.items()}
        counts = {"images": self.images, "right": self.right, "not_drawn": self.not_drawn}
        return {"value": self.value, **counts, **known}


@dataclass
class BreakingCurve:
    """What was answered so far.

    Attributes
    ----------
    plan
        To what.
    answers
        By sample, in the order in which they came.
    """

    plan: BreakingPoint
    answers: dict[BreakingSample, Marks] = field(default_factory=dict, repr=False)

    def add(self, sample: BreakingSample, marks: Marks) -> None:
        """Take an answer in; in whatever order they come, the curve is the same."""
        self.answers[sample] = marks

    def rows(self, checkpoint: str, task: str) -> list[BreakingRow]:
        """Return the accuracy of a model in a task at every value, in their order."""
        return self._rows(self._tally(), checkpoint, task)

    def misses(self, checkpoint: str, value: str, task: str) -> list[tuple[AnyRef, TaskMark]]:
        """Return the scenes at a value that a model got wrong, by their index."""
        wrong = [
            (sample.place, marks[task])
            for sample, marks in self.answers.items()
            if (sample.checkpoint, sample.value) == (checkpoint, value)
            and task in marks
            and marks[task].is_right is False
        ]
        ordered = sorted(wrong, key=lambda one: one[0])
        return [(self.plan.scene(value, place), mark) for place, mark in ordered]

    def curves(self) -> list[dict[str, Any]]:
        """Return every curve, a model's and a task's, ready for JSON."""
        tally = self._tally()
        named = dict.fromkeys((checkpoint, task) for checkpoint, _, task in tally if task)
        order = self.plan.checkpoints.index
        return [
            {
                "checkpoint": checkpoint,
                "task": task,
                "rows": [row.to_dict() for row in self._rows(tally, checkpoint, task)],
            }
            for checkpoint, task in sorted(named, key=lambda one: order(one[0]))
        ]

    def _tally(self) -> dict[tuple[str, str, str], list[bool | None]]:
        """Return what is right by checkpoint, value and task; no task stands for no scene."""
        tally: dict[tuple[str, str, str], list[bool | None]] = {}
        for one, marks in self.answers.items():
            judged = {task: mark.is_right for task, mark in marks.items()} or {"": None}
            for task, is_right in judged.items():
                tally.setdefault((one.checkpoint, one.value, task), []).append(is_right)
        return tally

    def _rows(
        self, tally: Mapping[tuple[str, str, str], list[bool | None]], checkpoint: str, task: str
    ) -> list[BreakingRow]:
        return [
            _row(
                value,
                tally.get((checkpoint, value, task), []),
                len(tally.get((checkpoint, value, ""), [])),
            )
            for value in self.plan.values
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return plan, curves and every answer, ready for JSON."""
        return {
            "plan": self.plan.to_dict(),
            "interval": "Wilson, 95 %",
            "curves": self.curves(),
            "answers": [
                _answer_dict(self.plan, sample, marks) for sample, marks in self.answers.items()
            ],
            "command": self.plan.command,
        }

    def to_json(self) -> str:
        """Return `to_dict` as text."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n"

    def as_csv(self) -> str:
        """Return a table with a row for each value of each model and task: `COLUMNS`."""
        rows = [
            {**row, "checkpoint": one["checkpoint"], "task": one["task"]}
            for one in self.curves()
            for row in one["rows"]
        ]
        return csv_text(COLUMNS, [{**row, "parameter": self.plan.parameter} for row in rows])


def trace_curve(
    plan: BreakingPoint,
    ask: Ask,
    on_answer: OnAnswer | None = None,
) -> BreakingCurve:
    """Let models answer for all scenes of a plan.

    Parameters
    ----------
    plan
        Which, and which models.
    ask
        Answers one question. A `PlacementError` means that there is no such scene, which is
        counted; any other error ends this and comes out as it is.
    on_answer
        Is told of each answer.
    """
    curve = BreakingCurve(plan)
    for sample in plan.samples():
        try:
            marks = ask(sample.checkpoint, plan.scene(sample.value, sample.place))
        except PlacementError:
            marks = {}
        curve.add(sample, marks)
        if on_answer is not None:
            on_answer(sample, marks)
    return curve


def coarse_to_fine(count: int) -> list[int]:
    """Return 0 to ``count - 1``, both ends first, then the middles of what is between."""
    order = list(dict.fromkeys((0, count - 1)))
    gaps = [(0, count - 1)]
    while gaps:
        halves = [(low, (low + high) // 2, high) for low, high in gaps if high - low > 1]
        order += [middle for _, middle, _ in halves]
        gaps = [gap for low, middle, high in halves for gap in ((low, middle), (middle, high))]
    return order


def marks_of(tasks: Iterable[Mapping[str, Any]]) -> dict[str, TaskMark]:
    """Return the marks of the tasks of a prediction, as its JSON has them."""
    return {
        task["name"]: TaskMark(
            tuple(task["answer"]),
            None if task["truth"] is None else tuple(task["truth"]),
            task["is_right"],
        )
        for task in tasks
    }


def parse_values(text: str) -> tuple[str, ...]:
    """Return the values of a text such as ``0,2,4`` or ``0.5..75, 5..75``."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _row(value: str, judged: list[bool | None], not_drawn: int) -> BreakingRow:
    known = [is_right for is_right in judged if is_right is not None]
    found = wilson(sum(known), len(known))
    return BreakingRow(
        value=value,
        images=len(known),
        right=sum(known),
        not_drawn=not_drawn,
        accuracy=found.estimate,
        low=found.low,
        high=found.high,
    )


def _answer_dict(plan: BreakingPoint, sample: BreakingSample, marks: Marks) -> dict[str, Any]:
    return {
        "checkpoint": sample.checkpoint,
        "value": sample.value,
        "index": plan.ref.index + sample.place,
        "tasks": {
            task: {
                "said": list(mark.said),
                "true": None if mark.true is None else list(mark.true),
                "is_right": mark.is_right,
            }
            for task, mark in marks.items()
        },
    }


def _check_number(name: str, number: int, most: int) -> None:
    if not 1 <= number <= most:
        raise InvalidValueError(f"{name} has 1 to {most}; got {number}; choose fewer or more.")
