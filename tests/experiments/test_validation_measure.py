"""Measuring folders and presets: which images, which labels, and both by the same way."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.datasets.making import SMALL
from tests.segment_glyphs import segment_glyphs
from umnist_core.datasets import open_dataset
from umnist_core.datasets.decode import decode_grey
from umnist_core.errors import DamagedFileError
from umnist_core.experiments.validation import measure_folder, measure_pixels, measure_preset
from umnist_core.pyramid.encode import encode_jpeg
from umnist_core.rendering import render
from umnist_core.scenes import plan_scene

GLYPHS = segment_glyphs()
IMAGES = 12


@pytest.fixture(scope="module")
def class_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write images of the preset in folders named by their sums, as the released generator does."""
    root = tmp_path_factory.mktemp("noised")
    for index in range(IMAGES):
        scene = plan_scene("released", 0, "train", index, glyphs=GLYPHS, overrides=SMALL)
        folder = root / "train" / str(scene.label)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{index:02d}.jpeg").write_bytes(encode_jpeg(render(scene, GLYPHS)))
    return root


def test_same_images_have_the_same_figures_and_labels_on_either_side(class_folders: Path) -> None:
    """A folder of our own images is measured as the preset is."""
    theirs = measure_folder(open_dataset(class_folders), 100, 0)
    ours = measure_preset("released", IMAGES, 0, glyphs=GLYPHS, overrides=SMALL)
    assert theirs.count == theirs.of == IMAGES
    assert sorted(map(str, theirs.labels)) == sorted(map(str, ours.labels))
    assert theirs.sizes == ours.sizes == {"512x512": IMAGES}
    assert ours.figures.keys() == theirs.figures.keys()
    for name, values in ours.figures.items():
        np.testing.assert_array_equal(np.sort(values), np.sort(theirs.figures[name]))


def test_count_draws_images_at_random_without_replacement(class_folders: Path) -> None:
    """The same for the same seed, others for another, none twice."""
    reader = open_dataset(class_folders)
    first, again, other = (measure_folder(reader, 6, seed) for seed in (1, 1, 2))
    white = [measured.figures["white_share"].tolist() for measured in (first, again, other)]
    assert white[0] == white[1] != white[2]
    assert len(set(white[0])) == 6
    assert (first.count, first.of) == (6, IMAGES)


def test_plain_folder_has_no_labels_and_any_sizes(tmp_path: Path) -> None:
    """PNG without loss beside JPEG, each with its own size."""
    for place, side in enumerate((60, 60, 90)):
        cv2.imwrite(str(tmp_path / f"{place}.png"), np.eye(side, dtype=np.uint8) * 255)
    found = measure_folder(open_dataset(tmp_path), 10, 0)
    assert (found.labels, found.known_labels) == ((None, None, None), ())
    assert list(found.sizes.items()) == [("60x60", 2), ("90x90", 1)]


def test_damaged_image_is_named(tmp_path: Path) -> None:
    """Nothing is measured in its place."""
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((60, 60), np.uint8))
    whole = encode_jpeg(np.zeros((60, 60), np.uint8))
    (tmp_path / "b.jpeg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DamagedFileError, match=r"^b: "):
        measure_folder(open_dataset(tmp_path), 10, 0)


def test_grey_images_go_through_the_same_jpeg_as_ours(tmp_path: Path) -> None:
    """A folder without loss would otherwise keep what the codec takes from ours."""
    grey = np.random.default_rng(1).integers(100, 156, (80, 80)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), grey)
    found = measure_folder(open_dataset(tmp_path), 10, 0).figures["corners"].tolist()
    assert found == [measure_pixels(decode_grey(encode_jpeg(grey), "a")).corners]
    assert found != [measure_pixels(grey).corners]
