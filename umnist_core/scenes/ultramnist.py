"""Planner of UltraMNIST scenes.

Source: Gupta et al., "UltraMNIST Classification: A Benchmark to Train CNNs for Very
Large Images", Scientific Data 2024, arXiv 2206.12681, section "Methods, Data
creation", and the authors' released generator. Differs from the released generator
in that placement has a bounded number of tries, that squares may not even share a row
or a column of pixels at their rim, and that a digit without a single pixel of ink
(possible at 14 px) is drawn again.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from umnist_core.digits.glyphs import GLYPH_PX, GlyphSet
from umnist_core.errors import InvalidValueError, PlacementError
from umnist_core.geometry import Box
from umnist_core.scenes.digit_jpeg import PlacedGlyph, Written, WrittenDigits, write_digits
from umnist_core.scenes.parameters import MAX_LABEL, Span, UltraMnistParameters
from umnist_core.scenes.scene import (
    SUBPIXELS,
    Checkerboard,
    Digit,
    Provenance,
    Scene,
)
from umnist_core.scenes.shapes import SHAPES, Circle, Draw, Shape, Triangle
from umnist_core.seeds import draw_float, draw_int, sample_rng

REFERENCE_CANVAS_PX = 4000
CIRCLE_RADIUS_PX = (50, 999)
"""Smallest and largest radius on a 4000-px canvas; other canvases scale it."""

PAIR: tuple[type[Shape], ...] = (Circle, Triangle)
"""What ``shape_pairs`` counts, one of each."""

TRIES_PER_DIGIT = 1000
RESTARTS = 20
CROP_ZOOM = 2.0
"""The released generator crops the middle half of the checkerboard and doubles it."""


def plan_ultramnist_scene(
    parameters: UltraMnistParameters, source: Provenance, glyphs: GlyphSet
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
        The same for the same arguments, on every machine.

    Raises
    ------
    InvalidValueError
        If the sample does not exist or the glyphs lack a class that is needed.
    PlacementError
        If the digits cannot be placed without overlap.
    """
    seed, split, index = source.seed, source.split, source.index
    noise_seed = seed if parameters.noise_seed is None else parameters.noise_seed
    size = parameters.canvas
    rng = sample_rng(seed, split, index, "digits")
    labels = draw_labels(parameters, seed, split, index, rng)
    placed = place_digits(parameters, len(labels), rng)
    chosen, threshold = _choose_glyphs(labels, placed, glyphs, parameters, rng)
    greys = _grey_digits(glyphs, chosen, placed, parameters)
    return Scene(
        height=size,
        width=size,
        digits=tuple(
            _digit(label, glyph, box, grey, threshold)
            for label, glyph, box, grey in zip(labels, chosen, placed, greys.digits, strict=True)
        ),
        checkerboard=_plan_checkerboard(
            parameters, sample_rng(noise_seed, split, index, "checkerboard")
        ),
        shapes=_plan_shapes(parameters, sample_rng(noise_seed, split, index, "shapes")),
        ink_threshold=threshold,
        glyph_set=glyphs.name,
        glyph_checksum=glyphs.checksum,
        stand_in=glyphs.is_stand_in,
        provenance=source,
        digit_jpeg=parameters.digit_jpeg or None,
    )


# -- which digits -----------------------------------------------------------------


@lru_cache(maxsize=1024)
def digit_multisets(label: int, fewest: int, most: int) -> tuple[tuple[int, ...], ...]:
    """Return every multiset of ``fewest`` to ``most`` digits that sums to ``label``."""
    return tuple(
        combination
        for count in range(fewest, most + 1)
        for combination in combinations_with_replacement(range(10), count)
        if sum(combination) == label
    )


def draw_labels(
    parameters: UltraMnistParameters, seed: int, split: str, index: int, rng: np.random.Generator
) -> tuple[int, ...]:
    """Draw the classes of the digits, and return them in the order in which they are placed."""
    if parameters.label == "free":
        labels = _draw_free_labels(parameters, rng)
        return tuple(sorted(labels)) if parameters.digit_order == "by-class" else labels
    if parameters.label == "balanced":
        run = balanced_labels(parameters, seed, split, index)
        label = run[index % len(run)]
    else:
        label = int(parameters.label)
    multisets = digit_multisets(label, *parameters.digits.ints)
    multiset = multisets[draw_int(rng, 0, len(multisets) - 1)]
    if parameters.digit_order == "by-class":
        return multiset
    return tuple(multiset[place] for place in np.argsort(rng.random(len(multiset)), kind="stable"))


def _draw_free_labels(
    parameters: UltraMnistParameters, rng: np.random.Generator
) -> tuple[int, ...]:
    """Draw the number of digits, then each class, until the sum is one of UltraMNIST's."""
    while True:
        count = draw_int(rng, *parameters.digits.ints)
        labels = tuple(draw_int(rng, 0, 9) for _ in range(count))
        if sum(labels) <= MAX_LABEL:
            return labels


def balanced_labels(
    parameters: UltraMnistParameters, seed: int, split: str, index: int
) -> tuple[int, ...]:
    """Return the labels of the run of samples that one is in, each once, in their order.

    A run is 28 samples, or one for each sum that fewer digits can have.
    """
    count = min(MAX_LABEL, 9 * int(parameters.digits.high)) + 1
    drawn = sample_rng(seed, split, index // count, "labels").random(count)
    return tuple(np.argsort(drawn, kind="stable").tolist())


# -- where, and how large ---------------------------------------------------------


@lru_cache(maxsize=64)
def factor_distribution(
    distribution: str, factor: Span
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return the whole factors of a scale distribution and their probabilities.

    ``v-shaped`` over m factors weighs them ceil(m/2), ..., 2, 1, 1, 2, ..., floor(m/2):
    for the released 1 to 75 that is 38 ... 1, 1 ... 37. Where the range starts at 0.5, a
    drawn factor of 1 becomes 0.5 (14 px) by a fair coin.
    """
    factors = tuple(range(math.ceil(factor.low), math.floor(factor.high) + 1)) or (1,)
    count = len(factors)
    if distribution == "v-shaped":
        half = (count + 1) // 2
        weights = [*range(half, 0, -1), *range(1, count - half + 1)]
    else:
        weights = [1] * count
    total = sum(weights)
    return factors, tuple(weight / total for weight in weights)


@lru_cache(maxsize=64)
def _cumulative(distribution: str, factor: Span) -> tuple[tuple[int, ...], NDArray[np.float64]]:
    factors, probabilities = factor_distribution(distribution, factor)
    return factors, np.cumsum(probabilities)


def _draw_side_px(parameters: UltraMnistParameters, rng: np.random.Generator) -> int:
    span = parameters.factor
    if span.high == 0.5:
        return GLYPH_PX // 2
    factors, cumulative = _cumulative(parameters.scale_distribution, span)
    place = int(np.searchsorted(cumulative, rng.random(), side="right"))
    side_px = GLYPH_PX * factors[min(place, len(factors) - 1)]
    if side_px == GLYPH_PX and span.low == 0.5 and rng.random() < 0.5:
        return GLYPH_PX // 2
    return side_px


def place_digits(
    parameters: UltraMnistParameters, count: int, rng: np.random.Generator
) -> tuple[Box, ...]:
    """Place ``count`` squares without overlap.

    As in the released generator a square that meets an earlier one is drawn again, size
    and all, so later digits lean small. When one finds no place, all are placed afresh.

    Raises
    ------
    PlacementError
        If that does not help either.
    """
    for _ in range(RESTARTS):
        boxes: list[Box] = []
        while len(boxes) < count:
            box = _find_place(parameters, boxes, rng)
            if box is None:
                break
            boxes.append(box)
        else:
            return tuple(boxes)
    raise PlacementError(
        f"{count} digits of factor={parameters.factor} found no place without overlap in "
        f"canvas={parameters.canvas} px after {RESTARTS} x {TRIES_PER_DIGIT} tries; lower factor "
        "or digits, or enlarge canvas."
    )


def _find_place(
    parameters: UltraMnistParameters, earlier: list[Box], rng: np.random.Generator
) -> Box | None:
    canvas_px = parameters.canvas
    for _ in range(TRIES_PER_DIGIT):
        side_px = _draw_side_px(parameters, rng)
        room = canvas_px - side_px
        if room < 0:
            continue
        box = Box.from_size(draw_int(rng, 0, room), draw_int(rng, 0, room), side_px, side_px)
        if not any(box.overlaps(other) for other in earlier):
            return box
    return None


# -- which glyphs, and what of them is ink ----------------------------------------


def glyph_pixels(glyphs: GlyphSet, glyph: int, side_px: int) -> NDArray[np.uint8]:
    """Return the pixels of a glyph that a digit of ``side_px`` repeats.

    Returns
    -------
    ndarray
        uint8 (28, 28), or (14, 14) for a 14-px digit: nearest neighbour keeps every
        second pixel (paper, section "Data creation").
    """
    step = 2 if side_px < GLYPH_PX else 1
    pixels: NDArray[np.uint8] = glyphs.images[glyph, ::step, ::step]
    return pixels


def written_digits(scene: Scene, glyphs: GlyphSet) -> WrittenDigits:
    """Return the grey digits of a scene, of which everything above its threshold is ink."""
    chosen = [digit.glyph for digit in scene.digits]
    placed = _placed_glyphs(glyphs, chosen, scene.boxes)
    return write_digits(placed, scene.height, scene.width, scene.digit_jpeg)


def _grey_digits(
    glyphs: GlyphSet, chosen: list[int], boxes: tuple[Box, ...], parameters: UltraMnistParameters
) -> WrittenDigits:
    placed = _placed_glyphs(glyphs, chosen, boxes)
    canvas_px = parameters.canvas
    return write_digits(placed, canvas_px, canvas_px, parameters.digit_jpeg or None)


def _placed_glyphs(
    glyphs: GlyphSet, chosen: list[int], boxes: tuple[Box, ...]
) -> tuple[PlacedGlyph, ...]:
    placed = []
    for glyph, box in zip(chosen, boxes, strict=True):
        pixels = glyph_pixels(glyphs, glyph, box.height)
        placed.append(PlacedGlyph(pixels.tobytes(), len(pixels), box.row0, box.col0, box.height))
    return tuple(placed)


def _choose_glyphs(
    labels: tuple[int, ...],
    boxes: tuple[Box, ...],
    glyphs: GlyphSet,
    parameters: UltraMnistParameters,
    rng: np.random.Generator,
) -> tuple[list[int], int]:
    """Draw a glyph of each class, and the grey value above which they are ink."""
    chosen = [draw_glyph(glyphs, label, rng) for label in labels]
    for _ in range(TRIES_PER_DIGIT):
        greys = _grey_digits(glyphs, chosen, boxes, parameters)
        threshold = otsu_threshold(greys.histogram(parameters.canvas, parameters.canvas))
        blank = [place for place, grey in enumerate(greys.digits) if grey.greys.max() <= threshold]
        if not blank:
            return chosen, threshold
        for place in blank:
            chosen[place] = draw_glyph(glyphs, labels[place], rng)
    raise PlacementError(
        f"No glyph with ink was found for digits {labels} in glyph set {glyphs.name}; "
        "use a glyph set with visible digits."
    )


def draw_glyph(glyphs: GlyphSet, label: int, rng: np.random.Generator) -> int:
    """Draw a glyph of a class.

    Raises
    ------
    InvalidValueError
        If the set has none.
    """
    indices = glyphs.indices_by_label[label]
    if len(indices) == 0:
        raise InvalidValueError(
            f"Glyph set {glyphs.name} has no digit {label}; use one with all ten classes."
        )
    return int(indices[draw_int(rng, 0, len(indices) - 1)])


def otsu_threshold(histogram: NDArray[np.float64]) -> int:
    """Return Otsu's threshold of a grey canvas, 0 to 254; what is above it is ink.

    Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. SMC
    1979; the released generator applies it to the canvas of grey digits.

    Parameters
    ----------
    histogram
        float64 (256,) of whole numbers: how many pixels have each grey.
    """
    below = np.cumsum(histogram)
    mass_below = np.cumsum(histogram * np.arange(256))
    above = below[-1] - below
    # Between-class variance, times a constant; nothing where a class is empty.
    numerator = (mass_below[-1] * below - mass_below * below[-1]) ** 2
    split = (below > 0) & (above > 0)
    variance = np.divide(numerator, below * above, out=np.zeros(256), where=split)
    return int(np.argmax(variance))


def _digit(label: int, glyph: int, box: Box, grey: Written, threshold: int) -> Digit:
    ink = grey.greys > threshold
    rows, cols = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    ink_box = Box(
        int(grey.rows[rows[0]]),
        int(grey.cols[cols[0]]),
        int(grey.rows[rows[-1] + 1]),
        int(grey.cols[cols[-1] + 1]),
    )
    return Digit(label, glyph, box.row0, box.col0, box.height, ink_box)


# -- the ground -------------------------------------------------------------------


def _plan_checkerboard(
    parameters: UltraMnistParameters, rng: np.random.Generator
) -> Checkerboard | None:
    """Plan an n x n grid of independent random bits under a rotation, zoom and shear.

    The map is about the centre: x' = zoom (cos r, sin r) per step right and
    y' = zoom (-sin r - cos r tan s, cos r - sin r tan s) per step down.
    """
    size = draw_int(rng, *parameters.checkerboard.ints)
    rotation_deg = draw_float(rng, parameters.rotation.low, parameters.rotation.high)
    shear_deg = draw_float(rng, parameters.shear.low, parameters.shear.high)
    zoom = draw_float(rng, parameters.zoom.low, parameters.zoom.high)
    if size == 0:
        return None
    bits = rng.random((size, size)) < 0.5
    cos, sin = math.cos(math.radians(rotation_deg)), math.sin(math.radians(rotation_deg))
    lean = math.tan(math.radians(shear_deg))
    cell = parameters.canvas / size * zoom * CROP_ZOOM * SUBPIXELS
    right = (round(cell * sin), round(cell * cos))
    down = (round(cell * (cos - sin * lean)), round(cell * (-sin - cos * lean)))
    centre = parameters.canvas * SUBPIXELS // 2
    origin = tuple(centre - size * (down[axis] + right[axis]) // 2 for axis in (0, 1))
    return Checkerboard(
        cells=tuple("".join("1" if bit else "0" for bit in row) for row in bits.tolist()),
        origin=(origin[0], origin[1]),
        step_down=down,
        step_right=right,
        rotation_deg=rotation_deg,
        shear_deg=shear_deg,
        zoom=zoom,
    )


def _plan_shapes(parameters: UltraMnistParameters, rng: np.random.Generator) -> tuple[Shape, ...]:
    size = parameters.canvas
    low, high = (max(1, r * size // REFERENCE_CANVAS_PX) for r in CIRCLE_RADIUS_PX)
    draw = Draw(
        point=lambda: (draw_int(rng, 0, size), draw_int(rng, 0, size)),
        radius=lambda: draw_int(rng, low, high),
    )

    def count(kind: type[Shape]) -> int:
        span: Span = getattr(parameters, kind.plural)
        return draw_int(rng, *span.ints)

    if parameters.shape_pairs is None:
        counts = {kind: count(kind) for kind in PAIR}
    else:
        counts = dict.fromkeys(PAIR, draw_int(rng, *parameters.shape_pairs.ints))
    shapes = [kind.drawn(draw) for kind in PAIR for _ in range(counts[kind])]
    # Others come after these two, so that scenes without them stay as they are.
    for kind in (one for one in SHAPES.values() if one not in PAIR):
        shapes += [kind.drawn(draw) for _ in range(count(kind))]
    return tuple(shapes)
