"""Figures of one image, counted on its pixels alone, so that any image has them.

Every figure is a share or a rate per area or length, so images of different sizes can be
compared. A pixel is white if its grey is above 127. Pieces are the connected areas of either
colour, where pixels that touch at a corner are connected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from umnist_core.errors import InvalidValueError

WHITE_ABOVE = 127

LONG_EDGE_PX = 16
"""Length from which a straight piece of an edge along a row or a column is long; the ground's
edges lie at any angle and rarely have one, those of enlarged digits consist of them."""

SMALLEST_PX, SPECK_PX, SMALL_PX = 12, 20, 200
"""Largest areas of the classes of pieces; what is at most `SPECK_PX` is a speck."""

WINDOW_PX = 2048
"""Side of the window in whose area specks are counted."""

Bits = NDArray[np.bool_]
Lengths = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PixelFigures:
    """What is counted on one image; `FIGURE_NAMES` has the words for people.

    Attributes
    ----------
    white_share
        White pixels over all, 0 to 1.
    edges_along_rows, edges_along_columns
        Changes of colour met on 1000 px of a row, or of a column.
    long_edge_share
        Share of all edges that lie in straight pieces of `LONG_EDGE_PX` and more, 0 to 1.
    corners
        Corners of the outlines of all pieces, per million px.
    smallest_pieces
        Pieces of at most 12 px, per million px.
    specks
        Pieces of at most 20 px, in as much area as a window of 2048 x 2048 px has.
    small_pieces, large_pieces
        Pieces of 21 to 200 px, and of more, per million px.
    """

    white_share: float
    edges_along_rows: float
    edges_along_columns: float
    long_edge_share: float
    corners: float
    smallest_pieces: float
    specks: float
    small_pieces: float
    large_pieces: float


FIGURE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "white_share": "white, share of px",
        "edges_along_rows": "edges on 1000 px of a row",
        "edges_along_columns": "edges on 1000 px of a column",
        "long_edge_share": f"edges straight for {LONG_EDGE_PX} px, share",
        "corners": "corners per Mpx",
        "smallest_pieces": f"pieces of 1 to {SMALLEST_PX} px per Mpx",
        "specks": f"specks in {WINDOW_PX} x {WINDOW_PX} px",
        "small_pieces": f"pieces of {SPECK_PX + 1} to {SMALL_PX} px per Mpx",
        "large_pieces": "larger pieces per Mpx",
    }
)
"""Attribute of `PixelFigures` -> what it is, with its unit."""

FOUND_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "found_digits": "digits that the model finds",
        "found_smallest_px": "side of the smallest, px",
        "found_median_px": "their median side, px",
        "found_largest_px": "side of the largest, px",
        "found_mean_class": "mean of their classes",
    }
)
"""Key of `found_figures` -> what it is, with its unit."""


def measure_pixels(image: NDArray[np.uint8]) -> PixelFigures:
    """Return the figures of one image.

    Parameters
    ----------
    image
        uint8 (H, W).

    Raises
    ------
    InvalidValueError
        If a side has less than 2 px.
    """
    if min(image.shape) < 2:
        raise InvalidValueError(
            f"Expected an image of 2 px and more a side, found {image.shape[1]} x "
            f"{image.shape[0]} px; choose a folder of larger images."
        )
    white = image > WHITE_ABOVE
    along_rows, along_columns = (lines[:, 1:] != lines[:, :-1] for lines in (white, _turned(white)))
    edges_px = np.count_nonzero(along_rows), np.count_nonzero(along_columns)
    corners = np.count_nonzero(along_rows[1:] != along_rows[:-1])
    largest = (SMALLEST_PX, SPECK_PX, SMALL_PX)
    smallest, specks, small, all_pieces = np.cumsum(
        np.bincount(np.searchsorted(largest, piece_areas(white)), minlength=4)
    ).tolist()
    mpx = image.size / 1e6
    return PixelFigures(
        white_share=np.count_nonzero(white) / image.size,
        edges_along_rows=1000 * edges_px[0] / along_rows.size,
        edges_along_columns=1000 * edges_px[1] / along_columns.size,
        long_edge_share=(_long_px(along_rows) + _long_px(along_columns)) / max(1, sum(edges_px)),
        corners=corners / mpx,
        smallest_pieces=smallest / mpx,
        specks=specks * WINDOW_PX**2 / image.size,
        small_pieces=(small - specks) / mpx,
        large_pieces=(all_pieces - small) / mpx,
    )


def found_figures(classes: Sequence[int], sides_px: Sequence[float]) -> Mapping[str, float]:
    """Return the figures of the digits that a model finds in one image, all 0 where it finds none.

    They are figures of the image, because digits of one image are not independent.

    Parameters
    ----------
    classes, sides_px
        Of each digit: 0 to 9, and the side of its square in image px.
    """
    if not classes:
        return dict.fromkeys(FOUND_NAMES, 0.0)
    return {
        "found_digits": float(len(classes)),
        "found_smallest_px": float(min(sides_px)),
        "found_median_px": float(np.median(sides_px)),
        "found_largest_px": float(max(sides_px)),
        "found_mean_class": float(np.mean(classes)),
    }


def _turned(white: Bits) -> Bits:
    """Return the transpose, its rows in memory one after the other."""
    return cv2.transpose(white.view(np.uint8)).view(np.bool_)  # 10 times as fast as NumPy's


def _long_px(edges: Bits) -> int:
    """Return how many edges lie in runs of `LONG_EDGE_PX` and more down the columns."""
    packed = np.packbits(edges, axis=1)
    reach = 1
    while reach < LONG_EDGE_PX:  # then: whether a run of ``reach`` begins here
        step = min(reach, LONG_EDGE_PX - reach)
        packed = packed[:-step] & packed[step:]
        reach += step
    first = packed.copy()
    first[1:] &= ~packed[:-1]
    # A run of n has n - 15 places at which 16 begin, and one at which it begins.
    begun, runs = (int(np.bitwise_count(bits).sum()) for bits in (packed, first))
    return begun + runs * (LONG_EDGE_PX - 1)


def piece_areas(white: Bits) -> Lengths:
    """Return the area of each connected piece of either colour, in px.

    Pixels that touch at a side or a corner are connected. Rows are cut into runs of one colour,
    and runs that touch are joined: an image has some hundred times fewer runs than pixels.

    Parameters
    ----------
    white
        bool (H, W), at least one pixel.
    """
    width = white.shape[1]
    begins = np.ones(white.shape, bool)
    np.not_equal(white[:, 1:], white[:, :-1], out=begins[:, 1:])
    starts = np.flatnonzero(begins)  # the runs' first pixels, row after row
    lengths = np.diff(starts, append=white.size)
    colours = white.reshape(-1)[starts]
    above, below = _touching_runs(starts, lengths, colours, width)
    links = coo_array((np.ones(len(above), bool), (above, below)), shape=(len(starts),) * 2)
    count, names = connected_components(links, directed=False)
    return np.bincount(names, weights=lengths, minlength=count).astype(np.int64)


def _touching_runs(
    starts: Lengths, lengths: Lengths, colours: Bits, width: int
) -> tuple[Lengths, Lengths]:
    """Return pairs of runs of one colour, of which the second is in the row below the first."""
    above = np.arange(np.searchsorted(starts, starts[-1] // width * width))
    row_starts = starts[above] // width * width + width
    low = np.maximum(starts[above] + width - 1, row_starts)
    high = np.minimum(starts[above] + lengths[above] + width, row_starts + width - 1)
    first = np.searchsorted(starts, low, side="right") - 1
    last = np.searchsorted(starts, high, side="right") - 1
    first += colours[first] != colours[above]  # colours alternate within a row
    counts = np.maximum(0, (last - first) // 2 + 1)
    before = np.cumsum(counts) - counts
    place = np.arange(counts.sum()) - np.repeat(before, counts)
    return np.repeat(above, counts), np.repeat(first, counts) + 2 * place
