"""The file by which a folder of labels that people gave here is known, and what they come in."""

from __future__ import annotations

from pathlib import Path

from umnist_core.errors import UmnistError
from umnist_core.parsing import parse_json
from umnist_core.paths import read_file

LABELS_FILE = "umnist-labels.json"
LABELS_FORMAT = "umnist-labels-1"

LABEL_FORMATS = ("csv", "coco", "voc")
"""In which labels are written: a table of sums, COCO, Pascal VOC."""


def is_our_labels(folder: Path) -> bool:
    """Return whether a folder was written by ``umnist study labels``."""
    file = folder / LABELS_FILE
    if not file.is_file():
        return False
    try:
        content = parse_json(read_file(file))
    except (OSError, ValueError, UmnistError):
        return False
    return isinstance(content, dict) and content.get("format") == LABELS_FORMAT
