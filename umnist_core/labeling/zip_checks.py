"""Zip files that somebody gives us: refused when they would do harm, errors said in a sentence."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile

from umnist_core.errors import DamagedFileError, MissingFileError, TooLargeError, UmnistError
from umnist_core.parsing import parse_json
from umnist_core.paths import check_file, open_file

LARGEST_RATIO = 200
"""How many times its packed size a file may unpack to; traces reach about 20."""


LARGEST_LINE = 32 << 20
"""Longest line of an entry, bytes. An answer is posted in 1 MiB, and the first event of a study of
100,000 images has about 16."""

MEMORY_RATIO = 100
"""How many times its size the texts of a file may need of memory; studies' reach about 20."""

SMALL_BYTES = 64 << 20
MOST_BYTES = 4 << 30
"""So much memory they always may need, and never more than this."""

_CHARACTER_BYTES = 4
"""What Python needs for a character, if there is a wide one in the text."""

_VALUE_BYTES = 100
"""What Python needs for a value of JSON beside its text, at most: half of a dict of one entry."""


class GivenZip(ZipFile):
    """A zip file that somebody gives us, of which nothing is read that needs too much memory.

    Parameters
    ----------
    file
        Open for reading; it stays open.
    size_bytes
        Of the file.

    Raises
    ------
    TooLargeError
        If it would unpack to far more than it is. No entry can unpack to more than it says.
    BadZipFile
        If it is none.
    """

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        super().__init__(file)
        if any(entry.header_offset < 0 for entry in self.infolist()):
            raise BadZipFile("An entry begins before the file does.")
        self._most_bytes = min(max(SMALL_BYTES, MEMORY_RATIO * size_bytes), MOST_BYTES)
        self._needed: dict[str, int] = {}
        unpacked = sum(entry.file_size for entry in self.infolist())
        if unpacked > LARGEST_RATIO * size_bytes:
            raise TooLargeError(
                f"Expected a file that unpacks to at most {LARGEST_RATIO} times its size, found "
                f"one of {size_bytes} bytes that unpacks to {unpacked}; it was not made by umnist."
            )

    def read_json(self, name: str) -> Any:
        """Return what an entry says, which is kept.

        Raises
        ------
        KeyError, ValueError
            If there is none, or it is no JSON.
        TooLargeError
            If it, with what else is kept, needs too much memory.
        """
        self._needed[name] = 0
        if _CHARACTER_BYTES * self.getinfo(name).file_size > self._most_bytes:
            raise self._too_large(name)
        text = self.read(name)
        self._take(name, text)
        return parse_json(text)

    def iter_json(self, name: str, *, is_kept: bool) -> Iterator[Any]:
        """Yield what each line of an entry says.

        Parameters
        ----------
        name
            Of the entry.
        is_kept
            Whether the caller keeps all of it, or one line at a time.

        Raises
        ------
        KeyError, ValueError, TooLargeError
            As `read_json`, and for a line that is too long.
        """
        self._needed[name] = 0
        with self.open(name) as file:
            while line := file.readline(LARGEST_LINE):
                if len(line) == LARGEST_LINE:
                    raise TooLargeError(
                        f"Expected lines of at most {LARGEST_LINE} bytes in {name[:80]}, found a "
                        "longer one; it was not made by umnist."
                    )
                if not is_kept:
                    self._needed[name] = 0
                self._take(name, line)
                yield parse_json(line)

    def _take(self, name: str, text: bytes) -> None:
        """Count what a text needs once it is read: itself, and each value in it."""
        values = sum(map(text.count, (b",", b":", b"[", b"{")))
        self._needed[name] += _CHARACTER_BYTES * len(text) + _VALUE_BYTES * values
        if sum(self._needed.values()) > self._most_bytes:
            raise self._too_large(name)

    def _too_large(self, name: str) -> TooLargeError:
        return TooLargeError(
            f"Expected a file whose texts need at most {self._most_bytes >> 20} MiB of memory, "
            f"found that {name[:80]} needs more; it was not made by umnist."
        )


@contextmanager
def open_given(source: Path, what: str) -> Iterator[GivenZip]:
    """Open a zip file that somebody gives us.

    Parameters
    ----------
    source
        The file.
    what
        What it should be, such as ``"a backup"``.

    Raises
    ------
    MissingFileError
        If it cannot be read.
    TooLargeError, BadZipFile
        As of `GivenZip`.
    """
    try:
        size_bytes = check_file(source).st_size
        file = open_file(source)
    except OSError as error:
        raise MissingFileError(
            f"Expected {what} at {source}, found none that can be read "
            f"({error.strerror or error}); check the name."
        ) from error
    # Opened here and not by `ZipFile`, which would keep it open for entries half read.
    with file, GivenZip(file, size_bytes) as archive:
        yield archive


@contextmanager
def said_as_damage(path: Path) -> Iterator[None]:
    """Turn every error of reading a zip file and JSON into one sentence.

    Raises
    ------
    DamagedFileError
        For every such error within the block.
    """
    try:
        yield
    except (
        BadZipFile,
        EOFError,
        KeyError,
        NotImplementedError,
        RecursionError,
        RuntimeError,
        TypeError,
        AttributeError,
        zlib.error,
    ) as error:
        raise _damaged(path, error) from error
    except ValueError as error:
        if isinstance(error, UmnistError):
            raise
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> DamagedFileError:
    reason = str(error).strip("'\"").partition("\n")[0][:120].rstrip(".") or type(error).__name__
    return DamagedFileError(
        f"Expected {path} to hold whole studies, found that it is damaged or something else "
        f"({reason}); use another copy."
    )
