"""How like an enlarged image is to the true one: PSNR and SSIM, by a convention that is named.

PSNR is 10 log10 of the squared data range over the mean squared error. SSIM is that of Wang, Bovik,
Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural similarity",
IEEE Transactions on Image Processing 13(4), 2004: a Gaussian window of 11 px with a standard
deviation of 1.5, K1 = 0.01 and K2 = 0.03, the mean over all windows that lie wholly inside.
Figures by other conventions are not comparable: RGB for luminance alone changes PSNR by some dB.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from umnist_core.errors import InvalidValueError

WINDOW_PX, DEVIATION_PX = 11, 1.5
K1, K2 = 0.01, 0.03
DATA_RANGE = 255.0

Y, RGB = "Y", "RGB"
COLOURS = (Y, RGB)
"""Luminance by ITU-R BT.601 in studio range, 16 to 235; or the three channels, whose errors are
pooled for PSNR and whose SSIM are averaged."""

_LUMINANCE = np.array([65.481, 128.553, 24.966]) / 255
_STRIP_ROWS = 512

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class Fidelity:
    """How like two images are.

    Attributes
    ----------
    psnr
        In dB; infinite where they are the same.
    ssim
        -1 to 1.
    """

    psnr: float
    ssim: float


def convention(border_px: int) -> str:
    """Return in words how `measure_fidelity` compares."""
    return (
        f"{border_px} px cut off at each border, 8-bit values with a data range of "
        f"{DATA_RANGE:g}; Y: luminance by BT.601 (16 to 235); SSIM with a Gaussian window of "
        f"{WINDOW_PX} px, standard deviation {DEVIATION_PX}, K1 {K1} and K2 {K2}"
    )


def measure_fidelity(
    found: NDArray[np.uint8], true: NDArray[np.uint8], *, border_px: int
) -> dict[str, Fidelity]:
    """Compare an image with the true one.

    Parameters
    ----------
    found, true
        uint8 (H, W, 3) in RGB. Where sizes differ, as of an image whose size is no multiple of the
        factor, what both have at the top left is compared.
    border_px
        What is left out at each border.

    Returns
    -------
    dict
        One of `COLOURS` -> what was found.

    Raises
    ------
    InvalidValueError
        If less than a window is left.
    """
    height, width = (min(sides) for sides in zip(found.shape[:2], true.shape[:2], strict=True))
    inside = slice(border_px, height - border_px), slice(border_px, width - border_px)
    if min(height, width) - 2 * border_px < WINDOW_PX:
        raise InvalidValueError(
            f"Expected images of {WINDOW_PX + 2 * border_px} px a side or more, found {width} x "
            f"{height} px; leave it out."
        )
    return {colour: _measure(found[inside], true[inside], colour) for colour in COLOURS}


def _measure(found: NDArray[np.uint8], true: NDArray[np.uint8], colour: str) -> Fidelity:
    squared = similar = 0.0
    values = windows = 0
    for first, last in _strips(found.shape[0]):
        pair = [_channels(one[first:last], colour) for one in (found, true)]
        # Rows that the next strip has as well count there.
        own = last - first if last == found.shape[0] else last - first - (WINDOW_PX - 1)
        squared += float(((pair[0][:own] - pair[1][:own]) ** 2).sum())
        values += pair[0][:own].size
        for channel in range(pair[0].shape[2]):
            local = ssim_map(pair[0][..., channel], pair[1][..., channel])
            similar += float(local.sum())
            windows += local.size
    psnr = 10 * math.log10(DATA_RANGE**2 * values / squared) if squared else math.inf
    return Fidelity(psnr, similar / windows)


def _strips(rows: int) -> Iterator[tuple[int, int]]:
    """Yield strips that overlap by a window less a row, so that every window is in one."""
    first, left = 0, WINDOW_PX - 1
    while True:
        last = min(first + _STRIP_ROWS + left, rows)
        yield first, last
        if last == rows:
            return
        first = last - left


def _channels(image: NDArray[np.uint8], colour: str) -> _Array:
    values = image.astype(np.float64)
    return values if colour == RGB else (values @ _LUMINANCE + 16)[..., None]


def ssim_map(one: _Array, other: _Array) -> _Array:
    """Return the SSIM of every window inside, float64 (H - 10, W - 10) of (H, W)."""
    means = _windowed(one), _windowed(other)
    squares = means[0] ** 2, means[1] ** 2
    product = means[0] * means[1]
    variances = _windowed(one**2) - squares[0] + _windowed(other**2) - squares[1]
    covariance = _windowed(one * other) - product
    c1, c2 = (K1 * DATA_RANGE) ** 2, (K2 * DATA_RANGE) ** 2
    similar: _Array = ((2 * product + c1) * (2 * covariance + c2)) / (
        (squares[0] + squares[1] + c1) * (variances + c2)
    )
    return similar


def _windowed(values: _Array) -> _Array:
    line = cv2.getGaussianKernel(WINDOW_PX, DEVIATION_PX)
    edge = WINDOW_PX // 2
    whole = cv2.sepFilter2D(values, cv2.CV_64F, line, line)
    return np.asarray(whole[edge : values.shape[0] - edge, edge : values.shape[1] - edge])
