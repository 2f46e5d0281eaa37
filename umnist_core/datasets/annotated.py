"""Where the annotations of a folder lie: in it, and in the folders below it.

Exports of several tasks are often unpacked beside each other, as ``train`` and ``test`` or as
``task_1`` and ``task_2``. Each is then a folder of its own, and its annotations speak of the
images below it alone: two of them may have an image of one name.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from umnist_core.datasets.identity import split_of_word
from umnist_core.datasets.label_mark import LABELS_FILE
from umnist_core.datasets.labels import is_coco
from umnist_core.datasets.manifest import MANIFEST
from umnist_core.datasets.megapixel_sparse import PARAMETER_FILE
from umnist_core.datasets.scan import IMAGE_SUFFIXES, Scan, iter_folders, split_of_path
from umnist_core.paths import is_debris

_COCO_NAME = re.compile(r"_?annotations|instances|.*_keypoints_")
_NO_LABELS = re.compile(r"(?:captions|labels|panoptic|image_info|stuff)_")
_OTHER_JSON = (MANIFEST, PARAMETER_FILE, LABELS_FILE)


@dataclass(frozen=True)
class AnnotatedFolder:
    """A folder that has annotations, or may have them beside its images.

    Attributes
    ----------
    folder, front
        Where it is, and its path below the scan's ``home``: ``.`` for that one itself.
    split
        That which its name says of all images below it.
    coco
        Its COCO files. With one, other annotations in it are the same in another format.
    splits
        Split of each image below it, by its path below ``home``.
    """

    folder: Path
    front: str
    split: str | None
    coco: tuple[Path, ...]
    splits: Mapping[str, str | None]

    @cached_property
    def bases(self) -> list[str]:
        """Return the folders of images that names may be relative to, besides a format's own."""
        depth = len(PurePosixPath(self.front).parts)
        parents = {PurePosixPath(path).parts[depth:-1][:2] for path in self.splits}
        found = ["JPEGImages", "images", ""]
        for parts in sorted(parents):
            if parts and split_of_word(parts[0]):
                found += [parts[0], f"{parts[0]}/images"]
            elif len(parts) == 2 and parts[0] == "images" and split_of_word(parts[1]):
                found.append("/".join(parts))
        first = {parts[:1] for parts in parents}
        # One folder that all images lie in, whatever it is called.
        return self.below([*found, "/".join(*first)] if len(first) == 1 else found)

    def below(self, folders: Sequence[str]) -> list[str]:
        """Return folders in this one by their paths below ``home``."""
        return [posixpath.normpath(posixpath.join(self.front, one)) for one in folders]

    def annotation_folders(self) -> list[Path]:
        """Return its folders of annotations."""
        return _annotation_folders(self.folder)


def find_home(root: Path) -> Path:
    """Return the folder whose annotations speak of ``root``: itself, or up to two above it."""
    home = root
    for _ in range(3):
        if _annotation_folders(home) or any(
            _COCO_NAME.match(path.name) for path in _json_files(home)
        ):
            return home
        is_part = home.name in ("images", "JPEGImages") or split_of_word(home.name)
        if not (is_part or home.parent.name == "images"):
            break
        home = home.parent
    return root


def find_annotated(scan: Scan) -> list[AnnotatedFolder]:
    """Return ``home``, and every other folder that has annotations of its own."""
    fronts = {".": tuple(_home_coco(scan.home)), **dict(_iter_inner(scan))}
    splits: dict[str, dict[str, str | None]] = {front: {} for front in fronts}
    for path, split in scan.splits.items():
        for above in PurePosixPath(path).parents:
            if (front := above.as_posix()) in fronts:
                splits[front][path] = split
    return [
        AnnotatedFolder(scan.home / front, front, split_of_path(f"{front}/."), coco, splits[front])
        for front, coco in fronts.items()
    ]


def is_annotations(folder: Path) -> bool:
    """Return whether a folder is one of annotations by its name."""
    return folder.name.lower() == "annotations"


def _home_coco(home: Path) -> list[Path]:
    beside = _json_files(home)
    chosen = [path for path in beside if _COCO_NAME.match(path.name) or _is_coco(path)]
    inside = [path for one in _annotation_folders(home) for path in _json_files(one)]
    return [path for path in [*chosen, *inside] if not _NO_LABELS.match(path.name)]


def _iter_inner(scan: Scan) -> Iterator[tuple[str, tuple[Path, ...]]]:
    """Yield the folders below the one that was opened, with their COCO files."""
    front = scan.root.relative_to(scan.home).as_posix()
    for below, names in iter_folders(scan.root):
        path = posixpath.normpath(posixpath.join(front, below))
        if path == ".":
            continue
        folder = scan.home / path
        inside = _annotation_folders(folder)
        beside = [folder / name for name in names if name.endswith(".json")]
        found = [*beside, *(file for one in inside for file in _json_files(one))]
        # Here as many programs' files may lie as below any folder of photographs.
        coco = [
            file
            for file in found
            if not is_debris(file.name)
            and not _NO_LABELS.match(file.name)
            and _is_coco(file, damaged=bool(_COCO_NAME.match(file.name)))
        ]
        if coco or inside or (folder / "ImageSets" / "Main").is_dir():
            yield path, tuple(coco)


def _json_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.json") if not is_debris(path.name))


def _folders(home: Path) -> list[Path]:
    # Of many images, a listing asks for none by itself.
    return sorted(Path(one) for one in os.scandir(home) if one.is_dir()) if home.is_dir() else []


def _annotation_folders(home: Path) -> list[Path]:
    return [one for one in _folders(home) if is_annotations(one)]


def _is_coco(path: Path, *, damaged: bool = False) -> bool:
    if path.name in _OTHER_JSON:
        return False
    # A file for each image, as other tools write, is none for all of them.
    is_of_one = any(path.with_suffix(suffix).exists() for suffix in IMAGE_SUFFIXES)
    return not is_of_one and is_coco(path, damaged=damaged)
