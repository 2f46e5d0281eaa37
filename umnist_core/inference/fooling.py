"""Searches for noise that fools a model, beside whoever looks at answers. No torch.

Each search is a thread that asks the pool patiently: one image at a time, and behind everybody
else. A viewer has one search; a newer one ends it.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from umnist_core.digits import load_glyphs
from umnist_core.errors import BusyError, NotFoundError, UmnistError, WorkerError
from umnist_core.experiments.fool import GivenAnswer, NoiseSearch, Variation, find_flip
from umnist_core.inference.jobs import CANCELLED, DONE, ENDED, FAILED, RUNNING
from umnist_core.inference.pool import InferencePool
from umnist_core.inference.requests import PredictRequest, SceneImage
from umnist_core.scenes import SceneRef

_log = logging.getLogger(__name__)

KEPT = 64
"""Searches that are remembered."""

ACTIVE_MAX = 8
"""Searches that may run at once, of all viewers."""

ABANDONED_S = 60.0
"""A search that nobody has asked about for so long is ended: its page was closed."""

_LOOK_EVERY_S = 0.5


class _NotWantedError(Exception):
    """The search is not wanted any more."""


@dataclass(frozen=True)
class FoolRequest:
    """What is searched: an image, a model, and what of the noise is changed.

    Attributes
    ----------
    checkpoint, device
        As of `umnist_core.inference.requests.PredictRequest`.
    ref
        The image.
    variation, tries
        As of `umnist_core.experiments.fool.find_flip`.
    """

    checkpoint: str
    device: str
    ref: SceneRef
    variation: Variation
    tries: int


@dataclass(eq=False)
class _RunningSearch:
    """A search and how far it is; the lock of `FoolSearches` guards it."""

    id: str
    viewer: str
    request: FoolRequest
    state: str = RUNNING
    version: int = 1
    began: float = field(default_factory=time.monotonic)
    asked: float = field(default_factory=time.monotonic)
    ended: float | None = None
    tried: int = 0
    tries: int = 0
    first: GivenAnswer | None = None
    result: NoiseSearch | None = None
    error: str = ""
    turn: int = 0
    job: str = ""
    stop: threading.Event = field(default_factory=threading.Event)

    def to_dict(self) -> dict[str, Any]:
        until = time.monotonic() if self.ended is None else self.ended
        first, result = self.first, self.result
        return {
            "id": self.id,
            "state": self.state,
            "version": self.version,
            "checkpoint": self.request.checkpoint,
            "tried": self.tried,
            "tries": self.tries or self.request.tries,
            "elapsed_s": round(until - self.began, 2),
            "answer": None if first is None else list(first.answer),
            "is_right": None if first is None or first.truth is None else first.is_right,
            "sentence": "" if result is None else result.sentence,
            "found": None if result is None else result.query,
            "error": self.error or None,
        }


class FoolSearches:
    """Begins searches, and keeps what they came to; thread-safe.

    Parameters
    ----------
    pool
        Returns who predicts.
    abandoned_s
        As `ABANDONED_S`.
    """

    def __init__(
        self, pool: Callable[[], InferencePool], *, abandoned_s: float = ABANDONED_S
    ) -> None:
        self._pool = pool
        self._abandoned_s = abandoned_s
        self._lock = threading.RLock()
        self._searches: dict[str, _RunningSearch] = {}
        self._listeners: dict[str, list[Callable[[], None]]] = {}

    def begin(self, viewer: str, request: FoolRequest) -> dict[str, Any]:
        """Begin a search; another one of the same viewer ends.

        Raises
        ------
        BusyError
            If too many run already.
        """
        with self._lock:
            mine = [one for one in self._active() if one.viewer == viewer]
            if len(self._active()) - len(mine) >= ACTIVE_MAX:
                raise BusyError(
                    f"{ACTIVE_MAX} searches run already, which is the most that may; search again "
                    "when one has ended."
                )
            search = _RunningSearch(secrets.token_urlsafe(12), viewer, request)
            self._searches[search.id] = search
            while len(self._searches) > KEPT:
                oldest = next(one for one in self._searches.values() if one.ended is not None)
                del self._searches[oldest.id]
        for one in mine:
            self._stop(one)
        name = f"umnist-fool-{search.id}"
        threading.Thread(target=self._search, args=(search,), name=name, daemon=True).start()
        return self.get(search.id)

    def get(self, search_id: str) -> dict[str, Any]:
        """Return a search as JSON.

        Raises
        ------
        NotFoundError
            If there is no such search, or no longer.
        """
        with self._lock:
            search = self._find(search_id)
            search.asked = time.monotonic()
            return search.to_dict()

    def cancel(self, search_id: str) -> dict[str, Any]:
        """End a search, and return how far it came; raises as `get`."""
        with self._lock:
            search = self._find(search_id)
        self._stop(search)
        return self.get(search_id)

    @contextlib.contextmanager
    def listening(self, search_id: str, listener: Callable[[], None]) -> Iterator[None]:
        """Call a listener after each change of a search, from whichever thread makes it."""
        with self._lock:
            self._listeners.setdefault(search_id, []).append(listener)
        try:
            yield
        finally:
            with self._lock:
                self._listeners[search_id].remove(listener)
                if not self._listeners[search_id]:
                    del self._listeners[search_id]

    # -- in whichever thread ----------------------------------------------------------

    def _active(self) -> list[_RunningSearch]:
        return [one for one in self._searches.values() if one.ended is None]

    def _find(self, search_id: str) -> _RunningSearch:
        if search_id not in self._searches:
            raise NotFoundError("This search is not known here, or no longer; search again.")
        return self._searches[search_id]

    def _change(self, search: _RunningSearch) -> None:
        search.version += 1
        for listener in self._listeners.get(search.id, ()):
            listener()

    def _stop(self, search: _RunningSearch) -> None:
        search.stop.set()
        self._end(search, CANCELLED)
        with contextlib.suppress(NotFoundError):
            self._pool().cancel(search.job)

    def _end(
        self,
        search: _RunningSearch,
        state: str,
        *,
        result: NoiseSearch | None = None,
        error: str = "",
    ) -> None:
        with self._lock:
            if search.ended is None:
                search.state, search.result, search.error = state, result, error
                search.ended = time.monotonic()
                self._change(search)

    # -- in the thread of a search ----------------------------------------------------

    def _search(self, search: _RunningSearch) -> None:
        asked = search.request

        def note(tried: int, tries: int, first: GivenAnswer) -> None:
            with self._lock:
                search.tried, search.tries, search.first = tried, tries, first
                self._change(search)

        try:
            result = find_flip(
                asked.ref,
                lambda ref, until: self._ask(search, ref, until),
                load_glyphs(),
                variation=asked.variation,
                tries=asked.tries,
                on_tried=note,
            )
        except _NotWantedError:
            self._end(search, CANCELLED)
        except UmnistError as error:
            self._end(search, FAILED, error=str(error))
        except Exception:
            _log.exception("A search ended in an error")
            sentence = "Something went wrong on the server; its log says more about it."
            self._end(search, FAILED, error=sentence)
        else:
            self._end(search, DONE, result=result)

    def _ask(self, search: _RunningSearch, ref: SceneRef, until: float) -> GivenAnswer:
        scene, asked = ref.plan(load_glyphs()), search.request
        request = PredictRequest(asked.checkpoint, asked.device, SceneImage(ref))
        pool, changed = self._pool(), threading.Event()
        search.job = job_id = self._submit(search, request, scene.height * scene.width)
        try:
            with pool.listening(job_id, changed.set):
                while (job := pool.get(job_id))["state"] not in ENDED:
                    changed.wait(min(_LOOK_EVERY_S, max(0.0, until - time.monotonic())))
                    changed.clear()
                    self._go_on(search)
                    if time.monotonic() >= until:
                        raise TimeoutError
        except (TimeoutError, _NotWantedError):
            with contextlib.suppress(NotFoundError):
                pool.cancel(job_id)
            raise
        pool.forget(job_id)
        if job["state"] == FAILED:
            raise WorkerError(job["error"]["sentence"], job["error"]["code"])
        if job["state"] != DONE:
            raise _NotWantedError
        task = job["result"]["tasks"][0]
        return GivenAnswer(
            tuple(task["answer"]), None if task["truth"] is None else tuple(task["truth"])
        )

    def _submit(self, search: _RunningSearch, request: PredictRequest, pixels: int) -> str:
        viewer = f"fool-{search.id}"
        while True:
            self._go_on(search)
            search.turn += 1
            try:
                job = self._pool().submit(
                    viewer, "a", search.turn, request, pixels, is_patient=True
                )
            except BusyError:  # many others wait: they go first
                search.stop.wait(_LOOK_EVERY_S)
            else:
                return str(job["id"])

    def _go_on(self, search: _RunningSearch) -> None:
        """Raise where a search is to end: it was cancelled, or its page was closed."""
        with self._lock:
            is_watched = search.id in self._listeners
            since_s = time.monotonic() - search.asked
        if search.stop.is_set() or (since_s > self._abandoned_s and not is_watched):
            raise _NotWantedError
