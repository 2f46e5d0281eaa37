"""Points and boxes, and the only conversions between frames.

Frames
------
canvas
    Pixels of the full-resolution image; pixel ``(row, col)`` covers
    ``[row, row + 1) x [col, col + 1)``.
level
    Pixels of one pyramid level; one level pixel covers ``reduction x reduction``
    canvas pixels, fewer at the right and bottom edges.

Array order everywhere: row before column, boxes half-open. ``x`` is a column and
``y`` is a row; they appear only at the edge to Deep Zoom, JSON and the browser.
"""

from __future__ import annotations

from dataclasses import dataclass

from umnist_core.errors import InvalidValueError


@dataclass(frozen=True, slots=True)
class Box:
    """A half-open box of whole pixels: rows ``row0 .. row1 - 1``, columns ``col0 .. col1 - 1``.

    Raises
    ------
    InvalidValueError
        If ``row1 < row0`` or ``col1 < col0``.
    """

    row0: int
    col0: int
    row1: int
    col1: int

    def __post_init__(self) -> None:
        if self.row1 < self.row0 or self.col1 < self.col0:
            raise InvalidValueError(
                f"A box needs row0 <= row1 and col0 <= col1; got rows {self.row0}..{self.row1} "
                f"and columns {self.col0}..{self.col1}."
            )

    @classmethod
    def from_size(cls, row0: int, col0: int, height: int, width: int) -> Box:
        """Return the box of ``height`` x ``width`` pixels whose first pixel is (row0, col0)."""
        return cls(row0, col0, row0 + height, col0 + width)

    @property
    def height(self) -> int:
        """Rows in the box, in pixels of its frame."""
        return self.row1 - self.row0

    @property
    def width(self) -> int:
        """Columns in the box, in pixels of its frame."""
        return self.col1 - self.col0

    @property
    def is_empty(self) -> bool:
        """Whether the box holds no pixel."""
        return self.row0 == self.row1 or self.col0 == self.col1

    @property
    def xywh(self) -> tuple[int, int, int, int]:
        """The box as (x, y, width, height), the order of browsers and Deep Zoom clients."""
        return (self.col0, self.row0, self.width, self.height)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index that cuts the box out of an array of its frame."""
        return (slice(self.row0, self.row1), slice(self.col0, self.col1))

    def intersection(self, other: Box) -> Box:
        """Return the common part; an empty box where there is none."""
        row0, col0 = max(self.row0, other.row0), max(self.col0, other.col0)
        return Box(
            row0, col0, max(row0, min(self.row1, other.row1)), max(col0, min(self.col1, other.col1))
        )

    def overlaps(self, other: Box) -> bool:
        """Return whether the two boxes share at least one pixel."""
        return (
            self.row0 < other.row1
            and other.row0 < self.row1
            and self.col0 < other.col1
            and other.col0 < self.col1
        )

    def contains(self, other: Box) -> bool:
        """Return whether every pixel of ``other`` is in this box."""
        return (
            self.row0 <= other.row0
            and self.col0 <= other.col0
            and other.row1 <= self.row1
            and other.col1 <= self.col1
        )

    def shifted(self, rows: int, cols: int) -> Box:
        """Return the box moved down by ``rows`` and right by ``cols`` pixels."""
        return Box(self.row0 + rows, self.col0 + cols, self.row1 + rows, self.col1 + cols)


def canvas_box_from_level_box(level_box: Box, reduction: int, canvas: Box) -> Box:
    """Return the canvas pixels under a box of a level.

    Parameters
    ----------
    level_box
        Box in the frame of the level.
    reduction
        Canvas pixels per level pixel along one side, at least 1.
    canvas
        The whole canvas; the result is clipped to it.
    """
    return Box(
        level_box.row0 * reduction,
        level_box.col0 * reduction,
        level_box.row1 * reduction,
        level_box.col1 * reduction,
    ).intersection(canvas)


def reduced_size_px(size_px: int, reduction: int) -> int:
    """Return the length, in level pixels, of a side of ``size_px`` canvas pixels (rounded up)."""
    return -(-size_px // reduction)
