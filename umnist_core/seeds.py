"""Independent random generators, one for each purpose of each sample.

A sample is a pure function of ``(seed, split, index)``: no generator is shared
between samples, so any sample can be made alone, in any order, on any machine.
Within a sample each purpose (digits, checkerboard, shapes ...) has a generator of
its own, so changing the noise leaves the digits where they are, and the reverse.

Only ``Generator.random`` is drawn from: NumPy may change how its other methods
use the bit stream (NEP 19), and our pixels must not change with NumPy's version.
"""

from __future__ import annotations

import zlib

import numpy as np

from umnist_core.errors import InvalidValueError

MAX_SEED = 2**53 - 1
"""Largest seed and largest index of a scene: JavaScript, JSON's readers and tables hold every whole
number up to it exactly."""

SPLITS = ("train", "test")

FOLDER_SPLITS = ("train", "val", "test")
"""Splits that a folder of images may have; what we draw has no ``val``."""


def sample_rng(seed: int, split: str, index: int, purpose: str) -> np.random.Generator:
    """Return the generator of one purpose of one sample.

    Parameters
    ----------
    seed
        Seed of the data set, 0 or more.
    split
        ``"train"`` or ``"test"``; both splits draw from the same glyphs, as the
        UltraMNIST paper does, and differ only here.
    index
        Number of the sample in its split, 0 or more.
    purpose
        What is drawn, for example ``"digits"``.

    Raises
    ------
    InvalidValueError
        If the seed or the index is negative, or the split has another name.
    """
    if seed < 0:
        raise InvalidValueError(f"A seed is a whole number of 0 or more; got {seed}.")
    if index < 0:
        raise InvalidValueError(f"An index is a whole number of 0 or more; got {index}.")
    if split not in SPLITS:
        raise InvalidValueError(f"A split is one of {', '.join(SPLITS)}; got {split!r}.")
    key = zlib.crc32(f"{split}/{purpose}".encode())
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, index, key))))


def draw_int(rng: np.random.Generator, low: int, high: int) -> int:
    """Draw a whole number, uniform from ``low`` to ``high``, both included."""
    return low + int(rng.random() * (high - low + 1))


def draw_float(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number, uniform from ``low`` to ``high``."""
    return low + rng.random() * (high - low)
