"""Planner of Needle MNIST scenes, in which a 3 is looked for among other digits.

Source: Pawlowski et al., "Needles in Haystacks: On Classifying Tiny Objects in Large Images",
2019, arXiv 1908.06037, told again by Riffi-Aslett and Fell, 2024, arXiv 2412.11237, section 2.3.1.
Written from the recipe, without the released generator's code, whose licence forbids copies.

All digits are of 28 px, and their greys are added and cut at white. The needle lies within one cell
of a grid of 64 px, the distractors anywhere. In 512 x 512 px there are 100 of them, and in an image
without a needle one more, so that the number of digits says nothing. They are drawn with
replacement from the digits of other classes of the same split. Images with a needle and without
take turns; the needles are all digits 3 of the split, in an order of their own, before any comes
again. The published training set has each of them twice (`count_published`).

MNIST's training set is divided so that the published 5,638 needles are there: its first 5,000
digits are for validation, 55,000 for training. Differs from the released generator in its random
numbers, and so in every image.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from umnist_core.digits.glyphs import GLYPH_PX, GlyphSet
from umnist_core.errors import InvalidValueError
from umnist_core.geometry import Box
from umnist_core.scenes.grey import added_digit, grey_scene
from umnist_core.scenes.needle_parameters import CELL_PX, NEEDLE_CLASS, NeedleParameters
from umnist_core.scenes.scene import Added, Digit, Provenance, Scene
from umnist_core.seeds import draw_int, sample_rng

TIMES_EACH = 2
"""How often each needle comes in the published training set."""

_VALIDATION_SHARE = 12
"""MNIST's 60,000 are divided into 55,000 and the first 5,000."""

Indices = NDArray[np.int64]


class _Pool(NamedTuple):
    """The digits of one part of a split.

    Attributes
    ----------
    needles, others
        Glyphs that are looked for, and all others.
    prefix
        Of the purposes of its generators: images for validation are no images for training with
        other digits in their places.
    """

    needles: Indices
    others: Indices
    prefix: str


def plan_needle_scene(parameters: NeedleParameters, source: Provenance, glyphs: GlyphSet) -> Scene:
    """Plan one image.

    Parameters
    ----------
    parameters
        What to draw from.
    source
        Which sample: its seed, split and index; kept in the scene.
    glyphs
        Where the digits come from.

    Returns
    -------
    Scene
        With ``added``; its only digit is the needle, and it has none where there is no needle.

    Raises
    ------
    InvalidValueError
        If the sample does not exist or the glyphs lack digits that are needed.
    """
    noise_seed = source.seed if parameters.noise_seed is None else parameters.noise_seed
    pool = _find_pool(glyphs, source.split, parameters.digits_from)
    needle = _plan_needle(parameters, source, glyphs, pool)
    count = parameters.noise_squares + (needle is None)
    distractors = _plan_distractors(parameters.canvas, count, noise_seed, source, pool)
    digits = () if needle is None else (needle,)
    added = Added(distractors, NEEDLE_CLASS)
    return grey_scene(parameters.canvas, digits, glyphs, source, added=added)


def count_published(glyphs: GlyphSet, split: str = "train", digits_from: str = "training") -> int:
    """Return how many images the published set has of some digits.

    Every 3 is the needle of two images, and as many have none: 22,552 for MNIST's 55,000.

    Raises
    ------
    InvalidValueError
        If the glyphs have no 3, or nothing else.
    """
    return 2 * TIMES_EACH * len(_find_pool(glyphs, split, digits_from).needles)


@lru_cache(maxsize=16)
def _find_pool(glyphs: GlyphSet, split: str, digits_from: str) -> _Pool:
    begin, end, prefix = 0, len(glyphs), ""
    if split == "train":
        border = len(glyphs) // _VALIDATION_SHARE
        is_training = digits_from == "training"
        begin, end, prefix = (border, end, "") if is_training else (0, border, "validation/")
    labels = glyphs.labels[begin:end]
    pool = _Pool(
        begin + np.flatnonzero(labels == NEEDLE_CLASS),
        begin + np.flatnonzero(labels != NEEDLE_CLASS),
        prefix,
    )
    if not (len(pool.needles) and len(pool.others)):
        raise InvalidValueError(
            f"Of the {end - begin} digits {begin} to {end - 1} of glyph set {glyphs.name} none is "
            f"a {NEEDLE_CLASS}, or all are; use a set with more digits."
        )
    return pool


def _plan_needle(
    parameters: NeedleParameters, source: Provenance, glyphs: GlyphSet, pool: _Pool
) -> Digit | None:
    rng = sample_rng(source.seed, source.split, source.index, f"{pool.prefix}digits")
    coin = draw_int(rng, 0, 1)  # always drawn, so that the place stays the same
    row, col = (_draw_place(parameters.canvas, rng) for _ in range(2))
    number = _number_of_needle(parameters.label, source.index, coin)
    if number is None:
        return None
    turn, place = divmod(number, len(pool.needles))
    order = _order_of_needles(source.seed, source.split, turn, len(pool.needles))
    square = Box.from_size(row, col, GLYPH_PX, GLYPH_PX)
    return added_digit(glyphs, int(pool.needles[order[place]]), square)


def _draw_place(canvas_px: int, rng: np.random.Generator) -> int:
    """Draw the first row, or column, of a needle: a whole cell, and a place within it."""
    cell = draw_int(rng, 0, canvas_px // CELL_PX - 1)
    return CELL_PX * cell + draw_int(rng, 0, CELL_PX - GLYPH_PX - 1)


def _number_of_needle(label: str | int, index: int, coin: int) -> int | None:
    """Return how many needles come before that of an image; None if it has none."""
    if label == "balanced":
        number, is_without = divmod(index, 2)
        return None if is_without else number
    return index if (coin if label == "free" else label) else None


@lru_cache(maxsize=8)
def _order_of_needles(seed: int, split: str, turn: int, count: int) -> Indices:
    return np.argsort(sample_rng(seed, split, turn, "needles").random(count), kind="stable")


def _plan_distractors(
    canvas_px: int, count: int, noise_seed: int, source: Provenance, pool: _Pool
) -> tuple[tuple[int, int, int], ...]:
    rng = sample_rng(noise_seed, source.split, source.index, f"{pool.prefix}distractors")
    drawn = rng.random((count, 3))  # row by row, so that a larger count keeps the earlier ones
    chosen = pool.others[(drawn[:, 0] * len(pool.others)).astype(np.int64)]
    # As published, the last place is not reached.
    places = (drawn[:, 1:] * (canvas_px - GLYPH_PX)).astype(np.int64)
    return tuple(zip(chosen.tolist(), *places.T.tolist(), strict=True))
