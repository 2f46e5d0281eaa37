"""What a setting's images are like, in figures that tell how hard its digits are to find.

Each figure is computed from scenes, at a reduced size where that changes next to nothing;
``docs/noise-figures.md`` says how, why, and how exact it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from umnist_core.digits import GlyphSet
from umnist_core.geometry import Box, reduced_size_px
from umnist_core.rendering import digit_mask, render
from umnist_core.rendering.figures import ink_share
from umnist_core.scenes import Digit, Scene
from umnist_core.scenes.ultramnist import glyph_pixels

EDGE_SAMPLES = 2000
"""Lines along each side, and samples on each line, that edges are counted on."""

GROUND_SAMPLES = 500
"""The same for the widths of the ground's structures."""

STROKE_WINDOW_PX = 1000
"""Strokes are a pixel wide, so they are measured in full, in the middle of the image."""

DIGIT_SAMPLES = 64
"""Samples along one side of a digit that its contrast is measured on, at least."""

THICKNESS_EDGES_PX = tuple(float(2 ** (half_octave / 2)) for half_octave in range(-1, 26))
"""Edges of the bins of thickness, in px: two bins for each doubling."""

Mask = NDArray[np.bool_]
Histogram = tuple[float, ...]


@dataclass(frozen=True)
class ImageFigures:
    """Figures of one image.

    Attributes
    ----------
    index
        Number of the sample.
    sides_px
        Side of each digit's square, in the order of the scene.
    object_to_image_ratios
        Area of each digit's square over that of the image, 0 to 1.
    ink_share
        Area of all digits' ink, specks with it, over that of the image, 0 to 1.
    edges_per_1000_px
        Changes between dark and light met on 1000 px of a horizontal or vertical line.
    contrasts
        For each digit how far the mean grey of its ink is from that of what is around it,
        0 to 1; see `digit_contrast`.
    digit_thickness, noise_thickness
        Share of pixels of each thickness, one for each bin of `THICKNESS_EDGES_PX`; each
        adds up to 1, or to 0 where there is no noise.
    """

    index: int
    sides_px: tuple[int, ...]
    object_to_image_ratios: tuple[float, ...]
    ink_share: float
    edges_per_1000_px: float
    contrasts: tuple[float, ...]
    digit_thickness: Histogram
    noise_thickness: Histogram


@dataclass(frozen=True)
class NoiseFigures:
    """Figures of a setting: those of some of its images, and what they have in common.

    Attributes
    ----------
    images
        One for each image.
    digit_thickness, noise_thickness
        Mean of the images' own.
    thickness_likeness
        Share that both have in common, 0 (no structure of the noise is as wide as any
        stroke of a digit) to 1 (the same distribution).
    """

    images: tuple[ImageFigures, ...]
    digit_thickness: Histogram
    noise_thickness: Histogram
    thickness_likeness: float


def measure_image(scene: Scene, glyphs: GlyphSet) -> ImageFigures:
    """Return the figures of one image.

    Raises
    ------
    GlyphMismatchError
        If the glyphs are not those of the scene.
    """
    return ImageFigures(
        index=0 if scene.provenance is None else scene.provenance.index,
        sides_px=tuple(digit.side_px for digit in scene.digits),
        object_to_image_ratios=scene.object_to_image_ratios,
        ink_share=ink_share(scene, glyphs),
        edges_per_1000_px=edge_density(scene, glyphs),
        contrasts=tuple(digit_contrast(scene, glyphs, digit) for digit in scene.digits),
        digit_thickness=_digit_thickness(scene, glyphs),
        noise_thickness=_noise_thickness(scene, glyphs),
    )


def pool_figures(images: Sequence[ImageFigures]) -> NoiseFigures:
    """Return the figures of a setting from those of one or more of its images."""
    # Images without digits, or without noise, say nothing of how wide these are.
    with_digits = [image for image in images if image.sides_px] or images
    digits = np.mean([image.digit_thickness for image in with_digits], axis=0)
    noise = np.mean([image.noise_thickness for image in images], axis=0)
    total = noise.sum()
    if total:
        noise = noise / total
    return NoiseFigures(
        tuple(images),
        tuple(digits.tolist()),
        tuple(noise.tolist()),
        float(np.minimum(digits, noise).sum()),
    )


# -- ink --------------------------------------------------------------------------


def _ink(scene: Scene, glyphs: GlyphSet, place: int) -> tuple[Mask, int]:
    """Return the ink of a digit on the smallest grid that holds it, and px per cell of it."""
    digit = scene.digits[place]
    if scene.is_grey:
        return digit_mask(scene, glyphs, place), 1
    ink = glyph_pixels(glyphs, digit.glyph, digit.side_px) > scene.ink_threshold
    return ink, digit.side_px // len(ink)


# -- edges ------------------------------------------------------------------------


def edge_density(scene: Scene, glyphs: GlyphSet, samples: int = EDGE_SAMPLES) -> float:
    """Return how many changes between dark and light 1000 px of a line meet.

    Parameters
    ----------
    samples
        Lines along each side, and samples on each. Grey scenes are read in full,
        because a stroke is narrower than the distance between samples.

    Returns
    -------
    float
        Mean over horizontal and vertical lines, 0 or more.
    """
    reduction = 1 if scene.is_grey else max(1, scene.width // samples)
    light = render(scene, glyphs, reduction=reduction, pyramid_filter="nearest") > 127
    return float(np.mean([_changes(light), _changes(light.T)])) * 1000 / reduction


def _changes(light: Mask) -> float:
    """Return the share of neighbours within a row that differ; 0 where there are none."""
    changes = light[:, 1:] != light[:, :-1]
    return float(np.count_nonzero(changes)) / changes.size if changes.size else 0.0


# -- contrast ---------------------------------------------------------------------


def digit_contrast(scene: Scene, glyphs: GlyphSet, digit: Digit) -> float:
    """Return how far the ink of a digit differs in mean grey from what is around it.

    Ink that inverts the ground differs from it at every pixel of its outline; a digit is
    hard to see where the ground changes inside it, so that its ink is as often light as
    what surrounds it. What is around: a square twice as wide as the digit's, as far as it
    lies in the image, without the ink of any digit.

    Returns
    -------
    float
        0 (ink and surroundings are of the same mean grey) to 1 (all ink is of one
        colour and all around it of the other).
    """
    reduction = max(1, digit.side_px // DIGIT_SAMPLES)
    box = _level_box(_grown(digit.box, digit.side_px // 2, scene.canvas), reduction)
    own = _level_box(digit.box, reduction).shifted(-box.row0, -box.col0)
    picture, ink_picture = (
        render(
            scene,
            glyphs,
            level_box=box,
            reduction=reduction,
            layer=layer,
            pyramid_filter="nearest",
        )
        for layer in ("full", "noise_free")
    )
    ink = ink_picture > 0
    inside, around = picture[own.slices][ink[own.slices]], picture[~ink]
    if inside.size == 0 or around.size == 0:
        return 0.0
    return float(abs(inside.mean() - around.mean())) / 255


def _grown(box: Box, by_px: int, canvas: Box) -> Box:
    grown = Box(box.row0 - by_px, box.col0 - by_px, box.row1 + by_px, box.col1 + by_px)
    return grown.intersection(canvas)


def _level_box(box: Box, reduction: int) -> Box:
    return Box(
        box.row0 // reduction,
        box.col0 // reduction,
        reduced_size_px(box.row1, reduction),
        reduced_size_px(box.col1, reduction),
    )


# -- thickness --------------------------------------------------------------------


def local_thickness(mask: Mask) -> NDArray[np.int64]:
    """Return, for each pixel of a mask, the shorter of the two runs that it lies in.

    A run is the longest stretch of pixels of the mask along a row or a column. For an
    upright stroke this is its width, for a slanted one up to the square root of 2 times it.

    Parameters
    ----------
    mask
        bool (H, W).

    Returns
    -------
    ndarray
        int64 (pixels of the mask,), in the order of rows, px.
    """
    across, down = _run_lengths(mask), _run_lengths(mask.T).T
    shorter: NDArray[np.int64] = np.minimum(across, down)[mask]
    return shorter


def _run_lengths(mask: Mask) -> NDArray[np.int64]:
    """Return the length of the run within its row of each pixel of a mask, else 0."""
    rows, cols = mask.shape
    padded = np.zeros((rows, cols + 2), np.int8)  # so that no run goes on in the next row
    padded[:, 1:-1] = mask
    steps = np.diff(padded.reshape(-1))
    lengths = np.flatnonzero(steps == -1) - np.flatnonzero(steps == 1)
    runs = np.zeros((rows, cols), np.int64)
    runs[mask] = np.repeat(lengths, lengths)
    return runs


def _histogram(thickness_px: NDArray[np.int64]) -> NDArray[np.float64]:
    counts, _ = np.histogram(thickness_px, THICKNESS_EDGES_PX)
    return counts / max(1, len(thickness_px))


def _digit_thickness(scene: Scene, glyphs: GlyphSet) -> Histogram:
    """Return the thickness of the digits' strokes; every digit counts the same, however large."""
    inks = (_ink(scene, glyphs, place) for place in range(len(scene.digits)))
    return _mean([_histogram(local_thickness(ink) * repeat) for ink, repeat in inks])


def _noise_thickness(scene: Scene, glyphs: GlyphSet) -> Histogram:
    """Return the thickness of strokes, or of the dark and light areas of the ground."""
    if scene.is_grey:
        margin = max(0, scene.width - STROKE_WINDOW_PX) // 2
        window = Box(margin, margin, scene.height - margin, scene.width - margin)
        light = render(scene, glyphs, level_box=window, layer="background") > 0
        return _mean([_histogram(local_thickness(light))])
    reduction = max(1, scene.width // GROUND_SAMPLES)
    light = (
        render(scene, glyphs, reduction=reduction, layer="background", pyramid_filter="nearest")
        > 127
    )
    if not light.any() or light.all():  # one colour is no structure
        return _mean([])
    both = np.concatenate([local_thickness(light), local_thickness(~light)])
    return _mean([_histogram(both * reduction)])


def _mean(histograms: Sequence[NDArray[np.float64]]) -> Histogram:
    if not histograms:
        return (0.0,) * (len(THICKNESS_EDGES_PX) - 1)
    return tuple(np.mean(histograms, axis=0).tolist())
