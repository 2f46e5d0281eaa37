"""Files that somebody drops on the page: kept on this machine for as long as the app runs.

A drop is begun, its files come one by one and are written as they come, held in no memory, and
then it is ended: what it is, is looked at once all of it is there. One image is a file; anything
else is a folder, which is opened as any other. Nothing of a name leaves the folder of its drop.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from umnist_core.datasets import open_dataset
from umnist_core.datasets.inner import list_inner
from umnist_core.datasets.scan import IMAGE_SUFFIXES
from umnist_core.errors import InvalidValueError, NotFoundError, TooLargeError
from umnist_core.files import passing_folder
from umnist_core.pyramid.files import read_image_header
from umnist_core.server.web.addresses import address, mount
from umnist_core.server.web.replies import empty_reply, json_reply
from umnist_core.settings import Settings, load_settings

MOST_KEPT = 8
"""Drops whose files are kept, in all; those of the oldest go when there is one more."""

MOST_FILES = 20_000
"""Of one drop."""

TABLE_SUFFIXES = (".csv", ".json", ".xml", ".txt", ".parquet", ".tar", ".npz", ".h5")
"""What says of images what is in them, or holds them."""

_PATIENCE_S = 60.0
"""So long nothing more may come of a file."""

_BUFFER_BYTES = 2**22
_PART = re.compile(r"[^./\\\x00-\x1f][^/\\\x00-\x1f]{0,200}")
_DEEPEST = 12

_lock = threading.Lock()
_drops: dict[str, Drop] = {}


@dataclass
class Drop:
    """What was dropped at once.

    Attributes
    ----------
    folder
        Where its files are.
    names
        Of its files, with their paths below the folder.
    size_bytes
        Of all of them.
    """

    folder: Path
    names: set[str] = field(default_factory=set)
    size_bytes: int = 0


def drop_routes(settings: Settings | None = None) -> list[BaseRoute]:
    """Return the routes that files are dropped by; in a shared app they are researchers' alone."""
    routes = _Drops(settings or load_settings())
    return [
        mount(
            "/drops",
            [
                address("/begin", post=routes.begin, must_say_origin=True),
                address("/{token:token}/{path:path}", post=routes.take, must_say_origin=True),
                address("/{token:token}", post=routes.end, must_say_origin=True),
            ],
            to_researcher=True,
        )
    ]


class _Drops:
    def __init__(self, settings: Settings) -> None:
        self._most_bytes = settings.max_file_mib * 2**20
        self._settings = settings

    async def begin(self, request: Request) -> Response:
        """Make room for the files of a drop."""
        token = secrets.token_urlsafe(18)
        folder = passing_folder("drops") / token
        folder.mkdir(0o700)
        with _lock:
            _drops[token] = Drop(folder)
            old = [_drops.pop(name) for name in list(_drops)[:-MOST_KEPT]]
        for one in old:
            await run_in_threadpool(shutil.rmtree, one.folder, ignore_errors=True)
        return json_reply({"token": token})

    async def take(self, request: Request) -> Response:
        """Write one file of a drop as it comes."""
        drop, name = _find(request), _check_name(request.path_params["path"])
        if len(drop.names) >= MOST_FILES:
            raise TooLargeError(
                f"At most {MOST_FILES} files are taken at once; name the folder's path instead."
            )
        drop.names.add(name)
        path = drop.folder / name
        await run_in_threadpool(path.parent.mkdir, parents=True, exist_ok=True)
        try:
            with path.open("wb") as file:
                await self._write(request, drop, name, file)
        except BaseException:
            drop.names.discard(name)
            path.unlink(missing_ok=True)
            raise
        return empty_reply()

    async def _write(self, request: Request, drop: Drop, name: str, file: BinaryIO) -> None:
        stream, buffer = aiter(request.stream()), bytearray()
        while True:
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    chunk = await anext(stream, None)
            except TimeoutError as error:
                raise HTTPException(408, f"{name} did not come whole; drop it again.") from error
            buffer += chunk or b""
            drop.size_bytes += len(chunk or b"")
            if drop.size_bytes > self._most_bytes:
                raise TooLargeError(
                    f"At most {self._most_bytes >> 20} MiB are taken at once; name the path on "
                    "this machine instead, or raise UMNIST_MAX_FILE_MIB."
                )
            if chunk is None or len(buffer) > _BUFFER_BYTES:
                await run_in_threadpool(file.write, bytes(buffer))
                buffer.clear()
            if chunk is None:
                return

    async def end(self, request: Request) -> Response:
        """Say what a drop is, if it can be opened."""
        drop = _find(request)
        kind, path = await run_in_threadpool(_look, drop, self._settings)
        return json_reply({"kind": kind, "path": str(path)})


def _find(request: Request) -> Drop:
    with _lock:
        found = _drops.get(request.path_params["token"])
    if found is None:
        raise NotFoundError("This drop was put aside for newer ones; drop the files again.")
    return found


def _check_name(text: str) -> str:
    parts = PurePosixPath(text).parts
    is_plain = "/".join(parts) == text and 0 < len(parts) <= _DEEPEST
    if not is_plain or not all(_PART.fullmatch(part) for part in parts):
        raise InvalidValueError(
            f"Expected the name of a file below what was dropped, found {text[:80]!r}; rename it."
        )
    suffix = PurePosixPath(text).suffix.lower()
    if suffix not in (*IMAGE_SUFFIXES, *TABLE_SUFFIXES):
        raise InvalidValueError(
            f"Expected JPEG, PNG, TIFF or WebP images and their tables, found {parts[-1][:80]!r}; "
            "drop images."
        )
    return text


def _look(drop: Drop, settings: Settings) -> tuple[str, Path]:
    """Return ``"file"`` or ``"folder"`` and its path, having seen that it opens."""
    names = sorted(drop.names)
    images = [name for name in names if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES]
    if len(names) == len(images) == 1:
        path = drop.folder / names[0]
        read_image_header(path, settings)
        return "file", path
    tops = {PurePosixPath(name).parts[0] for name in names}
    top = drop.folder / next(iter(tops), "")
    folder = top if len(tops) == 1 and top.is_dir() else drop.folder
    if not list_inner(folder):
        open_dataset(folder)
    return "folder", folder
