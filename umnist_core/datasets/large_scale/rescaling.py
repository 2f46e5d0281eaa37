"""How MNIST Large Scale makes an image of a digit: rescaled, centred, smoothed, thresholded.

The data set is Jansson and Lindeberg's ("Exploring the ability of CNNs to generalise to
previously unseen scales over wide scale ranges", ICPR 2020, arXiv 2004.01536; "Scale-invariant
scale-channel networks", JMIV 64, 2022, doi 10.1007/s10851-022-01082-2). What is known of its
making, and how well:

verified in the data set's description
    digits are rescaled by the factor, embedded in 112x112 px with a uniform background, then
    smoothed, then thresholded softly
recalled, not verified here
    rescaling is bicubic; smoothing is a Gaussian of 7/8 px times the scale; the threshold is
    (2/π)·arctan(0.02·(I - 128)) of intensities I from 0 to 255. Its ends, -0.763 and 0.761, are
    the range that the authors' loader prints (-0.76 to 0.76)
ours, as nothing says it
    the cubic kernel is Keys' (a = -1/2), widened where digits are reduced; the digit's centre
    falls on the canvas's centre at every scale, without rounding of its side; a digit larger
    than the canvas (scales over 4) is smoothed before the canvas cuts it, so that no rule for
    smoothing at the canvas's edge is needed; intensities are not rounded in between

All steps but the threshold are linear and act on rows and columns alike, so one matrix of
112x28 numbers is the whole recipe of a scale.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from umnist_core.digits import GLYPH_PX
from umnist_core.errors import InvalidValueError

LARGE_SCALE_PX = 112
"""Side of an image, in px."""

MIN_SCALE, MAX_SCALE = 0.5, 8.0

TEST_SCALES: tuple[float, ...] = tuple(2.0 ** (k / 4) for k in range(-4, 13))
"""The 17 scales of the test sets, 1/2 to 8."""

SIGMA_PER_SCALE = 7 / 8
"""Standard deviation of the smoothing, in px of the image per scale; recalled, see above."""

SLOPE, MIDDLE = 0.02, 128.0
"""Of the soft threshold, per unit and in units of intensity (0 to 255); recalled, see above."""

_REACH_SIGMAS = 4
"""Where the smoothing's kernel is cut off."""


def soft_threshold(intensities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return intensities after the soft threshold.

    Parameters
    ----------
    intensities
        float32 of any shape, 0 for background to 255 for ink; what is outside, as after
        rescaling, counts as the nearer end.

    Returns
    -------
    NDArray[np.float32]
        The same shape, about -0.763 for background to 0.761 for ink.
    """
    steep = (np.clip(intensities, 0, 255) - np.float32(MIDDLE)) * np.float32(SLOPE)
    squashed: NDArray[np.float32] = np.arctan(steep) * np.float32(2 / np.pi)
    return squashed


@lru_cache(maxsize=64)
def rescaling_matrix(scale: float) -> NDArray[np.float32]:
    """Return the matrix that rescales, centres and smooths a digit along one axis.

    An image is ``soft_threshold(matrix @ digit @ matrix.T)``.

    Parameters
    ----------
    scale
        How many times the digit is enlarged, 0.5 to 8.

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
    sigma_px = SIGMA_PER_SCALE * scale
    reach_px = int(np.ceil(_REACH_SIGMAS * sigma_px))
    kernel = np.exp(-0.5 * (np.arange(-reach_px, reach_px + 1) / sigma_px) ** 2)
    around = sliding_window_view(_enlarging(scale, reach_px), len(kernel), axis=0)  # (112, 28, K)
    matrix = (around @ (kernel / kernel.sum())).astype(np.float32)
    matrix.setflags(write=False)
    return matrix


def rescale_digits(digits: NDArray[np.uint8], scales: ArrayLike) -> NDArray[np.float32]:
    """Return images of digits at given scales as MNIST Large Scale has them.

    Parameters
    ----------
    digits
        uint8 (N, 28, 28), 0 for background to 255 for ink.
    scales
        One scale for all, or (N,), one for each; 0.5 to 8.

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
    images = np.full((len(digits), LARGE_SCALE_PX, LARGE_SCALE_PX), _background(), np.float32)
    for scale in np.unique(each):
        _draw(images, digits, np.flatnonzero(each == scale), rescaling_matrix(float(scale)))
    return images


def _draw(
    images: NDArray[np.float32],
    digits: NDArray[np.uint8],
    places: NDArray[np.int64],
    matrix: NDArray[np.float32],
) -> None:
    """Draw the digits at the given places, in the part of the canvas that they reach."""
    reached = np.flatnonzero(matrix.any(axis=1))
    span = slice(int(reached[0]), int(reached[-1]) + 1)
    rows = matrix[span]
    for place in places:
        images[place, span, span] = soft_threshold(rows @ digits[place].astype(np.float32) @ rows.T)


def _background() -> np.float32:
    return soft_threshold(np.zeros(1, np.float32))[0]


def _enlarging(scale: float, margin_px: int) -> NDArray[np.float64]:
    """Weights (112 + 2·margin, 28) of a digit's pixels for those of the canvas and its margin.

    Each row's weights sum to 1 inside the digit; around it is background.
    """
    canvas_px = np.arange(-margin_px, LARGE_SCALE_PX + margin_px)
    glyph_px = (canvas_px - (LARGE_SCALE_PX - 1) / 2) / scale + (GLYPH_PX - 1) / 2
    # A reduction takes the mean over what a pixel covers; nothing lies outside a digit, so
    # background is added on both sides for the weights there.
    widening = max(1.0, 1 / scale)
    pad_px = int(np.ceil(2 * widening))
    sources = np.arange(-pad_px, GLYPH_PX + pad_px)
    weights = _cubic((glyph_px[:, None] - sources) / widening)
    sums = weights.sum(axis=1, keepdims=True)
    inside = np.abs(glyph_px - (GLYPH_PX - 1) / 2) <= GLYPH_PX / 2 + 2 * widening
    normed = np.where(inside[:, None] & (sums > 0), weights / np.where(sums == 0, 1, sums), 0)
    return normed[:, pad_px : pad_px + GLYPH_PX]


def _cubic(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic kernel with a = -1/2, at distances in px."""
    x = np.abs(distances)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))
