"""Curves of where models break, measured in the background of the server.

They are those of `umnist_core.inference.breaking.measure_curve`; here the pool answers, one patient
request at a time, which gives way to everything that somebody waits for. What was answered is
kept, so that a curve that was cancelled, or is asked for with more scenes, goes on where it was.
No torch.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from umnist_core.datasets.large_scale import LARGE_SCALE_PX
from umnist_core.datasets.large_scale.ref import AnyRef, DigitRef
from umnist_core.digits import load_glyphs
from umnist_core.experiments.breaking_point import (
    BreakingCurve,
    BreakingPoint,
    BreakingSample,
    Marks,
    marks_of,
    trace_curve,
)
from umnist_core.inference.background import ABANDONED_S, Background, BackgroundWork
from umnist_core.inference.pool import InferencePool
from umnist_core.inference.requests import DigitImage, PredictRequest, SceneImage
from umnist_core.models.cards import get_checkpoint

KEPT_ANSWERS = 50_000
"""A few hundred bytes each."""


def image_of(ref: AnyRef) -> SceneImage | DigitImage:
    """Return a scene or a digit as models are asked about it."""
    return DigitImage(ref) if isinstance(ref, DigitRef) else SceneImage(ref)


@dataclass(eq=False)
class BreakingSeries(BackgroundWork):
    """A curve that is measured in the background; `BreakingRuns` guards it.

    Attributes
    ----------
    plan, device
        What is measured, and where.
    curve
        What came of it so far.
    fresh
        Answers that were not kept from before.
    """

    plan: BreakingPoint
    device: str
    curve: BreakingCurve
    fresh: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return it with every curve, for a browser."""
        done, total = len(self.curve.answers), self.plan.total
        is_known = self.fresh and self.ended is None
        left_s = (total - done) * self.took_s / self.fresh if is_known else None
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


class BreakingRuns(Background[BreakingSeries]):
    """Measures curves with a pool; thread-safe.

    Parameters
    ----------
    pool, abandoned_s
        As of `Background`.
    """

    def __init__(
        self, pool: Callable[[], InferencePool], *, abandoned_s: float = ABANDONED_S
    ) -> None:
        super().__init__(pool, ("curve", "curves", "measure it again"), abandoned_s)
        self._answers: OrderedDict[object, Marks] = OrderedDict()

    def begin(self, viewer: str, plan: BreakingPoint, device: str) -> dict[str, Any]:
        """Begin to measure; what this viewer had measured before ends.

        Raises
        ------
        BusyError
            If too many are measured already.
        NotFoundError
            If there is no such device or model.
        """
        device = self.pool().choose_device(device)
        for checkpoint in plan.checkpoints:
            get_checkpoint(checkpoint)
        series = BreakingSeries(viewer, plan, device, BreakingCurve(plan))
        return self.start(series, self._measure)

    def read(self, series_id: str, reading: Callable[[BreakingCurve], Any]) -> Any:
        """Return what a function makes of a curve as it is now; raises as `get`."""
        with self.lock:
            return reading(self.find(series_id).curve)

    def _measure(self, series: BreakingSeries) -> None:
        def take(sample: BreakingSample, marks: Marks) -> None:
            with self.lock:
                series.curve.add(sample, marks)
                self.changed(series)

        trace_curve(series.plan, lambda name, ref: self._mark(series, name, ref), take)

    def _mark(self, series: BreakingSeries, checkpoint: str, ref: AnyRef) -> Marks:
        self.go_on(series)
        glyphs = load_glyphs()
        weights = get_checkpoint(checkpoint)
        key = (weights, weights.stat().st_mtime_ns, series.device, glyphs.checksum, ref)
        with self.lock:
            known = self._answers.get(key)
        if known is not None:
            return known
        pixels = LARGE_SCALE_PX**2
        if not isinstance(ref, DigitRef):
            scene = ref.plan(glyphs)
            pixels = scene.height * scene.width
        request = PredictRequest(checkpoint, series.device, image_of(ref))
        marks = marks_of(self.ask(series, request, pixels)["tasks"])
        with self.lock:
            series.fresh += 1
            self._answers[key] = marks
            if len(self._answers) > KEPT_ANSWERS:
                self._answers.popitem(last=False)
        return marks
