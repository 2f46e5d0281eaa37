"""What went wrong that umnist does not know: a number for people, and a log that has the rest.

An incident is an error that is none of `umnist_core.errors`: most often a fault of ours. Whoever
met it is told one sentence with a number, and the traceback is under that number in a file.
"""

from __future__ import annotations

import logging
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from umnist_core.settings import load_settings

LOG_NAME = "umnist-incidents.log"
MAX_LOG_BYTES = 4 * 2**20
"""Of the log; a longer one makes place for a new one, and the one before that goes."""

_MAX_REASON = 200
_formatter = logging.Formatter("%(asctime)s %(message)s")


@dataclass(frozen=True)
class Incident:
    """An error that nobody foresaw, as it is told.

    Attributes
    ----------
    number
        Eight digits, by which it is found in the log.
    reason
        Kind and text of the error, on one line.
    log
        Where the traceback is; None where no log could be written.
    """

    number: str
    reason: str
    log: Path | None

    @property
    def sentence(self) -> str:
        """What a person is told who may know this machine's folders."""
        where = f"{self.log} says more under" if self.log else "no log could be written for"
        return (
            f"Something happened that umnist did not expect ({self.reason}); {where} incident "
            f"{self.number}."
        )


def record_incident(error: BaseException, doing: str) -> Incident:
    """Write an error with its traceback into the log; never raise.

    Parameters
    ----------
    error
        What was raised.
    doing
        What was being done, such as a command or an address.

    Returns
    -------
    Incident
        What to tell. The log is in the user's data folder, or in the folder for temporary
        files where that cannot be written.
    """
    number = f"{secrets.randbelow(10**8):08d}"
    text = _text_of(error, f"Incident {number}: {doing}")
    for log in _iter_places():
        with suppress(OSError, ValueError):
            _append(log, text.encode(errors="backslashreplace") + b"\n")
            return Incident(number, _reason(error), log)
    return Incident(number, _reason(error), None)


def _text_of(error: BaseException, title: str) -> str:
    # A record of logging, because what keeps tokens out of logs changes those.
    make = logging.getLogRecordFactory()
    traceback = (type(error), error, error.__traceback__)
    record = make(__name__, logging.ERROR, __file__, 0, title, (), traceback)
    return _formatter.format(record)


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    text = text.encode(errors="backslashreplace").decode()
    return f"{type(error).__name__}: {text}"[:_MAX_REASON] if text else type(error).__name__


def _iter_places() -> Iterator[Path]:
    with suppress(Exception):  # settings may be what is wrong
        yield load_settings().data_dir.absolute() / LOG_NAME
    with suppress(OSError):  # nowhere for temporary files
        yield Path(tempfile.gettempdir()) / f"{os.getuid()}-{LOG_NAME}"


def _append(log: Path, data: bytes) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        if log.stat().st_size > MAX_LOG_BYTES:
            log.replace(log.with_suffix(".old.log"))
    # Its owner's alone: an error may tell what an image or a study holds. And no link or pipe
    # that somebody else has put into a folder of temporary files.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    with os.fdopen(os.open(log, flags, 0o600), "ab") as file:
        file.write(data)
