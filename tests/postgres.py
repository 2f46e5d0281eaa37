"""A real PostgreSQL server for tests: started when the first of them asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from umnist_core.bench.postgres import PostgresServer
from umnist_core.bench.postgres import postgres_server as running_server

__all__ = ["PostgresServer", "postgres_server", "postgres_url"]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server for all tests of this process."""
    with running_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """Give the address of a new, empty database."""
    with postgres_server.database() as url:
        yield url
