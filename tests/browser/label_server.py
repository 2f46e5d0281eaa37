"""A label server as a process of its own, which tests kill: ``FOLDER PORT``."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

from umnist_core.labeling import StudyService
from umnist_core.labeling.sql import open_log
from umnist_core.server.labeling import create_label_app


def open_disk(folder: Path) -> StudyService:
    """Return the studies of a folder, in SQLite."""
    return StudyService(open_log(f"sqlite:///{folder / 'studies.sqlite'}"), folder)


if __name__ == "__main__":
    uvicorn.run(create_label_app(open_disk(Path(sys.argv[1]))), port=int(sys.argv[2]))
