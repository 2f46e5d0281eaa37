"""The tile routes, over real HTTP."""

from __future__ import annotations

import io
import itertools
import json
import os
import socket
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree as ET

import cv2
import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.segment_glyphs import segment_glyphs
from tests.server.serving import serve
from umnist_core.digits import GlyphSet
from umnist_core.geometry import Box
from umnist_core.incidents import LOG_NAME
from umnist_core.pyramid import PyramidGrid, encode_jpeg, reduce_for_model
from umnist_core.rendering import FILTERS, LAYERS, pixel_pin, render
from umnist_core.scenes import Scene, plan_scene
from umnist_core.server import TileService, create_tile_app
from umnist_core.settings import load_settings

SMALL = "canvas=900&factor=0.5..5"


def _scene(glyphs: GlyphSet, seed: int = 0) -> Scene:
    overrides = {"canvas": "900", "factor": "0.5..5"}
    return plan_scene("released", seed, "train", 0, overrides=overrides, glyphs=glyphs)


def _decode(data: bytes) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return np.asarray(image, np.uint8)


@pytest.mark.parametrize("view", LAYERS)
@pytest.mark.parametrize("pyramid_filter", FILTERS)
def test_every_tile_is_the_rendered_box(
    client: httpx.Client, glyphs: GlyphSet, view: str, pyramid_filter: str
) -> None:
    """All tiles of all levels, with the sizes that the descriptor announces."""
    query = f"{SMALL}&view={view}&filter={pyramid_filter}&tile=200&overlap=2"
    root = ET.fromstring(client.get(f"/tiles/scene.dzi?{query}").text)
    assert root.attrib == {"Format": "png", "Overlap": "2", "TileSize": "200"}
    grid = PyramidGrid(int(root[0].attrib["Height"]), int(root[0].attrib["Width"]), 200, 2)
    for level in range(grid.max_level + 1):
        rows, cols = grid.tile_counts(level)
        for row, col in itertools.product(range(rows), range(cols)):
            response = client.get(f"/tiles/scene_files/{level}/{col}_{row}.png?{query}")
            assert response.headers["content-type"] == "image/png"
            expected = render(
                _scene(glyphs),
                glyphs,
                level_box=grid.tile_box(level, col, row),
                reduction=grid.reduction(level),
                layer=view,
                pyramid_filter=pyramid_filter,
            )
            assert np.array_equal(_decode(response.content), expected)


def test_model_view_is_the_reduced_image(client: httpx.Client, glyphs: GlyphSet) -> None:
    """Its pyramid is that of the image as the model sees it, of the model's size."""
    seen = reduce_for_model(render(_scene(glyphs), glyphs), 256)
    query = f"{SMALL}&view=model-256"
    root = ET.fromstring(client.get(f"/tiles/scene.dzi?{query}").text)
    assert root[0].attrib == {"Height": "256", "Width": "256"}
    tile = client.get(f"/tiles/scene_files/8/0_0.png?{query}")
    assert np.array_equal(_decode(tile.content), seen)


def test_scene_of_10_gigapixels_opens_and_zooms(client: httpx.Client) -> None:
    """The coarsest and the finest tile come, and the whole is refused with a way out."""
    query = "canvas=100000&factor=1..1000"
    assert client.get(f"/tiles/scene_files/0/0_0.png?{query}").status_code == 200
    tile = client.get(f"/tiles/scene_files/17/99_99.png?{query}")
    assert _decode(tile.content).shape == (514, 514)
    for name in ("png", "jpeg", "zip"):
        response = client.get(f"/tiles/scene.{name}?{query}")
        assert response.status_code == 413
        assert "umnist tiles export" in response.text


def test_downloads_are_the_whole_image_and_its_truth(
    client: httpx.Client, glyphs: GlyphSet
) -> None:
    """PNG, quality-75 JPEG, Deep Zoom zip and JSON, under names that tell the scene."""
    scene = _scene(glyphs)
    image = render(scene, glyphs)
    files = {name: client.get(f"/tiles/scene.{name}?{SMALL}") for name in ("png", "jpeg", "zip")}
    assert np.array_equal(_decode(files["png"].content), image)
    assert np.array_equal(_decode(files["jpeg"].content), _decode(encode_jpeg(image)))
    with zipfile.ZipFile(io.BytesIO(files["zip"].content)) as archive:
        stem = "ultramnist_released_train_seed-0_index-0_canvas-900_factor-0.5..5"
        tile = archive.read(f"{stem}_files/10/1_1.png")
        box = PyramidGrid(900, 900).tile_box(10, 1, 1)
        assert np.array_equal(_decode(tile), image[box.slices])
    truth = client.get(f"/tiles/scene.json?{SMALL}")
    assert Scene.from_json(truth.text).label == scene.label
    assert json.loads(truth.text)["digits"][0]["row"] == scene.digits[0].row
    for name, response in {**files, "json": truth}.items():
        disposition = f'attachment; filename="{stem}.{name}"'
        assert response.headers["content-disposition"] == disposition


def test_downloaded_images_name_their_digits(client: httpx.Client) -> None:
    """A file that leaves the application still says which digits it was made with."""
    with Image.open(io.BytesIO(client.get(f"/tiles/scene.png?{SMALL}").content)) as opened:
        assert "digits segments" in opened.info["Comment"]


@pytest.mark.parametrize(
    ("address", "status", "sentence"),
    [
        ("scene_files/11/0_0.png", 404, "levels 0 to 10"),
        ("scene_files/10/2_0.png", 404, "columns 0 to 1 and rows 0 to 1"),
        ("scene_files/10/0_99999999999999999.png", 404, "columns 0 to 1 and rows 0 to 1"),
        ("scene_files/-1/0_0.png", 422, "level is a whole number"),
        ("scene_files/10/-1_0.png", 422, "column is a whole number"),
        ("scene_files/10/0_1e3.png", 422, "row is a whole number"),
        ("scene_files/ten/0_0.png", 422, "level is a whole number"),
        ("scene_files/NaN/0_0.png", 422, "level is a whole number"),
        ("scene_files/%C2%B2/0_0.png", 422, "level is a whole number"),
        (f"scene_files/{'9' * 40}/0_0.png", 422, "at most 18 digits"),
        ("scene_files/10/0_0.jpg", 404, "Tiles are at"),
        ("scene_files/10/0_0", 404, "Tiles are at"),
        ("scene.gif", 404, "Tiles are at"),
        ("scene_files", 404, "Tiles are at"),
        ("scene.dzi?noise=3", 422, "the parameters are preset, seed"),
        ("scene.dzi?preset=mine", 422, "preset is one of released, released-clean, paper"),
        ("scene.dzi?seed=-1", 422, "seed is a whole number"),
        ("scene.dzi?seed=", 422, "seed is a whole number"),
        ("scene.dzi?seed", 422, "name=value"),
        ("scene.dzi?seed=1&seed=2", 422, "given twice"),
        ("scene.dzi?index=1.5", 422, "index is a whole number"),
        ("scene.dzi?split=val", 422, "train, test"),
        ("scene.dzi?rotation=nan", 422, "rotation is a number from -180 to 180"),
        ("scene.dzi?rotation=inf", 422, "rotation is a number from -180 to 180"),
        ("scene.dzi?shape_pairs=3..1", 422, "shape_pairs is a whole number"),
        ("scene.dzi?canvas=10000000", 422, "canvas is a whole number"),
        ("scene.dzi?canvas=300&factor=9&digits=5", 422, "digits"),
        ("scene.dzi?view=x-ray", 422, "view is one of full, noise_free"),
        ("scene.dzi?view=model-2048&canvas=1000&factor=1", 422, "reduced to 1 to 1000 px"),
        ("scene.dzi?view=model-256&canvas=100000&factor=1", 413, "64 million px"),
        ("scene.dzi?filter=bicubic", 422, "filter is one of area, nearest"),
        ("scene.dzi?tile=1", 422, "tile is a whole number from 16 to 4096"),
        ("scene.dzi?tile=16&overlap=16", 422, "overlap is a whole number from 0 to 15"),
        ("scene.dzi?pin=xyz", 422, "8 hexadecimal digits"),
        ("scene.dzi?pin=00000000-1", 409, "open the sample again"),
        ("scene.dzi?%FF=1", 422, "name=value"),
        ("scene.dzi?" + "&".join(f"a{n}=1" for n in range(100)), 422, "name=value"),
        ("file/0123456789abcdef.dzi", 404, "No open file"),
        ("file/0123456789abcdef_files/0/0_0.png", 404, "No open file"),
        ("file/..%2F..%2Fetc%2Fpasswd.dzi", 404, "Tiles are at"),
    ],
)
def test_wrong_address_gets_one_sentence(
    client: httpx.Client, address: str, status: int, sentence: str
) -> None:
    """Its status tells who is at fault, its text what is allowed; no traceback, no HTML."""
    if address.startswith("scene_files/") and "?" not in address:
        address += f"?{SMALL}"
    response = client.get(f"/tiles/{address}")
    assert response.status_code == status
    assert sentence in response.text
    assert response.text.endswith(".")
    assert "\n" not in response.text
    assert "Traceback" not in response.text
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"].startswith("text/plain")


def test_tile_is_immutable_only_where_its_address_names_the_digits(
    client: httpx.Client, glyphs: GlyphSet
) -> None:
    """An address that would show other digits tomorrow is asked about each time."""
    pin = pixel_pin(glyphs)
    tile = f"/tiles/scene_files/10/0_0.png?{SMALL}"
    pinned = client.get(f"{tile}&pin={pin}")
    assert pinned.headers["cache-control"] == "public, max-age=31536000, immutable"
    unpinned = client.get(tile)
    assert unpinned.headers["cache-control"] == "no-cache"
    assert pinned.content == unpinned.content
    assert pinned.headers["etag"] == unpinned.headers["etag"]
    assert pin in pinned.headers["etag"]


@pytest.mark.parametrize("how", ["{}", "W/{}", '"other", {}', "*"])
def test_client_that_has_the_tile_is_told_so(client: httpx.Client, how: str) -> None:
    """304 without content for each form of If-None-Match; the content for another tag."""
    tile = f"/tiles/scene_files/10/0_0.png?{SMALL}"
    etag = client.get(tile).headers["etag"]
    response = client.get(tile, headers={"If-None-Match": how.format(etag)})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == etag
    assert client.get(tile, headers={"If-None-Match": '"other"'}).status_code == 200


def test_head_has_the_headers_and_no_content(client: httpx.Client) -> None:
    """And no other method is served."""
    tile = f"/tiles/scene_files/10/0_0.png?{SMALL}"
    whole, head = client.get(tile), client.head(tile)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == str(len(whole.content))
    refused = client.post(tile)
    assert refused.status_code == 405
    assert refused.headers["allow"] == "GET, HEAD"


def test_other_sites_cannot_read_what_is_served(client: httpx.Client) -> None:
    """No CORS header, whatever the origin that asks."""
    paths = (f"/tiles/scene.dzi?{SMALL}", f"/tiles/scene.json?{SMALL}", "/health", "/tiles/none")
    for path in paths:
        response = client.get(path, headers={"Origin": "http://elsewhere.example"})
        assert not any(name.startswith("access-control") for name in response.headers)


def test_scene_is_rendered_once_however_many_tiles_are_asked_for_at_once() -> None:
    """Sixteen connections that ask for all tiles of a new scene cost one rendering."""
    glyphs = segment_glyphs()
    service = TileService(glyphs=lambda: glyphs)
    grid = PyramidGrid(2000, 2000, 128)
    rows, cols = grid.tile_counts(grid.max_level)
    tiles = [f"{grid.max_level}/{col}_{row}" for row in range(rows) for col in range(cols)]
    query = "canvas=2000&factor=1..9&tile=128"
    with (
        serve(create_tile_app(service)) as base_url,
        httpx.Client(base_url=base_url, timeout=60) as client,
    ):

        def ask(tile: str) -> int:
            return client.get(f"/tiles/scene_files/{tile}.png?{query}").status_code

        with ThreadPoolExecutor(16) as threads:
            assert set(threads.map(ask, tiles)) == {200}
    assert service.cache_stats["pyramids"]["made"] == 1
    assert service.cache_stats["answers"]["made"] == len(tiles)


def test_nothing_is_made_for_a_client_that_has_gone() -> None:
    """A request that is given up while it waits for its turn costs no work."""
    glyphs = segment_glyphs()
    go_on = threading.Event()

    working = threading.Semaphore(0)

    def wait_for_glyphs() -> GlyphSet:
        working.release()
        go_on.wait()
        return glyphs

    service = TileService(glyphs=wait_for_glyphs)
    busy = os.cpu_count() or 1
    with (
        serve(create_tile_app(service)) as base_url,
        httpx.Client(base_url=base_url, timeout=60) as client,
        ThreadPoolExecutor(busy + 1) as threads,
    ):
        waiting = [
            threads.submit(client.get, f"/tiles/scene.dzi?{SMALL}&seed={seed}")
            for seed in range(busy)
        ]
        address = httpx.URL(base_url)
        for _ in range(busy):
            working.acquire()
        with socket.create_connection((address.host, address.port or 0)) as given_up:
            given_up.sendall(b"GET /tiles/scene.dzi?seed=99 HTTP/1.1\r\nHost: test\r\n\r\n")
            client.get("/health")  # by now the server has read the request
        client.get("/health")  # and by now it has seen that the client is gone
        go_on.set()
        assert {future.result().status_code for future in waiting} == {200}
        assert client.get(f"/tiles/scene.dzi?{SMALL}&seed=100").status_code == 200
    assert service.cache_stats["answers"]["made"] == busy + 1


def test_other_digits_give_other_tiles_at_once() -> None:
    """After a change of glyph set no old tile is sent, and old pinned addresses are refused."""
    first = segment_glyphs()
    second = GlyphSet("shifted", np.roll(first.images, 3, axis=1), first.labels.copy())
    in_use = [first]
    service = TileService(glyphs=lambda: in_use[0])
    path, query = "/scene.png", SMALL
    before = service.reply(path, query)
    pinned_query = f"{query}&pin={pixel_pin(first)}"
    service.reply("/scene.dzi", pinned_query)
    in_use[0] = second
    after = service.reply(path, query)
    assert before.etag != after.etag
    scene = plan_scene(
        "released", 0, "train", 0, overrides={"canvas": "900", "factor": "0.5..5"}, glyphs=second
    )
    whole = render(scene, second, level_box=Box(0, 0, 900, 900))
    assert np.array_equal(_decode(after.body), whole)


def test_cache_stays_within_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many scenes later the caches hold no more bytes than the settings allow."""
    monkeypatch.setenv("UMNIST_CACHE_MIB", "4")
    glyphs = segment_glyphs()
    service = TileService(glyphs=lambda: glyphs)
    for seed in range(12):
        service.reply("/scene_files/10/0_0.png", f"{SMALL}&seed={seed}")
    pyramids = service.cache_stats["pyramids"]
    assert pyramids["made"] == 12
    assert 900 * 900 * pyramids["entries"] < pyramids["held_bytes"] <= 3 * 2**20
    assert pyramids["entries"] > 0


def test_unexpected_failure_is_one_sentence_and_logged(
    caplog: pytest.LogCaptureFixture, glyphs: GlyphSet
) -> None:
    """A bug of ours reaches the log with its traceback, and the user without."""

    def broken() -> GlyphSet:
        raise RuntimeError("secret detail")

    with (
        serve(create_tile_app(TileService(glyphs=broken))) as base_url,
        httpx.Client(base_url=base_url, timeout=60) as client,
    ):
        response = client.get(f"/tiles/scene.dzi?{SMALL}")
    assert response.status_code == 500
    assert response.text.startswith("Something went wrong on the server; its log says more about")
    number = response.text.rstrip(".").rpartition(" ")[2]
    assert f"incident {number}" in caplog.text
    assert "secret detail" in caplog.text
    assert f"Incident {number}: /scene.dzi" in (load_settings().data_dir / LOG_NAME).read_text()
