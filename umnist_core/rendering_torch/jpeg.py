"""A grey JPEG's round trip, in whole numbers on any device: what OpenCV makes of its blocks.

Of a JPEG only what loses something is done: a block of 8 x 8 px goes through a cosine transform,
its coefficients are rounded to multiples of a table, and it comes back (ITU-T T.81, annexes A and
K). What lies between, the coding of the coefficients, loses nothing.

OpenCV's codec transforms in fixed point, with constants of 13 binary places that are combined as
by Loeffler, Ligtenberg and Moschytz, "Practical fast 1-D DCT algorithms with 11 multiplications",
ICASSP 1989. Every sum is exact there and rounded once, at the end of a pass; so a pass is a matrix
of whole numbers and a shift, and the way back is the transposed matrix. `TRANSFORM` has its two
halves, since a cosine is even or odd about the middle of a block. That greys agree bit for bit is
a test, not a belief.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from umnist_core.errors import InvalidValueError
from umnist_core.scenes.digit_jpeg import BLOCK_PX

_CONSTANT_BITS = 13
_KEPT_BITS = 2
"""Binary places that are kept between the two passes of a transform."""

_SCALE = 8
"""The transform gives coefficients times this."""

_MID_GREY = 128
"""Greys are coded as differences from it."""

# ITU-T T.81, table K.1.
_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


def quantisation_table(quality: int) -> NDArray[np.int32]:
    """Return the steps that coefficients are rounded to, int32 (8, 8).

    Parameters
    ----------
    quality
        1 to 100, which scales the table of the standard as all common codecs do.

    Raises
    ------
    InvalidValueError
        If there is no such quality.
    """
    if not 1 <= quality <= 100:
        raise InvalidValueError(f"The quality of a JPEG is 1 to 100; got {quality}.")
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    steps: NDArray[np.int32] = (np.array(_LUMINANCE, np.int32) * percent + 50) // 100
    return np.clip(steps, 1, 255)


def _transform() -> NDArray[np.int32]:
    """Return the factors of the transform, in 1/2**13.

    Returns
    -------
    ndarray
        int32 (2, 4, 4): what each pair of mirrored samples, outer pair first, adds to each even
        coefficient by its sum, and to each odd one by its difference.
    """
    c1, c2, c3, c5, c6, c7 = (
        math.sqrt(2) * math.cos(place * math.pi / 16) for place in (1, 2, 3, 5, 6, 7)
    )

    def fixed(value: float) -> int:
        return math.floor(value * (1 << _CONSTANT_BITS) + 0.5)

    # Rounded are the constants of the paper, not the cosines that are their sums.
    one, turn = fixed(1), fixed(c6)
    wide, narrow = turn + fixed(c2 - c6), turn - fixed(c2 + c6)
    even = [
        [one, one, one, one],
        [wide, turn, -turn, -wide],
        [one, -one, -one, one],
        [turn, narrow, -narrow, -turn],
    ]
    shared = fixed(c3)
    near, far = shared - fixed(c3 - c5), shared - fixed(c3 + c5)
    outer, inner = shared - fixed(c3 - c7), shared - fixed(c1 + c3)
    own = [fixed(c1 + c3 - c5 - c7), fixed(c1 + c3 + c5 - c7), fixed(c1 + c3 - c5 + c7)]
    own.append(fixed(c3 + c5 - c1 - c7))
    odd = [
        [own[0] + outer + near - shared, shared, near, outer],
        [shared, own[1] + inner + far - shared, inner, far],
        [near, inner, own[2] + inner + near - shared, shared],
        [outer, far, shared, own[3] + outer + far - shared],
    ]
    return np.array([even, odd], np.int32)


TRANSFORM: NDArray[np.int32] = _transform()
TRANSFORM.setflags(write=False)


def code_blocks(blocks: Tensor, quality: int) -> Tensor:
    """Return blocks as they come out of a grey JPEG; see `umnist_core.scenes.digit_jpeg`.

    Parameters
    ----------
    blocks
        uint8 (..., 8, 8).
    quality
        1 to 100.

    Returns
    -------
    Tensor
        uint8 (..., 8, 8), on the device of the blocks.

    Raises
    ------
    InvalidValueError
        If there is no such quality.
    """
    transform = torch.from_numpy(TRANSFORM.copy()).to(blocks.device)
    steps = torch.from_numpy(quantisation_table(quality)).to(blocks.device)
    greys = blocks.reshape(-1, BLOCK_PX, BLOCK_PX).permute(1, 2, 0)  # (8, 8, N)
    coded = code_greys(greys.contiguous(), steps[..., None], transform)
    return coded.permute(2, 0, 1).reshape(blocks.shape)


def code_greys(greys: Tensor, steps: Tensor, transform: Tensor) -> Tensor:
    """Write and read blocks whose px lie along the first two axes.

    Parameters
    ----------
    greys
        uint8 (H, W, ...), H and W each 8, or 1 for eight that are equal.
    steps
        int32 (8, 8, ...), the table of each block or of all.
    transform
        `TRANSFORM` on the device.

    Returns
    -------
    Tensor
        uint8 (H, W, ...).
    """
    rows, cols = greys.shape[:2]
    last = _CONSTANT_BITS + _KEPT_BITS
    values = greys.to(torch.int32) - _MID_GREY
    values = _forward(values, 1, transform, _CONSTANT_BITS - _KEPT_BITS)
    values = _forward(values, 0, transform, last)
    steps = steps[:rows, :cols]
    # Rounded to the nearest, halves away from zero.
    half, divisor = steps * (_SCALE // 2), steps * _SCALE
    size = torch.div(values.abs() + half, divisor, rounding_mode="floor")
    values = size * values.sign() * steps
    values = _backward(values, 0, transform, _CONSTANT_BITS - _KEPT_BITS)
    values = _backward(values, 1, transform, last + _SCALE.bit_length() - 1)
    return (values + _MID_GREY).clamp_(0, 255).to(torch.uint8)


def _forward(values: Tensor, axis: int, transform: Tensor, shift: int) -> Tensor:
    """Transform 8 samples along an axis, or one that stands for eight: its other ones are 0."""
    if values.shape[axis] == 1:
        return _rounded(values * (BLOCK_PX << _CONSTANT_BITS), shift)
    samples = values.movedim(axis, 0)
    first, mirrored = samples[:4], samples[4:].flip(0)
    even = _weighted(first + mirrored, transform[0])
    odd = _weighted(first - mirrored, transform[1])
    both = torch.stack([even, odd], dim=1).flatten(0, 1)  # 0, 1, 2 ... 7
    return _rounded(both, shift).movedim(0, axis)


def _backward(values: Tensor, axis: int, transform: Tensor, shift: int) -> Tensor:
    """Return the samples of 8 coefficients along an axis, or of the first alone."""
    if values.shape[axis] == 1:
        return _rounded(values * (1 << _CONSTANT_BITS), shift)
    coefficients = values.movedim(axis, 0)
    even = _weighted(coefficients[0::2], transform[0].T)
    odd = _weighted(coefficients[1::2], transform[1].T)
    both = torch.cat([even + odd, (even - odd).flip(0)])
    return _rounded(both, shift).movedim(0, axis)


def _weighted(values: Tensor, factors: Tensor) -> Tensor:
    """Return four weighted sums of four values: a product of matrices, which CUDA has not in ints.

    Below 2**31 for all that 8-bit greys can give.
    """
    factors = factors.reshape(4, 4, *[1] * (values.dim() - 1))
    sums = values[0] * factors[:, 0]
    for place in range(1, 4):
        sums.addcmul_(values[place], factors[:, place])
    return sums


def _rounded(values: Tensor, shift: int) -> Tensor:
    """Divide by a power of two, halves upward."""
    return (values + (1 << (shift - 1))) >> shift
