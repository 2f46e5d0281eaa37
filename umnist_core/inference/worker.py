"""The process that runs models on one device: ``python -m umnist_core.inference.worker``.

It reads requests from its standard input and writes progress and answers to its standard output,
as `umnist_core.inference.messages` lays them out, one request at a time. It ends when its input
does, so it never outlives the server. It works at a lower priority than the server, which must
answer while a model runs.

A request is cancelled by a signal that raises in the main thread, and only while that request
runs: the models stay loaded, and what runs next is not hit by what was meant for the last. While a
model is loaded the signal waits.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import queue
import resource
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, BinaryIO

from umnist_core.errors import (
    DamagedFileError,
    DeviceLostError,
    GlyphMismatchError,
    InvalidValueError,
    MissingFileError,
    NotFoundError,
    OutOfMemoryError,
    TooLargeError,
    UmnistError,
    WorkerError,
)
from umnist_core.inference.messages import Message, pack_maps, read_message, write_message

if TYPE_CHECKING:  # whoever asks may have gone before it is imported
    from umnist_core.inference.requests import Seen

_log = logging.getLogger(__name__)

NICENESS = 10
PROGRESS_EVERY_S = 0.2
_SIGNAL_EVERY_S = 0.05

LEAST_BYTES = 100 * 10**6
"""A limit of memory leaves at least so much for models and images."""

SLACK_BYTES = 256 * 2**20
"""So far beyond the limit the system itself refuses memory."""

_LOOK_EVERY_S = 0.02

_CODES: tuple[tuple[type[UmnistError], str], ...] = (
    (TooLargeError, "too_large"),
    (NotFoundError, "unknown"),
    (MissingFileError, "missing"),
    (DamagedFileError, "damaged"),
    (GlyphMismatchError, "other_digits"),
    (InvalidValueError, "invalid"),
)

_NO_MEMORY = (
    "Expected enough memory for the model, found too little; choose a smaller image or model, "
    "or close other programs."
)


class CancelledWork(BaseException):
    """The request that runs is not wanted any more; nobody but the worker catches it."""


class OverBudget(BaseException):
    """The request that runs takes more memory than is allowed; nobody but the worker catches it."""


class Worker:
    """Answers requests with the models of one device.

    Parameters
    ----------
    predictor
        A `umnist_core.inference.predictor.Predictor`, or whatever predicts as it does.
    input_stream, output_stream
        Where messages come from and go to.
    memory
        The limit of memory as it was set, for what is said where it does not suffice; empty for
        none.
    """

    def __init__(
        self, predictor: Any, input_stream: BinaryIO, output_stream: BinaryIO, memory: str = ""
    ) -> None:
        self._predictor = predictor
        self._memory = memory
        self._input = input_stream
        self._output = output_stream
        self._requests: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._busy: int | None = None
        self._is_writing = False
        self._is_loading = False
        self._last_progress = ("", 0.0)
        self._seen: list[tuple[int, int, int, int]] = []
        self._budget_bytes = 0
        self._is_over = False

    def listen(self) -> None:
        """Begin to take messages in, and end with the server from now on."""
        signal.signal(signal.SIGUSR1, self._on_signal)
        threading.Thread(target=self._read, daemon=True).start()

    def watch(self, budget_bytes: int) -> None:
        """Stop requests that take more memory than is allowed, from now on."""
        self._budget_bytes = budget_bytes
        if budget_bytes:
            threading.Thread(target=self._watch, daemon=True).start()

    def run(self) -> None:
        """Say that requests may come, and answer them until the process ends."""
        self._send(Message({"kind": "ready"}))
        while True:
            message = self._requests.get()
            if message.kind == "load":
                self._load(str(message.fields["checkpoint"]))
                continue
            self._send(self._answer(message))
            if self._is_over:
                os._exit(0)  # the next starts with whole memory, and with its device anew

    def _load(self, checkpoint: str) -> None:
        """Load a model and the digits; whoever asks is told what goes wrong."""
        from umnist_core.digits import load_glyphs

        with contextlib.suppress(UmnistError):
            self._predictor.load(checkpoint)
            load_glyphs()

    def _read(self) -> None:
        """Take messages in; end the process when no more can come, whatever runs."""
        try:
            while (message := read_message(self._input)) is not None:
                if message.kind == "cancel":
                    self._cancel(int(message.fields["number"]))
                else:
                    self._requests.put(message)
        except Exception:
            _log.exception("The process of models cannot read what it is sent")
            os._exit(2)
        os._exit(0)

    def _cancel(self, number: int) -> None:
        self._cancelled.add(number)
        main = threading.main_thread().ident
        # Again until it works: a signal while a message is written does nothing.
        while self._busy == number and main is not None:
            signal.pthread_kill(main, signal.SIGUSR1)
            time.sleep(_SIGNAL_EVERY_S)

    def _watch(self) -> None:
        main = threading.main_thread().ident
        while True:
            time.sleep(_LOOK_EVERY_S)
            if self._busy is not None and memory_bytes()[0] > self._budget_bytes:
                self._is_over = True
                if main is not None:
                    signal.pthread_kill(main, signal.SIGUSR1)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        # Modules of a model are imported while it is loaded; one that is interrupted meanwhile
        # may have registered half of its operations, and could not be imported again.
        if self._is_writing or self._is_loading or self._busy is None:
            return
        if self._busy in self._cancelled:
            self._busy = None
            raise CancelledWork
        if self._is_over:
            self._busy = None
            raise OverBudget

    def _answer(self, message: Message) -> Message:
        number = int(message.fields["number"])
        try:
            self._is_loading = True
            self._busy, self._seen = number, []
            if number in self._cancelled:
                raise CancelledWork
            answer = self._predict(number, message.fields["request"])
            self._busy = None
        except CancelledWork:
            self._busy = None
            answer = Message({"kind": "cancelled"})
        except OverBudget:
            answer = self._no_memory(_NO_MEMORY)
        self._cancelled.discard(number)
        loaded = list(getattr(self._predictor, "loaded", ()))
        fields = {"number": number, "loaded": loaded, "is_last": self._is_over}
        return Message({**answer.fields, **fields}, answer.arrays)

    def _predict(self, number: int, fields: dict[str, Any]) -> Message:
        from umnist_core.inference.predictor import is_out_of_memory
        from umnist_core.inference.requests import PredictRequest

        def report(stage: str, done: int, total: int | None, seen: Seen = ()) -> None:
            self._report(number, stage, done, total, seen)

        try:
            request = PredictRequest.from_dict(fields)
            found = self._predictor.predict(request, report)
            maps = pack_maps([*([found.attention] if found.attention else []), *found.rounds])
            head = {"result": found.to_dict(), "has_attention": found.attention is not None}
            return Message({"kind": "done", **head, **maps.fields}, maps.arrays)
        except OutOfMemoryError as error:
            return self._no_memory(str(error))
        except DeviceLostError as error:
            self._is_over = True
            return _failure(str(error), "device_lost")
        except UmnistError as error:
            return _failure(str(error), _code_of(error))
        except Exception as error:
            if is_out_of_memory(error):
                return self._no_memory(_NO_MEMORY)
            _log.exception("A model failed")
            sentence = "The model failed on this image; the server's log says more about it."
            return _failure(sentence, "trouble")

    def _no_memory(self, sentence: str) -> Message:
        if self._memory:
            sentence = f"{sentence[:-1]}; UMNIST_INFERENCE_MEMORY allows {self._memory} here."
        return _failure(sentence, "out_of_memory")

    def _report(self, number: int, stage: str, done: int, total: int | None, seen: Seen) -> None:
        if number in self._cancelled:
            self._busy = None
            raise CancelledWork
        self._is_loading = stage == "load"
        self._seen += seen
        last_stage, then = self._last_progress
        now = time.monotonic()
        if stage == last_stage and now - then < PROGRESS_EVERY_S and done != total:
            return
        self._last_progress = (stage, now)
        fields = {"number": number, "stage": stage, "done": done, "total": total}
        self._send(Message({"kind": "progress", **fields, "seen": self._seen}))
        self._seen = []

    def _send(self, message: Message) -> None:
        self._is_writing = True
        try:
            write_message(self._output, message)
        except OSError:
            os._exit(0)  # the server is gone
        except UmnistError as error:  # too large; nothing of it was written
            number = message.fields.get("number")
            failure = _failure(str(error), _code_of(error))
            write_message(self._output, Message({**failure.fields, "number": number}))
        finally:
            self._is_writing = False


def list_gpus() -> list[dict[str, str]]:
    """Return key and title of each GPU that PyTorch can use here."""
    from umnist_core.hardware import find_gpus

    return [{"key": one.key, "title": one.title} for one in find_gpus()]


def limit_memory(device: str, budget: str) -> int:
    """Let this process use no more memory on its device than the budget.

    On a GPU PyTorch keeps to it. On the CPU the system refuses what is far beyond it, and the
    worker watches the rest: close to a limit of the system, libraries end or hang where they
    fail to get a few bytes.

    Returns
    -------
    int
        Bytes that the worker is to watch; 0 for none.

    Raises
    ------
    InvalidValueError
        If it is no budget.
    TooLargeError
        If PyTorch alone takes more, or a CUDA device has less.
    """
    from umnist_core.hardware import find_hardware
    from umnist_core.training.memory import cap_memory, gigabytes, parse_budget

    try:
        budget_bytes = parse_budget(budget)
    except InvalidValueError as error:
        raise InvalidValueError(f"UMNIST_INFERENCE_MEMORY is wrong: {error}") from error
    if device != "cpu":
        cap_memory(budget_bytes, find_hardware(device))
        return 0
    held, reserved = memory_bytes()
    if budget_bytes < held + LEAST_BYTES:
        raise TooLargeError(
            f"UMNIST_INFERENCE_MEMORY allows {gigabytes(budget_bytes)}, and PyTorch alone holds "
            f"{gigabytes(held)}; set it to {gigabytes(held + LEAST_BYTES)} or more."
        )
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    soft = budget_bytes + reserved + SLACK_BYTES
    soft = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
    return budget_bytes


def memory_bytes() -> tuple[int, int]:
    """Return what this process holds of its own, and what it has reserved beyond that."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        held, data = (int(fields[name].split()[0]) * 1024 for name in ("RssAnon", "VmData"))
    except (OSError, KeyError, ValueError):  # no Linux: what it held at most
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0
    return held, max(0, data - held)


def _code_of(error: UmnistError) -> str:
    if isinstance(error, WorkerError):
        return error.code
    return next((code for kind, code in _CODES if isinstance(error, kind)), "trouble")


def _failure(sentence: str, code: str) -> Message:
    return Message({"kind": "failed", "sentence": sentence, "code": code})


def _give_way() -> None:
    """Let everything else on the machine go first."""
    os.nice(NICENESS)
    if hasattr(os, "SCHED_BATCH"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _take_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes for messages alone; what libraries print goes to standard error."""
    input_stream = os.fdopen(os.dup(0), "rb")
    output_stream = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return input_stream, output_stream


def _warm_up(threads: int) -> None:
    """Load PyTorch and start its threads, which could not start under a tight limit."""
    import torch

    torch.set_num_threads(threads)
    block = torch.ones(512, 512)
    (block @ block).sum().item()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the process of one device."""
    parser = argparse.ArgumentParser(prog="umnist_core.inference.worker")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--memory", default="", help="such as 4GB; no limit without")
    parser.add_argument("--list-devices", action="store_true")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the server, which ends us
    input_stream, output_stream = _take_streams()
    if options.list_devices:
        output_stream.write(json.dumps(list_gpus()).encode())
        output_stream.flush()
        return
    _give_way()
    logging.basicConfig(stream=sys.stderr, format="%(name)s: %(message)s")
    try:
        from umnist_core.inference.predictor import Predictor

        _warm_up(options.threads)
        predictor = Predictor(options.device)
        predictor.wake()
        worker = Worker(predictor, input_stream, output_stream, options.memory)
        worker.listen()  # in a thread, which could not start under a tight limit
        if options.memory:
            worker.watch(limit_memory(options.device, options.memory))
    except Exception as error:
        if not isinstance(error, UmnistError):
            _log.exception("The process of models cannot start")
        sentence = str(error).splitlines()[0] if str(error) else type(error).__name__
        write_message(output_stream, _failure(sentence, "cannot_start"))
        return
    worker.run()


if __name__ == "__main__":
    main()
