"""Simulated studies whose truth is known.

An answer is correct with probability ``logistic(skill + ease [+ effect if guided])``; skills of
people and eases of images are normal around 0. Each pool gives its people different images of the
same set, each image to at most ``times`` of them, as the assignment of a real study does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

IMAGE_SD = 1.5


@dataclass(frozen=True, eq=False)
class SimulatedStudy:
    """One entry for each label; see `umnist_core.scoring.compare_pools`."""

    correct: NDArray[np.bool_]
    annotators: NDArray[np.intp]
    images: NDArray[np.intp]
    guided: NDArray[np.bool_]

    @property
    def arrays(self) -> tuple[NDArray[np.bool_], NDArray[np.intp], NDArray[np.intp]]:
        """What intervals take: correct, annotators, images."""
        return self.correct, self.annotators, self.images

    def pool(self, guided: bool) -> SimulatedStudy:
        """Return the labels of one pool."""
        own = self.guided == guided
        return SimulatedStudy(
            self.correct[own], self.annotators[own], self.images[own], self.guided[own]
        )


def simulate(
    rng: np.random.Generator,
    annotator_sd: float,
    *,
    effect: float = 0.0,
    labels: NDArray[np.intp] | None = None,
    images: int = 1000,
    times: int = 1,
) -> SimulatedStudy:
    """Return a study.

    Parameters
    ----------
    annotator_sd, effect
        In logits.
    labels
        Labels of each annotator of a pool; 33 people of 30 labels if None.
    times
        How often an image may be answered in a pool.
    """
    counts = np.full(33, 30) if labels is None else labels
    ease = rng.normal(0, IMAGE_SD, images)
    pools = []
    for guided in (0, 1):
        deck = np.concatenate([rng.permutation(images) for _ in range(times)])[: counts.sum()]
        people = np.repeat(np.arange(len(counts)), counts)
        skill = rng.normal(0, annotator_sd, len(counts))
        chance = special.expit(skill[people] + ease[deck] + effect * guided)
        right = rng.random(len(deck)) < chance
        pools.append((right, people + guided * len(counts), deck, np.full(len(deck), guided == 1)))
    return SimulatedStudy(*(np.concatenate(each) for each in zip(*pools, strict=True)))


def true_accuracy(annotator_sd: float, effect: float = 0.0) -> float:
    """Return the accuracy over all people and all images, by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    spread = np.hypot(annotator_sd, IMAGE_SD)
    return float(weights @ special.expit(effect + spread * nodes) / weights.sum())
