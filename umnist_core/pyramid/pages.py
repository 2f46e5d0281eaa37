"""Which pages of a file are images of their own, and which are reduced copies of another.

Files and bytes in memory are told apart by who loads them: a function that takes the options of
libvips' loader and returns the image.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from umnist_core.pyramid.appearance import has_range

_PAGED = ("tiffload", "webpload")

_COARSEST_MAX_PX = 4_000_000
"""A pyramidal file whose coarsest level is larger, in px, is treated as if it had none."""

_MAX_STEP = 8
"""Nor may its levels lie further apart: a tile between two would need too large a read."""


def page_option(page: int) -> dict[str, int]:
    """Return the loader's options for a page, from 0."""
    return {"page": page} if page else {}  # loaders of files with one page take no option


def find_pages(load: Callable[..., Any], loader: str) -> tuple[int, ...]:
    """Return the pages that are images of their own, from 0.

    Parameters
    ----------
    load
        Returns the image with these options of the loader.
    loader
        Name of the libvips loader.
    """
    first = load()
    count = first.get("n-pages") if "n-pages" in first.get_fields() else 1
    if count == 1 or loader not in _PAGED:
        return (0,)
    levels = {option.get("page") for option in page_levels(load, loader, 0).values()}
    return tuple(page for page in range(count) if page == 0 or page not in levels)


def page_levels(load: Callable[..., Any], loader: str, page: int) -> dict[int, dict[str, int]]:
    """Return reduction -> the loader's options for the levels of a tiled pyramidal TIFF.

    Takes what `find_pages` takes, and a page from 0. Nothing for any other file, and for one
    whose values need a range, which no coarse level tells.
    """
    if loader != "tiffload":
        return {}
    first = load(**page_option(page))
    names = set(first.get_fields())
    if "tile-width" not in names or has_range(first):
        return {}
    subifds = first.get("n-subifds") if "n-subifds" in names else 0
    choices: list[dict[str, int]] = [
        {**page_option(page), "subifd": number} for number in range(subifds)
    ]
    if not subifds and page == 0:
        choices = [{"page": number} for number in range(1, first.get("n-pages"))]
    levels = {1: page_option(page)}
    for choice in choices:
        image = load(**choice)
        reduction = _page_reduction(first, image)
        if reduction > 1 and image.format == first.format and image.bands == first.bands:
            levels.setdefault(reduction, choice)
    reductions = sorted(levels)
    coarsest = reductions[-1]
    is_coarse = (first.width // coarsest) * (first.height // coarsest) <= _COARSEST_MAX_PX
    is_dense = all(coarse <= fine * _MAX_STEP for fine, coarse in pairwise(reductions))
    return levels if is_coarse and is_dense else {}


def _page_reduction(canvas: Any, image: Any) -> int:
    """Return the power of two by which a page is reduced, or 0 if it is no level of the canvas."""
    reduction = 1 << max(0, round(np.log2(canvas.width / image.width)))
    is_level = (
        abs(image.width - canvas.width / reduction) <= 1
        and abs(image.height - canvas.height / reduction) <= 1
    )
    return reduction if is_level else 0
