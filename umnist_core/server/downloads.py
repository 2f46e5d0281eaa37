"""Files that a page makes for somebody to save: streamed from the disk, and held in no memory.

Streamlit's own button holds what it offers in memory, once for each click and for as long as the
page is open, and a backup with images has gigabytes.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute

from umnist_core.errors import NotFoundError
from umnist_core.files import passing_folder
from umnist_core.server.web.addresses import address, mount

MOST_KEPT = 8
"""Files that wait for being saved, in all; the oldest goes when there is one more."""

_prepared: dict[str, Download] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Download:
    """A file that waits for being saved.

    Attributes
    ----------
    token
        Nobody guesses it.
    path
        Where it lies; gone once others have been made.
    size_bytes
        Of the file.
    """

    token: str
    path: Path
    size_bytes: int

    @property
    def address(self) -> str:
        """Path of the app from which a browser saves it under its name."""
        return f"/downloads/{self.token}/{self.path.name}"


def prepare_download(name: str, make: Callable[[Path], object]) -> Download:
    """Make a file that can be saved from its address, as long as the process runs.

    Parameters
    ----------
    name
        What the browser calls it: letters, digits, ``-``, ``_`` and ``.``.
    make
        Writes it to the path that it is given; what it raises is raised here.

    Raises
    ------
    WriteError
        If there is no room for files that do not last.
    """
    token = secrets.token_urlsafe(24)
    folder = passing_folder("downloads") / token
    folder.mkdir(0o700)
    path = folder / name
    try:
        make(path)
        made = Download(token, path, path.stat().st_size)
    except BaseException:
        _remove(path)
        raise
    with _lock:
        _prepared[token] = made
        old = list(_prepared.values())[:-MOST_KEPT]
        for one in old:
            del _prepared[one.token]
    for one in old:
        _remove(one.path)
    return made


def download_routes() -> list[BaseRoute]:
    """Return the route from which files are saved; in a shared app it is researchers' alone."""
    return [mount("/downloads", [address("/{token:token}/{name}", get=_save)], to_researcher=True)]


async def _save(request: Request) -> Response:
    with _lock:
        found = _prepared.get(request.path_params["token"])
    if found is None or request.path_params["name"] != found.path.name:
        raise NotFoundError("This file was put aside for newer ones; prepare it again.")
    # A browser that was let in is told to keep no copy beside the file that it saves.
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return FileResponse(found.path, filename=found.path.name, headers=headers)


def _remove(path: Path) -> None:
    """Remove a file and its folder; whoever is saving it gets the rest."""
    path.unlink(missing_ok=True)
    path.parent.rmdir()
