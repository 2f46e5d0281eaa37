"""What the parts do on a GPU, on tensors without numbers: one of another device raises there.

So the lines that a card would see have run before there is one. What comes out is made up.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch

from tests.bench.gpu.listening import Heard, listen
from umnist_core.bench.gpu import agreement, live, step
from umnist_core.bench.gpu.figures import CURVES, MODES, OURS_MIXED, REFERENCE
from umnist_core.bench.gpu.parts import DONE, PARTS
from umnist_core.bench.gpu.sizes import REHEARSAL
from umnist_core.bench.gpu.step import ReferenceWay
from umnist_core.bench.gpu.work import run_part
from umnist_core.hardware.gpu import Gpu
from umnist_core.models.cards import find_shipped_checkpoints
from umnist_core.training.fake_device import fake_device

CUDA = torch.device("cuda", 0)

_SMALLEST: dict[str, Any] = {"images": 1, "repeats": 1, "least_repeats": 1, "batch": 1}
TINY = replace(REHEARSAL, megapixel_px=150, memory=2, iteration=4, **_SMALLEST)


class _Driver:
    """Answers as the module ``torch.cuda`` does, of a card that is not there."""

    def get_device_properties(self, _number: int) -> SimpleNamespace:
        return SimpleNamespace(name="a GPU that is not there", total_memory=2**40, major=9)

    def is_bf16_supported(self, including_emulation: bool = True) -> bool:
        del including_emulation
        return True

    def _nothing(self, *_: Any) -> int:
        return 0

    max_memory_allocated = max_memory_reserved = _nothing
    set_device = reset_peak_memory_stats = synchronize = empty_cache = _nothing


class _NoGpu(Gpu):
    """A card whose driver cannot pin memory."""

    is_fed_from_pinned: ClassVar[bool] = False


def _listen(out: Path) -> Heard:
    return listen(out, TINY, _NoGpu(0, _Driver()))


def _do(out: Path, name: str) -> Heard:
    """Do a part on tensors without numbers; no measurement of it may fail."""
    heard = _listen(out)
    part = next(one for one in PARTS if one.name == name)
    with fake_device(CUDA):
        run_part(heard.work, part, 1000)
    assert (heard.end()["status"], heard.end()["why"]) == (DONE, "")
    told = heard.figures().items()
    assert {key: one for key, one in told if one.get("why", "").startswith("failed")} == {}
    return heard


def test_models_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that selects, one with Grad-CAM, and one that enlarges, in every mode."""
    names = ["ips", "large-scale-cnn", "espcn"]
    monkeypatch.setattr(agreement, "model_names", lambda: names)
    assert len(_do(tmp_path, "agree").figures()) == 7 * len(MODES)


def _do_step(out: Path, way: str) -> None:
    """Do a training step, forward, backward and the optimiser."""
    heard = _listen(out)
    with fake_device(CUDA):
        model = step.make_model(heard.work)
        batch = step.make_batch(heard.work, model, CURVES)
        heard.work.hardware.place(model)
        step._step_of(heard.work, model, batch, way)()


@pytest.mark.parametrize("way", [OURS_MIXED, REFERENCE])
def test_step_is_done(tmp_path: Path, way: str) -> None:
    """In our way and in the reference's."""
    _do_step(tmp_path, way)


def test_tensor_that_is_left_on_the_processor_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: the reference's way forgets to send what it selected."""
    select = ReferenceWay.select
    monkeypatch.setattr(ReferenceWay, "select", lambda way, patches: select(way, patches).cpu())
    with pytest.raises(RuntimeError, match="device"):
        _do_step(tmp_path, REFERENCE)


def test_scenes_are_drawn(tmp_path: Path) -> None:
    """Of every preset; equal they are not, since they are no pixels."""
    _do(tmp_path, "scenes")


def test_models_run_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """IPS, with the memory of the card asked for."""
    shipped = find_shipped_checkpoints()
    made = live._through

    def through(work: Any) -> Any:
        monkeypatch.setattr(live, "find_shipped_checkpoints", lambda: shipped)
        return {key: make for key, make in made(work).items() if key.endswith("/1500")}

    monkeypatch.setattr(live, "_through", through)
    monkeypatch.setattr(live, "find_shipped_checkpoints", dict)  # no answers of a process
    assert len(_do(tmp_path, "live").figures()) == 2 * 2


def test_figures_of_memory_are_those_of_tensors(tmp_path: Path) -> None:
    """As the published ones are, and not of all that PyTorch reserved."""

    class Driver(_Driver):
        def max_memory_allocated(self, _number: int) -> int:
            return 3 * 2**20

        def max_memory_reserved(self, _number: int) -> int:
            return 5 * 2**20

    hardware = _NoGpu(0, Driver())
    work = listen(tmp_path, TINY, hardware).work
    assert work.peak_mib() == 3
    assert hardware.peak_bytes() == 5 * 2**20
