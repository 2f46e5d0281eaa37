"""The pool, with a real process and shipped checkpoints: order, cancelling, bounds, misfortune."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.inference.asking import (
    QUICK,
    SLOW,
    Viewer,
    large_image,
    quick,
    settings_with,
    slow,
    small_image,
    wait_for,
)
from umnist_core.errors import BusyError, NotFoundError
from umnist_core.inference.pool import InferencePool
from umnist_core.inference.requests import PredictRequest, SceneImage
from umnist_core.models.cards import Card
from umnist_core.models.checkpoints import save_checkpoint
from umnist_core.models.registry import create_model
from umnist_core.scenes import SceneRef

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def pool() -> Iterator[InferencePool]:
    """Yield a pool whose process stays up for all tests."""
    pool = InferencePool(settings_with(), queue_max=3)
    yield pool
    pool.close()


@pytest.fixture
def viewer(pool: InferencePool, request: pytest.FixtureRequest) -> Iterator[Viewer]:
    """Yield a viewer of its own for each test; nothing runs before it and after it."""
    viewer = Viewer(pool, request.node.name)
    yield viewer
    viewer.until_free()


def _pid(pool: InferencePool) -> int:
    pid = pool._lanes["cpu"].process.pid
    assert pid is not None
    return pid


def _until_told(pool: InferencePool, checkpoint: str) -> None:
    process = pool._lanes["cpu"].process
    wait_for(lambda: checkpoint in process._likely)


def _is_alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    try:
        return state.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("checkpoint", [QUICK, SLOW])
def test_shipped_checkpoint_answers(viewer: Viewer, checkpoint: str) -> None:
    """With probabilities, the truth, attention in the frame of the image, time and memory."""
    job_id = viewer.ask(PredictRequest(checkpoint, "auto", small_image()))
    job = viewer.until(job_id)
    assert (job["state"], job["error"], job["estimate_s"], job["queue"]) == ("done", None, None, 0)
    result = job["result"]
    assert result["image"] == {"width": 512, "height": 512}
    (answer,) = result["tasks"]
    assert abs(sum(answer["probabilities"]) - 1) < 1e-4
    assert answer["is_right"] == (answer["answer"] == answer["truth"])
    assert result["peak_bytes"] > 10**7
    found = viewer.pool.get_outcome(job_id).attention
    assert found is not None
    assert (found.height, found.width) == (512, 512)
    assert len(found.boxes) == result["attention"]["places"]


def test_time_is_estimated_from_what_was_measured(viewer: Viewer) -> None:
    """Once a model has answered; those ahead count as well."""
    viewer.until(viewer.ask(slow()))
    first, second = viewer.submit(slow(), "a"), viewer.submit(slow(2), "b")
    assert first["estimate_s"] > 0
    assert second["queue"] == 1
    assert second["estimate_s"] > first["estimate_s"]
    for job in (second, first):
        viewer.pool.cancel(job["id"])


def test_cancelling_what_runs_leaves_the_models_loaded(viewer: Viewer) -> None:
    """The process goes on, at once, with the next request."""
    viewer.until(viewer.ask(slow()))
    pid = _pid(viewer.pool)
    job_id = viewer.ask(slow(2))
    viewer.until_running(job_id)
    cancelled = viewer.pool.cancel(job_id)
    assert (cancelled["state"], cancelled["result"]) == ("cancelled", None)
    viewer.until_free()
    assert _pid(viewer.pool) == pid
    assert SLOW in viewer.cpu()["loaded"]
    job = viewer.until(viewer.ask(slow(2)))
    assert job["state"] == "done"
    assert viewer.pool.cancel(job["id"])["state"] == "done"  # what has ended stays as it is


def test_cancelling_time_and_again_hits_only_what_was_meant(viewer: Viewer) -> None:
    """Whenever the cancelling comes, what is asked for next is answered."""
    for _ in range(8):
        dropped = viewer.ask(slow(3))
        viewer.pool.cancel(dropped)
        assert viewer.until(viewer.ask(quick(4)))["state"] == "done"
        assert viewer.pool.get(dropped)["state"] == "cancelled"


def test_cancelling_while_a_model_is_loaded_does_no_harm(tmp_path: Path) -> None:
    """Not even to its libraries, which are imported just then and can be so but once."""
    model = create_model("mobilenet-v3-resizer")
    save_checkpoint(tmp_path / "own.safetensors", model, Card("mobilenet-v3-resizer"))
    pool = InferencePool(settings_with(UMNIST_CHECKPOINTS=str(tmp_path)))
    try:
        viewer = Viewer(pool)
        pool.start("cpu")
        wait_for(lambda: viewer.cpu()["is_started"])
        request = PredictRequest("own", "cpu", large_image())
        job_id = viewer.ask(request)
        viewer.until(job_id, "loading")
        time.sleep(0.4)
        viewer.pool.cancel(job_id)
        job = viewer.until(viewer.ask(request))
        assert job["state"] == "done", job["error"]
    finally:
        pool.close()


def test_newest_request_of_a_viewer_wins(viewer: Viewer) -> None:
    """What runs is cancelled, what waits is superseded, other viewers and slots are left alone."""
    running = viewer.ask(slow(5))
    viewer.until_running(running)
    other = viewer.other("other").ask(quick(5))
    beside = viewer.ask(quick(6), slot="b")
    waiting = viewer.ask(quick(7))
    assert viewer.pool.get(running)["state"] == "cancelled"
    newest = viewer.ask(quick(8))
    assert viewer.pool.get(waiting)["state"] in ("superseded", "cancelled", "done")
    for job_id in (other, beside, newest):
        assert viewer.until(job_id)["state"] == "done"


def test_waiting_request_that_is_superseded_never_runs(viewer: Viewer) -> None:
    """It is out of the queue at once, and those behind it move up."""
    blocker = viewer.other("blocker").ask(slow(9))
    older = viewer.ask(quick(9))
    behind = viewer.other("behind").ask(quick(10))
    assert viewer.pool.get(behind)["queue"] == 2
    newer = viewer.ask(quick(11))
    job = viewer.pool.get(older)
    assert (job["state"], job["progress"], job["result"]) == ("superseded", None, None)
    assert [viewer.pool.get(one)["queue"] for one in (behind, newer)] == [1, 2]
    viewer.pool.cancel(blocker)
    assert viewer.until(newer)["state"] == "done"


def test_turn_that_comes_late_is_superseded_and_disturbs_nothing(viewer: Viewer) -> None:
    """Requests may overtake each other on their way; the higher turn counts."""
    newest = viewer.ask(slow(12), turn=7)
    for turn in (3, 7):
        late = viewer.submit(quick(12), turn=turn)
        assert (late["state"], late["result"]) == ("superseded", None)
        with pytest.raises(NotFoundError, match="not known"):
            viewer.pool.get(late["id"])
    assert viewer.pool.get(newest)["state"] not in ("cancelled", "superseded")
    viewer.pool.cancel(newest)


def test_full_queue_is_said_and_the_newest_of_a_viewer_still_gets_in(viewer: Viewer) -> None:
    """As it takes the place of an older one of the same viewer."""
    blocker = viewer.other("blocker")
    jobs = [blocker.ask(slow(13))]
    blocker.until_running(jobs[0])
    people = [viewer.other(f"person-{number}") for number in range(3)]
    jobs += [person.ask(quick(13)) for person in people]
    with pytest.raises(BusyError, match="3 requests wait for cpu already"):
        viewer.ask(quick(13))
    jobs.append(people[0].ask(quick(14)))
    assert viewer.pool.get(jobs[-1])["queue"] == 3
    for job_id in jobs:
        viewer.pool.cancel(job_id)
    assert viewer.until(viewer.ask(quick(13), turn=viewer.turn))["state"] == "done"


def test_process_that_is_killed_is_said_and_the_next_request_works(viewer: Viewer) -> None:
    """The system kills processes when memory runs out; one does not need to know more."""
    job_id = viewer.ask(slow(15))
    viewer.until_running(job_id)
    os.kill(_pid(viewer.pool), signal.SIGKILL)
    error = viewer.until(job_id)["error"]
    assert error["code"] == "out_of_memory"
    assert "memory runs out; choose a smaller image or model" in error["sentence"]
    assert viewer.cpu()["loaded"] == []
    assert viewer.until(viewer.ask(quick(15)))["state"] == "done"


def test_process_that_crashes_is_said_and_the_next_request_works(viewer: Viewer) -> None:
    """In words of its own."""
    job_id = viewer.ask(slow(16))
    viewer.until_running(job_id)
    os.kill(_pid(viewer.pool), signal.SIGABRT)
    assert viewer.until(job_id)["error"]["code"] == "crashed"
    assert viewer.until(viewer.ask(quick(16)))["state"] == "done"


def test_process_that_does_not_stop_is_killed(viewer: Viewer) -> None:
    """A model that hangs keeps its device for two seconds more, and no longer."""
    job_id = viewer.ask(slow(17))
    viewer.until_running(job_id)
    pid = _pid(viewer.pool)
    os.kill(pid, signal.SIGSTOP)
    assert viewer.pool.cancel(job_id)["state"] == "cancelled"
    viewer.until_free()
    assert not _is_alive(pid)
    assert viewer.until(viewer.ask(quick(17)))["state"] == "done"


def test_what_cannot_be_done_is_one_sentence(viewer: Viewer, tmp_path: Path) -> None:
    """Devices and checkpoints that are not there, files that are damaged."""
    with pytest.raises(NotFoundError, match="no device 'cuda:9'"):
        viewer.ask(quick(1, "cuda:9"))
    with pytest.raises(NotFoundError, match="name of a checkpoint"):
        viewer.ask(PredictRequest("nothing", "cpu", small_image()))
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"x" * 100)
    job = viewer.until(viewer.ask(PredictRequest(str(damaged), "cpu", small_image())))
    assert (job["state"], job["error"]["code"]) == ("failed", "damaged")
    assert "damaged or no safetensors file" in job["error"]["sentence"]


def test_listeners_hear_of_every_change(viewer: Viewer) -> None:
    """And the version grows with each, so nobody sees an older state after a newer one."""
    blocker = viewer.submit(slow(18), "b")
    job_id = viewer.ask(quick(18))
    heard = threading.Event()
    with viewer.pool.listening(job_id, heard.set):
        viewer.pool.cancel(blocker["id"])
        versions = []
        while (job := viewer.pool.get(job_id))["state"] != "done":
            assert heard.wait(120)
            heard.clear()
            versions.append(job["version"])
    assert versions == sorted(versions)


def test_finished_answers_are_kept_within_bounds() -> None:
    """The oldest go first; whoever asks for one is told to ask again."""
    pool = InferencePool(settings_with(), kept_max=2)
    try:
        viewer = Viewer(pool)
        done = [viewer.ask(quick(seed)) for seed in range(1)]
        viewer.until(done[0])
        for seed in (1, 2):
            done.append(viewer.ask(quick(seed)))
            viewer.until(done[-1])
        with pytest.raises(NotFoundError, match="not known here, or no longer; ask again"):
            pool.get(done[0])
        assert [pool.get(job_id)["state"] for job_id in done[1:]] == ["done", "done"]
    finally:
        pool.close()


def test_idle_process_ends_and_starts_again_when_it_is_needed() -> None:
    """What it held goes back to the machine."""
    pool = InferencePool(settings_with(), idle_s=0.3)
    try:
        viewer = Viewer(pool)
        viewer.until(viewer.ask(quick()))
        pid = pool._lanes["cpu"].process.pid
        wait_for(lambda: not viewer.cpu()["is_started"])
        assert viewer.cpu()["loaded"] == []
        wait_for(lambda: pid is None or not _is_alive(pid))
        assert viewer.until(viewer.ask(quick()))["state"] == "done"
    finally:
        pool.close()


def test_request_that_nobody_asks_about_any_more_is_dropped() -> None:
    """A page that was closed must not keep a device for an hour."""
    pool = InferencePool(settings_with(), abandoned_s=0.2)
    try:
        viewer = Viewer(pool)
        viewer.until(viewer.ask(slow()))
        left = [viewer.ask(slow(2)), viewer.ask(quick(2), "b"), viewer.ask(quick(3), "c")]
        watched = viewer.ask(quick(4), "d")
        with pool.listening(watched, lambda: None):  # as a long poll does
            viewer.until_free()
        assert [pool.get(job_id)["state"] for job_id in left] == ["cancelled"] * 3
        assert pool.get(watched)["state"] == "done"
    finally:
        pool.close()


def test_process_ends_at_once_when_it_is_told_to_and_has_nothing_to_do(viewer: Viewer) -> None:
    """What it does is finished first, and the next request starts another."""
    job_id = viewer.ask(quick())
    viewer.pool.unload()
    assert viewer.until(job_id)["state"] == "done"
    wait_for(lambda: not viewer.cpu()["is_started"])
    assert viewer.until(viewer.ask(quick()))["state"] == "done"


def test_process_that_was_started_before_is_there_for_the_first_request() -> None:
    """Whoever opens the page need not wait for PyTorch when they ask."""
    pool = InferencePool(settings_with())
    try:
        viewer = Viewer(pool)
        pool.start("auto")
        wait_for(lambda: viewer.cpu()["is_started"])
        pid = _pid(pool)
        assert viewer.until(viewer.ask(quick()))["state"] == "done"
        assert _pid(pool) == pid
        with pytest.raises(NotFoundError, match="no device"):
            pool.start("cuda:9")
    finally:
        pool.close()


def test_a_likely_model_is_loaded_before_it_is_asked_for() -> None:
    """The first request need not load it; one that is unknown disturbs nothing."""
    pool = InferencePool(settings_with())
    try:
        viewer = Viewer(pool)
        for checkpoint in ("no-such-model", QUICK):
            pool.start("cpu", checkpoint)
            _until_told(pool, checkpoint)
        seconds = viewer.until(viewer.ask(quick()))["result"]["seconds"]
        assert seconds["load"] < 0.2 * seconds["run"]
    finally:
        pool.close()


def test_closing_ends_the_process_and_what_it_does() -> None:
    """Nobody is left waiting, and no new request is taken."""
    pool = InferencePool(settings_with())
    viewer = Viewer(pool)
    running, waiting = viewer.ask(slow()), viewer.ask(quick(), "b")
    viewer.until_running(running)
    pid = _pid(pool)
    pool.close()
    assert not _is_alive(pid)
    assert {pool.get(running)["state"], pool.get(waiting)["state"]} == {"cancelled"}
    with pytest.raises(BusyError, match="about to end"):
        viewer.ask(quick())


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_limit_of_memory_is_kept_and_said() -> None:
    """A request that goes beyond it fails in a sentence; the next one works."""
    pool = InferencePool(settings_with(UMNIST_INFERENCE_MEMORY="450MB"))
    try:
        viewer = Viewer(pool)
        large = SceneImage(SceneRef("released", 1, overrides=(("canvas", "12000"),)))
        error = viewer.until(viewer.ask(PredictRequest(SLOW, "cpu", large)))["error"]
        assert error is not None
        assert error["code"] == "out_of_memory"
        assert "UMNIST_INFERENCE_MEMORY allows 450MB" in error["sentence"]
        assert viewer.until(viewer.ask(quick()))["state"] == "done"
    finally:
        pool.close()


@pytest.mark.parametrize(("memory", "words"), [("1MB", "PyTorch alone holds"), ("much", "wrong")])
def test_limit_of_memory_that_cannot_be_is_said(memory: str, words: str) -> None:
    """By the name of the variable."""
    pool = InferencePool(settings_with(UMNIST_INFERENCE_MEMORY=memory))
    try:
        viewer = Viewer(pool)
        error = viewer.until(viewer.ask(quick()))["error"]
        assert error["code"] == "cannot_start"
        assert "UMNIST_INFERENCE_MEMORY" in error["sentence"]
        assert words in error["sentence"]
    finally:
        pool.close()


_PARENT = """
import os, sys, time
from tests.inference.asking import Viewer, settings_with, slow
from umnist_core.inference.pool import InferencePool
pool = InferencePool(settings_with())
viewer = Viewer(pool)
viewer.until_running(viewer.ask(slow()))
print(pool._lanes["cpu"].process.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_process_ends_when_the_server_is_killed() -> None:
    """Even while a model runs; nothing is left behind."""
    command = [sys.executable, "-c", _PARENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        pid = int(server.stdout.readline())
        assert _is_alive(pid)
        server.kill()
    wait_for(lambda: not _is_alive(pid))
