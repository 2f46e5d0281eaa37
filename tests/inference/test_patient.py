"""Patient requests, such as those of a search: they give way to whoever looks at an answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.inference.asking import Viewer, quick, slow, wait_for
from umnist_core.errors import NotFoundError
from umnist_core.inference.pool import InferencePool
from umnist_core.inference.requests import PredictRequest


def _ask_patiently(viewer: Viewer, request: PredictRequest) -> str:
    viewer.turn += 1
    job = viewer.pool.submit(viewer.name, "s", viewer.turn, request, 16_000_000, is_patient=True)
    return str(job["id"])


@pytest.fixture(scope="module")
def pool() -> Iterator[InferencePool]:
    """Yield a pool whose process stays up for all tests."""
    pool = InferencePool()
    yield pool
    pool.close()


@pytest.fixture
def viewer(pool: InferencePool, request: pytest.FixtureRequest) -> Iterator[Viewer]:
    """Yield a viewer of its own for each test; nothing runs after it."""
    viewer = Viewer(pool, request.node.name)
    yield viewer
    viewer.until_free()


def test_patient_request_gives_way_and_is_answered_afterwards(viewer: Viewer) -> None:
    """One that runs is stopped for another's, which is answered first, and is begun anew."""
    other = viewer.other("other")
    other.until(other.ask(quick()))
    patient = _ask_patiently(viewer, slow())
    viewer.until_running(patient)
    waiting = _ask_patiently(viewer.other("third"), slow(2))
    prompt = other.ask(quick(2))
    asked = (prompt, patient, waiting)
    assert [viewer.until(one)["state"] for one in asked] == ["done"] * 3
    ended = [viewer.pool._jobs[one].ended or 0.0 for one in asked]
    assert ended[0] < min(ended[1:])


def test_patient_request_that_is_cancelled_is_not_begun_anew(viewer: Viewer) -> None:
    """Cancelling means it, whoever else waits."""
    patient = _ask_patiently(viewer, slow())
    viewer.until_running(patient)
    viewer.pool.cancel(patient)
    viewer.until_free()
    assert viewer.pool.get(patient)["state"] == "cancelled"


def test_answer_that_is_forgotten_takes_no_place(viewer: Viewer) -> None:
    """What a search has read makes room for what somebody looks at."""
    job = viewer.ask(quick())
    viewer.until(job)
    viewer.pool.forget(job)
    with pytest.raises(NotFoundError):
        viewer.pool.get(job)
    viewer.pool.forget(job)
    running = viewer.ask(slow())
    viewer.pool.forget(running)  # only what has ended
    wait_for(lambda: viewer.pool.get(running)["state"] == "done")
