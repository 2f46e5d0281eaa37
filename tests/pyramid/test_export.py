"""Deep Zoom export."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
import zipfile
from functools import partial
from pathlib import Path
from xml.etree import ElementTree as ET

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.segment_glyphs import segment_glyphs
from umnist_core.errors import DamagedFileError, InvalidValueError, WriteError
from umnist_core.geometry import Box
from umnist_core.pyramid import ArraySource, PyramidGrid, TileSource, scene_source
from umnist_core.pyramid.export import export_dzi, rename_all
from umnist_core.pyramid.files import read_image_header
from umnist_core.scenes import plan_scene

GLYPHS = segment_glyphs()
PIXELS = np.random.default_rng(0).integers(0, 256, (203, 301), np.uint8)
export_small_tiles = partial(export_dzi, tile_px=64, overlap_px=2)
small_tiles = partial(PyramidGrid, tile_px=64, overlap_px=2)


class FailingSource(TileSource):
    """A black canvas of 20 million px that breaks off at a row."""

    height, width = 20_000, 1000

    def __init__(self, last_row: int) -> None:
        self.last_row = last_row

    def read_checked(self, level_box: Box, reduction: int) -> NDArray[np.uint8]:
        """Return black until the last row."""
        if level_box.row0 >= self.last_row:
            raise DamagedFileError("Expected more, found the end.")
        return np.zeros((level_box.height, level_box.width), np.uint8)


def _decode(data: bytes) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return np.asarray(image[:, :, ::-1] if image.ndim == 3 else image, np.uint8)


def _assert_tiles_equal(source: TileSource, grid: PyramidGrid, tiles: dict[str, bytes]) -> None:
    """Compare every tile with the source; the last row and column of a coarse level left out."""
    names = set()
    for level in range(grid.max_level + 1):
        rows, cols = grid.tile_counts(level)
        height, width = grid.level_size(level)
        for row, col in itertools.product(range(rows), range(cols)):
            name = f"{level}/{col}_{row}.png"
            names.add(name)
            box = grid.tile_box(level, col, row)
            exact = source.read_region(box, grid.reduction(level))
            tile = _decode(tiles[name])
            assert tile.shape == exact.shape
            cut = int(level < grid.max_level)
            inner = (slice(height - cut - box.row0), slice(width - cut - box.col0))
            assert np.array_equal(tile[inner], exact[inner])
    assert set(tiles) == names


def _tiles_in_folder(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.glob("*/*.*")}


def test_exported_scene_has_the_tiles_that_are_served(tmp_path: Path) -> None:
    """Same addresses, same sizes, same pixels on every level, and the comment beside them."""
    overrides = {"canvas": "1000", "factor": "0.5..5"}
    scene = plan_scene("released", 0, "train", 2, overrides=overrides, glyphs=GLYPHS)
    source = scene_source(scene, GLYPHS, "digits")
    folder, descriptor = export_small_tiles(source, tmp_path / "scene", comment="made on stand-in")
    grid = small_tiles(1000, 1000)
    _assert_tiles_equal(source, grid, _tiles_in_folder(folder))
    assert "made on stand-in" in (folder / "vips-properties.xml").read_text()
    root = ET.parse(descriptor).getroot()
    assert root.attrib == {"Format": "png", "Overlap": "2", "TileSize": "64"}
    assert root[0].attrib == {"Height": "1000", "Width": "1000"}


@pytest.mark.parametrize("pixels", [PIXELS, np.dstack([PIXELS, PIXELS // 2, 255 - PIXELS])])
def test_zip_holds_the_same_tiles(tmp_path: Path, pixels: NDArray[np.uint8]) -> None:
    """Grey or colour, under the name of the zip, which may be given with its suffix."""
    source = ArraySource(pixels)
    (path,) = export_small_tiles(source, tmp_path / "image.zip", as_zip=True)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        prefix = "image_files/"
        tiles = {
            name.removeprefix(prefix): archive.read(name)
            for name in archive.namelist()
            if name.startswith(prefix) and not name.endswith(("/", ".xml"))
        }
        assert "image.dzi" in archive.namelist()
    _assert_tiles_equal(source, small_tiles(203, 301), tiles)


def test_file_is_exported_as_it_is_stored(tmp_path: Path) -> None:
    """The tiles of a file are those of its pixels."""
    Image.fromarray(PIXELS).save(tmp_path / "image.png")
    header = read_image_header(tmp_path / "image.png")
    folder, _ = export_small_tiles(header, tmp_path / "out.dzi")
    _assert_tiles_equal(ArraySource(PIXELS), small_tiles(203, 301), _tiles_in_folder(folder))


def test_jpeg_tiles_are_named_so(tmp_path: Path) -> None:
    """The descriptor's format is the suffix of the tiles."""
    folder, descriptor = export_dzi(ArraySource(PIXELS), tmp_path / "out", tile_format="jpeg")
    assert ET.parse(descriptor).getroot().attrib["Format"] == "jpeg"
    top = _decode((folder / "9/0_0.jpeg").read_bytes())
    assert top.shape == PIXELS.shape


def test_existing_export_is_replaced_only_by_force(tmp_path: Path) -> None:
    """Without it nothing is touched; with it nothing of the old one is left."""
    export_small_tiles(ArraySource(PIXELS), tmp_path / "out")
    before = _tiles_in_folder(tmp_path / "out_files")
    with pytest.raises(WriteError, match="--force"):
        export_small_tiles(ArraySource(255 - PIXELS[:50]), tmp_path / "out")
    assert _tiles_in_folder(tmp_path / "out_files") == before
    small = ArraySource(255 - PIXELS[:50])
    export_small_tiles(small, tmp_path / "out", force=True)
    grid = small_tiles(50, 301)
    _assert_tiles_equal(small, grid, _tiles_in_folder(tmp_path / "out_files"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.dzi", "out_files"]


def test_failed_export_leaves_nothing_and_says_why(tmp_path: Path) -> None:
    """A source that fails on the way, a damaged file, a missing folder, a wrong format."""
    for last_row in (0, 8000):
        with pytest.raises(DamagedFileError, match="found the end"):
            export_dzi(FailingSource(last_row), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(WriteError, match="No such file or directory"):
        export_dzi(ArraySource(PIXELS), tmp_path / "missing" / "out")
    with pytest.raises(InvalidValueError, match="png, jpeg"):
        export_dzi(ArraySource(PIXELS), tmp_path / "out", tile_format="gif")
    Image.fromarray(PIXELS).save(tmp_path / "half.png")
    data = (tmp_path / "half.png").read_bytes()
    (tmp_path / "half.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(DamagedFileError, match=r"half\.png"):
        export_dzi(read_image_header(tmp_path / "half.png"), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["half.png"]


def test_replacement_that_fails_half_way_puts_the_old_export_back(tmp_path: Path) -> None:
    """Descriptor and tiles change together or not at all."""
    targets = (tmp_path / "out_files", tmp_path / "out.dzi")
    folder = tmp_path / "finished"
    for place, content in ((tmp_path, "old"), (folder, "new")):
        (place / "out_files").mkdir(parents=True)
        (place / "out_files" / "tile").write_text(content)
    targets[1].write_text("old")
    with pytest.raises(FileNotFoundError):
        rename_all(folder, targets)  # the new descriptor is missing
    assert (targets[0] / "tile").read_text() == "old"
    assert targets[1].read_text() == "old"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of a file")
def test_write_error_leaves_nothing_behind(tmp_path: Path) -> None:
    """Where the system refuses to write on, the command says so and cleans up."""
    script = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "from umnist_core.cli import main\n"
        "sys.argv = ['umnist', 'tiles', 'export', '--zip', 'out']\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "out.zip could not be written" in done.stderr
    assert ".out-" not in done.stderr  # the name asked for, not that of a temporary folder
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows interrupts processes in another way")
def test_interrupted_export_leaves_nothing_behind(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a huge scene ends the command at once and cleanly."""
    # Where the tests themselves run in the background, the interrupt would be ignored.
    script = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from umnist_core.cli import main\n"
        "sys.argv = ['umnist', 'tiles', 'export', '--set', 'canvas=100000', 'out']\n"
        "main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    while process.poll() is None and not list(tmp_path.glob(".out-*/out_files/17/*")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate()
    assert process.returncode == 1
    assert "nothing half-written was left" in error
    assert list(tmp_path.iterdir()) == []
