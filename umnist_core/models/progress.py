"""How far a model is with an image, for whoever watches; nothing here needs torch.

Models call `report_progress` as they go; without a watcher that costs a look at a variable.
An error that the watcher raises ends the work: that is how a request is cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

Seen = Sequence[tuple[int, int, int, int]]
"""Places that were looked at: x, y, width, height in image px."""

Watcher = Callable[[int, int | None, Seen], None]
"""Called with how many steps are done, of how many (None where that is not known), and what was
looked at since the last call."""

_watcher: ContextVar[Watcher | None] = ContextVar("umnist_progress", default=None)


def report_progress(done: int, total: int | None, seen: Seen = ()) -> None:
    """Tell the watcher, if there is one, that ``done`` steps of ``total`` are done.

    Parameters
    ----------
    done, total
        Steps; a total of None is not known.
    seen
        What was looked at since the last report.
    """
    watcher = _watcher.get()
    if watcher is not None:
        watcher(done, total, seen)


@contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Let ``watcher`` be told until the block ends, in this thread alone."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


class Steps:
    """Steps of one kind, counted.

    Parameters
    ----------
    total
        How many there will be; None where that is not known.
    """

    def __init__(self, total: int | None) -> None:
        self._total, self._done = total, 0

    def step(self, count: int = 1, seen: Seen = ()) -> None:
        """Count steps, and report them and what was looked at."""
        self._done += count
        report_progress(self._done, self._total, seen)
