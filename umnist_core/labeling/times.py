"""Times as the log writes them: texts that sort as the times do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

MINUTES_A_DAY = 24 * 60


def text_of_time(moment: datetime) -> str:
    """Return a time as the log writes it: ISO 8601, UTC, with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def later(time_utc: str, minutes: float) -> str:
    """Return a time of the log some minutes later."""
    return text_of_time(datetime.fromisoformat(time_utc) + timedelta(minutes=minutes))


class SteadyClock:
    """The time of a study: a clock that is set back is gone on from where it stood.

    So what was said to last, such as a place that is reserved or a link, lasts as long as was
    said, and what happened later is later in the log too.

    Parameters
    ----------
    clock
        Of this machine; aware.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last = datetime.min.replace(tzinfo=UTC)
        self._tick_s = time.monotonic()

    def now(self, seen_utc: str = "") -> datetime:
        """Return the time, never earlier than any before it.

        Parameters
        ----------
        seen_utc
            Time of the log's last event, which other processes and earlier runs wrote.
        """
        with self._lock, suppress(ValueError):  # a log from elsewhere may have no time there
            if seen_utc > text_of_time(self._last):
                self._go_to(datetime.fromisoformat(seen_utc).astimezone(UTC))
        with self._lock:
            now = self._clock()
            if now < self._last:
                now = self._last + timedelta(seconds=time.monotonic() - self._tick_s)
            self._go_to(now)
            return now

    def _go_to(self, moment: datetime) -> None:
        self._last, self._tick_s = moment, time.monotonic()
