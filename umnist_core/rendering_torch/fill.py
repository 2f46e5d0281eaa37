"""From crossings to pixels, on a device."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from umnist_core.rendering_torch.bands import Band
from umnist_core.rendering_torch.budget import budget_of

_WORD_PX = 8
"""Pixels that are worked on together, as the bytes of one number of 64 bits."""

_ONES = 0x0101010101010101


def fill_parity(keys: Sequence[Tensor], band: Band, device: torch.device) -> Tensor:
    """Return 255 where an odd number of crossings lies at or left of a pixel, else 0.

    Parameters
    ----------
    keys
        Crossings of the band, int64, in any order.

    Returns
    -------
    Tensor
        uint8 (scenes, height, width) of the band.
    """
    grid = band.grid
    words = torch.zeros(
        (band.plane_rows, grid.stride // _WORD_PX), dtype=torch.int64, device=device
    )
    changes = words.view(torch.uint8).view(-1)
    one = torch.ones((), dtype=torch.uint8, device=device)
    for some in keys:
        # Bytes may overflow: their lowest bit is right all the same, and in whatever order.
        changes.index_add_(0, some, one.expand(some.shape[0]))
    step = max(1, budget_of(device).fill_px // grid.stride)
    for row in range(0, band.plane_rows, step):
        _fill_words(words[row : row + step])
    pixels = words.view(torch.uint8).view(band.scenes, grid.height, grid.stride)
    return pixels[:, :, : grid.width]


def _fill_words(words: Tensor) -> None:
    """Replace each byte by 255 where, with all bytes before it in its row, the sum is odd, or 0.

    Bytes of a word come in the order of memory, lowest first, which is that of every processor
    and card that PyTorch's packages are for.
    """
    words &= _ONES
    for shift in (8, 16, 32):
        words ^= words << shift
    # The last byte of a word is the word's parity; it flips all later words of the row.
    flips = (words >> 56).cumsum(-1)
    flips &= 1
    flips *= _ONES
    words[:, 1:] ^= flips[:, :-1]
    torch.sub(words << 8, words, out=words)  # 1 becomes 255 in each byte
