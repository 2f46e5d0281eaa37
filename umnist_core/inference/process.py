"""The server's end of one process of models: start it, ask it, cancel, and see it end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from umnist_core.attention import AttentionMap
from umnist_core.errors import DamagedFileError, WorkerError
from umnist_core.inference.messages import Message, read_message, unpack_maps, write_message
from umnist_core.inference.requests import OnProgress
from umnist_core.settings import Settings

PATIENCE_S = 2.0
"""A process that has not stopped its work by then is killed, with the models it holds."""

MODULE = "umnist_core.inference.worker"


class RequestCancelledError(Exception):
    """The request was cancelled before it was answered; nobody is told."""


@dataclass(frozen=True)
class Outcome:
    """What a process answered.

    Attributes
    ----------
    result
        `umnist_core.inference.prediction.Prediction.to_dict`.
    attention
        The map; None where there is none.
    rounds
        Maps of the rounds, first to last.
    """

    result: dict[str, Any]
    attention: AttentionMap | None = None
    rounds: tuple[AttentionMap, ...] = ()

    @property
    def held_bytes(self) -> int:
        """About the memory of the answer."""
        maps = [*([self.attention] if self.attention else []), *self.rounds]
        return 8192 + sum(one.weights.nbytes + one.boxes.nbytes for one in maps)


@dataclass
class _Running:
    """One process, and whether we ended it."""

    popen: subprocess.Popen[bytes]
    is_killed: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, message: Message) -> None:
        with self.lock:
            write_message(cast(BinaryIO, self.popen.stdin), message)

    def read(self) -> Message | None:
        return read_message(cast(BinaryIO, self.popen.stdout))


class ModelProcess:
    """The process of one device; it is started when it is needed and again after it ended.

    `run`, `start`, `load` and `stop` belong to one thread; `cancel` may be called by any.

    Parameters
    ----------
    device
        ``"cpu"`` or ``"cuda:0"`` and the like.
    settings
        Where digits and checkpoints are, and how much memory it may take.
    threads
        Threads of computation; as many as there are cores by default.
    """

    def __init__(self, device: str, settings: Settings, threads: int | None = None) -> None:
        self._device = device
        self._settings = settings
        self._threads = threads or os.cpu_count() or 1
        self._lock = threading.Lock()
        self._process: _Running | None = None
        self._number: int | None = None
        self._cancelled: int | None = None
        self._likely: set[str] = set()
        self.loaded: tuple[str, ...] = ()
        """Weights files of the models that it holds."""
        self.start_s: float | None = None
        """Seconds that the last start took."""

    @property
    def pid(self) -> int | None:
        """Of the process; None where none runs."""
        process = self._process
        return None if process is None or process.popen.poll() is not None else process.popen.pid

    def run(self, number: int, request: dict[str, Any], on_progress: OnProgress) -> Outcome:
        """Answer one request; wait for it.

        Parameters
        ----------
        number
            Of the request, never used twice.
        request
            `umnist_core.inference.requests.PredictRequest.to_dict`.
        on_progress
            Is told how far it is.

        Raises
        ------
        RequestCancelledError
            If it was cancelled meanwhile.
        WorkerError
            If the model cannot answer or the process ended; the next request starts another.
        """
        process = self.start()
        with self._lock:
            if self._cancelled == number:
                raise RequestCancelledError
            self._number = number
        try:
            process.send(Message({"kind": "predict", "number": number, "request": request}))
            return self._wait(process, number, on_progress)
        except (OSError, DamagedFileError) as error:
            raise self._ended(process) from error
        finally:
            with self._lock:
                self._number = None

    def start(self) -> _Running:
        """Start the process if none runs, and wait until it takes requests.

        Raises
        ------
        WorkerError
            If it cannot start.
        """
        process = self._process
        if process is None or process.popen.poll() is not None:
            process = self._start()
        return process

    def load(self, checkpoint: str) -> None:
        """Have a model loaded before it is asked for, once in the life of the process.

        It does not wait; what goes wrong is said to the request that comes.

        Parameters
        ----------
        checkpoint
            Its name or path; nothing is loaded where it is empty.
        """
        process = self._process
        if process is None or not checkpoint or checkpoint in self._likely:
            return
        self._likely.add(checkpoint)
        with contextlib.suppress(OSError):
            process.send(Message({"kind": "load", "checkpoint": checkpoint}))

    def cancel(self, number: int) -> None:
        """Stop a request that runs or is about to; return at once."""
        with self._lock:
            self._cancelled = number
            process = self._process
            if self._number != number or process is None:
                return
        with contextlib.suppress(OSError):
            process.send(Message({"kind": "cancel", "number": number}))
        timer = threading.Timer(PATIENCE_S, self._kill_if_busy, (process, number))
        timer.daemon = True
        timer.start()

    def stop(self) -> None:
        """End the process and give its memory back."""
        process, self._process = self._process, None
        self.loaded, self._likely = (), set()
        if process is None:
            return
        process.is_killed = True
        with contextlib.suppress(OSError):
            cast(BinaryIO, process.popen.stdin).close()  # at which it ends
        try:
            process.popen.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.popen.kill()
            process.popen.wait()
        cast(BinaryIO, process.popen.stdout).close()

    def _start(self) -> _Running:
        self.stop()
        started = time.monotonic()
        command = worker_command("--device", self._device, "--threads", str(self._threads))
        command += ["--memory", self._settings.inference_memory]
        environment = child_environment(self._settings, self._threads)
        popen = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        process = self._process = _Running(popen)
        try:
            greeting = process.read()
        except DamagedFileError as error:
            raise self._ended(process) from error
        if greeting is None:
            raise self._ended(process)
        if greeting.kind != "ready":
            self.stop()
            sentence = greeting.fields.get("sentence", "The process of models cannot start.")
            raise WorkerError(str(sentence), "cannot_start")
        self.start_s = time.monotonic() - started
        return process

    def _wait(self, process: _Running, number: int, on_progress: OnProgress) -> Outcome:
        while (message := process.read()) is not None:
            fields = message.fields
            if fields.get("number") != number:
                continue
            self.loaded = tuple(fields.get("loaded", self.loaded))
            if message.kind == "progress":
                seen = [(x, y, width, height) for x, y, width, height in fields.get("seen", ())]
                on_progress(fields["stage"], fields["done"], fields["total"], seen)
                continue
            if fields.get("is_last"):  # it ends itself
                self.stop()
            if message.kind == "done":
                return _outcome(message)
            if message.kind == "failed":
                raise WorkerError(fields["sentence"], fields["code"])
            raise RequestCancelledError
        raise self._ended(process)

    def _ended(self, process: _Running) -> Exception:
        """Clear up after a process that is no more, or no longer makes sense; say why."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.popen.wait(PATIENCE_S)
        status, was_ours = process.popen.poll(), process.is_killed
        if status is None:
            process.popen.kill()
        self.stop()
        if was_ours:
            return RequestCancelledError()
        if status == -signal.SIGKILL:
            return WorkerError(
                "The system ended the process that runs models, which it does when memory runs "
                "out; choose a smaller image or model, or close other programs, and ask again.",
                "out_of_memory",
            )
        return WorkerError(
            f"The process that runs models ended unexpectedly (status {status}); ask again, and "
            "if that happens again, look at what the server printed.",
            "crashed",
        )

    def _kill_if_busy(self, process: _Running, number: int) -> None:
        with self._lock:
            if self._number == number and self._process is process:
                process.is_killed = True
                process.popen.kill()


def worker_command(*options: str) -> list[str]:
    """Return the command line of a process of models."""
    return [sys.executable, "-m", MODULE, *options]


def child_environment(settings: Settings, threads: int) -> dict[str, str]:
    """Return the environment of a process of models: the server's, with its settings."""
    ours = {
        "UMNIST_DATA": str(settings.data_dir),
        "UMNIST_CHECKPOINTS": str(settings.checkpoints_dir),
        "UMNIST_MAX_FILE_MIB": str(settings.max_file_mib),
        "UMNIST_MAX_FILE_MPX": str(settings.max_file_mpx),
        "OMP_NUM_THREADS": str(threads),
    }
    if settings.digits_dir is not None:
        ours["UMNIST_DIGITS"] = str(settings.digits_dir)
    return {**os.environ, **ours}


def _outcome(message: Message) -> Outcome:
    maps = unpack_maps(message)
    has_attention = bool(message.fields["has_attention"]) and len(maps) > 0
    return Outcome(
        result=dict(message.fields["result"]),
        attention=maps[0] if has_attention else None,
        rounds=maps[1:] if has_attention else maps,
    )
