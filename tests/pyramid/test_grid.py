"""Deep Zoom arithmetic."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import numpy as np
import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st

from umnist_core.errors import InvalidValueError, NotFoundError
from umnist_core.pyramid import PyramidGrid

grids = st.builds(
    lambda height, width, tile_px, overlap_px: PyramidGrid(
        height, width, tile_px, min(overlap_px, tile_px - 1)
    ),
    st.integers(1, 300),
    st.integers(1, 300),
    st.integers(16, 80),
    st.integers(0, 3),
)


@given(grids)
def test_tiles_cover_each_level_with_disjoint_interiors(grid: PyramidGrid) -> None:
    """Without their overlaps the tiles of a level hold each of its pixels exactly once."""
    for level in range(grid.max_level + 1):
        covered = np.zeros(grid.level_size(level), np.int64)
        rows, cols = grid.tile_counts(level)
        for row, col in itertools.product(range(rows), range(cols)):
            box = grid.tile_box(level, col, row)
            inner_rows = slice(box.row0 + grid.overlap_px * (row > 0), None)
            inner_cols = slice(box.col0 + grid.overlap_px * (col > 0), None)
            interior = np.zeros_like(covered)
            interior[box.slices] = 1
            interior[: inner_rows.start] = 0
            interior[:, : inner_cols.start] = 0
            interior[(row + 1) * grid.tile_px :] = 0
            interior[:, (col + 1) * grid.tile_px :] = 0
            covered += interior
        assert (covered == 1).all()


@given(grids)
def test_levels_halve_from_the_canvas_to_one_pixel(grid: PyramidGrid) -> None:
    """The top level is the canvas, each level below is half of it rounded up, level 0 is 1 px."""
    sizes = [grid.level_size(level) for level in range(grid.max_level + 1)]
    assert sizes[-1] == (grid.height, grid.width)
    assert sizes[0] == (1, 1)
    for lower, upper in itertools.pairwise(sizes):
        assert lower == ((upper[0] + 1) // 2, (upper[1] + 1) // 2)


@settings(max_examples=25, deadline=None)
@given(grids)
def test_grid_has_the_tiles_that_libvips_writes(grid: PyramidGrid) -> None:
    """Every tile of dzsave is a tile of the grid and of its size, and there are no others."""
    image = pyvips.Image.black(grid.width, grid.height)
    with tempfile.TemporaryDirectory() as folder:
        image.dzsave(
            f"{folder}/image",
            suffix=".png",
            tile_size=grid.tile_px,
            overlap=grid.overlap_px,
            depth="onepixel",
        )
        written = {
            path.relative_to(f"{folder}/image_files").as_posix(): _png_size(path)
            for path in Path(folder).glob("image_files/*/*.png")
        }
    expected = {}
    for level in range(grid.max_level + 1):
        rows, cols = grid.tile_counts(level)
        for row, col in itertools.product(range(rows), range(cols)):
            box = grid.tile_box(level, col, row)
            expected[f"{level}/{col}_{row}.png"] = (box.width, box.height)
    assert written == expected


def _png_size(path: Path) -> tuple[int, int]:
    header = path.read_bytes()[16:24]
    return (int.from_bytes(header[:4]), int.from_bytes(header[4:]))


@pytest.mark.parametrize(
    ("address", "ranges"),
    [
        ((13, 0, 0), "levels 0 to 12"),
        ((-1, 0, 0), "levels 0 to 12"),
        ((12, 8, 0), "columns 0 to 7 and rows 0 to 7"),
        ((12, 0, -1), "columns 0 to 7 and rows 0 to 7"),
        ((10**17, 0, 0), "levels 0 to 12"),
    ],
)
def test_tile_that_is_not_there_is_an_error_that_names_those_that_are(
    address: tuple[int, int, int], ranges: str
) -> None:
    """A wrong level, column or row is not clipped to a right one."""
    with pytest.raises(NotFoundError, match=ranges):
        PyramidGrid(4000, 4000).tile_box(*address)


@pytest.mark.parametrize(
    "numbers", [(0, 5, 512, 1), (5, 0, 512, 1), (5, 5, 15, 1), (5, 5, 5000, 1), (5, 5, 16, 16)]
)
def test_grid_refuses_sizes_that_make_no_pyramid(numbers: tuple[int, int, int, int]) -> None:
    """An empty canvas, a tile out of range, or an overlap as large as a tile is an error."""
    with pytest.raises(InvalidValueError):
        PyramidGrid(*numbers)
