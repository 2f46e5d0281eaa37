"""Images as users bring them: the pixels change as said, and the truth goes along."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from umnist_core.datasets import Recipe
from umnist_core.errors import InvalidValueError, MissingFileError
from umnist_core.geometry import Box
from umnist_core.pyramid import encode_jpeg, scene_source
from umnist_core.training.data import Samples, SceneSamples
from umnist_core.training.variants import (
    CROP_LEAST,
    CROP_SIDES_PX,
    PHOTOGRAPHS,
    PLAIN,
    VARIANTS,
    CroppedPhotographs,
    open_variant,
)

SIDE_PX = 400
BLACK = {"digits": "1", "factor": "4", "checkerboard": "0", "shape_pairs": "0"}
CHANGES = [name for name, variant in VARIANTS.items() if variant.change is not None]
IN_PLACE = ["as-jpeg", "quality-30", "inverted"]

Pixels = NDArray[np.uint8]


def _scenes(**overrides: str) -> SceneSamples:
    settings = {"canvas": str(SIDE_PX), **overrides}
    return SceneSamples(Recipe(3, "released", 5, "test", settings))


def _pixels(samples: Samples, place: int = 0) -> Pixels:
    return samples.get(place).source.read_whole()


def _around(is_ink: NDArray[np.bool_]) -> Box:
    rows, cols = np.flatnonzero(is_ink.any(axis=1)), np.flatnonzero(is_ink.any(axis=0))
    return Box(int(rows[0]), int(cols[0]), int(rows[-1]) + 1, int(cols[-1]) + 1)


@pytest.mark.parametrize("name", CHANGES)
def test_truth_goes_with_the_pixels(name: str) -> None:
    """The sum stays; a single digit on black lies where its moved box says, to an edge's blur."""
    plain = _scenes(**BLACK)
    changed = open_variant(plain, name)
    for place in range(len(plain)):
        before, after = plain.get(place), changed.get(place)
        assert (after.image_id, after.label, after.scene) == (
            before.image_id,
            before.label,
            before.scene,
        )
        assert before.scene is not None
        (digit,) = before.scene.digits if after.digits is None else after.digits
        pixels = after.source.read_whole()
        found = _around((pixels < 128) if name == "inverted" else (pixels >= 128))
        slack = max(1, pixels.shape[0] // SIDE_PX)
        for side in ("row0", "col0", "row1", "col1"):
            assert abs(getattr(found, side) - getattr(digit.ink_box, side)) <= slack
        assert digit.box.contains(digit.ink_box)


@pytest.mark.parametrize("name", [*CHANGES, PLAIN])
def test_digits_are_moved_where_pixels_are_and_nowhere_else(name: str) -> None:
    """What lies where the scene says can be compared with its exact ink."""
    is_moved = open_variant(_scenes(), name).get(0).digits is not None
    assert is_moved == (name not in (*IN_PLACE, PLAIN))


@pytest.mark.parametrize("side_px", [3900, 2000])
def test_rescaled_images_are_area_averages(side_px: int) -> None:
    """As OpenCV's INTER_AREA; the longer side gets the length, whatever the shape."""
    plain = _scenes(canvas="4000", factor="1..9")
    whole = _pixels(plain)
    expected = cv2.resize(whole, (side_px, side_px), interpolation=cv2.INTER_AREA)
    assert np.array_equal(_pixels(open_variant(plain, f"rescaled-{side_px}")), expected)
    change = VARIANTS[f"rescaled-{side_px}"].change
    assert change is not None
    assert change(whole[:1000]).shape == (side_px // 4, side_px)


def test_turns_are_clockwise_and_four_of_them_none() -> None:
    """The upper left corner comes to the upper right one."""
    whole = _pixels(_scenes())
    turned = _pixels(open_variant(_scenes(), "turned-90"))
    assert np.array_equal(turned[:, -1], whole[0])
    assert np.array_equal(_pixels(open_variant(_scenes(), "turned-180")), whole[::-1, ::-1])
    change = VARIANTS["turned-270"].change
    assert change is not None
    assert np.array_equal(change(turned), whole)


def test_shift_is_by_one_px_down_and_right() -> None:
    """Nothing else moves, and the image keeps its size."""
    whole, shifted = _pixels(_scenes()), _pixels(open_variant(_scenes(), "shifted"))
    assert shifted.shape == whole.shape
    assert np.array_equal(shifted[1:, 1:], whole[:-1, :-1])
    assert np.array_equal(shifted[0, 1:], whole[0, :-1])


@pytest.mark.parametrize(("name", "quality"), [("as-jpeg", 75), ("quality-30", 30)])
def test_jpeg_is_that_of_files_and_keeps_colours(name: str, quality: int) -> None:
    """A grey image comes back as its file is read; red stays red."""
    whole = _pixels(_scenes())
    data = np.frombuffer(encode_jpeg(whole, quality), np.uint8)
    expected = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))
    assert np.array_equal(_pixels(open_variant(_scenes(), name)), expected)
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 255
    change = VARIANTS[name].change
    assert change is not None
    assert np.abs(change(red).astype(int) - red).max() < 20


def test_inverted_exchanges_black_and_white() -> None:
    """Twice is the image itself."""
    whole = _pixels(_scenes())
    assert np.array_equal(_pixels(open_variant(_scenes(), "inverted")), 255 - whole)


def test_image_without_digits_is_its_ground_and_sums_to_0() -> None:
    """And there is no digit to be found."""
    plain = _scenes()
    sample = open_variant(plain, "no-digits").get(1)
    assert sample.label == 0
    assert sample.scene is not None
    assert sample.scene.digits == ()
    scene = plain.get(1).scene
    assert scene is not None
    ground = scene_source(scene, plain.glyphs, "background").read_whole()
    assert np.array_equal(sample.source.read_whole(), ground)
    assert not np.array_equal(ground, _pixels(plain, 1))


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Write two, one in colour, of 60 x 80 and 90 x 50 px."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "photographs"
    folder.mkdir()
    for name, shape in (("a.png", (60, 80, 3)), ("b.jpg", (90, 50))):
        coarse = rng.integers(0, 255, (6, 5, *shape[2:]), dtype=np.uint8)
        assert cv2.imwrite(str(folder / name), cv2.resize(coarse, shape[1::-1]))
    return folder


def test_photographs_come_whole_first_and_then_as_crops(photographs: Path) -> None:
    """Crops of a seed are always the same ones, of many sizes, and nothing is their sum."""
    samples = CroppedPhotographs(photographs, 12, seed=3)
    assert len(samples) == 12
    all_of_them = [samples.get(place) for place in range(12)]
    assert [one.image_id for one in all_of_them[:4]] == ["a", "b", "a-1", "b-1"]
    assert {(one.scene, one.label) for one in all_of_them} == {(None, None)}
    sizes = [(one.source.height, one.source.width) for one in all_of_them]
    assert sizes[:2] == [(60, 80), (90, 50)]
    longer = [max(size) for size in sizes[2:]]
    assert min(longer) >= CROP_SIDES_PX[0]
    assert max(longer) <= CROP_SIDES_PX[1]
    assert len(set(longer)) > 5
    assert all(CROP_LEAST / 2 < width / height < 8 for height, width in sizes)
    again = CroppedPhotographs(photographs, 12, seed=3)
    assert np.array_equal(_pixels(samples, 5), _pixels(again, 5))
    other = CroppedPhotographs(photographs, 12, seed=4)
    assert [(other.get(5).source.height)] != [sizes[5][0]]
    assert len(CroppedPhotographs(photographs)) == 2


def test_folder_without_a_photograph_is_refused(tmp_path: Path) -> None:
    """In a sentence."""
    with pytest.raises(MissingFileError, match="found none"):
        CroppedPhotographs(tmp_path, 3)


def test_samples_say_which_variant_they_are(photographs: Path) -> None:
    """On the card, with all that the images follow from, and no path of this machine."""
    for name in (*CHANGES, "no-digits"):
        told = open_variant(_scenes(), name).describe()
        assert told["variant"] == name
        assert told["seed"] == 5
    told = CroppedPhotographs(photographs, 12, 3).describe()
    expected = {"folder": "photographs", "photographs": 2, "count": 12, "seed": 3}
    assert told == {**expected, "variant": PHOTOGRAPHS}
    plain = _scenes()
    assert open_variant(plain, PLAIN) is plain


def test_variant_that_is_none_or_not_of_these_images_is_refused(photographs: Path) -> None:
    """Digits can only be left out of scenes of UltraMNIST."""
    with pytest.raises(InvalidValueError, match="rescaled-3900"):
        open_variant(_scenes(), "odd")
    with pytest.raises(InvalidValueError, match="rescaled-3900"):
        open_variant(_scenes(), PHOTOGRAPHS)
    megapixel = SceneSamples(Recipe(3, "megapixel", overrides={"canvas": "300"}))
    for samples in (CroppedPhotographs(photographs), megapixel):
        with pytest.raises(InvalidValueError, match="scenes of UltraMNIST"):
            open_variant(samples, "no-digits")
