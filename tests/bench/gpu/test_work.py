"""What a part of gpu-check is given, and how it ends."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.bench.gpu.listening import Heard, listen
from tests.hardware.recorded import LOST, OF_80_GB, Failure, RecordedMachine, standing_in
from umnist_core.bench.gpu.parts import DONE, FAILED, PACKAGE, STOPPED, CheckPart
from umnist_core.bench.gpu.work import OUT_OF_TIME, Work, run_part
from umnist_core.errors import InvalidValueError

PART = CheckPart("worker", "A part", "made_up", 1, 0)


@pytest.fixture
def run_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[Work], None]], Heard]:
    """Return what does a part that is a function."""

    def do(function: Callable[[Work], None]) -> Heard:
        monkeypatch.setitem(sys.modules, f"{PACKAGE}.made_up", SimpleNamespace(run=function))
        heard = listen(tmp_path)
        assert run_part(heard.work, PART, 1000)
        return heard

    return do


Do = Callable[[Callable[[Work], None]], Heard]


def test_part_that_raises_says_where(run_with: Do) -> None:
    """What it measured before stays told."""

    def run(work: Work) -> None:
        work.put("worker.cancel_ms", "digit-finder", [3.0, 1.0, 2.0])
        raise ZeroDivisionError("nothing to divide by")

    heard = run_with(run)
    end = heard.end()
    assert (end["status"], end["why"]) == (FAILED, "ZeroDivisionError: nothing to divide by")
    assert "test_work.py" in end["traceback"]
    assert heard.figures()["worker.cancel_ms digit-finder"] == {
        **{"value": 2.0, "low": 1.5, "high": 2.5},
        "count": 3,
    }


def test_measurement_that_raises_fails_alone(run_with: Do) -> None:
    """Its figures say why, those that were put before stay, and the next ones are measured."""

    def run(work: Work) -> None:
        with work.trying("plain-cnn", "worker.out_of_memory", "worker.answers"):
            work.put("worker.answers", "plain-cnn", 1.0)
            raise ValueError("first line\nsecond line")
        work.put("worker.answers", "digit-finder", 0.0)

    heard = run_with(run)
    assert heard.end()["status"] == DONE
    figures = heard.figures()
    failed = figures["worker.out_of_memory plain-cnn"]
    assert (failed["value"], failed["why"]) == (None, "failed: ValueError: first line")
    assert "test_work.py" in failed["traceback"]
    assert figures["worker.answers plain-cnn"] == {"value": 1.0}
    assert figures["worker.answers digit-finder"] == {"value": 0.0}


def test_time_that_runs_out_stops_a_part(run_with: Do) -> None:
    """Also amid a measurement that may fail alone, and repeats that there is no time for."""

    def run(work: Work) -> None:
        with work.trying("digit-finder", "worker.cancel_ms"):
            work.put("worker.goes_on", "cancelled", 1.0)
            work.allow(0)
            work.check_time()

    heard = run_with(run)
    assert (heard.end()["status"], heard.end()["why"]) == (STOPPED, OUT_OF_TIME)
    assert [*heard.figures()] == ["worker.goes_on cancelled"]


def test_repeats_are_as_many_as_there_is_time_for(run_with: Do) -> None:
    """The least ones are done however long they take, unless the part's time is over."""
    done: list[list[int]] = []

    def run(work: Work) -> None:
        done.append([*work.rounds(4, 2)])
        done.append([*work.rounds(4, 2, within_s=0)])
        work.allow(0)
        done.append([*work.rounds(4, 2)])

    assert run_with(run).end()["status"] == STOPPED
    assert done == [[0, 1, 2, 3], [0, 1]]


def test_figure_that_is_not_declared_is_refused(tmp_path: Path) -> None:
    """So none is measured that the documents do not list."""
    work = listen(tmp_path).work
    with pytest.raises(InvalidValueError, match="declare it first"):
        work.put("worker.speed", "digit-finder", 1.0)
    with pytest.raises(InvalidValueError, match=r"worker\.cancel_ms is of digit-finder"):
        work.put("worker.cancel_ms", "ips", 1.0)


def test_number_that_json_has_no_word_for_is_said(tmp_path: Path) -> None:
    """An infinite difference is no number, and still no secret."""
    heard = listen(tmp_path)
    heard.work.put("worker.cancel_ms", "digit-finder", float("inf"))
    assert heard.figures()["worker.cancel_ms digit-finder"] == {"value": None, "why": "it was inf"}


def test_device_that_is_lost_ends_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A measurement at which it is lost does not fail alone: nothing more can be computed here."""
    lost = Failure("synchronize", 0, LOST)

    def run(work: Work) -> None:
        with work.trying("digit-finder", "worker.cancel_ms"):
            work.hardware.wait()
        pytest.fail("it went on")

    monkeypatch.setitem(sys.modules, f"{PACKAGE}.made_up", SimpleNamespace(run=run))
    with standing_in(RecordedMachine(OF_80_GB, failures=[lost])) as machine:
        heard = listen(tmp_path, hardware=machine.gpus()[0])
        assert not run_part(heard.work, PART, 1000)
    assert heard.end()["status"] == FAILED
    assert "CUDA error" in heard.end()["why"]
