"""Who is served when: one process a device, one request at a time, the newest of each viewer.

The pool is made for a server: nothing here waits for a model but threads of its own, one a
device. Requests that nobody wants any more are dropped before they cost anything, finished ones
are kept within bounds, and a process that had nothing to do for a while gives its memory back.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from umnist_core.errors import BusyError, NotFoundError, UmnistError, WorkerError
from umnist_core.inference.devices import CPU, Device, cpu_device, find_devices
from umnist_core.inference.jobs import (
    CANCELLED,
    DONE,
    FAILED,
    LOADING,
    RUNNING,
    SUPERSEDED,
    WAITING,
    Job,
)
from umnist_core.inference.lanes import Lane, lane_status, left_s
from umnist_core.inference.process import ModelProcess, Outcome, RequestCancelledError
from umnist_core.inference.requests import AUTO, OnProgress, PredictRequest, Seen
from umnist_core.models.cards import find_checkpoints, get_checkpoint
from umnist_core.settings import Settings, load_settings

_log = logging.getLogger(__name__)

QUEUE_MAX = 16
"""Requests that may wait for one device."""

IDLE_S = 600.0
"""A process that had nothing to do for so long is ended."""

ABANDONED_S = 180.0
"""A request that nobody has asked about for so long is cancelled: its page was closed."""

KEPT_MAX = 64
KEPT_MAX_BYTES = 256 * 2**20
_VIEWERS_MAX = 4096


class InferencePool:
    """Takes requests, runs them in processes and keeps their answers; thread-safe.

    Parameters
    ----------
    settings
        Where digits and checkpoints are, and memory; those of the environment when None.
    queue_max, idle_s, abandoned_s, kept_max, kept_max_bytes
        Bounds, as above.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        queue_max: int = QUEUE_MAX,
        idle_s: float = IDLE_S,
        abandoned_s: float = ABANDONED_S,
        kept_max: int = KEPT_MAX,
        kept_max_bytes: int = KEPT_MAX_BYTES,
    ) -> None:
        self._settings = settings or load_settings()
        self._queue_max, self._idle_s, self._abandoned_s = queue_max, idle_s, abandoned_s
        self._kept_max, self._kept_max_bytes = kept_max, kept_max_bytes
        self._changed = threading.Condition()
        self._jobs: dict[str, Job] = {}
        self._ended: OrderedDict[str, int] = OrderedDict()  # id -> bytes, oldest first
        # Turn and id of the newest: the job itself may be forgotten before its viewer is.
        self._newest: OrderedDict[tuple[str, str], tuple[int, str]] = OrderedDict()
        self._listeners: dict[str, list[Callable[[], None]]] = {}
        self._lanes: dict[str, Lane] = {}
        self._devices: tuple[Device, ...] | None = None
        self._asking = threading.Lock()
        self._count = 0
        self._is_closed = False

    # -- devices ----------------------------------------------------------------------

    def devices(self) -> tuple[Device, ...]:
        """Return the devices of this machine, GPUs first; may take seconds the first time."""
        with self._asking:
            if self._devices is None:
                self._devices = find_devices()
            return self._devices

    def choose_device(self, name: str) -> str:
        """Return the device that is meant: by ``"auto"`` the first GPU, else the CPU.

        Raises
        ------
        NotFoundError
            If this machine has no such device.
        """
        if name == CPU:
            return name
        devices = self.devices()
        if name == AUTO:
            return devices[0].key
        if name not in [device.key for device in devices]:
            known = ", ".join(device.key for device in devices)
            raise NotFoundError(
                f"This machine has no device {name[:40]!r}, it has {known}; choose one of those "
                "or auto."
            )
        return name

    def status(self) -> list[dict[str, Any]]:
        """Return each device with what it does: the list of ``/inference/status``."""
        known = find_checkpoints(self._settings)
        names = {str(path.resolve()): name for name, path in known.items()}
        devices = self._devices or (cpu_device(),)
        with self._changed:
            return [lane_status(device, self._lanes.get(device.key), names) for device in devices]

    # -- requests ---------------------------------------------------------------------

    def submit(
        self,
        viewer: str,
        slot: str,
        turn: int,
        request: PredictRequest,
        pixels: int,
        *,
        is_patient: bool = False,
    ) -> dict[str, Any]:
        """Take a request; what the viewer asked for before in this slot is dropped.

        Parameters
        ----------
        viewer, slot, turn
            Who asks. A turn that is not newer than one before is answered with a job that is
            superseded already.
        request
            What for, with ``"auto"`` or one of `devices`.
        pixels
            Of the image, for the estimate.
        is_patient
            Whether it gives way to every request that is not; see `Job`.

        Returns
        -------
        dict
            The job as JSON.

        Raises
        ------
        BusyError
            If too many wait for the device already.
        NotFoundError
            If there is no such device or checkpoint.
        """
        device = self.choose_device(request.device)
        request = replace(request, device=device)
        weights = get_checkpoint(request.checkpoint, self._settings).resolve()
        dropped: Job | None = None
        with self._changed:
            self._count += 1
            name = secrets.token_urlsafe(12)
            job = Job(name, self._count, viewer, slot, turn, request, pixels, str(weights))
            job.is_patient = is_patient
            newest_turn, older_id = self._newest.get((viewer, slot), (-1, ""))
            if turn <= newest_turn:
                job.change(SUPERSEDED)
                return job.to_dict(0, None)
            lane, older = self._lane(device), self._jobs.get(older_id)
            abandoned = self._drop_abandoned(lane)
            self._check_room(lane, older)
            if older is not None and not older.is_ended:
                dropped = self._drop(older, SUPERSEDED)
            self._note_newest(job)
            self._jobs[job.id] = job
            lane.add(job)
            self._changed.notify_all()
            answer, yielding = self._to_dict(job), lane.yielding(job)
        for one in (dropped, abandoned, yielding):
            self._stop(one)
        return answer

    def get(self, job_id: str) -> dict[str, Any]:
        """Return a job as JSON.

        Raises
        ------
        NotFoundError
            If there is no such job, or no longer.
        """
        with self._changed:
            return self._to_dict(self._find(job_id))

    def get_outcome(self, job_id: str) -> Outcome:
        """Return the answer to a job.

        Raises
        ------
        NotFoundError
            If there is no such job, or it has no answer.
        """
        with self._changed:
            job = self._find(job_id)
            if job.outcome is None:
                raise NotFoundError(f"This request is {job.state} and has no answer; ask again.")
            return job.outcome

    def get_request(self, job_id: str) -> PredictRequest:
        """Return what was asked for in a job.

        Raises
        ------
        NotFoundError
            If there is no such job, or no longer.
        """
        with self._changed:
            return self._find(job_id).request

    def cancel(self, job_id: str) -> dict[str, Any]:
        """Cancel a job and return it as JSON; one that has ended stays as it is.

        Raises
        ------
        NotFoundError
            If there is no such job, or no longer.
        """
        with self._changed:
            job = self._find(job_id)
            dropped = None if job.is_ended else self._drop(job, CANCELLED)
            answer = self._to_dict(job)
        self._stop(dropped)
        return answer

    def forget(self, job_id: str) -> None:
        """Keep the answer of a job that ended no longer, so that it takes no other's place."""
        with self._changed:
            if self._ended.pop(job_id, None) is not None:
                del self._jobs[job_id]

    @contextlib.contextmanager
    def listening(self, job_id: str, listener: Callable[[], None]) -> Iterator[None]:
        """Call a listener after each change of a job, from whichever thread makes it."""
        with self._changed:
            self._listeners.setdefault(job_id, []).append(listener)
        try:
            yield
        finally:
            with self._changed:
                if job_id in self._jobs:
                    self._jobs[job_id].asked = time.monotonic()
                self._listeners[job_id].remove(listener)
                if not self._listeners[job_id]:
                    del self._listeners[job_id]

    def start(self, device: str, checkpoint: str = "") -> None:
        """Start the process of a device, so that the first request finds it ready; do not wait.

        What goes wrong is said to that request.

        Parameters
        ----------
        device, checkpoint
            Which will probably be asked for; the checkpoint is loaded.

        Raises
        ------
        NotFoundError
            If there is no such device.
        BusyError
            If the pool is closed.
        """
        chosen = self.choose_device(device)
        with self._changed:
            lane = self._lane(chosen)
            self._check_room(lane, None)
            lane.wish, lane.likely = "start", checkpoint
            self._changed.notify_all()

    def unload(self) -> None:
        """End each process as soon as it has nothing to do; it starts again when it is asked."""
        with self._changed:
            for lane in self._lanes.values():
                lane.wish = "end"
            self._changed.notify_all()

    def close(self) -> None:
        """End all processes; wait until they are gone."""
        with self._changed:
            self._is_closed = True
            for job in [job for job in self._jobs.values() if not job.is_ended]:
                self._drop(job, CANCELLED)
            lanes = list(self._lanes.values())
            self._changed.notify_all()
        for lane in lanes:
            if lane.running is not None:
                lane.process.cancel(lane.running.number)
            if lane.thread is not None:
                lane.thread.join()

    # -- with the lock held -----------------------------------------------------------

    def _lane(self, device: str) -> Lane:
        if device not in self._lanes:
            lane = self._lanes[device] = Lane(device, ModelProcess(device, self._settings))
            lane.thread = threading.Thread(
                target=self._work, args=(lane,), name=f"umnist-{device}", daemon=True
            )
            lane.thread.start()
        return self._lanes[device]

    def _check_room(self, lane: Lane, older: Job | None) -> None:
        if self._is_closed:
            raise BusyError("The server is about to end; ask again when it is back.")
        ahead = sum(job is not older for job in lane.waiting)
        if ahead >= self._queue_max:
            raise BusyError(
                f"{ahead} requests wait for {lane.device} already, which is the most that may; "
                "ask again in a while."
            )

    def _note_newest(self, job: Job) -> None:
        self._newest[(job.viewer, job.slot)] = (job.turn, job.id)
        self._newest.move_to_end((job.viewer, job.slot))
        if len(self._newest) > _VIEWERS_MAX:
            self._newest.popitem(last=False)

    def _find(self, job_id: str) -> Job:
        job = self._jobs.get(job_id)
        if job is None:
            raise NotFoundError("This request is not known here, or no longer; ask again.")
        if job_id in self._ended:
            self._ended.move_to_end(job_id)
        job.asked = time.monotonic()
        return job

    def _drop_abandoned(self, lane: Lane) -> Job | None:
        """Drop what nobody waits for; return the one that runs, if that is to be stopped."""
        latest = time.monotonic() - self._abandoned_s
        running = None
        for job in [*lane.waiting, *([lane.running] if lane.running else [])]:
            if job.asked < latest and job.id not in self._listeners and not job.is_ended:
                running = self._drop(job, CANCELLED) or running
        return running

    def _drop(self, job: Job, state: str) -> Job | None:
        """End a job that is not wanted; return it if it runs and is to be stopped."""
        lane = self._lanes[job.request.device]
        if job is lane.running:
            self._change(job, CANCELLED)
            return job
        lane.waiting.remove(job)
        self._change(job, state)
        self._move_up(lane)
        return None

    def _change(self, job: Job, state: str) -> None:
        job.change(state)
        if job.is_ended:
            self._keep(job)
        self._tell(job)

    def _tell(self, job: Job) -> None:
        for listener in self._listeners.get(job.id, ()):
            listener()

    def _begin_anew(self, lane: Lane, job: Job) -> None:
        """Let a job wait again that gave way to another."""
        self._count += 1
        job.number, job.started, job.progress = self._count, None, None
        job.seen = []
        lane.add(job)
        self._change(job, WAITING)

    def _move_up(self, lane: Lane) -> None:
        for job in lane.waiting:
            job.version += 1
            self._tell(job)

    def _keep(self, job: Job) -> None:
        self._ended[job.id] = job.held_bytes
        while len(self._ended) > 1 and (
            len(self._ended) > self._kept_max or sum(self._ended.values()) > self._kept_max_bytes
        ):
            oldest, _ = self._ended.popitem(last=False)
            del self._jobs[oldest]

    def _to_dict(self, job: Job) -> dict[str, Any]:
        lane = self._lanes[job.request.device]
        if job.is_ended:
            return job.to_dict(0, None)
        ahead = [] if lane.running in (None, job, lane.yielding(job)) else [lane.running]
        if job is not lane.running:
            ahead += itertools.takewhile(lambda other: other is not job, lane.waiting)
        left = [left_s(lane, one) for one in (*ahead, job) if one is not None]
        estimate_s = sum(one for one in left if one is not None)
        return job.to_dict(len(ahead), None if None in left else estimate_s)

    # -- in the thread of a lane ------------------------------------------------------

    def _stop(self, job: Job | None) -> None:
        if job is not None:
            self._lanes[job.request.device].process.cancel(job.number)

    def _work(self, lane: Lane) -> None:
        while (job := self._take(lane)) is not None:
            try:
                outcome = lane.process.run(
                    job.number, job.request.to_dict(), self._progress_of(lane, job)
                )
            except RequestCancelledError:
                self._end(lane, job, CANCELLED)
            except UmnistError as error:
                code = error.code if isinstance(error, WorkerError) else "trouble"
                self._end(lane, job, FAILED, error={"sentence": str(error), "code": code})
            except Exception:
                _log.exception("A request ended in an error")
                sentence = "Something went wrong on the server; its log says more about it."
                self._end(lane, job, FAILED, error={"sentence": sentence, "code": "trouble"})
            else:
                self._end(lane, job, DONE, outcome=outcome)
        lane.process.stop()

    def _take(self, lane: Lane) -> Job | None:
        """Wait for the next job of a lane; None when the pool is closed."""
        idle_since = time.monotonic()
        while True:
            with self._changed:
                if self._is_closed:
                    return None
                self._drop_abandoned(lane)
                if lane.waiting:
                    job = lane.running = lane.waiting.popleft()
                    self._change(job, LOADING)
                    return job
                is_started = lane.process.pid is not None
                wish, lane.wish = lane.wish, ""
                left_s = idle_since + self._idle_s - time.monotonic()
                if not wish and not (is_started and left_s <= 0):
                    self._changed.wait(left_s if is_started else None)
                    continue
            if wish == "start":
                with contextlib.suppress(UmnistError, RequestCancelledError):
                    lane.process.start()
                    lane.process.load(lane.likely)
                idle_since = time.monotonic()
            else:
                lane.process.stop()

    def _progress_of(self, lane: Lane, job: Job) -> OnProgress:
        def on_progress(stage: str, done: int, total: int | None, seen: Seen = ()) -> None:
            with self._changed:
                if job.is_ended:
                    return
                job.progress = None if stage == "load" else {"done": done, "total": total}
                job.see(seen)
                self._change(job, LOADING if stage == "load" else RUNNING)
                abandoned = self._drop_abandoned(lane)
            self._stop(abandoned)

        return on_progress

    def _end(
        self,
        lane: Lane,
        job: Job,
        state: str,
        *,
        outcome: Outcome | None = None,
        error: dict[str, str] | None = None,
    ) -> None:
        with self._changed:
            lane.running = None
            if state == CANCELLED and job.is_patient and not job.is_ended:
                self._begin_anew(lane, job)
                return
            if outcome is not None:
                seconds = outcome.result.get("seconds", {})
                lane.speeds.note(job.request.checkpoint, job.pixels, seconds)
            if not job.is_ended:
                job.outcome, job.error = outcome, error
                self._change(job, state)
            self._move_up(lane)


@cache
def shared_pool() -> InferencePool:
    """Return the pool of this process, with the settings of its environment."""
    return InferencePool()
