"""Which images validate, in which order the others come, and what is drawn of each in an epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from umnist_core.seeds import sample_rng


def split_places(count: int, share: float, seed: int) -> tuple[list[int], list[int]]:
    """Return the places of training and of validation images, both in ascending order."""
    order = np.argsort(sample_rng(seed, "train", 0, "validation").random(count), kind="stable")
    kept = min(max(1, round(count * share)), count - 1)
    return sorted(order[kept:].tolist()), sorted(order[:kept].tolist())


def epoch_order(places: Sequence[int], seed: int, epoch: int) -> list[int]:
    """Return the places in the order of an epoch."""
    keys = sample_rng(seed, "train", epoch, "order").random(len(places))
    return [places[place] for place in np.argsort(keys, kind="stable")]


def inversion(seed: int, epoch: int) -> Callable[[int], bool]:
    """Return which images an epoch shows inverted: each with probability one half."""

    def inverted_at(place: int) -> bool:
        return bool(sample_rng(seed, "train", place, f"invert/{epoch}").random() < 0.5)

    return inverted_at


@dataclass(frozen=True)
class EpochDraws:
    """From a place to what draws the crop of an image in an epoch, as `PictureFolder` does.

    Attributes
    ----------
    seed, epoch
        Of the run, and from 0.
    """

    seed: int
    epoch: int

    def __call__(self, place: int) -> np.random.Generator:
        """Return the generator of an image."""
        return sample_rng(self.seed, "train", place, f"crop/{self.epoch}")
