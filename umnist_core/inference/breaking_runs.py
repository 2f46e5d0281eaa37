"""Curves of where models break, measured in the background of the server.

They are those of `umnist_core.inference.breaking.measure_curve`; here the pool answers, one patient
request at a time, which gives way to everything that somebody waits for. What was answered is
kept, so that a curve that was cancelled, or is asked for with more scenes, goes on where it was.
No torch.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from umnist_core.datasets.large_scale import LARGE_SCALE_PX
from umnist_core.datasets.large_scale.ref import AnyRef, DigitRef
from umnist_core.digits import load_glyphs
from umnist_core.errors import BusyError, NotFoundError, UmnistError, WorkerError
from umnist_core.experiments.breaking_point import (
    BreakingCurve,
    BreakingPoint,
    BreakingSample,
    Marks,
    marks_of,
    trace_curve,
)
from umnist_core.inference.jobs import CANCELLED, DONE, ENDED, FAILED, RUNNING
from umnist_core.inference.pool import InferencePool
from umnist_core.inference.requests import DigitImage, PredictRequest, SceneImage
from umnist_core.models.cards import get_checkpoint

_log = logging.getLogger(__name__)

ACTIVE_MAX = 8
"""Curves that are measured at once."""

KEPT_SERIES = 32
KEPT_ANSWERS = 50_000
"""A few hundred bytes each."""

ABANDONED_S = 90.0
"""A curve that nobody has asked about for so long is measured no further: its page was closed."""

_LOOK_EVERY_S = 1.0


def image_of(ref: AnyRef) -> SceneImage | DigitImage:
    """Return a scene or a digit as models are asked about it."""
    return DigitImage(ref) if isinstance(ref, DigitRef) else SceneImage(ref)


class _StoppedError(Exception):
    """The curve is not wanted any more; nobody is told."""


@dataclass(eq=False)
class BreakingSeries:
    """A curve that is measured in the background; `BreakingRuns` guards it.

    Attributes
    ----------
    id, viewer
        Of it, and of the page that asked.
    plan, device
        What is measured, and where.
    curve
        What came of it so far.
    state, error
        ``"running"``, ``"done"``, ``"cancelled"`` or ``"failed"``, and then why.
    version
        Grows with each change.
    asked, started, ended
        `time.monotonic` of when somebody last asked, and of those moments.
    fresh
        Answers that were not kept from before.
    stop
        Set where it is to end.
    job
        The request that is under way.
    """

    id: str
    viewer: str
    plan: BreakingPoint
    device: str
    curve: BreakingCurve
    state: str = RUNNING
    error: str = ""
    version: int = 1
    asked: float = field(default_factory=time.monotonic)
    started: float = field(default_factory=time.monotonic)
    ended: float | None = None
    fresh: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    job: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it with every curve, for a browser."""
        done, total = len(self.curve.answers), self.plan.total
        until = time.monotonic() if self.ended is None else self.ended
        took_s = until - self.started
        left_s = (total - done) * took_s / self.fresh if self.fresh and self.ended is None else None
        return {
            "id": self.id,
            "state": self.state,
            "version": self.version,
            "error": self.error,
            "done": done,
            "total": total,
            "left_s": None if left_s is None else round(left_s, 1),
            "plan": self.plan.to_dict(),
            "curves": self.curve.curves(),
            "command": self.plan.command,
            "python": self.plan.python_code,
        }


class BreakingRuns:
    """Measures curves with a pool, a thread for each; thread-safe.

    Parameters
    ----------
    pool
        Returns who answers.
    abandoned_s
        As `ABANDONED_S`.
    """

    def __init__(
        self, pool: Callable[[], InferencePool], *, abandoned_s: float = ABANDONED_S
    ) -> None:
        self._pool = pool
        self._abandoned_s = abandoned_s
        self._lock = threading.Lock()
        self._series: OrderedDict[str, BreakingSeries] = OrderedDict()
        self._answers: OrderedDict[object, Marks] = OrderedDict()
        self._listeners: dict[str, list[Callable[[], None]]] = {}

    def begin(self, viewer: str, plan: BreakingPoint, device: str) -> dict[str, Any]:
        """Begin to measure; what this viewer had measured before ends.

        Raises
        ------
        BusyError
            If too many are measured already.
        NotFoundError
            If there is no such device or model.
        """
        device = self._pool().choose_device(device)
        for checkpoint in plan.checkpoints:
            get_checkpoint(checkpoint)
        with self._lock:
            mine = [one for one in self._active() if one.viewer == viewer]
            others = len(self._active()) - len(mine)
            if others >= ACTIVE_MAX:
                raise BusyError(
                    f"{others} curves are measured already, which is the most that may; ask again "
                    "in a while."
                )
            series = BreakingSeries(
                secrets.token_urlsafe(12), viewer, plan, device, BreakingCurve(plan)
            )
            self._series[series.id] = series
            while len(self._series) > KEPT_SERIES:
                oldest = next(one for one in self._series.values() if one.ended is not None)
                del self._series[oldest.id]
        for one in mine:
            self._stop(one)
        name = f"umnist-curve-{series.id}"
        threading.Thread(target=self._measure, args=(series,), name=name, daemon=True).start()
        return self.get(series.id)

    def get(self, series_id: str) -> dict[str, Any]:
        """Return a curve with how far it is, as JSON.

        Raises
        ------
        NotFoundError
            If there is no such curve, or no longer.
        """
        with self._lock:
            series = self._find(series_id)
            series.asked = time.monotonic()
            return series.to_dict()

    def read(self, series_id: str, reading: Callable[[BreakingCurve], Any]) -> Any:
        """Return what a function makes of a curve as it is now; raises as `get`."""
        with self._lock:
            return reading(self._find(series_id).curve)

    def cancel(self, series_id: str) -> dict[str, Any]:
        """Measure no further, and return what there is; raises as `get`."""
        with self._lock:
            series = self._find(series_id)
        self._stop(series)
        return self.get(series_id)

    @contextlib.contextmanager
    def listening(self, series_id: str, listener: Callable[[], None]) -> Iterator[None]:
        """Call a listener after each change of a curve, from whichever thread makes it."""
        with self._lock:
            self._listeners.setdefault(series_id, []).append(listener)
        try:
            yield
        finally:
            with self._lock:
                self._listeners[series_id].remove(listener)
                if not self._listeners[series_id]:
                    del self._listeners[series_id]

    # -- with the lock held -----------------------------------------------------------

    def _active(self) -> list[BreakingSeries]:
        return [one for one in self._series.values() if one.ended is None]

    def _find(self, series_id: str) -> BreakingSeries:
        if series_id not in self._series:
            raise NotFoundError("This curve is not known here, or no longer; measure it again.")
        return self._series[series_id]

    def _change(self, series: BreakingSeries) -> None:
        series.version += 1
        for listener in self._listeners.get(series.id, ()):
            listener()

    # -- in whichever thread ----------------------------------------------------------

    def _stop(self, series: BreakingSeries) -> None:
        series.stop.set()
        self._end(series, CANCELLED)
        with contextlib.suppress(NotFoundError):
            self._pool().cancel(series.job)

    def _end(self, series: BreakingSeries, state: str, error: str = "") -> None:
        with self._lock:
            if series.ended is None:
                series.state, series.error, series.ended = state, error, time.monotonic()
                self._change(series)

    # -- in the thread of a curve -----------------------------------------------------

    def _measure(self, series: BreakingSeries) -> None:
        def take(sample: BreakingSample, marks: Marks) -> None:
            with self._lock:
                series.curve.add(sample, marks)
                self._change(series)

        try:
            trace_curve(series.plan, lambda name, ref: self._ask(series, name, ref), take)
        except _StoppedError:
            self._end(series, CANCELLED)
        except UmnistError as error:
            self._end(series, FAILED, str(error))
        except Exception:
            _log.exception("A curve ended in an error")
            sentence = "Something went wrong on the server; its log says more about it."
            self._end(series, FAILED, sentence)
        else:
            self._end(series, DONE)

    def _ask(self, series: BreakingSeries, checkpoint: str, ref: AnyRef) -> Marks:
        self._go_on(series)
        glyphs = load_glyphs()
        weights = get_checkpoint(checkpoint)
        key = (weights, weights.stat().st_mtime_ns, series.device, glyphs.checksum, ref)
        with self._lock:
            known = self._answers.get(key)
        if known is not None:
            return known
        pixels = LARGE_SCALE_PX**2
        if not isinstance(ref, DigitRef):
            scene = ref.plan(glyphs)
            pixels = scene.height * scene.width
        request = PredictRequest(checkpoint, series.device, image_of(ref))
        marks = self._answer(series, request, pixels)
        with self._lock:
            series.fresh += 1
            self._answers[key] = marks
            if len(self._answers) > KEPT_ANSWERS:
                self._answers.popitem(last=False)
        return marks

    def _answer(self, series: BreakingSeries, request: PredictRequest, pixels: int) -> Marks:
        pool, ended = self._pool(), threading.Event()
        series.job = self._submit(series, request, pixels)
        with pool.listening(series.job, ended.set):
            while (job := pool.get(series.job))["state"] not in ENDED:
                ended.wait(_LOOK_EVERY_S)
                ended.clear()
                self._go_on(series)
        pool.forget(series.job)
        if job["state"] == DONE:
            return marks_of(job["result"]["tasks"])
        if job["state"] == FAILED:
            raise WorkerError(job["error"]["sentence"], job["error"]["code"])
        raise _StoppedError

    def _submit(self, series: BreakingSeries, request: PredictRequest, pixels: int) -> str:
        viewer, turn = f"curve-{series.id}", series.version
        while True:
            try:
                job = self._pool().submit(viewer, "a", turn, request, pixels, is_patient=True)
                return str(job["id"])
            except BusyError:  # many others wait: they go first
                series.stop.wait(_LOOK_EVERY_S)
                self._go_on(series)

    def _go_on(self, series: BreakingSeries) -> None:
        """Raise where a curve is to end: it was cancelled, or its page was closed."""
        with self._lock:
            is_watched = series.id in self._listeners
            since_s = time.monotonic() - series.asked
        if series.stop.is_set() or (since_s > self._abandoned_s and not is_watched):
            with contextlib.suppress(NotFoundError):
                self._pool().cancel(series.job)
            raise _StoppedError
