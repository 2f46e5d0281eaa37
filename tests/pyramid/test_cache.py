"""The shared cache."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from umnist_core.pyramid.cache import SharedCache


def test_value_is_made_once_for_all_who_ask_at_once() -> None:
    """Sixteen threads that ask while it is being made share one making."""
    cache: SharedCache[str, object] = SharedCache(100, lambda _: 1)
    everyone = threading.Barrier(16)
    inside, go_on = threading.Event(), threading.Event()

    def make() -> object:
        inside.set()
        go_on.wait()
        return object()

    def ask() -> object:
        everyone.wait()
        return cache.get_or_make("key", make)

    with ThreadPoolExecutor(16) as threads:
        asked = [threads.submit(ask) for _ in range(16)]
        inside.wait()
        go_on.set()
        values = {id(future.result()) for future in asked}
    assert len(values) == 1
    assert cache.stats.made == 1


@pytest.mark.parametrize("how", ["find", "get_or_make"])
def test_least_recently_used_value_goes_first(how: str) -> None:
    """The limit holds, and asking for a value in either way keeps it."""
    cache: SharedCache[str, bytes] = SharedCache(30, len)
    for key in "abc":
        cache.get_or_make(key, lambda: b"x" * 10)
    if how == "find":
        cache.find("a")
    else:
        cache.get_or_make("a", lambda: b"")
    cache.get_or_make("d", lambda: b"x" * 15)
    assert {key for key in "abcd" if cache.find(key) is not None} == {"a", "d"}
    assert cache.stats.held_bytes == 25


def test_value_larger_than_the_cache_is_given_and_not_kept() -> None:
    """It empties nothing else out."""
    cache: SharedCache[str, bytes] = SharedCache(30, len)
    cache.get_or_make("small", lambda: b"x")
    assert len(cache.get_or_make("large", lambda: b"x" * 31)) == 31
    assert cache.find("large") is None
    assert cache.find("small") == b"x"


def test_failure_is_not_kept() -> None:
    """An error reaches who asked, and the next one tries again."""
    cache: SharedCache[str, bytes] = SharedCache(30, len)

    def fail() -> bytes:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        cache.get_or_make("key", fail)
    assert cache.get_or_make("key", lambda: b"yes") == b"yes"
