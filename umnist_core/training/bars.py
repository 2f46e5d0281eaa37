"""How far a long run is: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import io
import sys
from typing import Never

from tqdm import tqdm

LOG_EVERY_S = 60.0


class _Lines(io.TextIOBase):
    """Takes a bar that is drawn over itself, and writes each state of it as a line."""

    def write(self, text: str) -> int:
        """Write a line, unless it only wipes the one before."""
        if text.strip():
            print(text.strip(), file=sys.stderr, flush=True)
        return len(text)


def progress_bar(
    total: int,
    what: str,
    *,
    done: int = 0,
    shown: bool = True,
    every_s: float = LOG_EVERY_S,
) -> tqdm[Never]:
    """Return a bar on standard error; where that is no terminal, it writes lines.

    Parameters
    ----------
    total
        Steps to the end.
    what
        What is under way.
    done
        Steps that an earlier run has done.
    shown
        Whether anything is said at all.
    every_s
        Seconds to the first line, and between two; without a meaning on a terminal.
    """
    if sys.stderr.isatty():
        return tqdm(total=total, desc=what, initial=done, disable=not shown, leave=False)
    # A count of steps without an eye on the clock, which 1 is, keeps tqdm's monitor from adding
    # lines of its own.
    return tqdm(
        total=total,
        desc=what,
        initial=done,
        disable=not shown,
        leave=False,
        file=_Lines(),
        delay=every_s,
        mininterval=every_s,
        maxinterval=every_s,
        miniters=1,
        bar_format="{desc}: {n_fmt} of {total_fmt}, {elapsed} gone, {remaining} left{postfix}",
    )


class Bars:
    """A bar for each of several things that are done one after the other.

    Parameters
    ----------
    shown
        Whether anything is said at all.
    """

    def __init__(self, shown: bool) -> None:
        self._shown, self._what = shown, ""
        self._bar: tqdm[Never] | None = None

    def show(self, what: str, done: int, total: int, loss: float) -> None:
        """Say how far one is, with the loss of its last step or 0; another one ends it."""
        if self._bar is None or what != self._what:
            self.close()
            self._what = what
            self._bar = progress_bar(total, what, done=done, shown=self._shown)
        if loss:
            self._bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """End the last."""
        if self._bar is not None:
            self._bar.close()
