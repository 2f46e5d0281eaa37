"""Sources of tiles: arrays and scenes."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from tests.segment_glyphs import segment_glyphs
from umnist_core.errors import GlyphMismatchError, InvalidValueError, TooLargeError
from umnist_core.geometry import Box
from umnist_core.pyramid import (
    ArraySource,
    HeldScene,
    PyramidGrid,
    SceneSource,
    TileSource,
    model_size,
    reduce_for_model,
    scene_source,
)
from umnist_core.pyramid.levels import area_levels, black_and_white_level
from umnist_core.rendering import FILTERS, LAYERS, render
from umnist_core.scenes import plan_scene

GLYPHS = segment_glyphs()

images = st.one_of(
    arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))),
    arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(3))),
)


def _read_level(source: TileSource, level: int) -> NDArray[np.uint8]:
    grid = PyramidGrid(source.height, source.width)
    return source.read_region(Box(0, 0, *grid.level_size(level)), grid.reduction(level))


@settings(deadline=None)
@given(images)
def test_area_level_is_the_exact_mean_of_its_blocks(image: NDArray[np.uint8]) -> None:
    """Each value is the mean of the canvas pixels in its block, rounded half up, as fractions."""
    source = ArraySource(image)
    grid = PyramidGrid(source.height, source.width)
    for level in range(grid.max_level + 1):
        size = grid.reduction(level)
        for (row, col, *channel), value in np.ndenumerate(_read_level(source, level)):
            block = image[row * size : (row + 1) * size, col * size : (col + 1) * size]
            values = block[(..., *channel)]
            mean = Fraction(int(values.sum(dtype=np.int64)), values.size)
            assert value == (mean + Fraction(1, 2)).__floor__()


@settings(deadline=None)
@given(images)
def test_nearest_level_is_the_pixel_at_the_centre_of_each_block(image: NDArray[np.uint8]) -> None:
    """The centre of a block that is cut is the nearest pixel of the canvas."""
    source = ArraySource(image, "nearest")
    grid = PyramidGrid(source.height, source.width)
    for level in range(grid.max_level + 1):
        size = grid.reduction(level)
        for (row, col, *channel), value in np.ndenumerate(_read_level(source, level)):
            centre = (
                min(row * size + size // 2, source.height - 1),
                min(col * size + size // 2, source.width - 1),
            )
            assert value == image[(*centre, *channel)]


def test_area_level_is_exact_where_sums_outgrow_16_bits() -> None:
    """A white canvas of more than 16 px a side stays white on every level."""
    source = ArraySource(np.full((700, 300), 255, np.uint8))
    for level in range(11):
        assert (_read_level(source, level) == 255).all()


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("pyramid_filter", FILTERS)
@settings(max_examples=5, deadline=None)
@given(index=st.integers(0, 1000), canvas=st.integers(200, 500) | st.sampled_from([256, 400]))
def test_scene_held_whole_has_the_levels_of_the_renderer(
    layer: str, pyramid_filter: str, index: int, canvas: int
) -> None:
    """Whichever level is read first, all equal those that are rendered box by box."""
    overrides = {"canvas": str(canvas), "factor": "0.5..2"}
    scene = plan_scene("released", 0, "train", index, overrides=overrides, glyphs=GLYPHS)
    held = scene_source(scene, GLYPHS, layer, pyramid_filter)
    rendered = SceneSource(scene, GLYPHS, layer, pyramid_filter)
    assert isinstance(held, HeldScene if pyramid_filter == "area" else ArraySource)
    levels = range(PyramidGrid(canvas, canvas).max_level + 1)
    for level in (*levels, *reversed(levels)):
        assert np.array_equal(_read_level(held, level), _read_level(rendered, level))


def test_huge_scene_is_read_without_being_held() -> None:
    """A scene of 100,000 px a side opens at once and its tiles are those of the renderer."""
    overrides = {"canvas": "100000", "factor": "1..1000"}
    scene = plan_scene("released", 0, "train", 1, overrides=overrides, glyphs=GLYPHS)
    source = scene_source(scene, GLYPHS)
    assert source.held_bytes < 100_000
    digit = scene.digits[0]
    box = Box.from_size(min(digit.row, 99_900), min(digit.col, 99_900), 100, 100)
    assert np.array_equal(source.read_region(box, 1), render(scene, GLYPHS, level_box=box))
    with pytest.raises(TooLargeError, match="umnist tiles export"):
        source.read_whole()


def test_scene_is_not_drawn_with_other_glyphs() -> None:
    """A source on another glyph set than the scene's is an error, not another image."""
    scene = plan_scene("released", 0, "train", 0, overrides={"factor": "1..5"}, glyphs=GLYPHS)
    others = type(GLYPHS)("others", 255 - GLYPHS.images, GLYPHS.labels.copy())
    with pytest.raises(GlyphMismatchError):
        scene_source(scene, others)


@pytest.mark.parametrize(
    ("box", "reduction"),
    [(Box(0, 0, 11, 5), 1), (Box(0, 0, 0, 5), 1), (Box(-1, 0, 2, 2), 1), (Box(0, 0, 1, 1), 3)],
)
def test_box_outside_the_level_is_an_error(box: Box, reduction: int) -> None:
    """A box that reaches out, an empty one, or a reduction that is no level's is refused."""
    source = ArraySource(np.zeros((10, 10), np.uint8))
    with pytest.raises(InvalidValueError):
        source.read_region(box, reduction)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4), np.uint8),
        np.zeros(4, np.uint8),
    ],
)
def test_array_that_is_no_image_is_an_error(image: NDArray[np.uint8]) -> None:
    """Other types, shapes and empty arrays are refused by name."""
    with pytest.raises(InvalidValueError, match="uint8 array"):
        ArraySource(image)


def test_model_sees_small_sizes_through_512() -> None:
    """Down to 512 px in one step of area averaging, further down through 512 px."""
    image = np.random.default_rng(0).integers(0, 256, (1500, 1500), np.uint8)
    at_512 = cv2.resize(image, (512, 512), interpolation=cv2.INTER_AREA)
    at_200 = cv2.resize(at_512, (200, 200), interpolation=cv2.INTER_AREA)
    at_once = cv2.resize(image, (200, 200), interpolation=cv2.INTER_AREA)
    assert np.array_equal(reduce_for_model(image, 512), at_512)
    assert np.array_equal(reduce_for_model(image, 200), at_200)
    assert not np.array_equal(at_200, at_once)
    at_1024 = cv2.resize(image, (1024, 1024), interpolation=cv2.INTER_AREA)
    assert np.array_equal(reduce_for_model(image, 1024), at_1024)


def test_model_view_keeps_the_shape_and_never_enlarges() -> None:
    """The longer side has the size asked for; a size beyond the image is an error."""
    assert reduce_for_model(np.zeros((600, 1200, 3), np.uint8), 256).shape == (128, 256, 3)
    assert model_size(1, 1000, 256) == (1, 256)
    with pytest.raises(InvalidValueError, match="reduced to 1 to 1200 px; got 2048"):
        model_size(600, 1200, 2048)


@pytest.mark.parametrize("reduction", [2, 4, 8, 16])
def test_level_of_black_and_white_is_that_of_any_image(reduction: int) -> None:
    """The fast level equals the exact one for every number of white pixels in a block."""
    counts = np.arange(reduction**2 + 1)
    blocks = np.where(np.arange(reduction**2) < counts[:, None], 255, 0).astype(np.uint8)
    image = np.hstack(list(blocks.reshape(-1, reduction, reduction)))
    exact = area_levels(image)[reduction.bit_length() - 1]
    assert exact[0, reduction**2 // 2] == 128  # the only mean that can be rounded two ways
    assert np.array_equal(black_and_white_level(image, reduction), exact)
