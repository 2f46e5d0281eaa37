"""The largest photographs open in deep zoom: a tile comes without the picture being held."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import pyvips

from tests.datasets.meth.making import METH_HEADER, meth_cells, write_table
from umnist_core.datasets.inspect import inspect_dataset

WIDTH, HEIGHT = 10347, 8067
"""83 million px, one of MAMe's."""

READ = """
import json, resource, sys
from pathlib import Path
import umnist_core.pyramid.files
from umnist_core.datasets import open_dataset
from umnist_core.geometry import Box
from umnist_core.pyramid.files import file_source
import pyvips

def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

folder, how = Path(sys.argv[1]), sys.argv[2]
data = open_dataset(folder)
(name,) = data.ids
path = data.find_path(name)
before = peak_bytes()
if how == "ours":
    source = file_source(path)
    tile = source.read_region(Box(4000, 5000, 4512, 5512), 1)
    coarse = source.read_region(Box(0, 0, 8067 // 16, 10347 // 16), 16)
    found = [tile.shape, tile.mean(axis=(0, 1)).tolist(), coarse.mean(axis=(0, 1)).tolist()]
else:
    image = pyvips.Image.new_from_file(str(path), access="sequential")
    image.tiffsave(str(folder / "own.tif"), pyramid=True, tile=True)
    found = []
print(json.dumps([peak_bytes() - before, found]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return MetH-SR with one photograph in colour of 83 million px."""
    root = tmp_path_factory.mktemp("meth") / "MetH-SR"
    (root / "data").mkdir(parents=True)
    bands = pyvips.Image.xyz(WIDTH, HEIGHT) * [0.02, 0.03]
    colours = bands.bandjoin(bands.extract_band(0) * 0.5).cast("uchar")
    path = root / "data" / "large.jpg"
    colours.copy(interpretation="srgb").jpegsave(str(path), Q=90)
    cells = meth_cells([("large.jpg", "", "test", (WIDTH, HEIGHT))])
    write_table(root / "MetH-SR.csv", METH_HEADER, cells)
    return root


def _read(folder: Path, how: str) -> tuple[int, list[list[float]]]:
    command = [sys.executable, "-c", READ, str(folder), how]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    grown, found = json.loads(result.stdout)
    return grown, found


def test_tile_of_83_megapixels_comes_without_holding_them(folder: Path) -> None:
    """Memory grows by less than half of the pixels, and by no more than in pyvips's own pyramid."""
    grown, (shape, tile, coarse) = _read(folder, "ours")
    assert shape == [512, 512, 3]
    # Of the middle of the tile: column 5255.5 and row 4255.5 times what the bands are made with.
    np.testing.assert_allclose(tile, [105.1, 127.7, 52.6], atol=1.5)
    np.testing.assert_allclose(coarse, [103.0, 120.5, 51.2], atol=1.5)
    assert grown < WIDTH * HEIGHT * 3 / 2
    own, _ = _read(folder, "pyvips")
    # Which of the two is ahead by how much depends on its threads; neither holds the picture.
    assert grown < own + 64 * 2**20


def test_size_of_83_megapixels_is_read_from_the_header(folder: Path) -> None:
    """No pixel is decoded for a listing."""
    found = inspect_dataset(folder, quick=True)
    assert (found.sizes, found.is_sound) == ({"10347x8067": 1}, True)
