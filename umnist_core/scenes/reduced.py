"""Planner of reduced UltraMNIST: grey digits on black, on a small canvas, with few sums.

Source: the released generator of Gupta et al., "Patch Gradient Descent: Training Neural Networks on
Very Large Images", 2023, arXiv 2301.13817 (nyunAI/PatchGD), from which papers quote accuracies on
"UltraMNIST". What it has in common with UltraMNIST: 3 to 5 digits of MNIST's training set, a
multiset of which is drawn for each sum, V-shaped sizes, uniform places without overlap. What it
has not: its ten sums are 0 to 9, its canvas is of 512 px, its largest digit of 252 px, and the
ground is black. Digits keep their greys, repeated and not cut to ink, so no JPEG breaks them.

Differs from that generator as `umnist_core.scenes.ultramnist` does from its own, of which the
digits are planned here.
"""

from __future__ import annotations

import numpy as np

from umnist_core.digits.glyphs import GlyphSet
from umnist_core.geometry import Box
from umnist_core.scenes.grey import added_digit, grey_scene
from umnist_core.scenes.reduced_parameters import ReducedParameters
from umnist_core.scenes.scene import Added, Provenance, Scene
from umnist_core.scenes.ultramnist import (
    TRIES_PER_DIGIT,
    draw_glyph,
    draw_labels,
    glyph_pixels,
    place_digits,
)
from umnist_core.seeds import sample_rng


def plan_reduced_scene(
    parameters: ReducedParameters, source: Provenance, glyphs: GlyphSet
) -> Scene:
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
        With ``added`` and without distractors; its label is the sum of the digits.

    Raises
    ------
    InvalidValueError
        If the sample does not exist, or the glyphs lack a class that is needed or ink of it.
    PlacementError
        If the digits cannot be placed without overlap.
    """
    plain = parameters.as_ultramnist(_draw_sum(parameters, source))
    rng = sample_rng(source.seed, source.split, source.index, "digits")
    labels = draw_labels(plain, source.seed, source.split, source.index, rng)
    squares = place_digits(plain, len(labels), rng)
    digits = tuple(
        added_digit(glyphs, _draw_visible_glyph(glyphs, label, square, rng), square)
        for label, square in zip(labels, squares, strict=True)
    )
    return grey_scene(parameters.canvas, digits, glyphs, source, added=Added())


def _draw_sum(parameters: ReducedParameters, source: Provenance) -> int:
    if isinstance(parameters.label, int):
        return parameters.label
    count = parameters.largest_sum + 1
    turn, place = divmod(source.index, count)
    order = sample_rng(source.seed, source.split, turn, "labels").random(count)
    return int(np.argsort(order, kind="stable")[place])


def _draw_visible_glyph(glyphs: GlyphSet, label: int, square: Box, rng: np.random.Generator) -> int:
    """Draw a glyph of a class that has ink at a size: at 14 px it may have lost it."""
    for _ in range(TRIES_PER_DIGIT):
        glyph = draw_glyph(glyphs, label, rng)
        if glyph_pixels(glyphs, glyph, square.height).any():
            break
    return glyph
