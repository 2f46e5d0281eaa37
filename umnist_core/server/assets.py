"""The viewer's own files, served under a path that changes whenever they do."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

STATIC_DIR = Path(__file__).parent / "static"

SERVED_SUFFIXES = (".js", ".css")


@functools.cache
def static_version() -> str:
    """Return 12 hexadecimal digits that name the content of every served file.

    They are part of each file's URL, so browsers may keep the files for ever and
    still never mix the modules of two releases.
    """
    digest = hashlib.sha256()
    for path in sorted(STATIC_DIR.rglob("*")):
        if path.suffix in SERVED_SUFFIXES and "node_modules" not in path.parts:
            digest.update(path.relative_to(STATIC_DIR).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
