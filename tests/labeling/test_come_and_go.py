"""Forty people, 25 images each, exactly 1,000 labels in each pool, whatever people do."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.labeling.crowds import Crowd, Habits
from tests.labeling.making import TOLD
from tests.repeated import repeated
from umnist_core.labeling import StudySpec
from umnist_core.labeling.verify import verify_log
from umnist_core.simulation.audit import find_place_faults

PEOPLE = 40
IMAGES = 25
LABELS = PEOPLE * IMAGES
BOTH_EVERY = 10
"""In so many runs, one has both pools; in the others, for speed, there is one."""

LAYOUTS = ((1000, 1), (500, 2), (200, 5), (100, 10), (50, 20), (25, 40))
"""Images, and labels of each; the fewer images, the more people stand in each other's way."""


def spec(seed: int) -> StudySpec:
    """Return the settings of a study of 1,000 labels a pool."""
    stimuli, labels = LAYOUTS[seed % len(LAYOUTS)]
    return StudySpec(
        name="Forty people",
        stimuli=stimuli,
        labels_per_image=labels,
        images_per_annotator=IMAGES,
        practice=0,
        pools=("unguided", "guided") if seed % BOTH_EVERY == 0 else ("guided",),
        lease_minutes=240,
        **TOLD,
    )


def check(crowd: Crowd, spec: StudySpec) -> None:
    """Hold the study against what must be true of any that is full."""
    every = Counter({spec.labels_per_image: spec.stimuli})
    assert crowd.labels() == dict.fromkeys(spec.pools, every)
    assert {pool.labels for pool in crowd.service.overview(crowd.study).pools} == {LABELS}
    assert find_place_faults(crowd.service.state(crowd.study)) == []
    assert verify_log(crowd.service.log, crowd.study).faults == ()


@pytest.mark.parametrize("seed", repeated(range(25), usual=4))
def test_forty_people_who_come_and_go_fill_a_pool_exactly(tmp_path: Path, seed: int) -> None:
    """They pause, leave for days, and use two devices: each answers all of 25."""
    settings = spec(seed)
    crowd = Crowd(tmp_path, settings, seed)
    for pool in settings.pools * PEOPLE:
        crowd.come(Habits(send_late=0), crowd.random.uniform(0, 600), pool)
    while crowd.go_on(crowd.minute + 60):
        pass
    assert crowd.check_outcomes() == {"complete": len(settings.pools) * PEOPLE}
    check(crowd, settings)


@pytest.mark.parametrize("seed", repeated(range(25, 50), usual=4))
def test_crowd_with_dropouts_and_late_answers_fills_a_pool_exactly(
    tmp_path: Path, seed: int
) -> None:
    """Some never come back, some withdraw, some send days late; others come in their place."""
    settings = spec(seed)
    crowd = Crowd(tmp_path, settings, seed)
    choices = random.Random(seed)
    habits = [Habits(vanish=0.02), Habits(withdraw=0.01), Habits(send_late=0.04, leave=0.02)]
    for _ in range(len(settings.pools) * PEOPLE):
        crowd.come(choices.choice(habits), choices.uniform(0, 300))
    while crowd.go_on(crowd.minute + 30) or not is_full(crowd):
        if not is_full(crowd):
            crowd.come(choices.choice(habits))
        assert crowd.minute < 60 * 24 * 60
    outcomes = crowd.check_outcomes()
    assert outcomes["None"] == 0
    check(crowd, settings)


def is_full(crowd: Crowd) -> bool:
    """Whether every pool has its labels."""
    return all(pool.labels == pool.target for pool in crowd.service.overview(crowd.study).pools)
