"""Deep Zoom arithmetic: levels, tiles and their boxes. No pixels.

Level ``max_level`` is the canvas; each level below has half the pixels a side of the
one above, rounded up, down to level 0 of one pixel. A tile's interior is a cell of a
regular grid of ``tile_px``; the tile itself reaches ``overlap_px`` further on each
side that has a neighbour, so that clients can blend without seams.
"""

from __future__ import annotations

from dataclasses import dataclass

from umnist_core.errors import InvalidValueError, NotFoundError
from umnist_core.geometry import Box, reduced_size_px

DEFAULT_TILE_PX = 512
DEFAULT_OVERLAP_PX = 1

TILE_PX_RANGE = (16, 4096)
"""Smallest and largest side of a tile's interior, in px."""

MAX_OVERLAP_PX = 16


@dataclass(frozen=True, slots=True)
class PyramidGrid:
    """The Deep Zoom pyramid of one canvas.

    Attributes
    ----------
    height, width
        Canvas, in px, 1 or more.
    tile_px
        Side of a tile's interior, 16 to 4096 level px.
    overlap_px
        Level px that a tile shares with each neighbour, 0 to 16 and less than ``tile_px``.

    Raises
    ------
    InvalidValueError
        If a number is outside its range.
    """

    height: int
    width: int
    tile_px: int = DEFAULT_TILE_PX
    overlap_px: int = DEFAULT_OVERLAP_PX

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise InvalidValueError(
                f"A pyramid needs a canvas of 1 px or more a side; got {self.width} x "
                f"{self.height} px (width x height)."
            )
        low, high = TILE_PX_RANGE
        if not low <= self.tile_px <= high:
            raise InvalidValueError(
                f"tile is a whole number from {low} to {high} px; got {self.tile_px}."
            )
        most = min(MAX_OVERLAP_PX, self.tile_px - 1)
        if not 0 <= self.overlap_px <= most:
            raise InvalidValueError(
                f"overlap is a whole number from 0 to {most} px for tiles of {self.tile_px} px; "
                f"got {self.overlap_px}."
            )

    @property
    def max_level(self) -> int:
        """The level that is the canvas: log2 of the longer side, rounded up."""
        return (max(self.height, self.width) - 1).bit_length()

    def reduction(self, level: int) -> int:
        """Return the canvas px per px of a level, a power of two.

        Raises
        ------
        NotFoundError
            If there is no such level.
        """
        if not 0 <= level <= self.max_level:
            raise NotFoundError(
                f"An image of {self.width} x {self.height} px has levels 0 to {self.max_level}; "
                f"there is no level {level}."
            )
        return 1 << (self.max_level - level)

    def level_size(self, level: int) -> tuple[int, int]:
        """Return (height, width) of a level, in level px.

        Raises
        ------
        NotFoundError
            If there is no such level.
        """
        reduction = self.reduction(level)
        return (reduced_size_px(self.height, reduction), reduced_size_px(self.width, reduction))

    def tile_counts(self, level: int) -> tuple[int, int]:
        """Return the number of (rows, columns) of tiles of a level.

        Raises
        ------
        NotFoundError
            If there is no such level.
        """
        height, width = self.level_size(level)
        return (reduced_size_px(height, self.tile_px), reduced_size_px(width, self.tile_px))

    def tile_box(self, level: int, col: int, row: int) -> Box:
        """Return the box of a tile with its overlap, in the frame of its level.

        Column before row, as in the address ``LEVEL/COL_ROW`` of a tile.

        Raises
        ------
        NotFoundError
            If the level has no such tile; the message names the tiles that it has.
        """
        height, width = self.level_size(level)
        rows, cols = self.tile_counts(level)
        if not (0 <= col < cols and 0 <= row < rows):
            raise NotFoundError(
                f"Level {level} has tile columns 0 to {cols - 1} and rows 0 to {rows - 1}; "
                f"there is no tile {col}_{row}."
            )
        row0, col0 = row * self.tile_px, col * self.tile_px
        return Box(
            max(0, row0 - self.overlap_px),
            max(0, col0 - self.overlap_px),
            min(height, row0 + self.tile_px + self.overlap_px),
            min(width, col0 + self.tile_px + self.overlap_px),
        )
