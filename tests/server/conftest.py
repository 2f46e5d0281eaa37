"""A tile server for all tests of its routes, and a label server for each test of those."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.labeling.making import small_spec
from tests.segment_glyphs import segment_glyphs
from tests.server.people import Person
from tests.server.serving import serve
from umnist_core.digits import GlyphSet
from umnist_core.labeling import StudyService
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.memory import MemoryLog
from umnist_core.server import TileService, create_tile_app
from umnist_core.server.labeling import create_label_app


@pytest.fixture(scope="session")
def glyphs() -> GlyphSet:
    """Return digits that every machine has."""
    return segment_glyphs()


@pytest.fixture(scope="session")
def client(glyphs: GlyphSet) -> Iterator[httpx.Client]:
    """Yield a client of a real server on loopback."""
    service = TileService(glyphs=lambda: glyphs)
    with (
        serve(create_tile_app(service)) as base_url,
        httpx.Client(base_url=base_url, timeout=60) as client,
    ):
        yield client


class Lab:
    """A running label server, and the studies behind it.

    Attributes
    ----------
    service
        The studies.
    url
        Of the server.
    """

    def __init__(self, service: StudyService, url: str) -> None:
        self.service = service
        self.url = url

    def study(self, **changes: Any) -> str:
        """Make a small study."""
        return create_study(self.service, small_spec(**changes), jobs=1)

    def link(self, study: str, pool: str | None = None) -> str:
        """Make a personal link; return its token."""
        token = self.service.invite(study, pool=pool)[0].token
        assert token is not None
        return token

    def open_link(self, study: str) -> str:
        """Make an open link; return its token."""
        token = self.service.open_link(study).token
        assert token is not None
        return token

    def person(self) -> Person:
        """Return somebody with a new browser."""
        return Person(self.url)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """Yield a real label server on loopback, with an empty store in memory."""
    service = StudyService(MemoryLog(), tmp_path)
    with serve(create_label_app(service)) as url:
        yield Lab(service, url)
