"""Scenes that take long to draw: refused where they are enormous, and in nobody's way."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.segment_glyphs import segment_glyphs
from tests.server.serving import serve
from umnist_core.giving_up import go_on
from umnist_core.pyramid import encode_png
from umnist_core.server import TileService, create_tile_app
from umnist_core.server import tiles as tiles_module
from umnist_core.server.files import register_file
from umnist_core.server.tile_reply import TileReply

_ENORMOUS = "preset=megapixel&canvas=200000&noise_count=10000&noise_size=2800"
_DEAR = "preset=megapixel&canvas=8000&noise_count=300&noise_size=700&seed="
_QUICK = "/tiles/scene_files/9/0_0.png?seed="


@pytest.mark.parametrize("name", ["scene_files/9/0_0.png", "scene_files/18/0_0.png"])
def test_enormous_scene_is_refused_before_it_is_drawn(client: httpx.Client, name: str) -> None:
    """Every tile of it says what is allowed; what needs no pixel is there."""
    refused = client.get(f"/tiles/{name}?{_ENORMOUS}")
    assert refused.status_code == 413
    assert "`umnist render`" in refused.text
    assert client.get(f"/tiles/scene.dzi?{_ENORMOUS}").status_code == 200


@pytest.mark.parametrize("kind", ["png", "zip"])
def test_download_of_an_enormous_scene_is_refused(client: httpx.Client, kind: str) -> None:
    """A small canvas can hold as much work."""
    scene = "preset=megapixel&canvas=8000&noise_count=10000&noise_size=2600"
    refused = client.get(f"/tiles/scene.{kind}?{scene}")
    assert refused.status_code == 413
    assert "`umnist render`" in refused.text


def test_download_of_very_many_small_tiles_is_refused(client: httpx.Client) -> None:
    """Each tile is a file of its own, so that small ones take longer than the picture."""
    refused = client.get("/tiles/scene.zip?seed=1&tile=24")
    assert refused.status_code == 413
    assert "`umnist tiles export`" in refused.text
    assert client.get("/tiles/scene.zip?seed=1&canvas=1000").status_code == 200


class _Waiting(TileService):
    """Draws dear scenes for as long as nobody says otherwise, but gives up as others do."""

    def __init__(self) -> None:
        super().__init__(glyphs=segment_glyphs)
        self.begun, self.given_up = threading.Semaphore(0), threading.Semaphore(0)
        self.may_end = threading.Event()

    def reply(self, path: str, query: str, *, may_be_dear: bool = True) -> TileReply:
        reply = super().reply(path, query, may_be_dear=may_be_dear)
        if may_be_dear:
            self.begun.release()
            try:
                while not self.may_end.is_set():
                    go_on()
            except BaseException:
                self.given_up.release()
                raise
        return reply


def test_dear_scenes_keep_nobody_from_seeing_others() -> None:
    """However many are asked for, other tiles come meanwhile."""
    service = _Waiting()
    with (
        serve(create_tile_app(service)) as url,
        httpx.Client(base_url=url, timeout=60) as client,
        ThreadPoolExecutor(8) as others,
    ):
        dear = [
            others.submit(client.get, f"/tiles/scene_files/9/0_0.png?{_DEAR}{seed}")
            for seed in range(8)
        ]
        service.begun.acquire()
        for seed in range(4):
            assert client.get(f"{_QUICK}{seed}").status_code == 200
        assert not any(one.done() for one in dear)
        service.may_end.set()
        assert {one.result().status_code for one in dear} == {200}


def test_drawing_ends_when_its_client_leaves() -> None:
    """The thread is free for the next."""
    service = _Waiting()
    with serve(create_tile_app(service)) as url:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{url}/tiles/scene_files/9/0_0.png?{_DEAR}1", timeout=5)
        assert service.given_up.acquire(timeout=60)
        service.may_end.set()
        assert httpx.get(f"{url}/tiles/scene_files/9/0_0.png?{_DEAR}2", timeout=60).is_success


def test_large_file_is_decoded_among_the_dear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decoding takes as long as drawing does; once it is open its tiles are quick."""
    path = tmp_path / "large.png"
    path.write_bytes(encode_png(np.zeros((100, 100), np.uint8)))
    entry = register_file(path)
    monkeypatch.setattr(tiles_module, "DEAR_FILE_PX", 100 * 100 - 1)
    service = TileService()
    with pytest.raises(tiles_module.DearError):
        service.reply(f"/file/{entry.id}_files/7/0_0.png", "", may_be_dear=False)
    service.reply(f"/file/{entry.id}_files/7/0_0.png", "")
    quick = service.reply(f"/file/{entry.id}_files/6/0_0.png", "", may_be_dear=False)
    assert quick.status == 200
