"""The real pool and its real processes of models, on recorded cards."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hardware.recorded import (
    LOST,
    OF_11_GB,
    OF_80_GB,
    OUT_OF_MEMORY,
    VARIABLE,
    Failure,
    RecordedMachine,
    standing_in,
)
from tests.inference.asking import Viewer, quick, settings_with
from umnist_core.errors import TooLargeError
from umnist_core.inference import devices as devices_module
from umnist_core.inference import process
from umnist_core.inference.devices import Device
from umnist_core.inference.pool import InferencePool
from umnist_core.inference.worker import limit_memory

ROOT = Path(__file__).resolve().parents[2]

FIRST, SECOND = "NVIDIA GeForce RTX 2080 Ti, 11 GiB", "NVIDIA A100-SXM4-80GB, 79 GiB"

LOST_SENTENCE = (
    "Expected {} ({}) to answer, found that it no longer computes (CUDA error: unspecified launch "
    "failure); ask again, which begins anew with it, or choose another device."
)

KNOWN = (Device("cuda:0", FIRST), Device("cuda:1", SECOND), Device("cpu", "CPU"))

MakeViewer = Callable[..., Viewer]


@pytest.fixture
def make_viewer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MakeViewer]:
    """Return what makes a viewer of a pool whose processes have two cards, and fail as told."""
    pools: list[InferencePool] = []
    # Another process is another door: it begins with a module that sets its machine.
    monkeypatch.setattr(process, "MODULE", "tests.hardware.worker")
    monkeypatch.setattr(devices_module, "_may_have_gpu", lambda: True)
    monkeypatch.chdir(ROOT)

    def make(
        *failures: Failure, devices: tuple[Device, ...] | None = None, **environment: str
    ) -> Viewer:
        recorded = RecordedMachine(
            OF_11_GB, OF_80_GB, failures=failures, notes=tmp_path / "asked.jsonl"
        )
        monkeypatch.setenv(VARIABLE, recorded.as_variable())
        pools.append(InferencePool(settings_with(**environment)))
        pools[-1]._devices = devices  # None to ask a process, which takes seconds
        return Viewer(pools[-1])

    yield make
    for pool in pools:
        pool.close()


def _asked(folder: Path, name: str) -> list[list[Any]]:
    lines = (folder / "asked.jsonl").read_text().splitlines()
    return [one[1:] for one in map(json.loads, lines) if one[0] == name]


def _pid(viewer: Viewer, device: str) -> int | None:
    return viewer.pool._lanes[device].process.pid


def test_two_cards_are_listed_and_each_has_a_process_of_its_own(
    make_viewer: MakeViewer, tmp_path: Path
) -> None:
    """What is asked of the second is answered by it, under its cap, and by name of it."""
    viewer = make_viewer(UMNIST_INFERENCE_MEMORY="11GB")
    listed = [(one.key, one.title) for one in viewer.pool.devices()]
    assert listed[:2] == [("cuda:0", FIRST), ("cuda:1", SECOND)]
    assert listed[2][0] == "cpu"
    jobs = {
        device: viewer.until(viewer.ask(quick(1, device), slot))
        for device, slot in (("cuda:1", "a"), ("auto", "b"))
    }
    assert [job["state"] for job in jobs.values()] == ["done", "done"]
    assert jobs["cuda:1"]["result"]["device"] == SECOND
    assert jobs["auto"]["result"]["device"] == FIRST
    assert jobs["cuda:1"]["result"]["tasks"] == jobs["auto"]["result"]["tasks"]
    assert _pid(viewer, "cuda:0") not in (None, _pid(viewer, "cuda:1"))
    assert _asked(tmp_path, "set_per_process_memory_fraction") == [
        [11e9 / OF_80_GB.total_bytes, 1],
        [11e9 / OF_11_GB.total_bytes, 0],
    ]


def test_process_outlives_a_lack_of_memory_and_not_its_card(
    make_viewer: MakeViewer, tmp_path: Path
) -> None:
    """After the first it answers the next request, after the second a fresh one does."""
    short = Failure("forward", 2, OUT_OF_MEMORY, str(tmp_path / "short"))
    gone = Failure("forward", 2, LOST, str(tmp_path / "gone"))
    Path(short.mark).touch()
    viewer = make_viewer(short, gone, UMNIST_INFERENCE_MEMORY="11GB", devices=KNOWN)
    error, pid = _ask(viewer)["error"], _pid(viewer, "cuda:1")
    assert error["code"] == "out_of_memory"
    assert error["sentence"].startswith("Expected enough memory for running additive-pyramid on")
    assert error["sentence"].endswith("UMNIST_INFERENCE_MEMORY allows 11GB here.")
    assert (_ask(viewer)["state"], _pid(viewer, "cuda:1")) == ("done", pid)
    Path(gone.mark).touch()
    error = _ask(viewer)["error"]
    assert error == {"code": "device_lost", "sentence": LOST_SENTENCE.format("cuda:1", SECOND)}
    assert _pid(viewer, "cuda:1") is None
    status = {one["key"]: one for one in viewer.pool.status()}
    assert status["cuda:1"]["loaded"] == []
    assert _ask(viewer)["state"] == "done"


def _ask(viewer: Viewer) -> dict[str, Any]:
    return viewer.until(viewer.ask(quick(1, "cuda:1")))


def test_process_whose_card_does_not_answer_says_so_as_it_starts(
    make_viewer: MakeViewer,
) -> None:
    """And not in the words of its driver."""
    gone = Failure("synchronize", 0, LOST)
    error = _ask(make_viewer(gone, devices=KNOWN))["error"]
    assert error == {"code": "cannot_start", "sentence": LOST_SENTENCE.format("cuda:1", SECOND)}


def test_limit_beyond_the_card_is_refused() -> None:
    """A cap is a share of the card, and no more than all of it."""
    with (
        standing_in(RecordedMachine(OF_11_GB)) as recorded,
        pytest.raises(TooLargeError, match=r"12\.00 GB .* 11\.55 GB \(NVIDIA .*smaller"),
    ):
        limit_memory("cuda:0", "12GB")
    assert recorded.called("set_per_process_memory_fraction") == []
