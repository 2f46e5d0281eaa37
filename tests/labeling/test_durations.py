"""How long taking part takes, from the people of studies alike."""

from __future__ import annotations

from math import nan
from pathlib import Path

import pytest

from tests.labeling.making import Clock, answer_all, come_in, open_small, small_spec
from umnist_core.labeling.durations import OnePace, are_alike, expected, measure_duration
from umnist_core.labeling.events import SIMULATED
from umnist_core.labeling.freeze import create_study


def test_duration_is_of_the_person_in_the_middle() -> None:
    """Time before the first image, and so many images at each one's own pace."""
    paces = [OnePace(1, 10), OnePace(2, 10), OnePace(3, 20), OnePace(2, nan)]
    found = expected(paces, 20)
    assert found is not None
    assert (found.an_image, found.before, found.people) == (2, 10, 4)
    assert (found.low, found.minutes, found.high) == (45, 50, 57.5)
    assert found.sentence == "Measured: 50 minutes (45 to 58), 4 people"
    assert found.told == "About 50 minutes; half of people take 45 to 58 minutes"
    one = expected(paces[:1], 20)
    assert one is not None
    assert one.told == "About 30 minutes"
    assert expected([], 20) is None


@pytest.mark.parametrize(
    ("changes", "is_alike"),
    [
        ({"stimuli": 12, "images_per_annotator": 6, "name": "Other"}, True),
        ({"ask_digits": True}, False),
        ({"overrides": {"canvas": "600"}}, False),
        ({"overrides": {}, "folder": "/a/b/"}, False),
    ],
)
def test_studies_are_alike_by_images_and_questions(
    changes: dict[str, object], is_alike: bool
) -> None:
    """How many images there are plays no part; a folder is known by its name."""
    assert are_alike(small_spec(), small_spec(**changes)) == is_alike
    here = small_spec(overrides={}, folder="/a/b/")
    assert are_alike(here, small_spec(overrides={}, folder="b"))


def test_duration_is_measured_in_the_studies_of_the_store(tmp_path: Path) -> None:
    """Of people of studies alike; who was simulated is left out, as is time with it hidden."""
    clock = Clock()
    service, study = open_small(tmp_path, now=clock)
    planned = small_spec(images_per_annotator=6)
    assert measure_duration(service, planned) is None
    token = service.invite(study, origin=SIMULATED)[0].token
    assert token is not None
    service.join(token)
    me = come_in(service, study)
    clock.pass_(minutes=4)
    answer_all(service, study, me)
    create_study(service, small_spec(ask_digits=True), jobs=1)
    found = measure_duration(service, planned)
    assert found is not None
    # Five seconds for an image, as the tests' browser says; four minutes before.
    assert (found.people, found.images) == (1, 6)
    assert found.an_image == pytest.approx(5 / 60)
    assert found.before == pytest.approx(4)
    assert found.minutes == pytest.approx(4.5)
