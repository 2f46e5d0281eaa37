"""Which image files this process serves: those registered, under ids that never change content."""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from umnist_core.errors import NotFoundError
from umnist_core.pyramid.files import ImageHeader, read_image_header
from umnist_core.pyramid.own_values import BLOCK_PX
from umnist_core.settings import Settings

_lock = threading.Lock()
_entries: dict[str, FileEntry] = {}


@dataclass(frozen=True)
class FileEntry:
    """A registered file.

    Attributes
    ----------
    id
        16 hexadecimal digits that follow from where the file is, its size, when it was last
        changed, and the page.
    header
        What it says of itself.
    """

    id: str
    header: ImageHeader

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.header.path

    @property
    def height(self) -> int:
        """Of the canvas as shown, px."""
        return self.header.height

    @property
    def width(self) -> int:
        """Of the canvas as shown, px."""
        return self.header.width

    @property
    def pane(self) -> dict[str, Any]:
        """The image as a viewer's pane takes it; ``PaneData`` in ``pane.js``, but for the title.

        Values of a file that is shown as it is stored are read from its tiles, any other's from
        the route of values.
        """
        kind = self.header.kind
        return {
            "key": f"file-{self.id}",
            "dzi": f"/tiles/file/{self.id}.dzi",
            "width": self.width,
            "height": self.height,
            "values": {
                "names": kind.names,
                "depth": kind.depth,
                "url": None if kind.is_plain else f"/tiles/file/{self.id}_values/",
                "block": BLOCK_PX,
            },
            "own": f"/tiles/file/{self.id}_values/",
        }


def register_file(
    path: Path, settings: Settings | None = None, *, page: int = 0, frozen: bool = False
) -> FileEntry:
    """Allow the tile routes to serve a page of a file; doing so again changes nothing.

    Takes what `umnist_core.pyramid.files.read_image_header` takes.

    Raises
    ------
    MissingFileError, TooLargeError, DamagedFileError, InvalidValueError
        As `umnist_core.pyramid.files.read_image_header`; the file is then not served.
    """
    header = read_image_header(path.resolve(), settings, page=page, frozen=frozen)
    entry = FileEntry(_file_id(header), header)
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
    if not entry.path.exists() or _file_id(entry.header) != entry.id:
        raise NotFoundError(
            f"{entry.path.name} has changed or gone since it was opened; open it again."
        )
    return entry


def _file_id(header: ImageHeader) -> str:
    stat = header.path.stat()
    key = f"{header.path}|{stat.st_size}|{stat.st_mtime_ns}|{header.page}|{header.is_frozen}"
    return hashlib.sha256(os.fsencode(key)).hexdigest()[:16]
