"""One tile server for all tests of the routes."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.segment_glyphs import segment_glyphs
from tests.server.serving import serve
from umnist_core.digits import GlyphSet
from umnist_core.server import TileService, create_tile_app


@pytest.fixture(scope="session")
def glyphs() -> GlyphSet:
    """Return digits that every machine has."""
    return segment_glyphs()


@pytest.fixture(scope="session")
def client(glyphs: GlyphSet) -> Iterator[httpx.Client]:
    """Yield a client of a real server on loopback."""
    service = TileService(glyphs=lambda: glyphs)
    with serve(create_tile_app(service)) as base_url, httpx.Client(base_url=base_url) as client:
        yield client
