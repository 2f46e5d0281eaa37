"""Curves of where models break: the same answers as ``umnist evaluate``, and in the background."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.inference.asking import SLOW, wait_for
from tests.inference.standing_in import StandInProcess
from umnist_core.datasets import Recipe
from umnist_core.errors import BusyError, NotFoundError, WorkerError
from umnist_core.experiments.breaking_point import BreakingPoint
from umnist_core.inference import background, pool
from umnist_core.inference.breaking import measure_curve
from umnist_core.inference.breaking_runs import BreakingRuns
from umnist_core.inference.pool import InferencePool
from umnist_core.inference.process import Outcome, RequestCancelledError
from umnist_core.inference.requests import OnProgress, PredictRequest, SceneImage
from umnist_core.models.cards import get_checkpoint
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.scenes import SceneRef
from umnist_core.training.data import SceneSamples
from umnist_core.training.evaluate import evaluate

SMALL = {"canvas": "400", "factor": "1..3"}
FIRST = SceneRef.of("released", SMALL, seed=11, split="test")


@pytest.mark.parametrize(
    ("parameter", "values"), [("shape_pairs", ("0", "6")), ("checkerboard", ("0", "20"))]
)
def test_curve_is_what_evaluate_says_of_the_same_scenes(
    parameter: str, values: tuple[str, ...]
) -> None:
    """The same answer to every scene, and the same share with the same interval at every value."""
    curve = measure_curve(BreakingPoint((SLOW,), parameter, values, 2, FIRST), "cpu")
    model, _ = load_checkpoint(get_checkpoint(SLOW))
    for row in curve.rows(SLOW, "sum"):
        recipe = Recipe(2, "released", 11, "test", {**SMALL, parameter: row.value})
        found = evaluate(model, SceneSamples(recipe), batch_size=2, with_attention=False)
        told = {
            one.place: marks["sum"]
            for one, marks in curve.answers.items()
            if one.value == row.value
        }
        assert [told[place].said for place in range(2)] == [
            (one["said_sum"],) for one in found.rows
        ]
        assert [told[place].is_right for place in range(2)] == [
            one["correct_sum"] for one in found.rows
        ]
        share = found.summary()["tasks"]["sum"]["accuracy"]
        assert (row.right, row.images) == (share["correct"], share["images"])
        assert (row.accuracy, row.low, row.high) == (
            share["accuracy"],
            share["low"],
            share["high"],
        )


class _Asked:
    """What the process of the tests was asked, and what it does about it."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.go = threading.Semaphore(0)
        self.fails = False


class _CountingProcess(StandInProcess):
    """Stands where a process of models does: right below 3 pairs, and as slow as it is told."""

    asked = _Asked()

    def run(self, number: int, request: dict[str, Any], on_progress: OnProgress) -> Outcome:
        """Answer when the test lets go of it."""
        self.asked.requests.append(request)
        while not self.asked.go.acquire(timeout=0.01):
            if number in self._cancelled:
                raise RequestCancelledError
        if self.asked.fails:
            raise WorkerError("The model does not take this.", "invalid")
        is_right = int(request["image"]["overrides"].get("shape_pairs", 0)) < 3
        task = {"name": "sum", "answer": [7], "truth": [7 if is_right else 8]}
        return Outcome({"tasks": [{**task, "is_right": is_right}]})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> _Asked:
    """Return what is asked of the process, which answers as often as it is let go of."""
    monkeypatch.setattr(pool, "ModelProcess", _CountingProcess)
    monkeypatch.setattr(background, "LOOK_EVERY_S", 0.02)
    _CountingProcess.asked = _Asked()
    return _CountingProcess.asked


@pytest.fixture
def models(asked: _Asked) -> Iterator[InferencePool]:
    """Yield a pool with that process."""
    models = InferencePool()
    yield models
    models.close()


def _plan(count: int = 3, **changes: Any) -> BreakingPoint:
    values = ("0", "2", "5")
    given = {"checkpoints": (SLOW,), "parameter": "shape_pairs", "values": values, "ref": FIRST}
    return BreakingPoint(count=count, **{**given, **changes})


def _let(asked: _Asked, answers: int) -> None:
    for _ in range(answers):
        asked.go.release()


def test_curve_grows_in_the_background(models: InferencePool, asked: _Asked) -> None:
    """Listeners are told of each answer; the end has every share and every miss."""
    runs = BreakingRuns(lambda: models)
    begun = runs.begin("page", _plan(), "auto")
    told: list[int] = []
    with runs.listening(begun["id"], lambda: told.append(1)):
        _let(asked, 1)
        wait_for(lambda: runs.get(begun["id"])["done"] == 1)
        early = runs.get(begun["id"])
        assert (early["state"], early["total"]) == ("running", 9)
        assert [row["images"] for row in early["curves"][0]["rows"]] == [1, 0, 0]
        _let(asked, 8)
        wait_for(lambda: runs.get(begun["id"])["state"] == "done")
    assert len(told) == 10
    rows = runs.get(begun["id"])["curves"][0]["rows"]
    assert [(row["right"], row["images"]) for row in rows] == [(3, 3), (3, 3), (0, 3)]
    misses = runs.read(begun["id"], lambda one: one.misses(SLOW, "5", "sum"))
    assert [ref.index for ref, _ in misses] == [0, 1, 2]


def test_cancelled_curve_goes_on_where_it_was(models: InferencePool, asked: _Asked) -> None:
    """What runs is stopped, what there is stays, and nothing that was answered is asked again."""
    runs = BreakingRuns(lambda: models)
    begun = runs.begin("page", _plan(), "cpu")
    _let(asked, 4)
    wait_for(lambda: runs.get(begun["id"])["done"] == 4)
    wait_for(lambda: len(asked.requests) == 5)
    cancelled = runs.cancel(begun["id"])
    assert (cancelled["state"], cancelled["done"]) == ("cancelled", 4)
    wait_for(lambda: not models.status()[-1]["busy"])
    again = runs.begin("page", _plan(count=4), "cpu")
    _let(asked, 8)
    wait_for(lambda: runs.get(again["id"])["state"] == "done")
    assert runs.get(begun["id"])["done"] == 4
    images = [str(one["image"]) for one in asked.requests]
    stopped = images.pop(4)
    assert len(images) == len(set(images)) == 12
    assert stopped in images


def test_whoever_waits_goes_before_a_curve(models: InferencePool, asked: _Asked) -> None:
    """A request of the page is answered next, and the curve loses nothing by it."""
    runs = BreakingRuns(lambda: models)
    begun = runs.begin("page", _plan(), "cpu")
    wait_for(lambda: len(asked.requests) == 1)
    shown = PredictRequest(SLOW, "cpu", SceneImage(FIRST.at(77)))
    job = models.submit("page", "a", 1, shown, 490_000)
    wait_for(lambda: len(asked.requests) == 2)
    _let(asked, 1)
    wait_for(lambda: models.get(job["id"])["state"] == "done")
    assert asked.requests[1]["image"]["index"] == 77
    assert runs.get(begun["id"])["done"] == 0
    _let(asked, 9)
    wait_for(lambda: runs.get(begun["id"])["state"] == "done")
    assert models.get_outcome(job["id"])  # answers to the curve push out nobody's


def test_newer_curve_of_a_page_takes_the_place_of_its_older(
    models: InferencePool, asked: _Asked
) -> None:
    """That of another page goes on."""
    runs = BreakingRuns(lambda: models)
    first = runs.begin("page", _plan(), "cpu")
    other = runs.begin("another", _plan(parameter="checkerboard"), "cpu")
    second = runs.begin("page", _plan(values=("1", "9")), "cpu")
    assert runs.get(first["id"])["state"] == "cancelled"
    _let(asked, 40)
    for one in (other, second):
        wait_for(lambda one=one: runs.get(one["id"])["state"] == "done")  # type: ignore[misc]


def test_curve_of_a_closed_page_is_measured_no_further(
    models: InferencePool, asked: _Asked
) -> None:
    """Nobody asked about it for a while, so it ends by itself."""
    runs = BreakingRuns(lambda: models, abandoned_s=0.1)
    begun = runs.begin("page", _plan(), "cpu")
    series = runs.find(begun["id"])
    wait_for(lambda: series.ended is not None)
    assert series.state == "cancelled"
    wait_for(lambda: not models.status()[-1]["busy"])


def test_model_that_cannot_answer_ends_the_curve_with_its_sentence(
    models: InferencePool, asked: _Asked
) -> None:
    """What there is stays."""
    runs = BreakingRuns(lambda: models)
    begun = runs.begin("page", _plan(), "cpu")
    _let(asked, 2)
    wait_for(lambda: runs.get(begun["id"])["done"] == 2)
    asked.fails = True
    _let(asked, 1)
    wait_for(lambda: runs.get(begun["id"])["state"] == "failed")
    failed = runs.get(begun["id"])
    assert (failed["done"], failed["error"]) == (2, "The model does not take this.")


def test_curves_are_bounded_and_forgotten_ones_are_said_so(
    models: InferencePool, asked: _Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More at once are refused, and an id that nobody gave is unknown."""
    monkeypatch.setattr(background, "ACTIVE_MAX", 2)
    runs = BreakingRuns(lambda: models)
    begun = [runs.begin(f"page-{number}", _plan(), "cpu") for number in range(2)]
    with pytest.raises(BusyError, match="2 curves"):
        runs.begin("page-3", _plan(), "cpu")
    for one in begun:
        runs.cancel(one["id"])
    with pytest.raises(NotFoundError, match="measure it again"):
        runs.get("never")
