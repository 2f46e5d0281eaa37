"""What every test shares: which digits are used, and a user data folder of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Imported here, they are at hand in every test.
from tests.chromium import browser
from tests.postgres import postgres_server, postgres_url

__all__ = ["browser", "environment", "postgres_server", "postgres_url"]

settings.register_profile("umnist", deadline=None)  # no test depends on the machine's speed
settings.load_profile("umnist")

MNIST_BESIDE_THE_CLONE = Path(__file__).resolve().parents[2] / "shared" / "mnist"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--long``, which runs what repeats the rest as well."""
    parser.addoption("--long", action="store_true", help="run the repetitions too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the repetitions out where nobody asked for them."""
    if config.getoption("--long"):
        return
    left = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in set(left)]


@pytest.fixture(scope="session", autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Use MNIST where it lies beside the clone, and never the user's own data folder.

    The digits are those of ``UMNIST_DIGITS``, else of ``../shared/mnist``, else the
    bundled stand-in; every test passes with each of them.
    """
    with pytest.MonkeyPatch.context() as patch:
        if "UMNIST_DIGITS" not in os.environ and MNIST_BESIDE_THE_CLONE.is_dir():
            patch.setenv("UMNIST_DIGITS", str(MNIST_BESIDE_THE_CLONE))
        patch.setenv("UMNIST_DATA", str(tmp_path_factory.mktemp("user-data")))
        yield
