"""The images of a folder as a strip shows them: their names, and a small picture of each."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from umnist_core.errors import NotFoundError
from umnist_core.pyramid.thumbnails import thumbnail
from umnist_core.server.web.addresses import address, mount
from umnist_core.server.web.replies import json_reply
from umnist_core.server.web.threads import Threads

THUMB_PX = 128
"""Longer side of a small picture, which is drawn in at most 74 CSS px."""

MOST_KEPT = 16
"""Folders whose images can be asked for; the oldest goes when there is one more."""

_MOST_HELD = 4096
_lock = threading.Lock()
_folders: dict[str, FolderImages] = {}


@dataclass(frozen=True)
class FolderImages:
    """The images of a folder, in order.

    Attributes
    ----------
    token
        Follows from the folder and the names.
    names
        For people.
    find_path
        Returns the file of an image, by its number; it may be made then.
    """

    token: str
    names: tuple[str, ...]
    find_path: Callable[[int], Path]


def register_folder(
    place: str, names: tuple[str, ...], find_path: Callable[[int], Path]
) -> FolderImages:
    """Let the images of a folder be asked for; doing so again changes nothing.

    Parameters
    ----------
    place
        Names the folder.
    names, find_path
        As in `FolderImages`.
    """
    text = "\0".join((place, *names))
    token = hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:16]
    folder = FolderImages(token, names, find_path)
    with _lock:
        _folders.pop(token, None)
        _folders[token] = folder
        for old in list(_folders)[:-MOST_KEPT]:
            del _folders[old]
    return folder


def folder_routes() -> list[BaseRoute]:
    """Return the routes of names and pictures; in a shared app they are researchers' alone."""
    routes = _Folders()
    return [
        mount(
            "/folders",
            [
                address("/{token:token}/names.json", get=routes.names),
                address("/{token:token}/{number:digits}.png", get=routes.picture),
            ],
            to_researcher=True,
        )
    ]


class _Folders:
    def __init__(self) -> None:
        # One that browsers give up while somebody scrolls is never made.
        self._threads = Threads("umnist-thumbnails", 1)

    async def names(self, request: Request) -> Response:
        """Return the names of all images."""
        return json_reply({"names": list(_find(request).names)})

    async def picture(self, request: Request) -> Response:
        """Return the small picture of one."""
        folder, number = _find(request), int(request.path_params["number"])
        if number >= len(folder.names):
            raise NotFoundError(f"This folder has {len(folder.names)} images, and no {number}.")
        tag, data = await self._threads.run_for(request, _draw, folder, number)
        headers = {"cache-control": "private, no-cache", "etag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        headers["x-content-type-options"] = "nosniff"
        return Response(data, headers=headers, media_type="image/png")


def _find(request: Request) -> FolderImages:
    with _lock:
        found = _folders.get(request.path_params["token"])
    if found is None:
        raise NotFoundError("This folder is not open any more; open it again.")
    return found


def _draw(folder: FolderImages, number: int) -> tuple[str, bytes]:
    path = folder.find_path(number)
    try:
        stat = path.stat()
    except OSError as error:
        raise NotFoundError(f"{folder.names[number]} has gone; open the folder again.") from error
    tag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    return tag, _held(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=_MOST_HELD)
def _held(path: Path, _mtime_ns: int, _size: int) -> bytes:
    return thumbnail(path, THUMB_PX)
