"""The parts of `scripts/gpu-check`, in order of worth. Nothing here needs torch."""

from __future__ import annotations

from dataclasses import dataclass

PACKAGE = "umnist_core.bench.gpu"


@dataclass(frozen=True)
class CheckPart:
    """A part.

    Attributes
    ----------
    name
        That its figures begin with.
    title
        For people.
    module
        Of this package; its ``run`` does the part.
    share
        Of all the time that it may take; 1 for whatever remains.
    least_s
        With less time than this it is skipped.
    """

    name: str
    title: str
    module: str
    share: float
    least_s: float


PARTS = (
    CheckPart("agree", "Every model: CPU and GPU agree", "agreement", 0.25, 20),
    CheckPart(
        "worker", "The process of models: cancel, out of memory, two models", "worker", 0.1, 30
    ),
    CheckPart("live", "Live inference: times, images per second, memory", "live", 0.2, 20),
    CheckPart("step", "A training step of IPS beside the reference's way", "step", 0.12, 20),
    CheckPart("scenes", "Scenes drawn on the GPU", "drawn", 0.08, 10),
    CheckPart("recipes", "Published recipes, in the time that remains", "recipes", 1, 30),
)
"""In order of worth: where time runs out, the last ones are skipped."""

DONE, SKIPPED, FAILED, STOPPED = "done", "skipped", "failed", "stopped"
"""How a part ended; ``stopped`` where its process did not come to an end in time, or ended."""
