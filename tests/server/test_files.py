"""Image files behind the tile routes."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from PIL import Image

from tests.pyramid.making import write_oriented, write_pages
from umnist_core.errors import DamagedFileError, NotFoundError
from umnist_core.models.reduced import prepare_reduced
from umnist_core.pyramid import PyramidGrid
from umnist_core.pyramid.files import open_source
from umnist_core.server.files import get_file, register_file

PIXELS = np.random.default_rng(0).integers(0, 256, (400, 700), np.uint8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a grey PNG."""
    Image.fromarray(PIXELS).save(tmp_path / "image.png")
    return tmp_path / "image.png"


def test_registered_file_is_served_as_deep_zoom(client: httpx.Client, path: Path) -> None:
    """Its size, its tiles pixel for pixel, for ever under the same address."""
    entry = register_file(path)
    assert (entry.height, entry.width) == PIXELS.shape
    descriptor = client.get(f"/tiles/file/{entry.id}.dzi")
    assert 'Height="400" Width="700"' in descriptor.text
    tile = client.get(f"/tiles/file/{entry.id}_files/10/1_0.png")
    assert "immutable" in tile.headers["cache-control"]
    box = PyramidGrid(400, 700).tile_box(10, 1, 0)
    pixels = cv2.imdecode(np.frombuffer(tile.content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    assert np.array_equal(pixels, PIXELS[box.slices])
    model = client.get(f"/tiles/file/{entry.id}.dzi?view=model-256")
    assert 'Height="146" Width="256"' in model.text


def test_file_is_shown_as_models_read_it(client: httpx.Client, tmp_path: Path) -> None:
    """Grey also where the file has colours, and each pixel what a model is given."""
    colours = np.random.default_rng(1).integers(0, 256, (700, 1100, 3), np.uint8)
    Image.fromarray(colours).save(tmp_path / "colour.png")
    entry = register_file(tmp_path / "colour.png")
    given = prepare_reduced(open_source(entry.header), 256).pixels.numpy()[:163]
    tile = client.get(f"/tiles/file/{entry.id}_files/8/0_0.png?view=model-256")
    shown = cv2.imdecode(np.frombuffer(tile.content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert shown is not None
    assert np.array_equal(shown, given)
    refused = client.get(f"/tiles/file/{entry.id}.dzi?view=model-2048")
    assert (refused.status_code, "1 to 1100 px" in refused.text) == (422, True)


def test_window_of_a_file_is_drawn_by_its_address(client: httpx.Client, tmp_path: Path) -> None:
    """For ever the same; models read files by the rule of all files, and nothing else."""
    deep = PIXELS.astype(np.uint16) + 20_000
    Image.fromarray(deep).save(tmp_path / "deep.png")
    entry = register_file(tmp_path / "deep.png")
    tile = client.get(f"/tiles/file/{entry.id}_files/9/0_0.png?low=20000&high=20255")
    assert "immutable" in tile.headers["cache-control"]
    plain = client.get(f"/tiles/file/{entry.id}_files/10/0_0.png?low=20000&high=20255")
    shown = cv2.imdecode(np.frombuffer(plain.content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert shown is not None
    assert np.array_equal(shown, PIXELS[:, :513])
    found = client.get(f"/tiles/file/{entry.id}_range.json").json()
    assert found["full"] == [20_000, 20_255]
    assert client.get(f"/tiles/file/{entry.id}_range.json?channel=1").status_code == 422
    for query in (
        "low=5",
        "low=5&high=4",
        "low=a&high=b",
        "channel=1",
        "view=model-256&low=0&high=1",
    ):
        refused = client.get(f"/tiles/file/{entry.id}_files/10/0_0.png?{query}")
        assert refused.status_code == 422, query


def test_file_routes_refuse_what_is_wrong(client: httpx.Client, path: Path) -> None:
    """A tile that is not there, a parameter that files have not, a file that broke."""
    entry = register_file(path)
    assert client.get(f"/tiles/file/{entry.id}_files/11/0_0.png").status_code == 404
    response = client.get(f"/tiles/file/{entry.id}.dzi?seed=3")
    assert response.status_code == 422
    assert "the parameters are view, low, high, channel, tile, overlap" in response.text


def test_file_that_changed_is_not_served_under_its_old_id(client: httpx.Client, path: Path) -> None:
    """Old addresses keep their meaning; the new content has a new id."""
    entry = register_file(path)
    Image.fromarray(255 - PIXELS).save(path)
    os.utime(path, ns=(1, 1))
    response = client.get(f"/tiles/file/{entry.id}_files/10/0_0.png")
    assert response.status_code == 404
    assert "has changed or gone" in response.text
    assert register_file(path).id != entry.id


def test_file_is_registered_only_if_it_may_be_opened(tmp_path: Path) -> None:
    """A damaged file is refused when it is opened, and never served."""
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(DamagedFileError):
        register_file(tmp_path / "text.png")
    with pytest.raises(NotFoundError):
        get_file("0" * 16)


def test_file_that_breaks_off_is_told_in_a_sentence(client: httpx.Client, path: Path) -> None:
    """Its header is whole, so only its tiles can tell."""
    path.write_bytes(path.read_bytes()[:2000])
    entry = register_file(path)
    response = client.get(f"/tiles/file/{entry.id}_files/10/0_0.png")
    assert response.status_code == 500
    assert "Expected a whole image in image.png" in response.text


def test_turned_file_is_served_upright(client: httpx.Client, tmp_path: Path) -> None:
    """Descriptor, tiles and values are in one frame, that of the image as it is shown."""
    path = write_oriented(tmp_path / "photo.png", PIXELS, 6)
    entry = register_file(path)
    upright = np.rot90(PIXELS, -1)
    assert 'Height="700" Width="400"' in client.get(f"/tiles/file/{entry.id}.dzi").text
    tile = client.get(f"/tiles/file/{entry.id}_files/10/0_0.png")
    pixels = cv2.imdecode(np.frombuffer(tile.content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    assert np.array_equal(pixels, upright[PyramidGrid(700, 400).tile_box(10, 0, 0).slices])
    block = client.get(f"/tiles/file/{entry.id}_values/3_20.json").json()["values"]
    assert np.array_equal(np.array(block)[..., 0], upright[640:672, 96:128])


def test_values_of_a_file_are_served(client: httpx.Client, tmp_path: Path) -> None:
    """All channels with their depth; an address that is wrong is refused in a sentence."""
    Image.fromarray(np.array([[21769, 5]], np.uint16)).save(tmp_path / "deep.png")
    entry = register_file(tmp_path / "deep.png")
    pane = entry.pane
    assert pane["values"]["names"] == ("grey",)
    assert pane["values"]["depth"] == "16 bit"
    answer = client.get(f"{pane['values']['url']}0_0.json")
    assert answer.json() == {"values": [[[21769], [5]]]}
    assert "immutable" in answer.headers["cache-control"]
    for wrong, sentence in (("1_0", "no block 1_0"), ("a_0", "column is a whole number")):
        refused = client.get(f"{pane['values']['url']}{wrong}.json")
        assert (refused.status_code, sentence in refused.text) == (422, True)


def test_pages_of_a_file_have_addresses_of_their_own(client: httpx.Client, tmp_path: Path) -> None:
    """A link to a page goes on meaning that page."""
    path = write_pages(tmp_path / "stack.tif", [PIXELS[:20, :30], PIXELS[:40, :10]])
    first, second = register_file(path), register_file(path, page=1)
    assert first.id != second.id
    assert 'Height="20" Width="30"' in client.get(f"/tiles/file/{first.id}.dzi").text
    assert 'Height="40" Width="10"' in client.get(f"/tiles/file/{second.id}.dzi").text
