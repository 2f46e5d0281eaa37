"""The sets of MNIST Large Scale: which digits at which scales, and what their files are called."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from umnist_core.datasets.large_scale.rescaling import (
    LARGE_SCALE_PX,
    MAX_SCALE,
    MIN_SCALE,
    TEST_SCALES,
    rescale_digits,
)
from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.errors import InvalidValueError
from umnist_core.seeds import FOLDER_SPLITS, sample_rng

LARGE_SCALE = "large-scale"
"""Preset of the images of MNIST Large Scale: one digit each, in the order of MNIST."""

TRAINING_SCALES = ((1.0, 1.0), (2.0, 2.0), (4.0, 4.0), (1.0, 4.0))
"""Least and largest scale of each published set to learn from; the last is the mixed one."""

FULL_COUNTS = {"train": 50_000, "val": 10_000, "test": 10_000}
"""Images of each published partition."""


@dataclass(frozen=True)
class DigitRange:
    """The digits of a partition, in the order of MNIST.

    Attributes
    ----------
    glyphs
        MNIST's training or test digits.
    first, count
        Which of them.
    """

    glyphs: GlyphSet
    first: int
    count: int


def digits_of(split: str) -> DigitRange:
    """Return all digits of a partition: of MNIST the first 50,000, the last 10,000, or the tests.

    Of the stand-in they are the first five sixths, the last sixth, and all.

    Raises
    ------
    InvalidValueError
        If there is no such split.
    MissingFileError, DamagedFileError
        As `load_glyphs`.
    """
    if split not in FOLDER_SPLITS:
        raise InvalidValueError(
            f"A split of {LARGE_SCALE} is one of {', '.join(FOLDER_SPLITS)}; got {split!r:.40}."
        )
    glyphs = load_glyphs("test" if split == "test" else "train")
    of_training = len(glyphs) * 5 // 6
    if split == "val":
        return DigitRange(glyphs, of_training, len(glyphs) - of_training)
    return DigitRange(glyphs, 0, len(glyphs) if split == "test" else of_training)


def draw_scale(low: float, high: float, *, seed: int, split: str, index: int) -> float:
    """Return the scale of a digit in a set of mixed scales: every doubling is equally likely.

    Parameters
    ----------
    low, high
        Ends of the range.
    seed
        Of the set.
    split
        ``train``, ``val`` or ``test``.
    index
        Number of the digit in MNIST's training or test digits.
    """
    if low == high:
        return low
    part = "test" if split == "test" else "train"
    drawn = sample_rng(seed, part, index, "large-scale").random()
    return float(low * (high / low) ** drawn)


@dataclass(frozen=True)
class LargeScaleSet:
    """One set, which is one file.

    Attributes
    ----------
    low, high
        Least and largest scale, 0.5 to 8; equal where all digits have one.
    counts
        Images of ``train``, ``val`` and ``test``, 1 or more each; none of the first two in a set
        to test with.
    seed
        Of mixed scales.

    Raises
    ------
    InvalidValueError
        If scales or counts are not allowed.
    """

    low: float
    high: float
    counts: dict[str, int] = field(default_factory=lambda: dict(FULL_COUNTS))
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            object.__setattr__(self, name, float(getattr(self, name)))  # the same text in files
        if not MIN_SCALE <= self.low <= self.high <= MAX_SCALE:
            raise InvalidValueError(
                f"The scales of a set are between {MIN_SCALE} and {MAX_SCALE:g}, the least first; "
                f"got {self.low:g} to {self.high:g}; choose others."
            )
        if list(self.counts) not in (list(FOLDER_SPLITS), ["test"]):
            raise InvalidValueError(
                "A set has images to train, to validate and to test with, or to test with alone; "
                f"got {', '.join(self.counts) or 'none'}."
            )
        for split, count in self.counts.items():
            there = digits_of(split).count
            if not 1 <= count <= there:
                raise InvalidValueError(
                    f"The partition {split} has 1 to {there} images, as there are digits for; got "
                    f"{count}; choose fewer."
                )

    @property
    def is_test_only(self) -> bool:
        """Whether there is nothing in it to learn from."""
        return list(self.counts) == ["test"]

    @property
    def name(self) -> str:
        """Name of its file, as the original has it."""
        numbers = "".join(
            f"_{short}{self.counts[split]}"
            for split, short in (("train", "tr"), ("val", "vl"), ("test", "te"))
            if split in self.counts
        )
        scales = scale_words(self.low, self.high)
        learnt = "" if self.is_test_only else f"_sctr{scales}"
        side = f"{LARGE_SCALE_PX}-{LARGE_SCALE_PX}"
        return f"mnist_large_scale{numbers}_outsize{side}{learnt}_scte{scales}.h5"

    @property
    def stored_counts(self) -> dict[str, int]:
        """Images of each partition of the file.

        A set to test with has one of the others, which is not to be used, as the original has.
        """
        return {split: self.counts.get(split, 1) for split in FOLDER_SPLITS}

    def draw(self, split: str, first: int, last: int) -> NDArray[np.float32]:
        """Return the images ``first .. last - 1`` of a partition, float32 (N, 112, 112)."""
        digits = digits_of(split)
        indices = range(digits.first + first, digits.first + last)
        scales = [
            draw_scale(self.low, self.high, seed=self.seed, split=split, index=index)
            for index in indices
        ]
        return rescale_digits(digits.glyphs.images[indices.start : indices.stop], scales)

    def labels(self, split: str) -> NDArray[np.uint8]:
        """Return the classes of a partition's digits, uint8 (N,)."""
        digits = digits_of(split)
        last = digits.first + self.stored_counts[split]
        return digits.glyphs.labels[digits.first : last]


def published_sets(split: str, counts: dict[str, int], seed: int = 0) -> list[LargeScaleSet]:
    """Return the four sets to learn from (``train``), or the 17 to test with (``test``)."""
    if split == "test":
        return [LargeScaleSet(scale, scale, counts, seed) for scale in TEST_SCALES]
    return [LargeScaleSet(low, high, counts, seed) for low, high in TRAINING_SCALES]


def scale_words(low: float, high: float) -> str:
    """Return scales as names of files say them: ``1p000``, or ``1p000-4p000`` for a range."""
    words = [f"{scale:.3f}".replace(".", "p") for scale in dict.fromkeys((low, high))]
    return "-".join(words)


_SCALES = r"(?:\d+p\d+(?:-\d+p\d+)?|\d+(?:-\d+)?)"
_NAME = re.compile(
    r"mnist_large_scale(?:_tr(?P<train>\d+))?(?:_vl(?P<val>\d+))?(?:_te(?P<test>\d+))?"
    rf"_outsize\d+-\d+(?:_sctr(?P<learnt>{_SCALES}))?(?:_scte(?P<tested>{_SCALES}))?"
    r"(?:-\d+| ?\(\d+\))?\.(?:h5|hdf5)"  # what browsers add to a second download
)


@dataclass(frozen=True)
class NameWords:
    """What the name of a file says; see `read_name`.

    Attributes
    ----------
    splits
        Partitions that it promises to hold images in.
    learnt, tested
        Least and largest scale of ``train`` and ``val``, and of ``test``; None where it is silent.
    """

    splits: tuple[str, ...] = ()
    learnt: tuple[float, float] | None = None
    tested: tuple[float, float] | None = None

    def scales_of(self, split: str) -> tuple[float, float] | None:
        """Return least and largest scale of a partition; None where the name is silent."""
        return self.tested if split == "test" or self.learnt is None else self.learnt


def read_name(name: str) -> NameWords:
    """Return what the name of a file says: nothing where it is none of the data set's.

    Both names of the mixed set are read, early ones, and those of second downloads. Scales with
    three decimals mean the nearest of the published 17.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return NameWords()
    splits = tuple(split for split in FOLDER_SPLITS if found[split])
    return NameWords(splits, _read_scales(found["learnt"]), _read_scales(found["tested"]))


def published_scale(said: float) -> float:
    """Return the published scale that a number with three decimals means; the number if none."""
    return next((one for one in TEST_SCALES if round(one, 3) == said), said)


def _read_scales(words: str | None) -> tuple[float, float] | None:
    if words is None:
        return None
    ends = [published_scale(float(word.replace("p", "."))) for word in words.split("-")]
    return (ends[0], ends[-1])
