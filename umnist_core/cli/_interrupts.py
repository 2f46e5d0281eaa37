"""Ctrl-C ends a command wherever it comes.

Python raises `KeyboardInterrupt` in the middle of whatever runs, and two kinds of places do not
stand it: the import of a compiled library may abort the whole process (PyTorch's does), and what
C code calls back (a destructor, the log of libvips) drops it, so that the command goes on as if
nobody had asked it to stop. So an interrupt amid an import waits for the import's end, and one
that was dropped is given again.
"""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_AGAIN = 0.1
"""Seconds after which one looks whether an interrupt was heeded."""
_IMPORT = "<frozen importlib._bootstrap>"


@contextmanager
def lasting_interrupts() -> Iterator[None]:
    """Within this block of the main thread, SIGINT raises `KeyboardInterrupt` until it is heeded.

    Whoever has taken the signal already (or ignores it) keeps it.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    asked, ended = threading.Event(), threading.Event()

    def interrupt(_: int, frame: FrameType | None) -> None:
        if not asked.is_set():
            asked.set()
            # Not `threading.Thread`: it takes locks, which the interrupted code may hold.
            _thread.start_new_thread(repeat, ())
        if not _is_importing(frame):
            raise KeyboardInterrupt

    def repeat() -> None:
        while not ended.wait(_AGAIN):
            if not _is_heeded() and signal.getsignal(signal.SIGINT) is interrupt:
                _thread.interrupt_main()

    def report(lost: sys.UnraisableHookArgs) -> None:
        if lost.exc_type is not KeyboardInterrupt:  # which is given again
            told(lost)

    told, sys.unraisablehook = sys.unraisablehook, report
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        ended.set()
        sys.unraisablehook = told
        if signal.getsignal(signal.SIGINT) is interrupt:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == _IMPORT:
            return True
        frame = frame.f_back
    return False


def _is_heeded() -> bool:
    """Return whether the main thread is on its way out of a `KeyboardInterrupt`."""
    found = sys._current_exceptions().get(threading.main_thread().ident or 0)
    # Python 3.11 gives what `sys.exc_info` does; later ones give the exception.
    error = found[1] if isinstance(found, tuple) else found
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__context__
    return False
