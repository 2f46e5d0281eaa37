"""Uploaded images: kept as files for as long as the process runs."""

from __future__ import annotations

import hashlib
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from umnist_core.files import write_whole

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    # Removed when the process ends, together with every upload.
    return tempfile.TemporaryDirectory(prefix="umnist-uploads-")


def keep_upload(uploaded: UploadedFile) -> Path:
    """Write an upload to a file named by its content, once, and return its path."""
    data = uploaded.getbuffer()
    name = hashlib.sha256(data).hexdigest()[:32] + Path(uploaded.name).suffix.lower()
    path = Path(_folder().name) / name
    if not path.exists():
        write_whole(path, bytes(data))
    return path
