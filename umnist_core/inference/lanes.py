"""What waits for one device, what runs there, and how long that will take."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from umnist_core.inference.devices import Device
from umnist_core.inference.jobs import Job, Speeds
from umnist_core.inference.process import ModelProcess


@dataclass(eq=False)
class Lane:
    """One device: what waits, what runs, and the process that runs it; the pool guards it."""

    device: str
    process: ModelProcess
    waiting: deque[Job] = field(default_factory=deque)
    running: Job | None = None
    speeds: Speeds = field(default_factory=Speeds)
    thread: threading.Thread | None = None
    wish: str = ""
    """``"start"`` or ``"end"``: what the process is to do before the next request."""
    likely: str = ""
    """Checkpoint that is loaded at the start, as it will probably be asked for."""

    def add(self, job: Job) -> None:
        """Let a job wait behind those that came earlier, but before all that are patient."""
        patient = 0 if job.is_patient else sum(one.is_patient for one in self.waiting)
        self.waiting.insert(len(self.waiting) - patient, job)

    def yielding(self, job: Job) -> Job | None:
        """Return what runs, if it is to give way to a job."""
        running = self.running
        gives_way = running is not None and running.is_patient and not job.is_patient
        return running if gives_way else None


def left_s(lane: Lane, job: Job) -> float | None:
    """Return about how long a job on its own still takes; None if its model was never timed."""
    is_loaded = job.weights in lane.process.loaded
    whole = lane.speeds.estimate_s(job.request.checkpoint, job.pixels, is_loaded=is_loaded)
    if whole is None:
        return None
    if lane.process.pid is None:
        whole += lane.process.start_s or 0.0
    return whole if job.started is None else max(0.0, whole + job.started - time.monotonic())


def lane_status(device: Device, lane: Lane | None, names: dict[str, str]) -> dict[str, Any]:
    """Return a device with what it does, for JSON; ``names`` are those of weights files."""
    is_started = lane is not None and lane.process.pid is not None
    loaded = lane.process.loaded if lane is not None and is_started else ()
    return {
        "key": device.key,
        "title": device.title,
        "queue": 0 if lane is None else len(lane.waiting),
        "busy": lane is not None and lane.running is not None,
        "loaded": [names.get(path, path) for path in loaded],
        "is_started": is_started,
    }
