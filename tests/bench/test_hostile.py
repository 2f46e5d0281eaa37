"""The measurement of what the app does when somebody means it no good."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from starlette.routing import BaseRoute, Mount, Route

from umnist_core.bench.hostile import bench_hostile
from umnist_core.bench.hostile_app import HostileApp
from umnist_core.bench.hostile_files import write_malformed
from umnist_core.bench.hostile_formats import READERS, make_formats
from umnist_core.bench.hostile_requests import addresses_of, iter_requests
from umnist_core.errors import UmnistError
from umnist_core.server.inference import inference_routes
from umnist_core.server.labeling import label_routes
from umnist_core.settings import load_settings


def test_bench_is_hostile_to_the_whole_app() -> None:
    """A few requests and files of each kind find nothing, and viewing is measured both ways."""
    # In a thread of its own: tests that drove a browser leave an event loop in this one.
    with ThreadPoolExecutor(1) as pool:
        figures = pool.submit(bench_hostile, requests=300, files=40, rounds=1, round_s=1.0).result()
    assert figures.requests == sum(figures.statuses.values()) == 300
    assert (figures.errors_5xx, figures.tracebacks) == (0, 0), figures.found
    assert (figures.files, figures.hangs, figures.faults) == (40, 0, 0), figures.found
    assert 0 < figures.told <= figures.files
    assert figures.tile_p95_idle_ms > 0 < figures.tile_p95_attacked_ms
    assert figures.tiles > 0


def _endpoints(routes: Sequence[BaseRoute]) -> int:
    return sum(
        _endpoints(route.routes) if isinstance(route, Mount) else isinstance(route, Route)
        for route in routes
    )


def test_requests_go_to_every_route_in_turn_and_are_whole() -> None:
    """Routes are asked for themselves, so a new one is tried too; each request is one by HTTP."""
    settings = load_settings()
    addresses = addresses_of(settings)
    routes = [*label_routes(settings=settings), *inference_routes(settings=settings)]
    assert len([one for one in addresses if one.startswith(("/label", "/join", "/inference"))]) == (
        _endpoints(routes)
    )
    app = HostileApp(1234, Path(), "secret", "study", ("token",), None, "a=b")
    requests = list(iter_requests(app, addresses, 500, rng=np.random.default_rng(0)))
    for request in requests:
        head, _, body = request.data.partition(b"\r\n\r\n")
        assert head.splitlines()[0].endswith(b" HTTP/1.1")
        assert f"Content-Length: {len(body)}".encode() in head
    again = list(iter_requests(app, addresses, 500, rng=np.random.default_rng(0)))
    assert requests == again
    paths = {urlsplit(request.line.split(" ")[1]).path for request in requests}
    assert len(paths) > len(addresses)


def test_good_files_of_every_format_are_read(tmp_path: Path) -> None:
    """What is made malformed was read before, so that an error says something of the malforming."""
    for name, files in make_formats(tmp_path / "good").items():
        folder = tmp_path / name
        for file, data in files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(data)
        READERS[name.split()[0]](folder)


def test_malformed_file_is_another_one(tmp_path: Path) -> None:
    """One file of a format differs from the good one, and what is cut is told."""
    rng, differing = np.random.default_rng(0), 0
    good = {"image": b"\x89PNG\r\n\x1a\n" + bytes(range(200))}
    for number in range(50):
        how = write_malformed(tmp_path / str(number), good, rng)
        assert how.endswith("image")
        data = (tmp_path / str(number) / "image").read_bytes()
        differing += data != good["image"]
    assert differing > 45
    with pytest.raises(UmnistError):
        READERS["image"](tmp_path / "0")
