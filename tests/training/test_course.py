"""A phase: it goes on after a stop to the same bits, and its running mean is what comes out."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.training.tiny import course_in, stopping_before, tiny_config
from umnist_core.errors import InvalidValueError
from umnist_core.training.config import OptimizerPart
from umnist_core.training.course import Phase, PhaseRun, run_course
from umnist_core.training.own.phases import CourseSettings, make_phase
from umnist_core.training.state import check_settings

STEPS = 6


def phase_of(steps: int = STEPS) -> Phase:
    """Return a phase of a fresh net that drops out and counts its batches."""

    def draw_batch(_step: int, rng: np.random.Generator) -> tuple[Tensor]:
        return (torch.from_numpy(rng.normal(size=(8, 3)).astype(np.float32)),)

    def loss_of(net: nn.Module, values: Tensor) -> Tensor:
        loss: Tensor = net(values).square().mean()
        return loss

    torch.manual_seed(1)
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(4, 1))
    return make_phase(CourseSettings(), "some", net, steps, draw_batch, loss_of=loss_of)


def weights_of(net: nn.Module) -> list[Tensor]:
    """Return copies of all that a net keeps."""
    return [one.clone() for one in net.state_dict().values()]


def test_phase_stopped_before_any_step_ends_with_the_same_bits(tmp_path: Path) -> None:
    """As one that was not stopped, and from a net that begins anew."""
    whole = phase_of()
    run_course(course_in(tmp_path / "whole"), [whole])
    for step in range(STEPS):
        course = course_in(tmp_path / str(step))
        with stopping_before(step), pytest.raises(KeyboardInterrupt):
            run_course(course, [phase_of()])
        resumed = phase_of()
        run_course(course, [resumed])
        for one, other in zip(weights_of(whole.net), weights_of(resumed.net), strict=True):
            assert torch.equal(one, other)


def test_running_mean_comes_out_and_a_phase_of_no_steps_changes_nothing(tmp_path: Path) -> None:
    """The mean is not the net that learned; without steps there is no state either."""
    phase = phase_of()
    run = PhaseRun(phase, course_in(tmp_path))
    run.go("some")
    run.save()
    assert run.mean is not None
    mean, learned = weights_of(run.mean), weights_of(phase.net)
    assert not torch.equal(mean[0], learned[0])
    again = phase_of()
    run_course(course_in(tmp_path), [again])  # all its steps are done
    assert all(map(torch.equal, weights_of(again.net), mean))

    none = phase_of(steps=0)
    before = weights_of(none.net)
    run_course(course_in(tmp_path / "none"), [none])
    assert all(map(torch.equal, weights_of(none.net), before))
    assert not list((tmp_path / "none").iterdir())


def test_course_reports_each_step_and_asks_for_the_next_phase_after_it(tmp_path: Path) -> None:
    """A later phase can follow from what an earlier one learned."""
    told: list[tuple[Any, ...]] = []
    first = phase_of(2)
    before = weights_of(first.net)

    def phases() -> Any:
        yield first
        assert not torch.equal(weights_of(first.net)[0], before[0])
        told.append(("next",))

    run_course(course_in(tmp_path, lambda *one: told.append(one)), phases())
    assert [one[:3] for one in told] == [("some", n, 2) for n in range(3)] + [("next",)]
    assert told[0][3] == 0 < told[1][3]


def test_state_of_other_settings_is_refused(tmp_path: Path) -> None:
    """The sentence names the first that differs."""
    run_course(course_in(tmp_path, seed=1), [phase_of()])
    with pytest.raises(InvalidValueError, match=r"has training\.seed = 1, got 2"):
        run_course(course_in(tmp_path, seed=2), [phase_of()])


def test_run_from_before_a_setting_was_known_goes_on_where_it_is_as_by_default(
    tmp_path: Path,
) -> None:
    """It had no such setting, and so did what the default says."""
    began, now = tiny_config().to_dict(), tiny_config().to_dict()
    del began["data"]["signs"], began["data"]["validation_split"]
    check_settings(tmp_path / "state", json.loads(json.dumps(began)), now)
    now["data"]["validation_split"] = "test"
    with pytest.raises(InvalidValueError, match=r"data\.validation_split = '', got 'test'"):
        check_settings(tmp_path / "state", began, now)


def test_rmsprop_is_as_released_and_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    """With the epsilon of the code of Needle MNIST; its one average is in the state."""

    def make() -> Phase:
        return dataclasses.replace(phase_of(), optimizer=OptimizerPart("rmsprop", 1e-3, 0.0))

    run = PhaseRun(make(), course_in(tmp_path / "some"))
    assert isinstance(run.optimizer, torch.optim.RMSprop)
    assert run.optimizer.defaults["eps"] == 1e-5
    whole, resumed = make(), make()
    run_course(course_in(tmp_path / "whole"), [whole])
    course = course_in(tmp_path / "stopped")
    with stopping_before(STEPS // 2), pytest.raises(KeyboardInterrupt):
        run_course(course, [make()])
    run_course(course, [resumed])
    for one, other in zip(weights_of(whole.net), weights_of(resumed.net), strict=True):
        assert torch.equal(one, other)
