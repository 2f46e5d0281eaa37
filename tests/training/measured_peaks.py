"""The most memory that this system saw in use, beside what was predicted.

``python -m tests.training.measured_peaks`` prints the table of docs/memory.md: each case runs in a
process of its own, as real steps on the CPU, and the kernel says how large it was at most. What is
predicted counts tensors; nothing of the two is shared but the net and its images.
"""

from __future__ import annotations

import ctypes
import gc
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from umnist_core.hardware import hardware_of
from umnist_core.models.base import Model
from umnist_core.models.registry import create_model
from umnist_core.training.config import ModelPart, TrainConfig, config_from
from umnist_core.training.config_peaks import read_items
from umnist_core.training.course import Course, PhaseRun
from umnist_core.training.data import Item
from umnist_core.training.distributed import Group
from umnist_core.training.peaks import batch_phase, predict_forward, predict_steps
from umnist_core.training.precision import find_precision

CPU = torch.device("cpu")

REFS = Path("/proc/self/clear_refs")
"""Where a process on Linux has its highest size forgotten."""

MAPPED = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
"""So that what is freed is the system's again at once, and the size is that of what is held."""

ANSWER, STEP = "answer", "step"


@dataclass(frozen=True)
class Case:
    """What is run, on how many images; ``warm`` are the settings of a small run before it."""

    name: str
    settings: Mapping[str, Any]
    images: int
    what: str
    precision: str = "float32"
    warm: Mapping[str, Any] = field(default_factory=lambda: {"side_px": 64})
    data: Mapping[str, Any] = field(default_factory=lambda: {"overrides": {"canvas": "2000"}})


@dataclass(frozen=True)
class Measured:
    """Bytes at most, weights included."""

    predicted: int
    measured: int

    @property
    def ratio(self) -> float:
        """What is predicted over what is measured."""
        return self.predicted / self.measured


def measure(case: Case) -> Measured:
    """Run a case in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name, json.dumps(asdict(case))],
        env={**os.environ, **MAPPED, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


# -- in the process -------------------------------------------------------------------


def _build(case: Case, settings: Mapping[str, Any], images: int) -> tuple[Model, list[Item]]:
    told = {"model": {"name": case.name, "settings": settings}, "data": {"count": 64, **case.data}}
    model = create_model(case.name, settings)
    return model, read_items(config_from(told), model, images)


def _run(case: Case, model: Model, items: list[Item]) -> None:
    hardware = hardware_of(CPU)
    if case.what == ANSWER:
        hardware.place(model)
        short = find_precision(case.precision, hardware)
        with torch.no_grad(), hardware.mixed(short):
            model.eval()(model.collate([prepared for prepared, _ in items]))
        return
    with tempfile.TemporaryDirectory() as out:
        course = Course(
            config=TrainConfig(ModelPart(case.name)),
            command="",
            origin="",
            out=Path(out),
            settings={},
            group=Group(0, 1, CPU),
            wanted=case.precision,
            save_minutes=math.inf,
            report=lambda *_: None,
        )
        PhaseRun(batch_phase(model, items, CPU), course).go("")


def _predict(case: Case, model: Model, items: list[Item]) -> int:
    if case.what == STEP:
        return predict_steps(batch_phase(model, items, CPU), CPU, case.precision)
    prepared = [one for one, _ in items]
    return predict_forward(model, lambda net: net(net.collate(prepared)), CPU, case.precision)


def _size(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def _measure_here(case: Case) -> Measured:
    _run(case, *_build(case, {**case.settings, **case.warm}, min(2, case.images)))
    model, items = _build(case, case.settings, case.images)
    predicted = _predict(case, model, items)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    before = _size("VmRSS")
    REFS.write_text("5")
    _run(case, model, items)
    weights = [*model.parameters(), *model.buffers()]  # are there before
    own = sum(one.numel() * one.element_size() for one in weights)
    return Measured(predicted, _size("VmHWM") - before + own)


_IPS = {"preset": "megapixel"}
_RESIZER = {"warm": {"side_px": 64, "backbone_px": 32}}
_DETECTOR = {"data": {"overrides": {"canvas": "2000"}, "layer": "noise_free"}}

NETS: tuple[tuple[str, dict[str, Any], int, dict[str, Any]], ...] = (
    ("efficientnet-b0", {"side_px": 256}, 16, {}),
    ("efficientnet-b0", {"side_px": 1024}, 2, {}),
    ("efficientnet-b3", {"side_px": 512}, 4, {}),
    ("efficientnet-b7", {"side_px": 512}, 2, {}),
    ("resnet50", {"side_px": 256}, 16, {}),
    ("resnet50", {"side_px": 1024}, 2, {}),
    ("mobilenet-v3-resizer", {"side_px": 1280, "backbone_px": 640}, 2, _RESIZER),
    ("faster-rcnn", {"side_px": 1024}, 1, _DETECTOR),
    ("ips", {}, 4, {"warm": {"memory": 4}, "data": _IPS}),
)


def _print_table() -> None:
    print("| Model | Images | Precision | Answer | | Step | |\n|---|---|---|---|---|---|---|")
    for name, settings, images, more in NETS:
        for precision in ("float32", "mixed"):
            cells = []
            for what in (ANSWER, STEP):
                found = measure(Case(name, settings, images, what, precision, **more))
                cells += [f"{found.measured / 1e9:.3f}", f"{found.ratio:.2f}"]
            told = " ".join([name, *(f"{value} px" for value in settings.values())][:2])
            print(f"| {told} | {images} | {precision} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:]:
        print(json.dumps(asdict(_measure_here(Case(**json.loads(sys.argv[1]))))))
    else:
        _print_table()
