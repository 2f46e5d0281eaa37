"""Files that are dropped on the page, and the small pictures of a folder."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette

from tests.server.serving import serve
from umnist_core.server.drops import MOST_KEPT, drop_routes
from umnist_core.server.folder_images import THUMB_PX, folder_routes, register_folder
from umnist_core.settings import load_settings

GREY = np.random.default_rng(3).integers(0, 256, (300, 500), np.uint8)


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """Serve the routes alone, with room for 2 MiB in a drop."""
    settings = dataclasses.replace(load_settings(), max_file_mib=2)
    with serve(Starlette(routes=[*drop_routes(settings), *folder_routes()])) as address:
        headers = {"origin": address}
        with httpx.Client(base_url=address, headers=headers, timeout=60) as one:
            yield one


def _begin(client: httpx.Client) -> str:
    return f"/drops/{client.post('/drops/begin').json()['token']}"


def _png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(GREY).save(file, "PNG")
    return file.getvalue()


def test_one_image_is_a_file_and_several_are_a_folder(client: httpx.Client) -> None:
    """Byte for byte, in their folders; what cannot be opened is said in a sentence."""
    place = _begin(client)
    assert client.post(f"{place}/a%20b.png", content=_png()).status_code == 204
    found = client.post(place).json()
    assert found["kind"] == "file"
    assert Path(found["path"]).name == "a b.png"
    assert Path(found["path"]).read_bytes() == _png()
    place = _begin(client)
    for name in ("set/train/a.png", "set/train/b.png"):
        client.post(f"{place}/{name}", content=_png())
    client.post(f"{place}/set/train.csv", content=b"id,digit_sum\na,3\nb,4\n")
    found = client.post(place).json()
    assert (found["kind"], Path(found["path"]).name) == ("folder", "set")
    place = _begin(client)
    client.post(f"{place}/a.png", content=b"hello")
    refused = client.post(place)
    assert refused.status_code >= 400
    assert "found something else" in refused.json()["error"]


@pytest.mark.parametrize(
    "name",
    ["../a.png", "a/../../b.png", "%2e%2e/a.png", "/etc/a.png", ".a.png", "a%00.png", "a.sh"],
)
def test_names_stay_in_the_folder_of_their_drop(client: httpx.Client, name: str) -> None:
    """No way up, no hidden file, nothing but images and tables."""
    place = _begin(client)
    url = httpx.URL(str(client.base_url), raw_path=f"{place}/{name}".encode())
    assert client.post(url, content=_png()).status_code in (404, 405, 422)


def test_drops_are_bounded_in_bytes_and_number(client: httpx.Client) -> None:
    """What is too large is refused and leaves nothing; the oldest go for the newest."""
    place = _begin(client)
    refused = client.post(f"{place}/a.png", content=bytes(3 * 2**20))
    assert refused.status_code == 413
    assert "At most 2 MiB" in refused.json()["error"]
    first = _begin(client)
    client.post(f"{first}/a.png", content=_png())
    path = Path(client.post(first).json()["path"])
    assert path.exists()
    for _ in range(MOST_KEPT):
        _begin(client)
    assert not path.exists()
    assert client.post(first).status_code == 404


def test_other_sites_drop_nothing(client: httpx.Client) -> None:
    """Nor does what does not say where it comes from."""
    for headers in ({"origin": "https://elsewhere.org"}, {"origin": ""}):
        assert client.post("/drops/begin", headers=headers).status_code == 403


def test_small_pictures_are_what_is_shown(client: httpx.Client, tmp_path: Path) -> None:
    """In its shape, turned as it is shown, and asked for anew only where the file has changed."""
    ramp = np.linspace(0, 255, 1200, dtype=np.uint8)[None].repeat(2400, 0)
    turned = Image.fromarray(ramp)
    exif = turned.getexif()
    exif[274] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif)
    Image.fromarray(GREY).save(tmp_path / "b.png")
    Image.fromarray(GREY.astype(np.uint16) << 8).save(tmp_path / "deep.png")
    paths = [tmp_path / "turned.jpg", tmp_path / "b.png", tmp_path / "deep.png"]
    folder = register_folder("place", ("one", "two", "three"), paths.__getitem__)
    place = f"/folders/{folder.token}"
    assert client.get(f"{place}/names.json").json() == {"names": ["one", "two", "three"]}

    def picture(number: int) -> np.ndarray:
        data = client.get(f"{place}/{number}.png").content
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert found is not None
        return found

    first = picture(0)
    assert first.shape == (THUMB_PX // 2, THUMB_PX)
    assert np.abs(first[:, 64].astype(int) - np.linspace(0, 255, 64)).max() < 8
    assert picture(1).shape == (77, THUMB_PX)
    assert np.abs(picture(1).astype(int) - picture(2)).max() <= 1
    reply = client.get(f"{place}/1.png")
    again = client.get(f"{place}/1.png", headers={"if-none-match": reply.headers["etag"]})
    assert again.status_code == 304
    assert client.get(f"{place}/3.png").status_code == 404
    assert client.get("/folders/unknown/0.png").status_code == 404
