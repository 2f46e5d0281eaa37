"""The process of models on the device: two models, a cancelled request, too little memory."""

from __future__ import annotations

import dataclasses
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from umnist_core.bench.gpu.figures import TWO_CHECKPOINTS
from umnist_core.bench.gpu.work import Work
from umnist_core.errors import WorkerError
from umnist_core.inference.process import ModelProcess, Outcome, RequestCancelledError
from umnist_core.inference.requests import RUN, PredictRequest, SceneImage, Seen
from umnist_core.settings import load_settings

_WAIT_S = 60.0

_numbers = itertools.count()


def run(work: Work) -> None:
    """Ask the process of models, as the server does."""
    with _process(work) as process:
        for checkpoint in TWO_CHECKPOINTS:
            with work.trying(checkpoint, "worker.answers"):
                _compare(work, process, checkpoint)
        work.check_time()
        with work.trying("digit-finder", "worker.cancel_ms"):
            _cancel(work, process)
        with work.trying("cancelled", "worker.goes_on"):
            _put_answer(work, process, "cancelled")
    work.check_time()
    _run_out_of_memory(work)


@contextmanager
def _process(work: Work, memory: str = "") -> Iterator[ModelProcess]:
    settings = dataclasses.replace(load_settings(), inference_memory=memory)
    process = ModelProcess(work.hardware.key, settings)
    try:
        yield process
    finally:
        process.stop()


def _request(work: Work, checkpoint: str, side_px: int, index: int = 0) -> PredictRequest:
    image = SceneImage(work.sizes.scene("released", side_px, index))
    return PredictRequest(checkpoint, work.hardware.key, image)


def _ask(process: ModelProcess, request: PredictRequest) -> Outcome:
    return process.run(next(_numbers), request.to_dict(), _say_nothing)


def _say_nothing(stage: str, done: int, total: int | None, seen: Seen = ()) -> None:
    """Nobody watches."""


def _compare(work: Work, process: ModelProcess, checkpoint: str) -> None:
    """Put whether an answer is that of the CPU in this process."""
    from umnist_core.inference.predictor import Predictor

    request = _request(work, checkpoint, work.sizes.canvas_px)
    found = _ask(process, request).result
    wanted = Predictor("cpu").predict(request).to_dict()
    answers = [one["tasks"][0]["answer"] for one in (found, wanted)]
    work.put(
        "worker.answers",
        checkpoint,
        float(answers[0] == answers[1]),
        answered=answers[0],
        cpu_answered=answers[1],
        device=found["device"],
        start_s=process.start_s,
    )


def _cancel(work: Work, process: ModelProcess) -> None:
    times = []
    for number in work.rounds(min(work.sizes.repeats, 5)):
        request = _request(work, "digit-finder", work.sizes.long_px, number)
        if (taken := cancel_ms(process, request)) is not None:
            times.append(taken)
    if times:
        work.put("worker.cancel_ms", "digit-finder", times)
    else:
        why = "every prediction was done before it could be cancelled"
        work.put("worker.cancel_ms", "digit-finder", None, why=why)


def cancel_ms(process: ModelProcess, request: PredictRequest) -> float | None:
    """Cancel a prediction in the middle; return the time to a process that is free.

    Returns
    -------
    float or None
        In ms; None if it was done before.
    """
    number = next(_numbers)
    runs, cancelled_at = threading.Event(), [0.0]

    def on_progress(stage: str, done: int, total: int | None, seen: Seen = ()) -> None:
        if stage == RUN and done > 0:  # in the middle, and not while the image is opened
            runs.set()

    def cancel() -> None:
        if runs.wait(_WAIT_S):
            cancelled_at[0] = time.perf_counter()
            process.cancel(number)

    thread = threading.Thread(target=cancel, daemon=True)
    thread.start()
    try:
        process.run(number, request.to_dict(), on_progress)
    except RequestCancelledError:
        return (time.perf_counter() - cancelled_at[0]) * 1e3
    finally:
        runs.set()
        thread.join()
    return None


def _put_answer(work: Work, process: ModelProcess, key: str) -> None:
    request = _request(work, TWO_CHECKPOINTS[0], work.sizes.canvas_px, 1)
    answer = _ask(process, request).result["tasks"][0]["answer"]
    work.put("worker.goes_on", key, 1.0, answered=answer)


def _run_out_of_memory(work: Work) -> None:
    """Ask under a limit that is too small, then without one."""
    checkpoint = TWO_CHECKPOINTS[0]
    with (
        work.trying(checkpoint, "worker.out_of_memory"),
        _process(work, work.sizes.too_little_memory) as process,
    ):
        try:
            _ask(process, _request(work, checkpoint, work.sizes.canvas_px))
            told = {"sentence": "it answered"}
        except WorkerError as error:
            told = {"sentence": str(error), "code": error.code}
        is_said = told.get("code") in ("out_of_memory", "cannot_start")
        work.put("worker.out_of_memory", checkpoint, float(is_said), **told)
    work.check_time()
    with work.trying("out-of-memory", "worker.goes_on"), _process(work) as process:
        _put_answer(work, process, "out-of-memory")
