"""Studies that are being made: in a thread of their own, so that no reload stops one.

The images of a thousand-image study take minutes. Streamlit ends a page's run whenever
someone clicks, so the work is done beside it; every session of this process sees how far
it is and may cancel it.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from umnist_core.errors import UmnistError
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.records import StudySpec
from umnist_core.labeling.service import StudyService

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_numbers = itertools.count(1)
_makings: dict[int, Making] = {}


class _Cancelled(Exception):  # noqa: N818 (nobody's error: it was asked for)
    """Someone has cancelled; goes through `create_study`, which cleans up behind itself."""


@dataclass
class Making:
    """A study that is being made, or was and has not been looked at since.

    Attributes
    ----------
    number
        Names it within this process.
    name
        Of the study.
    is_self
        Whether it is one of oneself, made on the page Label.
    total, done
        Images to freeze and frozen.
    study
        Its id once it is there.
    said
        What was chosen to read the images, a sentence each.
    error
        A sentence, if it failed.
    is_over
        Whether nothing happens any more.
    """

    number: int
    name: str
    total: int
    done: int = 0
    study: str | None = None
    said: list[str] = field(default_factory=list)
    error: str | None = None
    is_over: bool = False
    is_self: bool = False
    began: float = field(default_factory=time.monotonic)
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1."""
        return min(self.done / self.total, 1.0) if self.total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """How long it takes at the rate so far; None before anything is known."""
        if not self.done:
            return None
        return (time.monotonic() - self.began) * (self.total - self.done) / self.done

    @property
    def is_cancelled(self) -> bool:
        """Whether someone has cancelled it."""
        return self._stop.is_set()

    def cancel(self) -> None:
        """Stop it before its next images; nothing of it is kept."""
        self._stop.set()

    def tell(self, done: int, total: int) -> None:
        """Take in how far it is; called by `create_study`."""
        if self._stop.is_set():
            raise _Cancelled
        self.done, self.total = done, total


def start_making(service: StudyService, spec: StudySpec) -> Making:
    """Begin to make a study."""

    def make(making: Making) -> str:
        return create_study(service, spec, progress=making.tell, say=making.said.append)

    return begin(make, spec.name, spec.stimuli + spec.practice, is_self=spec.is_self)


def begin(make: Callable[[Making], str], name: str, total: int, *, is_self: bool = False) -> Making:
    """Begin to make a study in a way of its own.

    Parameters
    ----------
    make
        Makes it and returns its id; tells how far it is by `Making.tell`, which ends it when
        someone cancels.
    name, total, is_self
        As of `Making`.
    """
    with _lock:
        making = Making(next(_numbers), name, total, is_self=is_self)
        _makings[making.number] = making
    thread = threading.Thread(
        target=_make,
        args=(make, making),
        name=f"umnist-study-{making.number}",
        daemon=True,
    )
    thread.start()
    return making


def makings() -> list[Making]:
    """Return the studies that are being made, and those that are over and were not forgotten."""
    with _lock:
        return list(_makings.values())


def forget(making: Making) -> None:
    """Show one that is over no longer."""
    with _lock:
        _makings.pop(making.number, None)


def _make(make: Callable[[Making], str], making: Making) -> None:
    try:
        making.study = make(making)
    except _Cancelled:
        forget(making)
    except UmnistError as error:
        making.error = str(error)
    except Exception:
        _log.exception("The study %r could not be made", making.name)
        making.error = "Something went wrong on the server; its log says more about it."
    finally:
        making.is_over = True
