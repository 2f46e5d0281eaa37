"""An image with a model's attention over it, in the colours of the viewer. No torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from umnist_core.attention import AttentionMap
from umnist_core.attention.tiles import LARGEST, paint
from umnist_core.errors import InvalidValueError
from umnist_core.geometry import Box, reduced_size_px
from umnist_core.pyramid import TileSource

PICTURE_MAX_PX = 2048
"""Longer side of a picture at most; larger images are reduced by a power of two."""

STOPS = ((58, 112, 224), (140, 92, 200), (214, 78, 138), (240, 116, 56), (255, 184, 0))
"""From little to much, as in the viewer's ``heat_colours.js``."""

FADE = 0.08
"""Shares of the largest weight below this fade out, as there."""

OPACITY = 0.6


def attention_picture(
    source: TileSource,
    found: AttentionMap,
    *,
    task: str | None = None,
    head: int | None = None,
    most_px: int = PICTURE_MAX_PX,
) -> NDArray[np.uint8]:
    """Return an image with attention over it.

    Parameters
    ----------
    source
        The image.
    found
        Where the model looked in it.
    task, head
        Which of the map's; their mean by default.
    most_px
        Longer side of the picture at most.

    Returns
    -------
    ndarray
        uint8 (H, W, 3), RGB.

    Raises
    ------
    InvalidValueError
        If the map is that of an image of another size.
    """
    if (source.height, source.width) != (found.height, found.width):
        raise InvalidValueError(
            f"Expected attention to an image of {source.width} x {source.height} px, found "
            f"attention to one of {found.width} x {found.height}; give map and image of one kind."
        )
    reduction = 1
    while max(source.height, source.width) > most_px * reduction:
        reduction *= 2
    level = Box(
        0, 0, reduced_size_px(source.height, reduction), reduced_size_px(source.width, reduction)
    )
    pixels = source.read_region(level, reduction)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    colours = heat_colours()[paint(found, level, reduction, task=task, head=head)]  # (H, W, 4)
    cover = colours[:, :, 3:] * np.float32(OPACITY)
    mixed = pixels * (1 - cover) + colours[:, :, :3] * cover
    return np.asarray(np.rint(mixed), np.uint8)


def heat_colours() -> NDArray[np.float32]:
    """Return the colour of each painted value.

    Returns
    -------
    ndarray
        float32 (65536, 4): red, green and blue up to 255, opacity up to 1.
    """
    shares = np.arange(LARGEST + 1) / LARGEST
    places = np.linspace(0, 1, len(STOPS))
    channels = [np.interp(shares, places, stops) for stops in zip(*STOPS, strict=True)]
    return np.stack([*channels, np.minimum(shares / FADE, 1)], axis=1).astype(np.float32)
