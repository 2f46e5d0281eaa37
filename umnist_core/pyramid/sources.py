"""Where tiles come from: anything that can read a box of one of its levels.

A source is immutable and may be read by many threads at once. A new kind of source
implements `TileSource.read_checked`; everything else (grids, encoding, the cache, the
server, the export) works on it as it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from umnist_core.digits import GlyphSet
from umnist_core.errors import InvalidValueError, TooLargeError
from umnist_core.geometry import Box, reduced_size_px
from umnist_core.pyramid.levels import (
    area_levels,
    as_grey,
    black_and_white_level,
    read_nearest,
)
from umnist_core.rendering import FILTERS, HELD_MAX_PX, render
from umnist_core.scenes import Scene

WHOLE_MAX_PX = HELD_MAX_PX
"""Largest image, in px, that is held whole in memory; above it tiles are made one by one."""

COARSE_REDUCTION = 8
"""From here on rendering a level alone takes less than half the time of rendering the canvas
and reducing it (4000 px: 6 of 16 ms; at 4 it is slower, 21 ms)."""

MODEL_SIDES_PX = (256, 512, 1024, 1536, 2048)
"""Image sizes of the published models (UltraMNIST paper, section "Technical validation")."""

PROGRESSIVE_PX = 512
"""Smaller sizes are reached through this one (UltraMNIST paper, section "Data resizing")."""


class TileSource(ABC):
    """An image with levels.

    Attributes
    ----------
    height, width
        Canvas, in px.
    """

    height: int
    width: int

    @property
    def held_bytes(self) -> int:
        """Memory that the source holds, in bytes, for caches to count."""
        return 4096

    def read_region(self, level_box: Box, reduction: int) -> NDArray[np.uint8]:
        """Read a box of a level.

        Parameters
        ----------
        level_box
            Box in the frame of the level, inside it and not empty.
        reduction
            Canvas px per level px, a power of two.

        Returns
        -------
        ndarray
            uint8 (level_box.height, level_box.width), or with a third axis of 3 (RGB).

        Raises
        ------
        InvalidValueError
            If the box or the reduction is not allowed.
        DamagedFileError
            If a file cannot be decoded.
        """
        if reduction < 1 or reduction & (reduction - 1):
            raise InvalidValueError(f"reduction is a power of two; got {reduction}.")
        level = Box(
            0, 0, reduced_size_px(self.height, reduction), reduced_size_px(self.width, reduction)
        )
        if level_box.is_empty or not level.contains(level_box):
            raise InvalidValueError(
                f"A level of {level.width} x {level.height} px holds no box of rows "
                f"{level_box.row0}..{level_box.row1} and columns {level_box.col0}.."
                f"{level_box.col1}; ask for a box inside the level that is not empty."
            )
        return self.read_checked(level_box, reduction)

    @abstractmethod
    def read_checked(self, level_box: Box, reduction: int) -> NDArray[np.uint8]:
        """Do the work of `read_region`, whose checks have passed."""

    @property
    def is_black_and_white(self) -> bool:
        """Whether each px of the canvas is 0 or 255, as far as is known without reading it."""
        return False

    def read_whole(self) -> NDArray[np.uint8]:
        """Return the canvas.

        Raises
        ------
        TooLargeError
            If it has more than `WHOLE_MAX_PX` px.
        """
        if self.height * self.width > WHOLE_MAX_PX:
            raise TooLargeError(
                f"An image of {self.width} x {self.height} px is not read whole (at most "
                f"{WHOLE_MAX_PX / 1e6:g} million px); use `umnist tiles export` for all of it."
            )
        return self.read_region(Box(0, 0, self.height, self.width), 1)


class ArraySource(TileSource):
    """An array in memory.

    Parameters
    ----------
    image
        uint8 (H, W) or (H, W, 3) in RGB; not to be changed afterwards.
    pyramid_filter
        ``"area"`` (levels are made at once and held) or ``"nearest"`` (made as they are read).

    Raises
    ------
    InvalidValueError
        If there is no such filter, or the array is not an image.
    """

    def __init__(self, image: NDArray[np.uint8], pyramid_filter: str = "area") -> None:
        if pyramid_filter not in FILTERS:
            raise InvalidValueError(
                f"filter is one of {', '.join(FILTERS)}; got {pyramid_filter!r}."
            )
        is_image = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
        if image.dtype != np.uint8 or not is_image or image.size == 0:
            raise InvalidValueError(
                "An image is a uint8 array (H, W) or (H, W, 3) with at least one pixel; got "
                f"{image.dtype} {image.shape}."
            )
        self.height, self.width = image.shape[:2]
        self._levels = area_levels(image) if pyramid_filter == "area" else [image]

    @property
    def held_bytes(self) -> int:
        """Memory of all levels, in bytes."""
        return sum(level.nbytes for level in self._levels)

    def read_checked(self, level_box: Box, reduction: int) -> NDArray[np.uint8]:
        """Cut the box out of its level."""
        doublings = reduction.bit_length() - 1
        if doublings < len(self._levels):
            return self._levels[doublings][level_box.slices]
        if len(self._levels) > 1:  # beyond the level of one pixel, every level is that pixel
            return self._levels[-1]
        return read_nearest(self._levels[0], level_box, reduction)


class HeldScene(TileSource):
    """A scene that can be held, each level of which is made once, when it is first read.

    A coarse level alone is rendered in less time than the canvas and every level between,
    and it is all that a viewer of the whole image reads.

    Parameters
    ----------
    scene, glyphs, layer
        As `umnist_core.rendering.render` takes them; levels are area averages.

    Raises
    ------
    InvalidValueError
        If there is no such layer.
    GlyphMismatchError
        If the glyphs are not those of the scene.
    """

    def __init__(self, scene: Scene, glyphs: GlyphSet, layer: str = "full") -> None:
        render(scene, glyphs, level_box=Box(0, 0, 0, 0), layer=layer)  # checks the arguments
        self.height, self.width = scene.height, scene.width
        self._scene = scene
        self._glyphs = glyphs
        self._layer = layer
        self._lock = Lock()
        self._levels: dict[int, NDArray[np.uint8]] = {}

    @property
    def held_bytes(self) -> int:
        """Memory of all levels once they are made, in bytes."""
        return self.height * self.width * 4 // 3

    @property
    def is_black_and_white(self) -> bool:
        """Whether the scene is drawn in black and white, and not its digits' ink alone."""
        return not self._scene.is_grey and self._layer != "digits"

    def read_checked(self, level_box: Box, reduction: int) -> NDArray[np.uint8]:
        """Cut the box out of its level, which is made first if it is not there."""
        with self._lock:
            return self._level(reduction)[level_box.slices]

    def _level(self, reduction: int) -> NDArray[np.uint8]:
        if reduction not in self._levels:
            self._levels[reduction] = self._make_level(reduction)
        return self._levels[reduction]

    def _make_level(self, reduction: int) -> NDArray[np.uint8]:
        if reduction == 1 or reduction >= COARSE_REDUCTION:
            return render(self._scene, self._glyphs, reduction=reduction, layer=self._layer)
        canvas = self._level(1)
        if self.is_black_and_white and self.height % reduction == self.width % reduction == 0:
            return black_and_white_level(canvas, reduction)
        return area_levels(canvas)[reduction.bit_length() - 1]


class SceneSource(TileSource):
    """A scene that is rendered box by box, for scenes too large to hold.

    Parameters
    ----------
    scene, glyphs, layer, pyramid_filter
        As `umnist_core.rendering.render` takes them.
    """

    def __init__(
        self, scene: Scene, glyphs: GlyphSet, layer: str = "full", pyramid_filter: str = "area"
    ) -> None:
        self.height, self.width = scene.height, scene.width
        self._scene = scene
        self._glyphs = glyphs
        self._layer = layer
        self._filter = pyramid_filter

    @property
    def is_black_and_white(self) -> bool:
        """Whether the scene is drawn in black and white, and not its digits' ink alone."""
        return not self._scene.is_grey and self._layer != "digits"

    def read_checked(self, level_box: Box, reduction: int) -> NDArray[np.uint8]:
        """Render the box."""
        return render(
            self._scene,
            self._glyphs,
            level_box=level_box,
            reduction=reduction,
            layer=self._layer,
            pyramid_filter=self._filter,
        )


def scene_source(
    scene: Scene, glyphs: GlyphSet, layer: str = "full", pyramid_filter: str = "area"
) -> TileSource:
    """Return a source for a scene: held where there is room for it, else rendered box by box.

    Both give the same pixels.

    Raises
    ------
    InvalidValueError
        If there is no such layer or filter.
    GlyphMismatchError
        If the glyphs are not those of the scene.
    """
    if scene.height * scene.width > WHOLE_MAX_PX:
        return SceneSource(scene, glyphs, layer, pyramid_filter)
    if pyramid_filter == "area":
        return HeldScene(scene, glyphs, layer)
    return ArraySource(render(scene, glyphs, layer=layer), pyramid_filter)


def reduce_for_model(image: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    """Reduce an image as the UltraMNIST paper does before a model sees it.

    Area averaging (OpenCV's ``INTER_AREA``), in one step down to 512 px; smaller sizes
    are reached through 512 px (Gupta et al., "UltraMNIST Classification", Scientific Data
    2024, arXiv 2206.12681, section "Data resizing"). Differs from the paper in that an
    image that is not square keeps its shape: ``side_px`` is its longer side.

    Parameters
    ----------
    image
        uint8 (H, W) or (H, W, 3).
    side_px
        Longer side of the result, 1 px to that of the image.

    Raises
    ------
    InvalidValueError
        If ``side_px`` would enlarge the image.
    """
    height, width = image.shape[:2]
    final = model_size(height, width, side_px)
    if side_px < PROGRESSIVE_PX < max(height, width):
        image = _reduce_area(image, model_size(height, width, PROGRESSIVE_PX))
    return _reduce_area(image, final)


def seen_by_model(source: TileSource, side_px: int) -> NDArray[np.uint8]:
    """Read an image as the models of a reduced image do: grey, `reduce_for_model`.

    One too large to be held whole is read from the smallest of its levels with at least twice
    the side, so that it is a mean of means.

    Parameters
    ----------
    source
        The image.
    side_px
        Longer side of the result, 1 px to that of the image.

    Raises
    ------
    InvalidValueError
        If ``side_px`` would enlarge the image.
    TooLargeError
        If no level of it both fits in memory and has the side.
    """
    return as_grey(reduce_for_model(_read_level(source, side_px), side_px))


def _read_level(source: TileSource, side_px: int) -> NDArray[np.uint8]:
    reduction, longer = 1, max(source.height, source.width)
    while source.height * source.width > WHOLE_MAX_PX * reduction**2:
        reduction *= 2
    if reduction == 1:
        return source.read_whole()
    if longer < 2 * side_px * reduction:
        raise TooLargeError(
            f"An image of {source.width} x {source.height} px is too large to be reduced to "
            f"{side_px} px exactly; use a model with an input of at most "
            f"{longer // (2 * reduction)} px or one that reads patches."
        )
    rows, cols = (reduced_size_px(side, reduction) for side in (source.height, source.width))
    return source.read_region(Box(0, 0, rows, cols), reduction)


def model_size(height: int, width: int, side_px: int) -> tuple[int, int]:
    """Return (height, width) of an image reduced to ``side_px`` on its longer side.

    Raises
    ------
    InvalidValueError
        If ``side_px`` would enlarge the image.
    """
    longer = max(height, width)
    if not 1 <= side_px <= longer:
        raise InvalidValueError(
            f"An image of {width} x {height} px can be reduced to 1 to {longer} px; got {side_px}."
        )
    return (max(1, round(height * side_px / longer)), max(1, round(width * side_px / longer)))


def _reduce_area(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    reduced = cv2.resize(image, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(reduced, np.uint8)
