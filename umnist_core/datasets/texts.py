"""Texts that come with data sets, tables and annotations, read whole within a bound."""

from __future__ import annotations

from pathlib import Path

from umnist_core.errors import DamagedFileError
from umnist_core.paths import check_file, read_file


def read_text(path: Path, shown: str, what: str, most_mib: int) -> str:
    """Return the text of a file, whatever its letters are; those that are none become marks.

    Parameters
    ----------
    path
        The file.
    shown
        What it is called in messages.
    what
        What it should be, as ``"a table"``.
    most_mib
        Largest size that is read.

    Raises
    ------
    DamagedFileError
        If it cannot be read, or is larger.
    """
    try:
        size_mib = check_file(path).st_size / 2**20
        if size_mib > most_mib:
            raise DamagedFileError(
                f"{shown}: expected {what} of at most {most_mib} MiB, found {size_mib:.0f} MiB; "
                "use the file as it is downloaded."
            )
        return read_file(path).decode("utf-8-sig", "replace")
    except OSError as error:
        raise DamagedFileError(
            f"{shown}: expected {what}, found that it cannot be read ({error.strerror or error}); "
            "copy it again."
        ) from error
