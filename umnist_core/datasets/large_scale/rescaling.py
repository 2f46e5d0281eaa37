"""How MNIST Large Scale makes an image of a digit: rescaled, centred, smoothed, thresholded.

The data set is Jansson and Lindeberg's ("Exploring the ability of CNNs to generalise to
previously unseen scales over wide scale ranges", ICPR 2020, arXiv 2004.01536; "Scale-invariant
scale-channel networks", JMIV 64, 2022, doi 10.1007/s10851-022-01082-2). What is known of its
making, and how well (docs/large-scale.md has the measurements):

said by the data set's description
    digits are rescaled by the scale, embedded in 112x112 px with a uniform background, then
    smoothed, then thresholded softly
recalled, and confirmed by the authors' picture of 128 real samples at scales 1 to 4
    rescaling is bicubic, of which a cubic spline fits best; the digit's centre falls on the
    canvas's centre; smoothing is a Gaussian of 7/8 px times the scale; the threshold is
    (2/pi)·arctan(0.02·(I - 128)) of intensities I; mixed scales are spread evenly in their
    logarithm
found in that picture, recalled by nobody
    after smoothing, an image's intensities are multiplied so that its brightest is 255
ours, as nothing shows it
    scales under 1 are made as the others, without further smoothing before the reduction; a
    digit larger than the canvas (scales over 4) is smoothed before the canvas cuts it, so that
    no rule for smoothing at the canvas's edge is needed, and its brightest pixel is sought in
    what the canvas shows; nothing is rounded in between

Rescaling, centring and smoothing are linear and act on rows and columns alike, so one matrix of
112x28 numbers does them for a scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from umnist_core.digits import GLYPH_PX
from umnist_core.errors import InvalidValueError

LARGE_SCALE_PX = 112
"""Side of an image, in px."""

MIN_SCALE, MAX_SCALE = 0.5, 8.0

RESCALING_VERSION = 1
"""Raised when images of the same digits and scales come to have other values."""

TEST_SCALES: tuple[float, ...] = tuple(2.0 ** (k / 4) for k in range(-4, 13))
"""The 17 scales of the test sets, 1/2 to 8."""

SIGMA_PER_SCALE = 7 / 8
"""Standard deviation of the smoothing, in px of the image per scale."""

SLOPE, MIDDLE = 0.02, 128.0
"""Of the soft threshold, per unit and in units of intensity (0 to 255)."""

_REACH_SIGMAS = 4
"""Where the smoothing's kernel is cut off, in standard deviations."""

_PAD_PX = 12
"""Background around a digit while splines are fitted; their ringing is 1e-7 after that."""


@dataclass(frozen=True)
class Rescaling:
    """The numbers by which an image is made of a digit, besides its scale.

    Attributes
    ----------
    sigma_per_scale
        See `SIGMA_PER_SCALE`; above 0.
    slope, middle
        See `SLOPE` and `MIDDLE`.
    """

    sigma_per_scale: float = SIGMA_PER_SCALE
    slope: float = SLOPE
    middle: float = MIDDLE


PUBLISHED = Rescaling()
"""Those of the data set, as far as they are known."""


def soft_threshold(
    intensities: NDArray[np.float32], rescaling: Rescaling = PUBLISHED
) -> NDArray[np.float32]:
    """Return intensities after the soft threshold.

    Parameters
    ----------
    intensities
        float32 of any shape, 0 for background to 255 for ink; what is outside, as after
        rescaling, counts as the nearer end.
    rescaling
        The threshold's slope and middle.

    Returns
    -------
    NDArray[np.float32]
        The same shape, about -0.763 for background to 0.761 for ink as published.
    """
    slope, middle = np.float32(rescaling.slope), np.float32(rescaling.middle)
    steep = (np.clip(intensities, 0, 255) - middle) * slope
    squashed: NDArray[np.float32] = np.arctan(steep) * np.float32(2 / np.pi)
    return squashed


def stretch(intensities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return images whose brightest pixel has intensity 255, and whose darkest none below 0.

    Parameters
    ----------
    intensities
        float32 (..., H, W); what is below 0, as after rescaling, counts as 0.

    Returns
    -------
    NDArray[np.float32]
        The same shape, 0 to 255; an image without ink stays 0.
    """
    inked = np.maximum(intensities, np.float32(0))
    brightest = inked.max(axis=(-2, -1), keepdims=True)
    factor = np.float32(255) / np.where(brightest > 0, brightest, np.float32(1)).astype(np.float32)
    stretched: NDArray[np.float32] = inked * factor
    return stretched


def as_grey(values: NDArray[Any], black: float, white: float) -> NDArray[np.uint8]:
    """Return values as pixels: 0 at ``black`` and below, 255 at ``white`` and above."""
    places = (values - np.float32(black)) * np.float32(255 / (white - black))
    return np.asarray(np.clip(np.rint(places), 0, 255), np.uint8)


@lru_cache(maxsize=64)
def rescaling_matrix(scale: float, sigma_per_scale: float = SIGMA_PER_SCALE) -> NDArray[np.float32]:
    """Return the matrix that rescales, centres and smooths a digit along one axis.

    An image is ``soft_threshold(stretch(matrix @ digit @ matrix.T))``.

    Parameters
    ----------
    scale
        How many times the digit is enlarged, 0.5 to 8.
    sigma_per_scale
        Standard deviation of the smoothing, in px of the image per scale; above 0.

    Returns
    -------
    NDArray[np.float32]
        (112, 28), read-only.

    Raises
    ------
    InvalidValueError
        If the scale is outside 0.5 to 8.
    """
    if not MIN_SCALE <= scale <= MAX_SCALE:
        raise InvalidValueError(
            f"A scale of MNIST Large Scale is between {MIN_SCALE} and {MAX_SCALE:g}, "
            f"got {scale}; choose one of these."
        )
    sigma_px = sigma_per_scale * scale
    reach_px = int(np.ceil(_REACH_SIGMAS * sigma_px))
    smoothing = _smoothing(sigma_px, reach_px)
    matrix: NDArray[np.float32] = (smoothing @ _enlarging(scale, reach_px)).astype(np.float32)
    matrix.setflags(write=False)
    return matrix


def rescale_digits(
    digits: NDArray[np.uint8], scales: ArrayLike, rescaling: Rescaling = PUBLISHED
) -> NDArray[np.float32]:
    """Return images of digits at given scales as MNIST Large Scale has them.

    Parameters
    ----------
    digits
        uint8 (N, 28, 28), 0 for background to 255 for ink.
    scales
        One scale for all, or (N,), one for each; 0.5 to 8.
    rescaling
        Other numbers than those of the data set.

    Returns
    -------
    NDArray[np.float32]
        (N, 112, 112), about -0.763 for background to 0.761 for ink.

    Raises
    ------
    InvalidValueError
        If digits have another shape or type, or scales do not fit them.
    """
    if digits.dtype != np.uint8 or digits.ndim != 3 or digits.shape[1:] != (GLYPH_PX, GLYPH_PX):
        raise InvalidValueError(
            f"Digits are uint8 (N, {GLYPH_PX}, {GLYPH_PX}), got {digits.dtype} {digits.shape}."
        )
    wanted = np.asarray(scales, dtype=np.float64)
    if wanted.shape not in ((), (len(digits),)):
        raise InvalidValueError(
            f"{len(digits)} digits need one scale or as many, got an array of {wanted.shape}."
        )
    each = np.broadcast_to(wanted, len(digits))
    shape = (len(digits), LARGE_SCALE_PX, LARGE_SCALE_PX)
    images = np.full(shape, _background(rescaling), np.float32)
    for scale in np.unique(each):
        matrix = rescaling_matrix(float(scale), rescaling.sigma_per_scale)
        _draw(images, digits, np.flatnonzero(each == scale), matrix, rescaling)
    return images


def _draw(
    images: NDArray[np.float32],
    digits: NDArray[np.uint8],
    places: NDArray[np.int64],
    matrix: NDArray[np.float32],
    rescaling: Rescaling,
) -> None:
    """Draw the digits at the given places, in the part of the canvas that they reach."""
    reached = np.flatnonzero(matrix.any(axis=1))
    span = slice(int(reached[0]), int(reached[-1]) + 1)
    rows = matrix[span]
    for place in places:
        intensities = rows @ digits[place].astype(np.float32) @ rows.T
        images[place, span, span] = soft_threshold(stretch(intensities), rescaling)


def _background(rescaling: Rescaling) -> np.float32:
    return np.float32(soft_threshold(np.zeros(1, np.float32), rescaling)[0])


def _enlarging(scale: float, margin_px: int) -> NDArray[np.float64]:
    """Weights (112 + 2·margin, 28) of a digit's pixels for those of the canvas and its margin.

    They are those of the cubic spline through the digit's pixels; outside its square they are 0.
    """
    canvas_px = np.arange(-margin_px, LARGE_SCALE_PX + margin_px, dtype=np.float64)
    glyph_px = (canvas_px - (LARGE_SCALE_PX - 1) / 2) / scale + (GLYPH_PX - 1) / 2
    knots = np.arange(-_PAD_PX, GLYPH_PX + _PAD_PX)
    weights = _b_spline(glyph_px[:, None] - knots) @ _spline_filter()
    inside = np.abs(glyph_px - (GLYPH_PX - 1) / 2) < GLYPH_PX / 2
    return np.where(inside[:, None], weights, 0.0)


@cache
def _spline_filter() -> NDArray[np.float64]:
    """Coefficients (28 + 2·pad, 28) of the splines through each pixel of a digit alone."""
    from scipy.ndimage import spline_filter1d

    alone = np.pad(np.eye(GLYPH_PX), ((_PAD_PX, _PAD_PX), (0, 0)))
    coefficients: NDArray[np.float64] = spline_filter1d(alone, order=3, axis=0)
    return coefficients


def _b_spline(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cubic B-spline at distances from its knot, in px."""
    x = np.abs(distances)
    far = np.maximum(2 - x, 0)
    # Products, as powers take ten times as long.
    return np.where(x < 1, 2 / 3 - x * x * (1 - x / 2), far * far * far / 6)


def _smoothing(sigma_px: float, reach_px: int) -> NDArray[np.float64]:
    """Weights (112, 112 + 2·reach) of a sampled Gaussian, each row's sum 1."""
    kernel = np.exp(-0.5 * (np.arange(-reach_px, reach_px + 1) / sigma_px) ** 2)
    # Row r holds the kernel from column r on: the same numbers, read one column earlier each row.
    width = LARGE_SCALE_PX + 2 * reach_px
    shifted = np.zeros((LARGE_SCALE_PX, width + 1))
    shifted[:, : len(kernel)] = kernel / kernel.sum()
    return shifted.reshape(-1)[: LARGE_SCALE_PX * width].reshape(LARGE_SCALE_PX, width)
