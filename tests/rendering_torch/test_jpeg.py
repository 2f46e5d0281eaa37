"""The JPEG of the digits on a device: bit for bit what OpenCV's codec makes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.repeated import repeated
from umnist_core.digits.glyphs import GlyphSet
from umnist_core.errors import InvalidValueError
from umnist_core.geometry import Box
from umnist_core.rendering_torch import code_blocks
from umnist_core.rendering_torch.digits import Greys, find_greys, plan_digits
from umnist_core.rendering_torch.jpeg import TRANSFORM, code_greys, quantisation_table
from umnist_core.rendering_torch.parcel import send
from umnist_core.scenes import Digit, Scene, digit_jpeg
from umnist_core.scenes.ultramnist import written_digits

CPU = torch.device("cpu")


def _blocks(rng: np.random.Generator, count: int) -> NDArray[np.uint8]:
    """Return blocks of every kind: noise, black and white, and borders between cells of glyphs."""
    noise = rng.integers(0, 256, (count, 8, 8)).astype(np.uint8)
    narrow = (int(rng.integers(0, 256)) + rng.integers(-3, 4, (count, 8, 8))).clip(0, 255)
    split = np.repeat(rng.integers(0, 256, (count, 2, 1)).astype(np.uint8), 8, axis=2)
    at = rng.integers(0, 9, (count, 2, 1, 1))
    place = np.arange(8)
    first = (place[:, None] < at[:, 0]) ^ (place[None, :] < at[:, 1])
    borders = np.where(first, split[:, 0, :, None], split[:, 1, :, None])
    return np.concatenate([noise, (noise > 127) * np.uint8(255), narrow.astype(np.uint8), borders])


@pytest.mark.parametrize(("quality", "seed"), repeated([(75, 0), (20, 1), (95, 2)], 3))
def test_blocks_are_those_of_the_codec(quality: int, seed: int) -> None:
    """Thousands of blocks of every kind, at the released quality and at others."""
    blocks = _blocks(np.random.default_rng(seed), 2000)
    coded = code_blocks(torch.from_numpy(blocks), quality).numpy()
    np.testing.assert_array_equal(coded, digit_jpeg.code_blocks(blocks, quality))


@pytest.mark.parametrize("quality", [1, 2, 10, 49, 50, 51, 75, 90, 99, 100])
def test_every_quality_scales_the_table_as_the_codec_does(quality: int) -> None:
    """The extremes of the scale, too, where steps are cut to 1 and to 255."""
    blocks = _blocks(np.random.default_rng(quality), 200)
    coded = code_blocks(torch.from_numpy(blocks), quality).numpy()
    np.testing.assert_array_equal(coded, digit_jpeg.code_blocks(blocks, quality))


def test_flat_blocks_of_all_greys_are_those_of_the_codec() -> None:
    """All 256, and the short way, of one px for all, gives the same."""
    greys = torch.arange(256, dtype=torch.uint8)
    flat = greys[:, None, None].expand(-1, 8, 8)
    coded = code_blocks(flat, 75)
    np.testing.assert_array_equal(coded.numpy(), digit_jpeg.code_blocks(flat.numpy(), 75))
    steps = torch.from_numpy(quantisation_table(75))[:, :, None]
    short = code_greys(greys[None, None], steps, torch.from_numpy(TRANSFORM.copy()))
    assert torch.equal(short[0, 0], coded[:, 0, 0])


def test_equal_rows_are_coded_as_one() -> None:
    """A block whose rows are equal needs but one of them, and so for columns."""
    one = torch.from_numpy(_blocks(np.random.default_rng(4), 100)[:, 0])  # (N, 8)
    steps = torch.from_numpy(quantisation_table(75))[:, :, None]
    transform = torch.from_numpy(TRANSFORM.copy())
    rows = code_blocks(one[:, None, :].expand(-1, 8, 8), 75)
    assert torch.equal(code_greys(one.T[None], steps, transform)[0].T, rows[:, 0])
    cols = code_blocks(one[:, :, None].expand(-1, 8, 8), 75)
    assert torch.equal(code_greys(one.T[:, None], steps, transform)[:, 0].T, cols[:, :, 0])


def test_a_wrong_constant_is_seen() -> None:
    """The promise can fail: one constant that is off by 1/8192 changes some blocks."""
    blocks = _blocks(np.random.default_rng(0), 2000)
    wrong = TRANSFORM.copy()
    wrong[1, 0, 3] += 1
    greys = torch.from_numpy(blocks).permute(1, 2, 0)
    steps = torch.from_numpy(quantisation_table(75))[:, :, None]
    coded = code_greys(greys, steps, torch.from_numpy(wrong)).permute(2, 0, 1).numpy()
    assert (coded != digit_jpeg.code_blocks(blocks, 75)).any()


def test_a_quality_that_there_is_not_is_refused() -> None:
    """A quality is 1 to 100."""
    for quality in (0, 101):
        with pytest.raises(InvalidValueError, match="1 to 100"):
            code_blocks(torch.zeros((1, 8, 8), dtype=torch.uint8), quality)


# -- digits ------------------------------------------------------------------------


def _glyphs(rng: np.random.Generator) -> GlyphSet:
    """Return glyphs of random greys, some black but for their middle, one black all over."""
    images = rng.integers(0, 256, (20, 28, 28)).astype(np.uint8)
    images[::2, :6] = images[::2, -7:] = images[::2, :, :5] = images[::2, :, -8:] = 0
    images[19] = 0
    return GlyphSet("random", images, np.repeat(np.arange(10, dtype=np.uint8), 2))


def _scene(
    rng: np.random.Generator, glyphs: GlyphSet, size: tuple[int, int], quality: int | None
) -> Scene:
    """Return digits of any side at any place, overlapping or not, the last one in the corner."""
    digits = []
    for place in range(5):
        side_px = 28 * int(rng.integers(0, 10)) or 14
        room = [max(0, px - side_px) for px in size]
        row, col = room if place == 4 else (int(rng.integers(0, px + 1)) for px in room)
        digits.append(Digit(0, int(rng.integers(0, 20)), row, col, side_px, Box(0, 0, 1, 1)))
    return Scene(
        *size, tuple(digits), None, (), 100, glyphs.name, glyphs.checksum, False, digit_jpeg=quality
    )


def _window(greys: Greys, place: int, canvas: Box) -> NDArray[np.uint8]:
    """Return all px of a canvas from a picture; 0 outside it."""
    lines = [one[place].numpy() for one in (greys.rows, greys.cols)]
    picture = greys.greys[place].numpy()
    image = np.zeros((canvas.height, canvas.width), np.uint8)
    spread = np.repeat(np.repeat(picture, np.diff(lines[0]), 0), np.diff(lines[1]), 1)
    image[lines[0][0] : lines[0][-1], lines[1][0] : lines[1][-1]] = spread
    return image


@pytest.mark.parametrize("seed", repeated(range(40), 6))
def test_written_digits_are_those_of_the_planner(seed: int) -> None:
    """Px for px: any side and place, canvases that are no multiple of 8, several at once."""
    rng = np.random.default_rng(seed)
    glyphs = _glyphs(rng)
    size = (int(rng.integers(260, 420)), int(rng.integers(260, 420)))
    qualities = [75, 30, None] if seed % 2 else [75, 75, 100]
    scenes = [_scene(rng, glyphs, size, quality) for quality in qualities]
    plan = plan_digits(scenes, glyphs)
    greys = find_greys(plan, send({"digits": plan.columns}, CPU)["digits"])
    place = 0
    for scene in scenes:
        for written in written_digits(scene, glyphs).digits:
            np.testing.assert_array_equal(
                _window(greys, place, scene.canvas), written.window(scene.canvas)
            )
            place += 1
    assert place == len(plan.scene)
