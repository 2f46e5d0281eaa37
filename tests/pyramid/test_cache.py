"""The shared cache."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from umnist_core.giving_up import GivenUpError, go_on, until
from umnist_core.pyramid.cache import SharedCache


def test_value_is_made_once_for_all_who_ask_at_once() -> None:
    """Sixteen threads that ask while it is being made share one making."""
    cache: SharedCache[str, object] = SharedCache(100, lambda _: 1)
    everyone = threading.Barrier(16)
    inside, may_end = threading.Event(), threading.Event()

    def make() -> object:
        inside.set()
        may_end.wait()
        return object()

    def ask() -> object:
        everyone.wait()
        return cache.get_or_make("key", make)

    with ThreadPoolExecutor(16) as threads:
        asked = [threads.submit(ask) for _ in range(16)]
        inside.wait()
        may_end.set()
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


def test_value_that_its_maker_gave_up_is_made_by_another_who_waits() -> None:
    """Who still wants the value gets it; who gave up, and nobody else, is told so."""
    cache: SharedCache[str, str] = SharedCache(100, lambda _: 1)
    begun, given_up = threading.Event(), threading.Event()

    def make_until_given_up() -> str:
        begun.set()
        while True:
            go_on()

    def give_up_making() -> str:
        with until(given_up):
            return cache.get_or_make("key", make_until_given_up)

    with ThreadPoolExecutor(2) as threads:
        left = threads.submit(give_up_making)
        begun.wait()
        stays = threads.submit(cache.get_or_make, "key", lambda: "value")
        given_up.set()
        assert stays.result() == "value"
        assert isinstance(left.exception(), GivenUpError)
