"""How good a model is: accuracy with its interval, by what an image is like, and where it looked.

One definition of correct, that of `umnist_core.scoring`; images are independent of each other,
so the interval is Wilson's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from umnist_core.attention import MapComparison, compare
from umnist_core.datasets.boxes import DrawnBox
from umnist_core.digits import GlyphSet
from umnist_core.errors import InvalidValueError
from umnist_core.files import write_whole
from umnist_core.hardware import hardware_of
from umnist_core.models.base import (
    CLASS,
    NUMBER,
    SUM_TASK,
    Doubt,
    Model,
    ModelOutput,
    Task,
)
from umnist_core.models.confidence import answer_confidences
from umnist_core.rendering import digit_masks
from umnist_core.scenes import Digit, Scene
from umnist_core.spreadsheets import csv_text
from umnist_core.training.bars import progress_bar
from umnist_core.training.data import Samples, one_thread_worker
from umnist_core.training.digit_figures import digits_summary, found_row
from umnist_core.training.like_shapes import ShapeOrder
from umnist_core.training.numbers import number_tables
from umnist_core.training.pixels import find_pixels
from umnist_core.training.samples import find_targets
from umnist_core.training.summaries import (
    answers_summary,
    calibration_summary,
    warnings_summary,
)
from umnist_core.training.validate import chunks, evaluation_mode

SUBMISSION_COLUMNS = ("id", "digit_sum")
"""Of Kaggle's competition."""

_NO_DIGIT = "No image has a digit whose ink is known."

Row = dict[str, Any]


@dataclass(frozen=True)
class Evaluation:
    """What came out.

    Attributes
    ----------
    rows
        A row for each image: ``id``; for each task what the model ``said_``, the ``true_``
        answer and whether it is ``correct_``; the ``confidence`` in the first, whether it
        ``is_calibrated``, and the kinds of ``warnings``; what the image is like; how attention
        compares with its digits; and, of models that find digits, ``sides_px`` of all, which
        are ``digits_right``, those that were ``found`` and those that are ``drawn``. None where a
        thing is not known.
    tasks
        Names of the tasks.
    seconds, model_seconds
        Of all images: with reading and drawing them, and in the model alone.
    peak_bytes
        See `umnist_core.hardware.Hardware.peak_bytes`.
    no_attention
        Why there is none; empty where there is some.
    described
        What the images follow from.
    numbers
        Names of the tasks that ask for a number.
    padding
        Share of the batches' pixels that no image has; None where all images are alike.
    """

    rows: tuple[Row, ...]
    tasks: tuple[str, ...]
    seconds: float
    model_seconds: float
    peak_bytes: int
    no_attention: str = ""
    described: dict[str, Any] = field(default_factory=dict)
    numbers: tuple[str, ...] = ()
    padding: float | None = None

    def summary(self) -> dict[str, Any]:
        """Return the figures, ready for JSON: each share with Wilson's 95 % interval."""
        images = max(1, len(self.rows))
        return {
            "data": self.described,
            "images": len(self.rows),
            "tasks": {
                task: _tables(self.rows, task) for task in self.tasks if task not in self.numbers
            },
            "numbers": {task: number_tables(self.rows, task) for task in self.numbers},
            "digits": digits_summary(self.rows),
            "calibration": calibration_summary(self.rows, self.tasks[0]),
            "warnings": warnings_summary(self.rows),
            "answers": answers_summary(self.rows, self.tasks[0], self.described),
            "padding": self.padding,
            "attention": _attention_summary(self.rows) or {"none": self.no_attention or _NO_DIGIT},
            "seconds_per_image": self.seconds / images,
            "model_seconds_per_image": self.model_seconds / images,
            "peak_bytes": self.peak_bytes,
        }


def evaluate(
    model: Model,
    samples: Samples,
    *,
    batch_size: int = 16,
    workers: int = 0,
    with_attention: bool = True,
    with_pixels: bool = False,
    shows_progress: bool = False,
) -> Evaluation:
    """Let a model answer for images.

    Parameters
    ----------
    model
        On its device; afterwards it is in the mode that it was in.
    samples
        The images; those without a label are answered and not counted.
    batch_size
        Images at once, 1 or more.
    workers
        Processes that read, and on the CPU answer as well; 0 for none. What comes out is the same.
    with_attention
        Whether attention is worked out and compared with the exact digits of scenes.
    with_pixels
        Whether rows have ``pixels_sha256``, by which people's answers to an image are found.
    shows_progress
        Whether standard error tells how far it is.

    Raises
    ------
    InvalidValueError
        If the images have no answer to what the model is asked.
    """
    hardware = hardware_of(model.device)
    inputs = _Inputs(samples, model, with_attention=with_attention, with_pixels=with_pixels)
    shapes = ShapeOrder.find(samples, model)
    places = range(len(samples))
    batches = chunks(places, batch_size) if shapes is None else shapes.batches(places, batch_size)
    loader: DataLoader[Any] = DataLoader(
        inputs,
        batch_sampler=[list(batch) for batch in batches],
        num_workers=workers,
        multiprocessing_context=samples.context if workers else None,
        collate_fn=inputs.join,
        worker_init_fn=one_thread_worker,
        pin_memory=hardware.is_fed_from_pinned and workers > 0,
        generator=torch.Generator().manual_seed(0),
    )
    hardware.forget_peak()
    answered: list[_Answered] = []
    started = time.monotonic()
    bar = progress_bar(len(samples), "evaluation", shown=shows_progress)
    with bar, evaluation_mode(model):
        for one in loader:
            answered.append(one if isinstance(one, _Answered) else inputs.answer(*one))
            bar.update(len(answered[-1].rows))
    reason = answered[-1].no_attention if answered else ""
    rows = zip((at for batch in batches for at in batch), _all_rows(answered), strict=True)
    return Evaluation(
        rows=tuple(row for _, row in sorted(rows, key=lambda one: one[0])),
        tasks=tuple(task.name for task in model.tasks),
        seconds=time.monotonic() - started,
        model_seconds=sum(one.seconds for one in answered),
        peak_bytes=max((one.peak_bytes for one in answered), default=0),
        no_attention=reason if with_attention else "Attention was not asked for.",
        described=samples.describe(),
        numbers=tuple(task.name for task in model.tasks if task.asks == NUMBER),
        padding=None if shapes is None else shapes.padding(batches),
    )


@dataclass(frozen=True)
class _Facts:
    """What is known of an image beside its pixels."""

    image_id: str
    scene: Scene | None
    targets: dict[str, Tensor] | None
    moved: tuple[Digit, ...] | None
    pixels: str | None
    boxes: tuple[DrawnBox, ...] | None


@dataclass(frozen=True)
class _Answered:
    """A batch of images with what came out; `Evaluation` explains the fields."""

    rows: list[Row]
    seconds: float
    no_attention: str
    peak_bytes: int


def _all_rows(answered: Iterable[_Answered]) -> list[Row]:
    return [row for one in answered for row in one.rows]


class _Inputs(Dataset[Any]):
    """Images, whose batches are answered where they are joined if the model is on the CPU."""

    def __init__(
        self, samples: Samples, model: Model, *, with_attention: bool, with_pixels: bool
    ) -> None:
        self.samples, self.model, self.with_attention = samples, model, with_attention
        self.with_pixels = with_pixels
        self.is_answered = hardware_of(model.device).is_processor
        self.reader = model if self.is_answered else model.copy_reader()

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, place: int) -> tuple[Any, _Facts]:
        sample = self.samples.get(place)
        with torch.no_grad():
            prepared = self.reader.prepare(sample.source)
        targets = find_targets(sample, self.model.tasks)
        pixels = find_pixels(self.samples, place, sample.source) if self.with_pixels else None
        known = sample.scene, targets, sample.digits, pixels, sample.boxes
        return prepared, _Facts(sample.image_id, *known)

    def join(self, items: Sequence[tuple[Any, _Facts]]) -> _Answered | tuple[Any, list[_Facts]]:
        """Return the answers for a batch, or the batch and what is known of it."""
        prepared, facts = zip(*items, strict=True)
        batch = self.reader.collate(prepared), list(facts)
        return self.answer(*batch) if self.is_answered else batch

    @torch.no_grad()
    def answer(self, batch: Any, facts: list[_Facts]) -> _Answered:
        """Let the model answer for a batch, and compare that with what is known."""
        model, hardware = self.model, hardware_of(self.model.device)
        begun = time.monotonic()
        output = model.attend(batch) if self.with_attention else model(batch)
        hardware.wait()
        seconds = time.monotonic() - begun
        rows = _rows(model, output, facts, self.samples.glyphs if self.with_attention else None)
        return _Answered(rows, seconds, output.no_attention, hardware.peak_bytes())


def _rows(
    model: Model, output: ModelOutput, facts: Sequence[_Facts], glyphs: GlyphSet | None
) -> list[Row]:
    logits = {name: values.float().cpu() for name, values in output.logits.items()}
    confidences, is_calibrated = answer_confidences(output, model.tasks)
    rows: list[Row] = []
    for place, fact in enumerate(facts):
        row: Row = {"id": fact.image_id}
        for task in model.tasks:
            said = _answer(logits[task.name][place], task)
            true = None
            if fact.targets is not None:
                true = _truth(fact.targets[task.name], task)
            row[f"said_{task.name}"], row[f"true_{task.name}"] = said, true
            is_known = true is not None and task.asks == CLASS
            row[f"correct_{task.name}"] = said == true if is_known else None
            if task.asks == CLASS and not task.is_multi:
                chances = logits[task.name][place].softmax(0).topk(2).values
                row[f"margin_{task.name}"] = float(chances[0] - chances[1])
        # A number comes without a chance that it is right.
        sure = float(confidences[place]) if model.tasks[0].asks == CLASS else None
        row["confidence"], row["is_calibrated"] = sure, is_calibrated
        row["warnings"] = _kinds(output.doubts[place]) if output.doubts else None
        if fact.pixels is not None:
            row["pixels_sha256"] = fact.pixels
        if output.found is not None:
            digits = fact.scene.digits if fact.scene and fact.moved is None else fact.moved
            row |= found_row(output.found[place], digits, fact.boxes)
        row |= _likeness(fact.scene)
        if fact.scene is not None:
            row |= _compared(fact.scene, fact.moved, output, place, glyphs)
        rows.append(row)
    return rows


def _kinds(doubts: Sequence[Doubt]) -> str:
    return " ".join(doubt.kind for doubt in doubts)


def _compared(
    scene: Scene,
    moved: Sequence[Digit] | None,
    output: ModelOutput,
    place: int,
    glyphs: GlyphSet | None,
) -> Row:
    """Return what an image's digits say of what was found, and of where the model looked."""
    row: Row = {}
    if output.found is not None:
        row["sides_px"] = " ".join(str(digit.side_px) for digit in scene.digits)
    # The ink of digits is known only where the scene has it, and an image without has nothing to
    # look at, as half of Needle MNIST.
    if glyphs is not None and moved is None and scene.digits and output.attention is not None:
        row |= _looked(compare(output.attention[place], digit_masks(scene, glyphs)))
    return row


def _answer(logits: Tensor, task: Task) -> Any:
    if task.asks == NUMBER:
        return float(logits[0])
    return _classes(logits > 0) if task.is_multi else int(logits.argmax())


def _truth(target: Tensor, task: Task) -> Any:
    if task.asks == NUMBER:
        return float(target)
    return _classes(target > 0.5) if task.is_multi else int(target)


def _classes(chosen: Tensor) -> str:
    return " ".join(str(one) for one in chosen.nonzero().flatten().tolist())


def _likeness(scene: Scene | None) -> Row:
    if scene is None:
        return dict.fromkeys(("smallest_side_px", "digits", "cells", "shapes", "strokes"))
    board = scene.checkerboard
    return {
        "smallest_side_px": min((digit.side_px for digit in scene.digits), default=None),
        "digits": len(scene.digits),
        "cells": 0 if board is None else board.size,
        "shapes": len(scene.shapes),
        "strokes": 0 if scene.strokes is None else len(scene.strokes.patches),
    }


def _looked(found: MapComparison) -> Row:
    return {
        "attention_mass": found.mass,
        "attention_chance": found.chance,
        "attention_pointing": found.pointing,
    }


# -- figures --------------------------------------------------------------------------


def _tables(rows: Iterable[Row], task: str) -> dict[str, Any]:
    # SciPy and pandas, which training alone does without.
    from umnist_core.scoring.breakdown import SMALLEST_SIDE_EDGES_PX

    known = [row for row in rows if row[f"correct_{task}"] is not None]
    tables: dict[str, Any] = {"accuracy": _share(known, task)}
    tables["by_smallest_side_px"] = [
        {"from": low, "below": None if high == float("inf") else high, **_share(own, task)}
        for low, high in pairwise(SMALLEST_SIDE_EDGES_PX)
        if (own := _within(known, "smallest_side_px", low, high))
    ]
    for column in ("digits", "cells", "shapes", "strokes"):
        values = sorted({row[column] for row in known if row[column] is not None})
        tables[f"by_{column}"] = [
            {column: value, **_share([row for row in known if row[column] == value], task)}
            for value in values
        ]
    return tables


def _within(rows: Iterable[Row], column: str, low: float, high: float) -> list[Row]:
    return [row for row in rows if row[column] is not None and low <= row[column] < high]


def _share(rows: Sequence[Row], task: str) -> dict[str, Any]:
    from umnist_core.scoring import wilson

    correct = sum(row[f"correct_{task}"] for row in rows)
    found = wilson(correct, len(rows))
    shares = {"accuracy": found.estimate, "low": found.low, "high": found.high}
    # JSON has no NaN: without images there is no share.
    known = {name: value if rows else None for name, value in shares.items()}
    return {"images": len(rows), "correct": correct, **known}


def _attention_summary(rows: Sequence[Row]) -> dict[str, Any]:
    seen = [row for row in rows if "attention_mass" in row]
    if not seen:
        return {}
    mean = {
        name: sum(row[f"attention_{name}"] for row in seen) / len(seen)
        for name in ("mass", "chance", "pointing")
    }
    return {"images": len(seen), **mean}


# -- files ----------------------------------------------------------------------------


def write_summary(path: Path, figures: dict[str, Any]) -> None:
    """Write figures as JSON.

    Raises
    ------
    WriteError
        If the file cannot be written.
    """
    text = json.dumps(figures, indent=2, allow_nan=False)
    write_whole(path, (text + "\n").encode())


def write_answers(path: Path, found: Evaluation) -> None:
    """Write a row for each image as CSV.

    Raises
    ------
    WriteError
        If the file cannot be written.
    """
    columns = dict.fromkeys(name for row in found.rows for name in row)
    _write_csv(path, tuple(columns), found.rows)


def write_submission(path: Path, found: Evaluation) -> None:
    """Write ``id,digit_sum`` for each image, as Kaggle takes it.

    Raises
    ------
    InvalidValueError
        If the model does not answer sums.
    WriteError
        If the file cannot be written.
    """
    if SUM_TASK.name not in found.tasks:
        raise InvalidValueError(
            f"Kaggle's file holds sums, found a model that answers {', '.join(found.tasks)}; use a "
            "model of UltraMNIST."
        )
    rows = [
        dict(zip(SUBMISSION_COLUMNS, (row["id"], row["said_sum"]), strict=True))
        for row in found.rows
    ]
    _write_csv(path, SUBMISSION_COLUMNS, rows)


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    write_whole(path, csv_text(columns, rows).encode())
