"""Making a study beside the page: how far it is, cancelling, failing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pages._ui.shared.making import Making, forget, makings, start_making
from tests.labeling.making import small_spec
from tests.pages.driving import open_lab, wait_for
from tests.pyramid.making import READ_BY_CHOICE, write_read_by_choice
from umnist_core.labeling import StudyService


@pytest.fixture
def service(tmp_path: Path) -> Iterator[StudyService]:
    """Return a service of an empty folder; what is still being made is stopped at the end."""
    yield open_lab(tmp_path)
    for making in makings():
        making.cancel()
        forget(making)


def test_study_that_is_made_is_there_and_says_how_far_it_was(service: StudyService) -> None:
    """The last thing told is that all images are frozen, and the study is in the store."""
    making = start_making(service, small_spec())
    assert making in makings()
    wait_for(lambda: making.is_over)
    assert making.error is None
    assert making.study in service.studies()
    assert (making.done, making.share) == (7, 1)


def test_cancelled_study_leaves_nothing(service: StudyService, tmp_path: Path) -> None:
    """Neither a study, nor images, nor an entry among those that are being made."""
    making = start_making(service, small_spec(stimuli=3000, images_per_annotator=3))
    making.cancel()
    wait_for(lambda: making.is_over)
    assert making not in makings()
    assert service.studies() == []
    assert [*(tmp_path / "studies").iterdir()] == []


def test_failed_study_says_why_until_it_is_forgotten(service: StudyService) -> None:
    """A folder that is not there is told in one sentence."""
    making = start_making(service, small_spec(folder="/no/such/folder", overrides={}))
    wait_for(lambda: making.is_over)
    assert making.error is not None
    assert "/no/such/folder" in making.error
    assert making in makings()
    forget(making)
    assert making not in makings()


def test_study_of_files_says_what_was_chosen_to_read_them(
    service: StudyService, tmp_path: Path
) -> None:
    """As `umnist study create` does; of images that are made there is nothing to say."""
    data = str(write_read_by_choice(tmp_path / "data"))
    few = {"stimuli": 4, "images_per_annotator": 2, "practice": 1}
    from_files = start_making(service, small_spec(folder=data, overrides={}, **few))
    made = start_making(service, small_spec(**few))
    wait_for(lambda: from_files.is_over and made.is_over)
    assert (from_files.error, from_files.said) == (None, READ_BY_CHOICE)
    assert made.said == []


def test_time_left_follows_from_the_rate() -> None:
    """A quarter done after 10 s leaves 30 s; nothing is said before anything is known."""
    making = Making(1, "A study", total=8)
    assert making.seconds_left is None
    making.began = time.monotonic() - 10
    making.tell(2, 8)
    assert making.seconds_left == pytest.approx(30, rel=0.1)
