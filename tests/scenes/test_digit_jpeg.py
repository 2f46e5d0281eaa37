"""Promises of the grey digits that go through a JPEG: exactly the codec's, block by block."""

from __future__ import annotations

import hashlib
import io

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.segment_glyphs import segment_glyphs
from umnist_core.errors import InvalidValueError
from umnist_core.geometry import Box
from umnist_core.rendering import digit_mask, render
from umnist_core.scenes import Scene, plan_scene
from umnist_core.scenes.digit_jpeg import (
    PlacedGlyph,
    WrittenDigits,
    code_blocks,
    write_digits,
)
from umnist_core.scenes.ultramnist import otsu_threshold

GLYPHS = segment_glyphs()


def _place(rng: np.random.Generator, height: int, width: int, count: int) -> list[PlacedGlyph]:
    """Place glyphs of random greys, some up to their rim, without overlap."""
    placed: list[PlacedGlyph] = []
    boxes: list[Box] = []
    for _ in range(200):
        factor = int(rng.integers(0, 10))
        side = 28 * factor or 14
        if len(placed) == count or side > min(height, width):
            continue
        row, col = (int(n) for n in rng.integers(0, (height - side + 1, width - side + 1)))
        box = Box.from_size(row, col, side, side)
        if any(box.overlaps(other) for other in boxes):
            continue
        pixels = rng.integers(0, 256, (14 if factor == 0 else 28,) * 2).astype(np.uint8)
        if rng.random() < 0.5:  # like a digit: black but for its middle
            pixels[:6] = pixels[-6:] = pixels[:, :6] = pixels[:, -6:] = 0
        boxes.append(box)
        placed.append(PlacedGlyph(pixels.tobytes(), len(pixels), box.row0, box.col0, side))
    return placed


def _whole(placed: list[PlacedGlyph], height: int, width: int, quality: int) -> NDArray[np.uint8]:
    """Return the canvas as Pillow writes it and OpenCV reads it, as in the released generator."""
    canvas = np.zeros((height, width))
    for one in placed:
        pixels = np.frombuffer(one.pixels, np.uint8).reshape(one.cells, one.cells)
        block = np.ones((one.side_px // one.cells,) * 2)
        unit = (pixels / np.float32(255)).astype(np.float32)
        box = Box.from_size(one.row, one.col, one.side_px, one.side_px)
        canvas[box.slices] += np.kron(unit, block)
    file = io.BytesIO()
    Image.fromarray(canvas * 255).convert("L").save(file, "JPEG", quality=quality)
    read = cv2.imdecode(np.frombuffer(file.getvalue(), np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(read, np.uint8)[:, :, 2]


def _joined(written: WrittenDigits, canvas: Box) -> NDArray[np.int64]:
    greys = np.zeros((canvas.height, canvas.width), np.int64)
    for one in written.digits:
        greys += one.window(canvas)
    for block in written.shared:
        greys += block.together.window(canvas)
        for one in block.alone:
            greys -= one.window(canvas)
    return greys


@pytest.mark.parametrize("quality", [10, 30, 75, 95, 100])
def test_written_digits_are_the_whole_canvas_written_and_read(quality: int) -> None:
    """Px for px and in the histogram: any size, also no multiple of 8, any place, blocks shared."""
    rng = np.random.default_rng(quality)
    shared = 0
    for _ in range(30):
        height, width = (int(n) for n in rng.integers(40, 330, 2))
        placed = _place(rng, height, width, int(rng.integers(0, 9)))
        whole = _whole(placed, height, width, quality)
        written = write_digits(tuple(placed), height, width, quality)
        np.testing.assert_array_equal(_joined(written, Box(0, 0, height, width)), whole)
        counts = np.bincount(whole.reshape(-1), minlength=256)
        np.testing.assert_array_equal(written.histogram(height, width), counts)
        shared += len(written.shared)
    assert shared > 0, "no block was shared, so nothing was proven of those"


def test_digits_at_the_last_px_are_padded_as_the_codec_pads() -> None:
    """A canvas of 4001 px ends within a block, whose rest repeats the last column and row."""
    pixels = np.full((28, 28), 200, np.uint8)
    pixels[::2] = 90
    placed = [PlacedGlyph(pixels.tobytes(), 28, 4001 - 84, 4001 - 84, 84)]
    written = write_digits(tuple(placed), 4001, 4001, 75)
    corner = Box(3800, 3800, 4001, 4001)
    whole = _whole(placed, 4001, 4001, 75)[corner.slices]
    np.testing.assert_array_equal(written.digits[0].window(corner), whole)


def test_a_block_does_not_depend_on_the_others() -> None:
    """What makes a tile drawn alone equal the crop of the whole."""
    blocks = np.random.default_rng(3).integers(0, 256, (200, 8, 8)).astype(np.uint8)
    together = code_blocks(blocks, 75)
    alone = np.concatenate([code_blocks(block[None], 75) for block in blocks])
    np.testing.assert_array_equal(together, alone)


def test_codec_is_the_one_of_the_golden_hash() -> None:
    """Another version of the codec that changes a pixel fails here first, and says so."""
    blocks = np.random.default_rng(7).integers(0, 256, (500, 8, 8)).astype(np.uint8)
    coded = code_blocks(blocks, 75)
    digest = hashlib.sha256(coded.tobytes()).hexdigest()
    assert digest == CODEC_SHA256, "OpenCV's JPEG codec gives other pixels than before"


CODEC_SHA256 = "696856b09165cc7d58420ba408e7d68ecfe5b6c18175a50a6552332b2bc90b82"


def test_threshold_and_ink_follow_from_the_written_canvas() -> None:
    """The scene's threshold is Otsu's of the decoded canvas, and its ink what is above it."""
    scene = _grey_scene("released")
    whole = _scene_canvas(scene)
    threshold, ink = cv2.threshold(whole, 127, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    assert scene.ink_threshold == otsu_threshold(
        np.bincount(whole.reshape(-1), minlength=256).astype(float)
    )
    np.testing.assert_array_equal(render(scene, GREYS, layer="noise_free"), ink)
    assert threshold > 0


def test_digit_mask_is_what_is_drawn_or_the_glyphs_own_ink() -> None:
    """With specks as they are drawn, and without them as the glyph has it."""
    scene = _grey_scene("released")
    drawn = render(scene, GREYS, layer="noise_free") == 255
    differing = 0
    for place, digit in enumerate(scene.digits):
        mask = digit_mask(scene, GREYS, place)
        np.testing.assert_array_equal(mask, drawn[digit.box.slices])
        own = digit_mask(scene, GREYS, place, as_written=False)
        pixels = GREYS.images[digit.glyph]
        pixels = pixels[::2, ::2] if digit.side_px == 14 else pixels
        block = np.ones((digit.side_px // len(pixels),) * 2)
        np.testing.assert_array_equal(own, np.kron(pixels > scene.ink_threshold, block) == 1)
        differing += int(np.count_nonzero(mask != own))
    assert differing > 0


def test_specks_lie_within_a_block_of_the_digit_and_in_its_ink_box() -> None:
    """No pixel of ink is outside all ink boxes, and none 8 px or more off its square."""
    scene = _grey_scene("released")
    ink = render(scene, GREYS, layer="noise_free")
    for digit in scene.digits:
        box, own = digit.box, digit.ink_box
        assert own.row0 > box.row0 - 8
        assert own.col0 > box.col0 - 8
        assert own.row1 < box.row1 + 8
        assert own.col1 < box.col1 + 8
        ink[own.slices] = 0
    assert not ink.any()


def test_clean_variant_has_the_same_digits_at_the_same_places() -> None:
    """``released-clean`` is ``released`` but for the JPEG."""
    for index in range(6):
        one = plan_scene("released", 4, "train", index, glyphs=GLYPHS)
        other = plan_scene("released-clean", 4, "train", index, glyphs=GLYPHS)
        assert [(d.label, d.glyph, d.box) for d in one.digits] == [
            (d.label, d.glyph, d.box) for d in other.digits
        ]
        assert (one.checkerboard, one.shapes) == (other.checkerboard, other.shapes)
        assert (one.digit_jpeg, other.digit_jpeg) == (75, None)


def test_scene_with_a_digit_jpeg_is_read_back_and_refused_by_older_programs() -> None:
    """Version 2 in its JSON; without the step a scene is of version 1, as before."""
    scene = plan_scene("released", glyphs=GLYPHS)
    assert Scene.from_json(scene.to_json()) == scene
    assert scene.version == 2
    clean = plan_scene("released-clean", glyphs=GLYPHS)
    assert clean.version == 1
    assert "digit_jpeg" not in clean.to_json().replace('"parameters"', "").split('"provenance"')[0]


def test_scene_of_strokes_with_a_digit_jpeg_is_refused() -> None:
    """Megapixel MNIST pastes grey squares and cuts nothing."""
    scene = plan_scene("megapixel", glyphs=GLYPHS)
    values = {name: getattr(scene, name) for name in Scene.__dataclass_fields__}
    with pytest.raises(InvalidValueError, match="quality 75"):
        Scene(**values | {"digit_jpeg": 75})


def test_scene_of_100_000_px_goes_through_a_jpeg_that_no_file_could_hold() -> None:
    """The step is one of blocks, so a canvas may be larger than a JPEG's 65,500 px."""
    overrides = {"canvas": "100000", "factor": "40..75"}
    scene = plan_scene("released", 1, glyphs=GREYS, overrides=overrides)
    digit = scene.digits[0]
    rows, cols = digit.box.slices
    window = Box(rows.start + 200, cols.start + 200, rows.start + 500, cols.start + 500)
    part = render(scene, GREYS, level_box=window, layer="noise_free")
    own = digit_mask(scene, GREYS, 0)[200:500, 200:500]
    np.testing.assert_array_equal(part == 255, own)


def _greys() -> NDArray[np.uint8]:
    """Return digits whose outlines have every grey, as MNIST's do."""
    noise = np.random.default_rng(5).integers(0, 256, GLYPHS.images.shape)
    return np.where(GLYPHS.images > 0, noise, 0).astype(np.uint8)


GREYS = type(GLYPHS)("greys", _greys(), GLYPHS.labels.copy())


def _grey_scene(preset: str) -> Scene:
    overrides = {"canvas": "601", "factor": "0.5..9"}
    return plan_scene(preset, 6, glyphs=GREYS, overrides=overrides)


def _scene_canvas(scene: Scene) -> NDArray[np.uint8]:
    placed = []
    for digit in scene.digits:
        pixels = GREYS.images[digit.glyph]
        pixels = np.ascontiguousarray(pixels[::2, ::2] if digit.side_px == 14 else pixels)
        placed.append(
            PlacedGlyph(pixels.tobytes(), len(pixels), digit.row, digit.col, digit.side_px)
        )
    return _whole(placed, scene.height, scene.width, 75)
