"""Curves of where models break, measured in this process.

The server measures the same in the background (`umnist_core.inference.breaking_runs`): both are
`umnist_core.experiments.breaking_point.trace_curve`, and differ in who answers.
"""

from __future__ import annotations

from umnist_core.datasets.large_scale.ref import AnyRef
from umnist_core.experiments.breaking_point import (
    BreakingCurve,
    BreakingPoint,
    Marks,
    OnAnswer,
    marks_of,
    trace_curve,
)
from umnist_core.inference.breaking_runs import image_of
from umnist_core.inference.requests import AUTO, PredictRequest


def measure_curve(
    plan: BreakingPoint,
    device: str = AUTO,
    on_answer: OnAnswer | None = None,
) -> BreakingCurve:
    """Measure a curve in this process.

    Parameters
    ----------
    plan
        Which models and scenes.
    device
        As of `umnist_core.inference.predictor.Predictor`.
    on_answer
        Is told of each answer.

    Raises
    ------
    UmnistError
        If a model cannot be loaded or does not take the images.
    """
    from umnist_core.inference.predictor import Predictor

    predictor = Predictor(device)

    def ask(checkpoint: str, ref: AnyRef) -> Marks:
        request = PredictRequest(checkpoint, device, image_of(ref))
        return marks_of(predictor.predict(request).to_dict()["tasks"])

    return trace_curve(plan, ask, on_answer)
