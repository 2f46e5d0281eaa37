"""Zip files that somebody gives us: refused when they would do harm, errors said in a sentence."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from umnist_core.errors import DamagedFileError, TooLargeError, UmnistError

LARGEST_RATIO = 200
"""How many times its packed size a file may unpack to; traces reach about 20."""


def check_archive(archive: ZipFile, size_bytes: int) -> None:
    """Refuse a zip file that would unpack to far more than it is.

    Parameters
    ----------
    archive
        Open for reading.
    size_bytes
        Of the file.

    Raises
    ------
    TooLargeError
        If so. No entry can unpack to more than it says, so that is all there is to check.
    """
    unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > LARGEST_RATIO * size_bytes:
        raise TooLargeError(
            f"Expected a file that unpacks to at most {LARGEST_RATIO} times its size, found one of "
            f"{size_bytes} bytes that unpacks to {unpacked}; it was not made by umnist."
        )


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
