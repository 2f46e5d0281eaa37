"""The learning rate as a function of where a run is; only a plateau needs to be remembered.

Exponential: Gupta et al., Scientific Data 2024, section "Training details". Milestones: the
released code of Pawlowski et al., arXiv 1908.06037. Warm-up and
cosine: Bergner, Lippert, Mahendran, "Iterative Patch Selection", ICLR 2023, arXiv 2210.13007,
whose code counts in fractions of an epoch and so begins at 0. Our own models count in steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from umnist_core.training.config import SchedulePart

WARM_UP_STEPS = 100


@dataclass(frozen=True)
class Plateau:
    """What the schedule ``plateau`` remembers.

    Attributes
    ----------
    best_loss
        Smallest validation loss so far.
    waited
        Epochs since then, or since the last reduction.
    reductions
        How often the learning rate was reduced.
    """

    best_loss: float = math.inf
    waited: int = 0
    reductions: int = 0

    def after_epoch(self, loss: float, patience: int) -> Plateau:
        """Return it with the validation loss of one more epoch."""
        if loss < self.best_loss:
            return replace(self, best_loss=loss, waited=0)
        if self.waited >= patience:
            return replace(self, waited=0, reductions=self.reductions + 1)
        return replace(self, waited=self.waited + 1)


def learning_rate_at(
    part: SchedulePart, height: float, epochs_done: float, epochs: int, plateau: Plateau
) -> float:
    """Return the learning rate of a step.

    Parameters
    ----------
    part
        The schedule.
    height
        The learning rate that it starts from, or warms up to.
    epochs_done
        Before this step, with the fraction of the running epoch.
    epochs
        Of the whole run.
    plateau
        What was remembered; without effect on other schedules.
    """
    if part.name == "exponential":
        return height * part.gamma ** int(epochs_done)
    if part.name == "milestones":
        return height * part.gamma ** sum(epochs_done >= one for one in part.milestones)
    if part.name == "plateau":
        return height * part.gamma**plateau.reductions
    if part.name == "warmup-cosine":
        if epochs_done < part.warmup_epochs:
            return height * epochs_done / part.warmup_epochs
        way = (epochs_done - part.warmup_epochs) / max(epochs - part.warmup_epochs, 1e-9)
        low = height * part.floor
        return low + (height - low) * 0.5 * (1 + math.cos(math.pi * min(way, 1.0)))
    return height


def warmed_cosine(height: float, step: int, steps: int) -> float:
    """Return the learning rate of a step of our own models, from 0 of so many.

    It warms up over 100 steps, and ends along a cosine at a thousandth of its height.
    """
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    return height * warm * (0.5 * (1 + math.cos(math.pi * step / steps)) + 1e-3)
