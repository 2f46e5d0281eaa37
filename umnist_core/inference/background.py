"""Long work beside whoever looks at answers: many requests, one after the other. No torch.

Each piece is a thread that asks the pool patiently: one image at a time, and behind everybody
else. A viewer has one of a kind; a newer one ends it. What nobody asks about any more ends by
itself.
"""

from __future__ import annotations

import contextlib
import logging
import math
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from umnist_core.errors import BusyError, NotFoundError, UmnistError, WorkerError
from umnist_core.inference.jobs import CANCELLED, DONE, ENDED, FAILED, RUNNING
from umnist_core.inference.pool import InferencePool
from umnist_core.inference.requests import PredictRequest

_log = logging.getLogger(__name__)

ACTIVE_MAX = 8
"""Pieces of a kind that go on at once, of all viewers."""

KEPT_MAX = 64
"""Pieces of a kind that are remembered."""

ABANDONED_S = 90.0
"""What nobody has asked about for so long ends: its page was closed."""

LOOK_EVERY_S = 0.5

_SENTENCE = "Something went wrong on the server; its log says more about it."


class NotWantedError(Exception):
    """The work is not wanted any more; nobody is told."""


@dataclass(eq=False)
class BackgroundWork(ABC):
    """A piece of work; whoever does it guards it.

    Attributes
    ----------
    viewer, id
        The page that asked, and its own.
    state, error
        ``"running"``, ``"done"``, ``"cancelled"`` or ``"failed"``, and then why.
    version
        Grows with each change.
    asked, began, ended
        `time.monotonic` of when somebody last asked, and of those moments.
    stop
        Set where it is to end.
    job, turn
        The request that is under way, and how many there were.
    """

    viewer: str
    id: str = field(init=False, default_factory=lambda: secrets.token_urlsafe(12))
    state: str = field(init=False, default=RUNNING)
    error: str = field(init=False, default="")
    version: int = field(init=False, default=1)
    asked: float = field(init=False, default_factory=time.monotonic)
    began: float = field(init=False, default_factory=time.monotonic)
    ended: float | None = field(init=False, default=None)
    stop: threading.Event = field(init=False, default_factory=threading.Event)
    job: str = field(init=False, default="")
    turn: int = field(init=False, default=0)

    @property
    def took_s(self) -> float:
        """Seconds since it began, until it ended."""
        return (time.monotonic() if self.ended is None else self.ended) - self.began

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return it for a browser."""


WorkT = TypeVar("WorkT", bound=BackgroundWork)


class Background(Generic[WorkT]):
    """Does work of a kind with a pool, a thread for each piece; thread-safe.

    Parameters
    ----------
    pool
        Returns who answers.
    words
        What a piece is called, several of them, and what to do when one is not known: such as
        ``("curve", "curves", "measure it again")``.
    abandoned_s
        As `ABANDONED_S`.
    """

    def __init__(
        self,
        pool: Callable[[], InferencePool],
        words: tuple[str, str, str],
        abandoned_s: float = ABANDONED_S,
    ) -> None:
        self.pool = pool
        self.lock = threading.RLock()
        self._words, self._abandoned_s = words, abandoned_s
        self._works: dict[str, WorkT] = {}
        self._listeners: dict[str, list[Callable[[], None]]] = {}

    def start(self, work: WorkT, do: Callable[[WorkT], None]) -> dict[str, Any]:
        """Begin a piece; another one of the same viewer ends.

        Parameters
        ----------
        work
            The piece.
        do
            Called in a thread of its own; an error of ours that it raises is what is told.

        Raises
        ------
        BusyError
            If too many go on already.
        """
        with self.lock:
            active = [one for one in self._works.values() if one.ended is None]
            mine = [one for one in active if one.viewer == work.viewer]
            others = len(active) - len(mine)
            if others >= ACTIVE_MAX:
                raise BusyError(
                    f"{others} {self._words[1]} go on already, which is the most that may; ask "
                    "again in a while."
                )
            self._works[work.id] = work
            while len(self._works) > KEPT_MAX:
                oldest = next(one for one in self._works.values() if one.ended is not None)
                del self._works[oldest.id]
        for one in mine:
            self._stop(one)
        name = f"umnist-{self._words[0]}-{work.id}"
        threading.Thread(target=self._run, args=(work, do), name=name, daemon=True).start()
        return self.get(work.id)

    def get(self, work_id: str) -> dict[str, Any]:
        """Return a piece with how far it is, as JSON.

        Raises
        ------
        NotFoundError
            If there is no such piece, or no longer.
        """
        with self.lock:
            work = self.find(work_id)
            work.asked = time.monotonic()
            return work.to_dict()

    def cancel(self, work_id: str) -> dict[str, Any]:
        """End a piece, and return how far it came; raises as `get`."""
        with self.lock:
            work = self.find(work_id)
        self._stop(work)
        return self.get(work_id)

    @contextlib.contextmanager
    def listening(self, work_id: str, listener: Callable[[], None]) -> Iterator[None]:
        """Call a listener after each change of a piece, from whichever thread makes it."""
        with self.lock:
            self._listeners.setdefault(work_id, []).append(listener)
        try:
            yield
        finally:
            with self.lock:
                self._listeners[work_id].remove(listener)
                if not self._listeners[work_id]:
                    del self._listeners[work_id]

    # -- for those who do it ----------------------------------------------------------

    def find(self, work_id: str) -> WorkT:
        """Return a piece; raises as `get`. The lock is held."""
        if work_id not in self._works:
            name, _, again = self._words
            raise NotFoundError(f"This {name} is not known here, or no longer; {again}.")
        return self._works[work_id]

    def changed(self, work: WorkT) -> None:
        """Tell of a change. The lock is held."""
        work.version += 1
        for listener in self._listeners.get(work.id, ()):
            listener()

    def ask(
        self, work: WorkT, request: PredictRequest, pixels: int, until: float = math.inf
    ) -> dict[str, Any]:
        """Return what a model answers: the job's ``result``.

        Parameters
        ----------
        work
            The piece that asks.
        request, pixels
            As of `InferencePool.submit`.
        until
            `time.monotonic` of when it is given up.

        Raises
        ------
        NotWantedError
            If the piece is to end.
        TimeoutError
            If the time is up.
        WorkerError
            If the model cannot answer.
        """
        pool, woken = self.pool(), threading.Event()
        work.job = job_id = self._submit(work, request, pixels)
        try:
            with pool.listening(job_id, woken.set):
                while (job := pool.get(job_id))["state"] not in ENDED:
                    woken.wait(min(LOOK_EVERY_S, max(0.0, until - time.monotonic())))
                    woken.clear()
                    self.go_on(work)
                    if time.monotonic() >= until:
                        raise TimeoutError
        except (TimeoutError, NotWantedError):
            with contextlib.suppress(NotFoundError):
                pool.cancel(job_id)
            raise
        pool.forget(job_id)
        if job["state"] == FAILED:
            raise WorkerError(job["error"]["sentence"], job["error"]["code"])
        if job["state"] != DONE:
            raise NotWantedError
        result: dict[str, Any] = job["result"]
        return result

    def go_on(self, work: WorkT) -> None:
        """Raise `NotWantedError` where a piece is to end: cancelled, or its page was closed."""
        with self.lock:
            is_watched = work.id in self._listeners
            since_s = time.monotonic() - work.asked
        if work.stop.is_set() or (since_s > self._abandoned_s and not is_watched):
            raise NotWantedError

    # -- in whichever thread ----------------------------------------------------------

    def _run(self, work: WorkT, do: Callable[[WorkT], None]) -> None:
        try:
            do(work)
        except NotWantedError:
            self._end(work, CANCELLED)
        except UmnistError as error:
            self._end(work, FAILED, str(error))
        except Exception:
            _log.exception("Work in the background ended in an error")
            self._end(work, FAILED, _SENTENCE)
        else:
            self._end(work, DONE)

    def _submit(self, work: WorkT, request: PredictRequest, pixels: int) -> str:
        viewer = f"{self._words[0]}-{work.id}"
        while True:
            self.go_on(work)
            work.turn += 1
            try:
                job = self.pool().submit(viewer, "a", work.turn, request, pixels, is_patient=True)
            except BusyError:  # many others wait: they go first
                work.stop.wait(LOOK_EVERY_S)
            else:
                return str(job["id"])

    def _stop(self, work: WorkT) -> None:
        work.stop.set()
        self._end(work, CANCELLED)
        with contextlib.suppress(NotFoundError):
            self.pool().cancel(work.job)

    def _end(self, work: WorkT, state: str, error: str = "") -> None:
        with self.lock:
            if work.ended is None:
                work.state, work.error, work.ended = state, error, time.monotonic()
                self.changed(work)
