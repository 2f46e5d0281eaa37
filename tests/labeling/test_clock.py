"""A clock that is set back, under a study that goes on."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.labeling.making import Clock, come_in, open_small, post
from umnist_core.errors import RefusedError
from umnist_core.labeling import StudyService
from umnist_core.labeling.memory import MemoryLog
from umnist_core.labeling.times import SteadyClock


@pytest.mark.parametrize("is_restarted", [False, True])
def test_clock_set_back_holds_no_place_longer_than_was_said(
    tmp_path: Path, is_restarted: bool
) -> None:
    """Somebody's place is free again in its time, and times in the log never go back."""
    clock = Clock()
    log = MemoryLog()
    few = {"stimuli": 1, "images_per_annotator": 1, "pools": ("guided",)}
    service, study = open_small(tmp_path, log, now=clock, **few)
    first = come_in(service, study)
    assert service.annotator_view(study, first).trial is not None
    clock.pass_(days=-300)
    if is_restarted:
        service = StudyService(log, tmp_path, now=clock)
    second = come_in(service, study)
    assert service.annotator_view(study, second).trial is None
    clock.pass_(days=300, hours=2)
    trial = service.annotator_view(study, second).trial
    assert trial is not None
    service.answer(study, second, post(trial.key))
    times = [event.time_utc for event in log.read(study)]
    assert times == sorted(times)


def test_clock_set_back_throws_nobody_out(tmp_path: Path) -> None:
    """People go on answering, and links open, as they did."""
    clock = Clock()
    log = MemoryLog()
    service, study = open_small(tmp_path, log, now=clock)
    person = come_in(service, study)
    link = service.invite(study, days=1)[0]
    for days in (-1, -400, -4000):
        clock.pass_(days=days)
        service = StudyService(log, tmp_path, now=clock)
        trial = service.annotator_view(study, person).trial
        assert trial is not None
        service.answer(study, person, post(trial.key))
    assert link.token is not None
    assert service.join(link.token).is_new


def test_link_ends_when_it_was_said_though_the_clock_is_set_back(tmp_path: Path) -> None:
    """A link that has expired does not open again."""
    clock = Clock()
    service, study = open_small(tmp_path, now=clock)
    token = service.invite(study, days=1)[0].token
    assert token is not None
    clock.pass_(days=2)
    for days in (0, -1.5, -100):
        clock.pass_(days=days)
        with pytest.raises(RefusedError, match="expired"):
            service.join(token)


def test_steady_clock_goes_on_at_its_pace() -> None:
    """Set back, it neither stands still nor goes back; set right, it is the clock again."""
    clock = Clock()
    steady = SteadyClock(clock)
    start = steady.now()
    clock.pass_(hours=-5)
    times = [steady.now() for _ in range(1000)]
    assert times == sorted(times)
    assert start < times[-1] < start + timedelta(hours=1)
    clock.pass_(hours=10)
    assert steady.now() == clock.time
    assert steady.now("2030-01-01T00:00:00.000Z").year == 2030
    assert steady.now("no time") >= clock.time
