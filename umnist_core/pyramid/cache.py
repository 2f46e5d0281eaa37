"""A cache bounded by bytes, in which each value is made once however many ask for it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

from umnist_core.giving_up import GivenUpError, go_on

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_LOOK_S = 0.2
"""How often whoever waits for a value looks whether it is to give up."""


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What a cache holds and has done.

    Attributes
    ----------
    entries
        Values held.
    held_bytes, max_bytes
        Their size and its limit, in bytes.
    made
        Values made since the start.
    """

    entries: int
    held_bytes: int
    max_bytes: int
    made: int


class SharedCache(Generic[K, V]):
    """Least recently used values go first when the limit is reached; thread-safe.

    Parameters
    ----------
    max_bytes
        Most bytes to hold. A larger value is handed to those who wait for it and not kept.
    size_of
        Bytes of a value, asked once when it is made.
    """

    def __init__(self, max_bytes: int, size_of: Callable[[V], int]) -> None:
        self._max_bytes = max_bytes
        self._size_of = size_of
        self._lock = threading.Lock()
        self._held: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._held_bytes = 0
        self._in_flight: dict[K, Future[V]] = {}
        self._made = 0

    @property
    def stats(self) -> CacheStats:
        """What the cache holds and has done up to now."""
        with self._lock:
            return CacheStats(len(self._held), self._held_bytes, self._max_bytes, self._made)

    def find(self, key: K) -> V | None:
        """Return the value if it is held, without waiting for one that is being made."""
        with self._lock:
            entry = self._held.get(key)
            if entry is None:
                return None
            self._held.move_to_end(key)
            return entry[0]

    def get_or_make(self, key: K, make: Callable[[], V]) -> V:
        """Return the value, making it in this thread if no other thread is making it.

        Raises
        ------
        Exception
            Whatever ``make`` raises, in every thread that waited; nothing is kept then, and
            the next call tries again.
        GivenUpError
            If this thread's work is given up. If that of the thread is which makes the value,
            one of those that wait makes it anew.
        """
        while True:
            with self._lock:
                if key in self._held:
                    self._held.move_to_end(key)
                    return self._held[key][0]
                flight = self._in_flight.get(key)
                is_maker = flight is None
                if flight is None:
                    flight = self._in_flight[key] = Future()
            if is_maker:
                self._make(key, make, flight)
            while not wait((flight,), _LOOK_S).done:
                go_on()
            try:
                return flight.result()
            except GivenUpError:
                go_on()
                if is_maker:
                    raise

    def _make(self, key: K, make: Callable[[], V], flight: Future[V]) -> None:
        try:
            value = make()
        except BaseException as error:
            with self._lock:
                del self._in_flight[key]
            flight.set_exception(error)
            return
        with self._lock:
            self._keep(key, value, self._size_of(value))
            self._made += 1
            del self._in_flight[key]
        flight.set_result(value)

    def _keep(self, key: K, value: V, size: int) -> None:
        if size > self._max_bytes:
            return
        self._held[key] = (value, size)
        self._held_bytes += size
        while self._held_bytes > self._max_bytes:
            _, (_, dropped) = self._held.popitem(last=False)
            self._held_bytes -= dropped
