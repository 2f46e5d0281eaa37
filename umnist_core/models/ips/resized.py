"""Images as a whole before they are divided into patches: resized, and varied in training.

As the released code of IPS does with traffic signs (Bergner, Lippert and Mahendran, ICLR 2023,
after Katharopoulos and Fleuret, ICML 2019): ``Resize``, ``ColorJitter`` and a shift, on what Pillow
decodes. Differs in that what is drawn follows from the run's seed, the image and the epoch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torchvision.transforms import functional

from umnist_core.errors import TooLargeError
from umnist_core.geometry import Box, reduced_size_px
from umnist_core.pyramid import WHOLE_MAX_PX, TileSource
from umnist_core.seeds import draw_int

Pixels = NDArray[np.uint8]


def read_resized(source: TileSource, size: tuple[int, ...]) -> Pixels:
    """Return an image resized whatever its shape: bilinear, averaged where it is reduced.

    Of an image that is too large to be held whole a level of its pyramid is resized, the largest
    that can be held.

    Parameters
    ----------
    source
        The image, grey or RGB.
    size
        Height and width in px; empty for the image's own.

    Returns
    -------
    ndarray
        uint8 (H, W), or with a third axis of 3.

    Raises
    ------
    TooLargeError
        If no level can both be held and has that size.
    """
    height, width = size or (source.height, source.width)
    reduction = 1
    while source.height * source.width > WHOLE_MAX_PX * reduction**2:
        reduction *= 2
    rows, cols = (reduced_size_px(side, reduction) for side in (source.height, source.width))
    if reduction > 1 and (rows < height or cols < width):
        raise TooLargeError(
            f"An image of {source.width} x {source.height} px is too large to be had whole in "
            f"{width} x {height} px; reduce it before, or use a model without resized_px, jitter "
            "and shift_px."
        )
    pixels = source.read_region(Box(0, 0, rows, cols), reduction)
    if (rows, cols) == (height, width):
        return pixels
    resized = Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized)


def vary_picture(
    pixels: Pixels, rng: np.random.Generator, *, jitter: float, shift_px: int
) -> Pixels:
    """Return an image with other colours, and moved; what is beyond it is black.

    Parameters
    ----------
    pixels
        uint8 (H, W), or with a third axis of 3.
    rng
        Of what is drawn.
    jitter
        0 to 0.5: brightness, contrast and saturation are multiplied by 1 less to 1 plus that, the
        hue turned by as much of a whole turn either way, in an order that is drawn. 0 for none.
    shift_px
        0 or more: each axis is moved by at most so many px either way.
    """
    if jitter:
        pixels = _jittered(pixels, rng, jitter)
    if not shift_px:
        return pixels
    down, right = (draw_int(rng, -shift_px, shift_px) for _ in range(2))
    moved = np.zeros_like(pixels)
    height, width = pixels.shape[:2]
    rows = slice(max(0, down), max(0, height + min(0, down)))
    cols = slice(max(0, right), max(0, width + min(0, right)))
    from_rows = slice(max(0, -down), max(0, height - max(0, down)))
    from_cols = slice(max(0, -right), max(0, width - max(0, right)))
    moved[rows, cols] = pixels[from_rows, from_cols]
    return moved


def _jittered(pixels: Pixels, rng: np.random.Generator, jitter: float) -> Pixels:
    image = Image.fromarray(pixels)
    steps = (
        functional.adjust_brightness,
        functional.adjust_contrast,
        functional.adjust_saturation,
        functional.adjust_hue,
    )
    amounts = jitter * (2 * rng.random(4) - 1)
    for place in np.argsort(rng.random(4), kind="stable"):
        middle = 0 if steps[place] is functional.adjust_hue else 1
        image = steps[place](image, middle + float(amounts[place]))
    return np.asarray(image)
