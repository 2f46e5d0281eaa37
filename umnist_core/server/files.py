"""Which image files this process serves: those registered, under ids that never change content."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path

from umnist_core.errors import NotFoundError
from umnist_core.pyramid.files import read_image_header
from umnist_core.settings import Settings

_lock = threading.Lock()
_entries: dict[str, FileEntry] = {}


@dataclass(frozen=True)
class FileEntry:
    """A registered file.

    Attributes
    ----------
    id
        16 hexadecimal digits that follow from where the file is, its size and when it was
        last changed.
    path
        Where it is.
    height, width
        Canvas, in px.
    """

    id: str
    path: Path
    height: int
    width: int


def register_file(path: Path, settings: Settings | None = None) -> FileEntry:
    """Allow the tile routes to serve a file; registering it again changes nothing.

    Raises
    ------
    MissingFileError, TooLargeError, DamagedFileError, InvalidValueError
        As `umnist_core.pyramid.files.read_image_header`; the file is then not served.
    """
    header = read_image_header(path, settings)
    resolved = path.resolve()
    entry = FileEntry(_file_id(resolved), resolved, header.height, header.width)
    with _lock:
        _entries[entry.id] = entry
    return entry


def get_file(file_id: str) -> FileEntry:
    """Return a registered file.

    Raises
    ------
    NotFoundError
        If the id is not registered, or the file has changed or gone since.
    """
    with _lock:
        entry = _entries.get(file_id)
    if entry is None:
        raise NotFoundError(
            f"No open file has the id {file_id!r}; open the file again on the Explore page."
        )
    if not entry.path.exists() or _file_id(entry.path) != entry.id:
        raise NotFoundError(
            f"{entry.path.name} has changed or gone since it was opened; open it again."
        )
    return entry


def _file_id(path: Path) -> str:
    stat = path.stat()
    key = f"{path}|{stat.st_size}|{stat.st_mtime_ns}"
    return hashlib.sha256(key.encode()).hexdigest()[:16]
