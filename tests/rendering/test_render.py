"""Rendering: what is drawn is what the scene says, layer by layer and box by box."""

from __future__ import annotations

import resource

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.segment_glyphs import segment_glyphs
from umnist_core.digits.glyphs import GlyphSet
from umnist_core.errors import GlyphMismatchError, InvalidValueError
from umnist_core.geometry import Box
from umnist_core.rendering import FILTERS, LAYERS, digit_mask, render
from umnist_core.scenes import Circle, Scene, Triangle, plan_scene

GLYPHS = segment_glyphs()


def scene_of(*shapes: Circle | Triangle) -> Scene:
    """Return a scene of 200 px without digits on a black ground."""
    return Scene(200, 200, (), None, shapes, 127, GLYPHS.name, GLYPHS.checksum, False)


def centres(size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the (row, col) of every pixel's centre."""
    rows, cols = np.mgrid[0:size, 0:size] + 0.5
    return rows, cols


@pytest.mark.parametrize("circle", [Circle(100, 90, 40), Circle(-5, 210, 60), Circle(7, 7, 1)])
def test_circle_holds_the_pixels_whose_centre_is_within_its_radius(circle: Circle) -> None:
    """The definition, pixel by pixel, also where the circle leaves the canvas."""
    rows, cols = centres(200)
    expected = (rows - circle.row) ** 2 + (cols - circle.col) ** 2 <= circle.radius_px**2
    np.testing.assert_array_equal(render(scene_of(circle), GLYPHS) == 255, expected)


@pytest.mark.parametrize(
    "corners",
    [
        ((10, 20), (150, 60), (80, 190)),
        ((80, 190), (150, 60), (10, 20)),
        ((0, 0), (200, 0), (0, 200)),
        ((50, 10), (50, 190), (120, 100)),
        ((5, 5), (5, 5), (90, 90)),
    ],
)
def test_triangle_holds_the_pixels_whose_centre_is_inside(
    corners: tuple[tuple[int, int], tuple[int, int], tuple[int, int]],
) -> None:
    """The side of each edge decides; pixels on an edge may fall to either side."""
    rows, cols = centres(200)
    sides = []
    for (row0, col0), (row1, col1) in zip(corners, corners[1:] + corners[:1], strict=True):
        sides.append((row1 - row0) * (cols - col0) - (col1 - col0) * (rows - row0))
    area = np.abs(np.stack(sides))
    inside = np.all(np.stack(sides) > 0, axis=0) | np.all(np.stack(sides) < 0, axis=0)
    clear = np.all(area > 0.5, axis=0)  # not within a hair of an edge
    drawn = render(scene_of(Triangle(corners)), GLYPHS) == 255
    np.testing.assert_array_equal(drawn[clear], inside[clear])


def test_shapes_are_united_before_they_invert() -> None:
    """Two overlapping circles are white all over, not black where both are."""
    one, two = Circle(100, 80, 50), Circle(100, 120, 50)
    both = render(scene_of(one, two), GLYPHS)
    expected = np.maximum(render(scene_of(one), GLYPHS), render(scene_of(two), GLYPHS))
    np.testing.assert_array_equal(both, expected)


def test_checkerboard_cell_is_white_where_its_bit_is_one() -> None:
    """The centre of every visible cell has the colour of its bit, under rotation and shear."""
    for index in range(10):
        scene = plan_scene(seed=3, index=index, glyphs=GLYPHS, overrides={"shape_pairs": "0"})
        image = render(scene, GLYPHS, layer="background")
        board = scene.checkerboard
        assert board is not None
        down, right = np.array(board.step_down), np.array(board.step_right)
        for i in range(board.size):
            for j in range(board.size):
                centre = (i + 0.5) * down + (j + 0.5) * right
                row, col = (np.array(board.origin) + centre) / 1024
                if 0 <= row < 4000 and 0 <= col < 4000:
                    assert image[int(row), int(col)] == 255 * int(board.cells[i][j])


def test_upright_checkerboard_is_its_middle_half_doubled() -> None:
    """Without rotation and shear, 8 cells a side show their middle 4, as 1000-px squares."""
    upright = {"rotation": "0", "shear": "0", "zoom": "1", "checkerboard": "8", "shape_pairs": "0"}
    scene = plan_scene(seed=1, glyphs=GLYPHS, overrides=upright)
    board = scene.checkerboard
    assert board is not None
    middle = np.array([[int(cell) for cell in row[2:6]] for row in board.cells[2:6]], np.uint8)
    expected = np.kron(255 * middle, np.ones((1000, 1000), np.uint8))
    np.testing.assert_array_equal(render(scene, GLYPHS, layer="background"), expected)


def test_rotation_turns_rows_of_cells_and_shear_leans_them() -> None:
    """At 90 degrees a row of cells runs down; a shear of 45 degrees moves a row by its height."""
    size = 4000 * 2 * 1024 // 8
    for rotation, shear, right, down in (
        ("90", "0", (size, 0), (0, -size)),
        ("0", "45", (0, size), (size, -size)),
    ):
        overrides = {"rotation": rotation, "shear": shear, "zoom": "1", "checkerboard": "8"}
        board = plan_scene(glyphs=GLYPHS, overrides=overrides).checkerboard
        assert board is not None
        assert (board.step_right, board.step_down) == (right, down)


def test_ground_is_black_outside_the_checkerboard() -> None:
    """A board that is smaller than the canvas leaves the rest black."""
    scene = plan_scene(
        glyphs=GLYPHS, overrides={"zoom": "0.1", "shape_pairs": "0", "canvas": "800", "factor": "1"}
    )
    image = render(scene, GLYPHS, layer="background")
    assert image[:100].max() == image[:, :100].max() == 0
    assert image.max() == 255


def test_full_image_is_background_inverted_by_the_digits() -> None:
    """Full = background XOR ink: local colour follows the ground."""
    for index in range(5):
        scene = plan_scene(seed=8, index=index, glyphs=GLYPHS)
        parts = {layer: render(scene, GLYPHS, layer=layer) for layer in LAYERS}
        np.testing.assert_array_equal(parts["full"], parts["background"] ^ parts["noise_free"])
        ink = parts["noise_free"] == 255
        np.testing.assert_array_equal(parts["digits"][ink], parts["full"][ink])
        assert set(np.unique(parts["digits"][~ink])) == {128}


def test_digit_repeats_the_pixels_of_its_glyph() -> None:
    """Upscaling repeats pixels; the 14-px digit keeps every second one."""
    for index in range(20):
        overrides = {"factor": "0.5..6"}
        scene = plan_scene("released-clean", 1, index=index, glyphs=GLYPHS, overrides=overrides)
        ink = render(scene, GLYPHS, layer="noise_free") == 255
        for place, digit in enumerate(scene.digits):
            glyph = GLYPHS.images[digit.glyph] > scene.ink_threshold
            block = np.ones((digit.side_px // 28,) * 2)
            expected = glyph[::2, ::2] if digit.side_px == 14 else np.kron(glyph, block)
            np.testing.assert_array_equal(ink[digit.box.slices], expected == 1)
            np.testing.assert_array_equal(digit_mask(scene, GLYPHS, place), expected == 1)


def test_erasing_the_ink_boxes_erases_all_ink_and_no_smaller_box_would() -> None:
    """The truth holds every pixel of a digit, and each side of its box touches ink."""
    for preset in ("released", "paper"):
        for index in range(8):
            scene = plan_scene(preset, seed=12, index=index, glyphs=GLYPHS)
            ink = render(scene, GLYPHS, layer="noise_free")
            for digit in scene.digits:
                cut = ink[digit.ink_box.slices]
                assert cut[0].any()
                assert cut[-1].any()
                assert cut[:, 0].any()
                assert cut[:, -1].any()
                assert digit.box.contains(digit.ink_box)
                ink[digit.ink_box.slices] = 0
            assert not ink.any()


def test_scene_is_never_drawn_with_other_digits() -> None:
    """A scene planned on one glyph set refuses another."""
    scene = plan_scene(glyphs=GLYPHS)
    other = GlyphSet("other", 255 - GLYPHS.images, GLYPHS.labels.copy())
    with pytest.raises(GlyphMismatchError, match="segments"):
        render(scene, other)
    with pytest.raises(GlyphMismatchError):
        digit_mask(scene, other, 0)


@pytest.mark.parametrize(
    "arguments",
    [
        {"layer": "foreground"},
        {"pyramid_filter": "cubic"},
        {"reduction": 0},
        {"level_box": Box(0, 0, 4001, 10)},
        {"level_box": Box(-1, 0, 10, 10)},
        {"level_box": Box(0, 0, 2000, 2001), "reduction": 2},
    ],
)
def test_wrong_argument_is_refused(arguments: dict[str, object]) -> None:
    """Nothing outside the level is made up."""
    with pytest.raises(InvalidValueError):
        render(plan_scene(glyphs=GLYPHS), GLYPHS, **arguments)  # type: ignore[arg-type]


def test_digit_that_a_scene_does_not_have_is_refused() -> None:
    """Asking for the ninth of at most five digits is an error."""
    with pytest.raises(InvalidValueError, match="got 9"):
        digit_mask(plan_scene(glyphs=GLYPHS), GLYPHS, 9)


@pytest.mark.parametrize("pyramid_filter", FILTERS)
def test_scene_of_100_000_px_is_drawn_at_every_zoom_in_bounded_memory(pyramid_filter: str) -> None:
    """A 10-gigapixel scene is read as 512-px boxes of each level, never in full."""
    scene = plan_scene(seed=1, glyphs=GLYPHS, overrides={"canvas": "100000"})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for level in range(18):
        side = -(-100_000 // 2**level)
        row = max(0, side // 2 - 256)
        box = Box(row, row, min(row + 512, side), min(row + 512, side))
        tile = render(
            scene, GLYPHS, level_box=box, reduction=2**level, pyramid_filter=pyramid_filter
        )
        assert tile.shape == (box.height, box.width)
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_mib < 400


def test_large_scene_agrees_across_levels() -> None:
    """On 100,000 px, the mean of 64 x 64 blocks is the mean of the pixels themselves."""
    scene = plan_scene(seed=1, glyphs=GLYPHS, overrides={"canvas": "100000"})
    coarse = render(scene, GLYPHS, level_box=Box(700, 700, 708, 708), reduction=64)
    pixels = render(scene, GLYPHS, level_box=Box(44_800, 44_800, 45_312, 45_312)).astype(np.int64)
    sums = pixels.reshape(8, 64, 8, 64).sum(axis=(1, 3))
    np.testing.assert_array_equal(coarse, (2 * sums + 4096) // 8192)
