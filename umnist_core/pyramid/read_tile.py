"""A tile of an image as the bytes of a file."""

from __future__ import annotations

from umnist_core.pyramid.encode import encode_png
from umnist_core.pyramid.grid import PyramidGrid
from umnist_core.pyramid.sources import TileSource


def read_tile(source: TileSource, grid: PyramidGrid, address: tuple[int, int, int]) -> bytes:
    """Return a tile as PNG; ``address`` is level, column and row.

    Raises
    ------
    NotFoundError
        If the grid has no such tile.
    DamagedFileError
        If the source is a file that cannot be decoded.
    """
    return encode_png(source.read_region(grid.tile_box(*address), grid.reduction(address[0])))
