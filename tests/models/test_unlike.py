"""What pixels alone tell: released images pass as they are, scaled ones and photographs do not."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from sklearn.datasets import load_sample_images

from umnist_core.digits import load_glyphs
from umnist_core.errors import InvalidValueError
from umnist_core.geometry import Box
from umnist_core.models.base import DOUBTS, Doubt
from umnist_core.models.own.unlike import (
    BUSY_WINDOWS,
    GRID,
    WINDOW_PX,
    GreyValues,
    Pixels,
    grey_values,
    image_doubts,
    read_grey_values,
)
from umnist_core.pyramid import ArraySource, HeldScene, SceneSource, TileSource, scene_source
from umnist_core.rendering import FILTERS, render
from umnist_core.scenes import Scene, plan_scene

SIDE_PX = 1000
IMAGES = 4


def _scene(index: int, **overrides: str) -> Scene:
    settings = {"canvas": str(SIDE_PX), "factor": "0.5..20", **overrides}
    return plan_scene("released", 5, "test", index, glyphs=load_glyphs(), overrides=settings)


def _image(index: int, **overrides: str) -> Pixels:
    return render(_scene(index, **overrides), load_glyphs())


def _jpeg(image: Pixels, quality: int) -> Pixels:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def _resized(image: Pixels, side_px: int, filter_: int) -> Pixels:
    return np.asarray(cv2.resize(image, (side_px, side_px), interpolation=filter_), np.uint8)


def _kinds(image: Pixels, pyramid_filter: str = "area") -> list[str]:
    source = ArraySource(image, pyramid_filter)
    return [doubt.kind for doubt in image_doubts(source, usual_side_px=image.shape[0])]


@pytest.mark.parametrize("quality", [None, 95, 75, 30])
@pytest.mark.parametrize("overrides", [{}, {"shape_pairs": "20"}, {"checkerboard": "0"}])
def test_images_as_released_raise_no_doubt(overrides: dict[str, str], quality: int | None) -> None:
    """Black and white stay so through JPEG, however many edges there are."""
    for index in range(IMAGES):
        image = _image(index, **overrides)
        assert _kinds(image if quality is None else _jpeg(image, quality)) == []


@pytest.mark.parametrize("quality", [None, 75, 30])
@pytest.mark.parametrize(
    ("side_px", "filter_"),
    [
        (975, cv2.INTER_AREA),
        (975, cv2.INTER_LINEAR),
        (975, cv2.INTER_CUBIC),
        (500, cv2.INTER_AREA),
        (500, cv2.INTER_CUBIC),
        (2000, cv2.INTER_LINEAR),
    ],
)
def test_scaled_images_are_told_by_their_edges(
    side_px: int, filter_: int, quality: int | None
) -> None:
    """By averaging or interpolation, saved as JPEG afterwards or not."""
    for index in range(IMAGES):
        image = _resized(_image(index), side_px, filter_)
        assert _kinds(image if quality is None else _jpeg(image, quality)) == ["rescaled"]


def test_levels_of_nearest_pixels_say_the_same() -> None:
    """The view that windows are chosen in need not have the grey of averages."""
    for index in range(IMAGES):
        image = _image(index)
        assert _kinds(image, "nearest") == []
        assert _kinds(_resized(image, 975, cv2.INTER_AREA), "nearest") == ["rescaled"]


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("side_px", [400, 1600])
def test_photographs_are_told_by_their_grey_areas(place: int, side_px: int) -> None:
    """In colour or grey, reduced or enlarged, and saved once more; they are not called scaled."""
    colour = np.asarray(load_sample_images().images[place], np.uint8)
    colour = _resized(colour, side_px, cv2.INTER_CUBIC)
    grey = np.asarray(cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY), np.uint8)
    for image in (colour, grey, _jpeg(grey, 30), 255 - grey):
        assert _kinds(image) == ["photograph"]


def test_other_canvas_is_a_doubt_of_its_own_and_says_both_sizes() -> None:
    """Whatever else the image is."""
    (doubt,) = image_doubts(ArraySource(_image(0)))
    assert doubt.kind == "canvas"
    assert "4000 x 4000 px" in doubt.sentence
    assert "1000 x 1000 px" in doubt.sentence
    (wide,) = image_doubts(ArraySource(_image(0)[:900]), usual_side_px=SIDE_PX)
    assert (wide.kind, "1000 x 900 px" in wide.sentence) == ("canvas", True)


@pytest.mark.parametrize("shape", [(1, 1), (7, 3000), (64, 64), (300, 5)])
@pytest.mark.parametrize("value", [0, 255])
def test_blank_image_of_any_size_raises_no_doubt_of_its_pixels(
    shape: tuple[int, int], value: int
) -> None:
    """Where there is no edge nothing is known of edges."""
    found = read_grey_values(ArraySource(np.full(shape, value, np.uint8)))
    assert not found.is_photograph
    assert not found.is_scaled


@pytest.mark.parametrize("pyramid_filter", FILTERS)
def test_small_digit_on_a_large_black_ground_is_looked_at(pyramid_filter: str) -> None:
    """Windows lie where the edges are, not on the grid alone, whatever the view is made of."""
    settings = {"digits": "1", "factor": "4", "checkerboard": "0", "shape_pairs": "0"}
    for index in range(IMAGES):
        image = _image(index, canvas="4000", **settings)
        assert read_grey_values(ArraySource(image, pyramid_filter)).edges > 0
        assert _kinds(_resized(image, 3900, cv2.INTER_AREA), pyramid_filter) == ["rescaled"]


class _Counting(TileSource):
    """Counts the pixels that are read."""

    def __init__(self, source: TileSource) -> None:
        self.height, self.width = source.height, source.width
        self.source, self.read_px = source, 0

    def read_checked(self, level_box: Box, reduction: int) -> Any:
        """Read and count."""
        self.read_px += level_box.height * level_box.width
        return self.source.read_checked(level_box, reduction)


@pytest.mark.parametrize("canvas", ["4000", "100000"])
def test_reading_does_not_grow_with_the_image(canvas: str) -> None:
    """Some windows and one view, of 4000 px as of 100,000."""
    scene = _scene(0, canvas=canvas)
    counting = _Counting(SceneSource(scene, load_glyphs()))
    read_grey_values(counting)
    assert counting.read_px <= (GRID**2 + BUSY_WINDOWS) * WINDOW_PX**2 + 512**2


def test_drawn_scene_and_its_array_are_the_same_image() -> None:
    """Whatever kind of source gives the pixels."""
    scene = _scene(1)
    drawn = read_grey_values(scene_source(scene, load_glyphs()))
    assert drawn == read_grey_values(ArraySource(render(scene, load_glyphs())))


def test_grey_values_count_edges_pixels_and_blocks() -> None:
    """By hand: a white half, one grey column on its edge, one grey block apart."""
    window = np.zeros((16, 32), np.uint8)
    window[:, 16:] = 255
    window[:, 15] = 100
    window[8:, :8] = 60
    expected = GreyValues(edges=16, middle=16, grey=16 + 64, blocks=8, grey_blocks=1 + 2)
    assert grey_values(window) == expected
    assert grey_values(255 - window).edges == 16


def test_doubt_of_an_unknown_kind_is_refused() -> None:
    """Programs tell doubts apart by their kind."""
    assert [Doubt(kind, "A sentence.").kind for kind in DOUBTS] == list(DOUBTS)
    with pytest.raises(InvalidValueError, match="photograph"):
        Doubt("odd", "A sentence.")


@pytest.mark.parametrize("preset", ["released", "paper", "megapixel"])
def test_scenes_in_black_and_white_are_not_read_and_have_nothing_to_doubt(preset: str) -> None:
    """What is known of a scene is what reading it would find."""
    glyphs = load_glyphs()
    scene = plan_scene(preset, 3, "test", 1, glyphs=glyphs, overrides={"canvas": "900"})
    source: TileSource = HeldScene(scene, glyphs)
    assert source.is_black_and_white == bool(np.isin(source.read_whole(), (0, 255)).all())
    same = ArraySource(source.read_whole())
    assert image_doubts(source, 900) == image_doubts(same, 900) == ()
