"""Planner of Megapixel MNIST scenes.

Sources: Katharopoulos and Fleuret, ICML 2019, arXiv 1905.03711; Bergner et al., "Iterative
Patch Selection for High-Resolution Image Recognition", ICLR 2023, arXiv 2210.13007;
Riffi-Aslett and Fell, 2024, arXiv 2412.11237; and their released generators. Of five digits
three are alike: one class is drawn uniformly, three of its glyphs with replacement, and two
glyphs of any other class. Digits are grey, of one size, and pasted over the strokes
(`umnist_core.scenes.strokes`) as whole squares, black included; no two squares overlap.

Differs from the released generators in that a square's place is exactly uniform (theirs
makes the first and last place half as likely) and that placement has a bounded number of
tries. They take the digits of their test split from MNIST's test set; here the caller's
glyphs decide (``load_glyphs`` has both sets).
"""

from __future__ import annotations

import numpy as np

from umnist_core.digits.glyphs import GlyphSet
from umnist_core.errors import InvalidValueError, PlacementError
from umnist_core.geometry import Box
from umnist_core.scenes.grey import grey_scene
from umnist_core.scenes.megapixel_parameters import MegapixelParameters
from umnist_core.scenes.resize import resize_by_area
from umnist_core.scenes.scene import Digit, Provenance, Scene
from umnist_core.scenes.strokes import plan_strokes
from umnist_core.seeds import draw_int, sample_rng

TRIES_PER_DIGIT = 1000
RESTARTS = 20


def plan_megapixel_scene(
    parameters: MegapixelParameters, source: Provenance, glyphs: GlyphSet
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
        With ``strokes``, and ``tasks`` as labels. Its digits depend neither on the
        parameters of the noise nor, but for their places, on sizes.

    Raises
    ------
    InvalidValueError
        If the sample does not exist or the glyphs lack a class that is needed.
    PlacementError
        If the digits cannot be placed without overlap.
    """
    noise_seed = source.seed if parameters.noise_seed is None else parameters.noise_seed
    rng = sample_rng(source.seed, source.split, source.index, "digits")
    majority = _draw_majority(parameters, source, rng)
    chosen = _draw_glyphs(majority, parameters.digits, glyphs, rng)
    boxes = _place(parameters, rng)
    digits = tuple(_digit(glyph, box, glyphs) for glyph, box in zip(chosen, boxes, strict=True))
    strokes = plan_strokes(parameters, noise_seed, source.split, source.index)
    return grey_scene(parameters.canvas, digits, glyphs, source, strokes=strokes)


def _draw_majority(
    parameters: MegapixelParameters, source: Provenance, rng: np.random.Generator
) -> int:
    """Return the class of which more than half of the digits are."""
    free = draw_int(rng, 0, 9)  # always drawn, so that the rest of the image stays the same
    if parameters.label == "free":
        return free
    if parameters.label == "balanced":
        block, place = divmod(source.index, 10)
        order = sample_rng(source.seed, source.split, block, "labels").random(10)
        return int(np.argsort(order, kind="stable")[place])
    return int(parameters.label)


def _draw_glyphs(
    majority: int, count: int, glyphs: GlyphSet, rng: np.random.Generator
) -> list[int]:
    """Draw the glyphs: first those that are alike, then those of other classes."""
    alike = glyphs.indices_by_label[majority]
    other = np.flatnonzero(glyphs.labels != majority)
    if len(alike) == 0 or (count > 1 and len(other) == 0):
        raise InvalidValueError(
            f"Glyph set {glyphs.name} has no digit {majority}, or no other; use one with all "
            "ten classes."
        )
    most = count // 2 + 1
    pools = [alike] * most + [other] * (count - most)
    return [int(pool[draw_int(rng, 0, len(pool) - 1)]) for pool in pools]


def _place(parameters: MegapixelParameters, rng: np.random.Generator) -> list[Box]:
    """Place squares of equal size without overlap; one that meets another is drawn again."""
    for _ in range(RESTARTS):
        boxes: list[Box] = []
        while len(boxes) < parameters.digits:
            box = _find_place(parameters, boxes, rng)
            if box is None:
                break
            boxes.append(box)
        else:
            return boxes
    raise PlacementError(
        f"{parameters.digits} digits of digit_size={parameters.digit_size} px found no place "
        f"without overlap in canvas={parameters.canvas} px after {RESTARTS} x {TRIES_PER_DIGIT} "
        "tries; lower digit_size or digits, or enlarge canvas."
    )


def _find_place(
    parameters: MegapixelParameters, earlier: list[Box], rng: np.random.Generator
) -> Box | None:
    side_px = parameters.digit_size
    room = parameters.canvas - side_px
    for _ in range(TRIES_PER_DIGIT):
        box = Box.from_size(draw_int(rng, 0, room), draw_int(rng, 0, room), side_px, side_px)
        if not any(box.overlaps(other) for other in earlier):
            return box
    return None


def _digit(glyph: int, box: Box, glyphs: GlyphSet) -> Digit:
    ink = resize_by_area(glyphs.images[glyph], box.height) > 0
    rows, cols = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if len(rows) == 0:
        raise InvalidValueError(
            f"Glyph {glyph} of glyph set {glyphs.name} is black at {box.height} px; use a glyph "
            "set with visible digits, or raise digit_size."
        )
    ink_box = Box(int(rows[0]), int(cols[0]), int(rows[-1]) + 1, int(cols[-1]) + 1)
    return Digit(
        int(glyphs.labels[glyph]),
        glyph,
        box.row0,
        box.col0,
        box.height,
        ink_box.shifted(box.row0, box.col0),
    )
