"""One name for the same pixels, whatever they lie in."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from umnist_core.datasets import open_files
from umnist_core.digits import load_glyphs
from umnist_core.pyramid import ArraySource, scene_source
from umnist_core.pyramid.files import file_source
from umnist_core.pyramid.pixel_hash import find_pixel_hash, hash_pixels
from umnist_core.scenes import plan_scene
from umnist_core.training.data import FolderSamples
from umnist_core.training.pixels import find_pixels

SMALL = {"canvas": "512", "factor": "0.5..4"}


def test_scene_and_files_without_loss_have_one_hash(tmp_path: Path) -> None:
    """PNG, TIFF and WebP of a scene, in grey and in colour, opened by viewer and by data set."""
    glyphs = load_glyphs()
    scene = plan_scene("released", 3, "test", 0, glyphs=glyphs, overrides=SMALL)
    source = scene_source(scene, glyphs)
    due = find_pixel_hash(source)
    pixels = source.read_whole()
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    cv2.imwrite(str(tmp_path / "b.tif"), pixels)
    cv2.imwrite(str(tmp_path / "c.png"), np.repeat(pixels[..., None], 3, axis=2))
    found = [find_pixel_hash(file_source(path)) for path in sorted(tmp_path.iterdir())]
    assert found == [due] * 3
    reader = open_files(tmp_path)
    assert {hash_pixels(reader.read_image(name)) for name in reader.ids} == {due}


def test_jpeg_has_the_hash_of_its_own_pixels(tmp_path: Path) -> None:
    """Viewer and evaluation agree, in colour too; it is not that of the pixels before."""
    pixels = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "a.jpg"), pixels)
    reader = open_files(tmp_path)
    found = find_pixel_hash(file_source(tmp_path / "a.jpg"))
    samples = FolderSamples(reader, reader.ids)
    assert found == find_pixels(samples, 0, samples.get(0).source)
    assert found != hash_pixels(pixels)


def test_one_px_or_another_shape_makes_another_hash() -> None:
    """The same bytes in rows of another length are another image."""
    pixels = np.zeros((4, 6), np.uint8)
    other = pixels.copy()
    other[1, 1] = 1
    assert len({hash_pixels(one) for one in (pixels, other, pixels.reshape(6, 4))}) == 3


def test_image_too_large_to_be_held_has_no_hash() -> None:
    """It is not read for that."""

    class Large(ArraySource):
        def __init__(self) -> None:
            self.height = self.width = 100_000

    assert find_pixel_hash(Large()) is None
