"""Digits drawn from seven segments: a glyph set that every machine has, bit for bit."""

from __future__ import annotations

import numpy as np

from umnist_core.digits.glyphs import GlyphSet

# Segments a..g as (row slice, column slice) of a 28 x 28 glyph.
_SEGMENTS = {
    "a": (slice(4, 7), slice(8, 20)),
    "b": (slice(4, 14), slice(17, 20)),
    "c": (slice(13, 24), slice(17, 20)),
    "d": (slice(21, 24), slice(8, 20)),
    "e": (slice(13, 24), slice(8, 11)),
    "f": (slice(4, 14), slice(8, 11)),
    "g": (slice(12, 15), slice(8, 20)),
}
_DIGITS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")
VARIANTS = 5


def segment_glyphs() -> GlyphSet:
    """Return 5 glyphs of each class, uint8 with greys at the rim so that a threshold matters."""
    images = np.zeros((10 * VARIANTS, 28, 28), np.uint8)
    for place in range(len(images)):
        label, variant = divmod(place, VARIANTS)
        for segment in _DIGITS[label]:
            images[place][_SEGMENTS[segment]] = 255 - 20 * variant
        images[place] = np.roll(images[place], variant - 2, axis=1)
        rim = (images[place] == 0) & (np.roll(images[place], 1, axis=1) > 0)
        images[place][rim] = 70 + 25 * variant
    return GlyphSet("segments", images, np.repeat(np.arange(10, dtype=np.uint8), VARIANTS))
