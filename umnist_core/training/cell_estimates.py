"""Trying a little of a cell, for an estimate of its time on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import inf
from typing import Any

import torch

from umnist_core.errors import UmnistError
from umnist_core.experiments.sweeps.estimate import CellEstimate
from umnist_core.hardware import Hardware, find_hardware
from umnist_core.models.base import Model
from umnist_core.models.targets import collate_targets
from umnist_core.training.config import DataPart, TrainConfig, config_from, settings_from
from umnist_core.training.config_peaks import read_items
from umnist_core.training.loop import build_model
from umnist_core.training.memory import gigabytes, still_norms
from umnist_core.training.peaks import predict_batch
from umnist_core.training.validate import evaluation_mode, to_device

IMAGES = (8, 2)
"""Of a trial: as many as are worth it, or the least that batch normalisation learns from."""

ANSWERED = 3
"""Images of a trial that only answers."""

PHOTOGRAPHS = 1000
"""Stands for the number of images of a folder that is not here."""


def try_cell(kind: str, config: Mapping[str, Any]) -> CellEstimate:
    """Try a little of a cell; `umnist_core.experiments.sweeps.estimate.Trial`."""
    try:
        if kind == "evaluate":
            return _try_answers(config)
        if kind == "train":
            return _try_training(config)
    except UmnistError as error:
        return CellEstimate(inf, f"One of its cells cannot be tried here: {error}")
    return CellEstimate(float(config["seconds"]))


@contextmanager
def limited_threads(threads: int) -> Iterator[None]:
    """Compute with so many threads until the block ends, as the processes of a sweep do."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _try_answers(config: Mapping[str, Any]) -> CellEstimate:
    from umnist_core.training.cell_evaluation import run_evaluate_cell

    run_evaluate_cell({**config, "count": 1})  # loads, and is slow the first time
    few = min(ANSWERED, config["count"])
    seconds = _seconds(lambda: run_evaluate_cell({**config, "count": few}))
    return CellEstimate(seconds * config["count"] / few)


def _try_training(found: Mapping[str, Any]) -> CellEstimate:
    config = config_from(found["training"])
    if config.recipe:
        return CellEstimate(
            inf,
            f"{config.model.name} learns by a course of its own, whose lessons are not alike; its "
            "card says how long it took.",
        )
    config = _without_initial(config)
    hardware = find_hardware(config.run.device)
    model, _ = build_model(config.model, 0)
    prepared, targets = read_items(config, model, 1)[0]
    for images in IMAGES:
        needed = predict_batch(model, prepared, targets, images, "float32")
        if needed <= hardware.free_bytes() / 2:
            break
    else:
        return CellEstimate(
            inf,
            f"A step of {images} images of {config.model.name} needs {gigabytes(needed)}, more "
            f"than half of what {hardware.title} has free, so it is not tried here.",
        )
    reading, learning, answering = _each_s(config, model, images, hardware)
    test = settings_from(DataPart, found["test"], "test").count or PHOTOGRAPHS
    count = config.data.count or PHOTOGRAPHS
    kept = round(count * config.data.validation_share)
    asked = kept + min(found["train_measured"], count) + test
    epoch = (count - kept) * (reading + learning) + asked * (reading + answering)
    last = test * (1 + len(found["tests"])) * (reading + answering)
    return CellEstimate(config.run.epochs * epoch + last)


def _without_initial(config: TrainConfig) -> TrainConfig:
    """Return a configuration that begins with fresh weights: a step takes as long."""
    model = {**config.to_dict()["model"], "initial": "", "pretrained": "none"}
    return config_from({**config.to_dict(), "model": model})


def _each_s(
    config: TrainConfig, model: Model, images: int, hardware: Hardware
) -> tuple[float, float, float]:
    """Return how long it takes to read an image, to learn from it, and to answer for it."""
    # The first time is slow, and of several `read_items` may give one image again and again.
    reading = min(_seconds(lambda: read_items(config, model, 1)) for _ in range(2))
    items = read_items(config, model, images)
    prepared, told = zip(*items, strict=True)
    hardware.place(model)
    batch, targets = model.collate(prepared), to_device(collate_targets(told), hardware)

    def step() -> None:
        with still_norms(model, is_needed=False):
            torch.autograd.backward(model.loss(model(batch), targets))
        hardware.wait()

    def answer() -> None:
        with evaluation_mode(model), torch.no_grad():
            model(batch)
        hardware.wait()

    model.train()
    step()  # slow the first time
    learning, answering = (_seconds(one) / images for one in (step, answer))
    return reading, learning, answering


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
