"""Predictions on one device: models are loaded once and kept, failures are sentences."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import torch
from torch import Tensor

from umnist_core import hardware
from umnist_core.digits import load_glyphs
from umnist_core.errors import DeviceLostError, InvalidValueError, OutOfMemoryError
from umnist_core.inference.doubts import all_doubts
from umnist_core.inference.open_image import open_image
from umnist_core.inference.prediction import (
    FoundBox,
    Prediction,
    TaskAnswer,
    true_answer,
)
from umnist_core.inference.requests import (
    AUTO,
    LOAD,
    RUN,
    DigitImage,
    FileImage,
    ImageRef,
    OnProgress,
    PredictRequest,
    Seen,
)
from umnist_core.inference.sight import SeenImage
from umnist_core.inference.why import judge
from umnist_core.models.base import CLASS, IMAGE, NUMBER, FoundDigit, Model, ModelOutput, Task
from umnist_core.models.cards import Card, get_checkpoint
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.models.confidence import answer_confidences
from umnist_core.models.fused import fuse
from umnist_core.models.own.trust import assuming_digits
from umnist_core.models.progress import watching
from umnist_core.pyramid import TileSource
from umnist_core.scenes import Scene

MODELS_MAX = 4
"""Models that are kept."""

LITTLE_BYTES = 2**30
"""With less free memory than this only the model in use is kept."""


@dataclass(frozen=True)
class _Loaded:
    checkpoint: str
    model: Model
    card: Card

    @property
    def name(self) -> str:
        return self.card.model


class Predictor:
    """Predicts on one device, one request after the other; not for several threads at once.

    Parameters
    ----------
    device
        ``"auto"``, ``"cpu"``, or ``"cuda:0"`` and the like.

    Raises
    ------
    NotFoundError
        If this machine has no such device.
    """

    def __init__(self, device: str = AUTO) -> None:
        self.hardware = hardware.find_hardware(device)
        self._models: OrderedDict[tuple[Path, int, int], _Loaded] = OrderedDict()
        self._image: tuple[object, TileSource, Scene | None] | None = None

    @property
    def loaded(self) -> tuple[str, ...]:
        """Checkpoints that are held, as they were asked for, the one used last at the end."""
        return tuple(one.checkpoint for one in self._models.values())

    def wake(self) -> None:
        """Let the device begin, so that the first request need not wait for that.

        Raises
        ------
        DeviceLostError
            If it computes nothing for this process.
        """
        with self._computing():
            self.hardware.send(torch.ones(1))
            self.hardware.wait()

    def load(self, checkpoint: str) -> None:
        """Load a model, if it is not held already.

        Parameters
        ----------
        checkpoint
            Its name or path.

        Raises
        ------
        OutOfMemoryError
            If there is too little memory for it.
        DeviceLostError
            If the device can compute nothing more for this process.
        UmnistError
            If there is no such model, or its files are damaged.
        """
        with self._computing(), self._memory_said(f"loading {checkpoint}"):
            self._load(checkpoint)

    def predict(self, request: PredictRequest, on_progress: OnProgress | None = None) -> Prediction:
        """Let a model answer for an image.

        Parameters
        ----------
        request
            What is asked for; its device is not read here.
        on_progress
            Is told how far it is. An error that it raises ends the prediction and comes out as
            it is.

        Raises
        ------
        OutOfMemoryError
            If the model, the image or the computation needs more memory than there is.
        DeviceLostError
            If the device can compute nothing more for this process.
        UmnistError
            If there is no such model or image, or the model does not take it.
        """
        tell = on_progress or _say_nothing
        with self._computing():
            try:
                return self._predict(request, tell)
            except OutOfMemoryError:
                if len(self._models) < 2:
                    self.forget()
                    raise
            # Outside of the clause, which holds what the first try had computed.
            self.forget()  # others may have taken the memory: once more, alone
            try:
                return self._predict(request, tell)
            except OutOfMemoryError:
                self.forget()
                raise

    def forget(self) -> None:
        """Drop all models and the image."""
        self._models.clear()
        self._image = None
        self.hardware.release()

    def _predict(self, request: PredictRequest, tell: OnProgress) -> Prediction:
        self.hardware.forget_peak()
        seconds: dict[str, float] = {}
        tell(LOAD, 0, None)
        with self._memory_said(f"loading {request.checkpoint}"), _timed(seconds, "load"):
            loaded = self._load(request.checkpoint)
        tell(RUN, 0, None)
        model = loaded.model
        _check_answers(model, request.checkpoint)
        with (
            watching(lambda done, total, seen: tell(RUN, done, total, seen)),
            torch.no_grad(),
            assuming_digits(model, request.digits),
        ):
            with self._memory_said("reading the image"), _timed(seconds, "read"):
                source, scene = self._open(request.image)
                batch = model.collate([model.prepare(source)])
            running = f"running {loaded.name} on an image of {source.width} x {source.height} px"
            with self._memory_said(running), _timed(seconds, "run"):
                output = model.attend(batch)
                answers = _answers(model, output, scene, request.image)  # waits for the device
        seen = SeenImage(model, batch, source, scene, request.image)
        asked = replace(loaded, checkpoint=request.checkpoint)
        return self._told(asked, seen, output, answers, seconds=seconds)

    def _told(
        self,
        loaded: _Loaded,
        seen: SeenImage,
        output: ModelOutput,
        answers: tuple[TaskAnswer, ...],
        *,
        seconds: dict[str, float],
    ) -> Prediction:
        """Return what a model gave for an image, with what the truth says of it."""
        model = loaded.model
        judged = judge(seen, output, answers)
        confidences, is_calibrated = answer_confidences(output, model.tasks)
        return Prediction(
            checkpoint=loaded.checkpoint,
            model=loaded.name,
            device=self.hardware.title,
            height=seen.source.height,
            width=seen.source.width,
            tasks=answers,
            confidence=float(confidences[0]) if model.tasks[0].asks == CLASS else None,
            is_calibrated=is_calibrated,
            doubts=all_doubts(seen, loaded.card, output),
            found=None if output.found is None else tuple(map(_found_box, output.found[0])),
            attention=None if output.attention is None else output.attention[0],
            no_attention=output.no_attention,
            rounds=output.rounds[0] if output.rounds else (),
            looked=judged.looked,
            seconds=seconds,
            peak_bytes=self.hardware.peak_bytes(),
            chosen=judged.chosen,
            why=judged.why,
        )

    def _load(self, checkpoint: str) -> _Loaded:
        path = get_checkpoint(checkpoint)
        stat = path.stat()
        key = (path.resolve(), stat.st_mtime_ns, stat.st_size)
        if key not in self._models:
            model, card = load_checkpoint(path)
            fuse(model)
            self._models[key] = _Loaded(checkpoint, model.to(self.hardware.device), card)
        self._models.move_to_end(key)
        most = 1 if self.hardware.free_bytes() < LITTLE_BYTES else MODELS_MAX
        while len(self._models) > most:
            self._models.popitem(last=False)
        return self._models[key]

    def _open(self, image: ImageRef) -> tuple[TileSource, Scene | None]:
        # The last one is kept, since models are often compared on the same image.
        key = (image, _stamp(image))
        if self._image is None or self._image[0] != key:
            self._image = None
            self._image = (key, *open_image(image))
        return self._image[1], self._image[2]

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """Let libraries mean this device, and say in a sentence that it is gone."""
        try:
            self.hardware.use()
            yield
        except Exception as error:
            if not hardware.is_device_lost(error):
                raise
            # Nothing is given back: there is nobody to give it to.
            raise DeviceLostError(
                f"Expected {self.hardware.key} ({self.hardware.title}) to answer, found that it no "
                f"longer computes ({str(error).splitlines()[0][:100]}); ask again, which begins "
                "anew with it, or choose another device."
            ) from error

    @contextmanager
    def _memory_said(self, doing: str) -> Iterator[None]:
        """Say in a sentence what took more memory than there is."""
        try:
            yield
        except (MemoryError, RuntimeError, cv2.error) as error:
            if isinstance(error, OutOfMemoryError) or not is_out_of_memory(error):
                raise
            advice = (
                "close other programs, or choose a smaller image or model."
                if self.hardware.is_processor
                else "choose the CPU, or a smaller image or model."
            )
            raise OutOfMemoryError(
                f"Expected enough memory for {doing}, found that {self.hardware.title} "
                f"has too little free; {advice}"
            ) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that no memory was left, for a model or for an image."""
    if isinstance(error, cv2.error):
        return error.code == cv2.Error.StsNoMem
    return hardware.is_out_of_memory(error)


def _say_nothing(stage: str, done: int, total: int | None, seen: Seen = ()) -> None:
    """Nobody asked how far it is."""


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    seconds[name] = time.monotonic() - started


def _stamp(image: ImageRef) -> object:
    """Return what changes when an image does: a file, or the digits that scenes are made of."""
    if not isinstance(image, FileImage):
        return load_glyphs().checksum
    try:
        stat = Path(image.path).stat()
    except OSError:
        return None
    return (stat.st_mtime_ns, stat.st_size)


def _check_answers(model: Model, checkpoint: str) -> None:
    if any(task.asks == IMAGE for task in model.tasks):
        raise InvalidValueError(
            f"Expected a model that answers, found {checkpoint}, which enlarges images; use "
            "`umnist upscale`, or choose another."
        )


def _answers(
    model: Model, output: ModelOutput, scene: Scene | None, image: ImageRef
) -> tuple[TaskAnswer, ...]:
    return tuple(
        _task_answer(task, output.logits[task.name][0], _truth(task.name, scene, image))
        for task in model.tasks
    )


def _truth(task: str, scene: Scene | None, image: ImageRef) -> tuple[int, ...] | None:
    if isinstance(image, DigitImage):
        return tuple(image.ref.truth[task]) if task in image.ref.truth else None
    return true_answer(scene, task, "full" if isinstance(image, FileImage) else image.layer)


def _task_answer(task: Task, logits: Tensor, truth: tuple[int, ...] | None) -> TaskAnswer:
    values = logits.detach().double().cpu()  # (classes,)
    if task.asks == NUMBER:
        return TaskAnswer(task.name, 0, False, (), (round(float(values[0])),), truth)
    chances = values.sigmoid() if task.is_multi else values.softmax(dim=0)
    answer = (values > 0).nonzero().flatten().tolist() if task.is_multi else [int(values.argmax())]
    return TaskAnswer(
        name=task.name,
        classes=task.classes,
        is_multi=task.is_multi,
        probabilities=tuple(chances.tolist()),
        answer=tuple(answer),
        truth=truth,
    )


def _found_box(one: FoundDigit) -> FoundBox:
    box = (one.row, one.col, one.row + one.height_px, one.col + one.width_px)
    return FoundBox(one.label, one.score, box)
