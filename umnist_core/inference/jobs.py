"""One request and what became of it, and how long requests take."""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from umnist_core.inference.process import Outcome
from umnist_core.inference.requests import PredictRequest, Seen

WAITING, LOADING, RUNNING = "waiting", "loading", "running"
DONE, FAILED, CANCELLED, SUPERSEDED = "done", "failed", "cancelled", "superseded"
ENDED = frozenset({DONE, FAILED, CANCELLED, SUPERSEDED})
"""States that a job does not leave."""

SEEN_MAX = 2048
"""Places that are noted; a 4000 px image has a few hundred."""

_MEASURED_MAX = 8
_CHECKPOINTS_MAX = 256


@dataclass(eq=False)
class Job:
    """A request, from its arrival to its end; the pool's lock guards it.

    Attributes
    ----------
    id, number
        Of the job: for the browser, which cannot guess it, and for the process.
    viewer, slot, turn
        Who asks: of one viewer and slot only the newest turn counts.
    request
        What is asked for, with the device that runs it.
    pixels
        Of the image.
    weights
        File that the checkpoint's name means.
    state
        One of the constants above.
    version
        Grows with each change.
    asked
        `time.monotonic` of when somebody last asked about it.
    started, ended
        `time.monotonic` of those moments; None before.
    progress
        ``{"done": …, "total": …}`` of what runs.
    seen
        Places that the model looked at, in their order: x, y, width, height in image px.
    error
        ``{"sentence": …, "code": …}`` of a failed one.
    outcome
        Of a done one.
    is_patient
        Whether it gives way to every job that is not: it waits behind them, and one that comes
        while it runs has it begun anew afterwards.
    """

    id: str
    number: int
    viewer: str
    slot: str
    turn: int
    request: PredictRequest
    pixels: int
    weights: str = ""
    state: str = WAITING
    version: int = 1
    created: float = field(default_factory=time.monotonic)
    asked: float = field(default_factory=time.monotonic)
    started: float | None = None
    ended: float | None = None
    progress: dict[str, int | None] | None = None
    seen: list[tuple[int, int, int, int]] = field(default_factory=list)
    error: dict[str, str] | None = None
    outcome: Outcome | None = None
    is_patient: bool = False

    @property
    def is_ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ENDED

    @property
    def held_bytes(self) -> int:
        """About its memory."""
        return 2048 + (self.outcome.held_bytes if self.outcome else 0)

    def see(self, places: Seen) -> None:
        """Note places that the model looked at; of very many, the first."""
        self.seen += places[: SEEN_MAX - len(self.seen)]

    def change(self, state: str) -> None:
        """Go over to a state, and note when."""
        self.state = state
        self.version += 1
        if self.is_ended:
            self.ended = time.monotonic()
            self.progress = None
        elif self.started is None and state != WAITING:
            self.started = time.monotonic()

    def to_dict(self, queue: int, estimate_s: float | None) -> dict[str, Any]:
        """Return the job for a browser.

        Parameters
        ----------
        queue
            Jobs ahead of it.
        estimate_s
            Seconds until it is done; None if unknown.
        """
        until = time.monotonic() if self.ended is None else self.ended
        return {
            "id": self.id,
            "viewer": self.viewer,
            "slot": self.slot,
            "turn": self.turn,
            "checkpoint": self.request.checkpoint,
            "device": self.request.device,
            "state": self.state,
            "queue": queue,
            "estimate_s": None if estimate_s is None else round(estimate_s, 2),
            "elapsed_s": round(until - self.created, 3),
            "progress": self.progress,
            "seen": self.seen,
            "version": self.version,
            "error": self.error,
            "result": None if self.outcome is None else self.outcome.result,
        }


class Speeds:
    """How long models took on a device, and so about how long they will take.

    What a model takes grows with the pixels of the image, nearly in proportion; the estimate is
    the median of the last few, scaled.
    """

    def __init__(self) -> None:
        self._run_s: dict[str, deque[tuple[int, float]]] = {}
        self._load_s: dict[str, float] = {}

    def note(self, checkpoint: str, pixels: int, seconds: Mapping[str, float]) -> None:
        """Remember one answer; ``seconds`` are those of the prediction."""
        while len(self._run_s) > _CHECKPOINTS_MAX:
            self._run_s.pop(next(iter(self._run_s)))
        took = seconds.get("read", 0.0) + seconds.get("run", 0.0)
        self._run_s.setdefault(checkpoint, deque(maxlen=_MEASURED_MAX)).append((pixels, took))
        if checkpoint not in self._load_s:  # later ones found it loaded
            self._load_s[checkpoint] = seconds.get("load", 0.0)

    def estimate_s(self, checkpoint: str, pixels: int, *, is_loaded: bool = True) -> float | None:
        """Return the seconds that an answer will take; None if nothing is known of its model."""
        measured = self._run_s.get(checkpoint)
        if not measured:
            return None
        per_pixel = statistics.median(took / max(1, count) for count, took in measured)
        return per_pixel * pixels + (0.0 if is_loaded else self._load_s.get(checkpoint, 0.0))
