"""WebDataset shards: tar files of samples, each a run of members with the same stem.

An id has three members: ``ID.jpeg`` or ``ID.png``, ``ID.cls`` (the label as text) and
``ID.json`` (the scene). Headers hold no time and no user, so equal samples give equal
shards.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from umnist_core.datasets.ends import Ends, has_ends
from umnist_core.errors import DamagedFileError
from umnist_core.scenes import Scene


def shard_path(root: Path, split: str, number: int) -> Path:
    """Return where a shard lies."""
    return root / f"{split}-{number:06d}.tar"


def write_shard(path: Path, image: str, samples: Iterable[tuple[str, bytes, Scene]]) -> None:
    """Write a shard; one image is held at a time.

    Parameters
    ----------
    path
        The file to make.
    image
        Suffix of the images.
    samples
        Id, image file and scene of each.
    """
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for image_id, data, scene in samples:
            _add(tar, f"{image_id}.{image}", data)
            for name, text in _texts(image_id, scene).items():
                _add(tar, name, text)


def _texts(image_id: str, scene: Scene) -> dict[str, bytes]:
    label, truth = str(scene.label).encode(), scene.to_json().encode()
    return {f"{image_id}.cls": label, f"{image_id}.json": truth}


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    # TarInfo's own defaults: mode 644, no time, no user.
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def is_whole_shard(path: Path, image: str, samples: Iterable[tuple[str, Ends, Scene]]) -> bool:
    """Return whether a shard is there, holds exactly these samples, and each image has its ends."""
    try:
        members, end = _scan(path)
        # Tar files are filled up to whole records.
        records = -(-(end + 2 * tarfile.BLOCKSIZE) // tarfile.RECORDSIZE)
        if path.stat().st_size != records * tarfile.RECORDSIZE:
            return False
        with path.open("rb") as file:
            for image_id, ends, scene in samples:
                offset, size = members.pop(f"{image_id}.{image}")
                file.seek(offset)
                if not has_ends(file, size, ends):
                    return False
                for name, text in _texts(image_id, scene).items():
                    if _read(file, *members.pop(name)) != text:
                        return False
    except (OSError, DamagedFileError, KeyError):
        return False
    return not members


def _read(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def read_members(path: Path) -> dict[str, tuple[int, int]]:
    """Return offset and size in bytes of each file in a tar, in order; nothing is unpacked.

    Raises
    ------
    DamagedFileError
        If it is no uncompressed tar file, or is cut short.
    """
    return _scan(path)[0]


def _scan(path: Path) -> tuple[dict[str, tuple[int, int]], int]:
    """Return the members, and where the last one ends."""
    try:
        with tarfile.open(path, "r:") as tar:
            members = {m.name: (m.offset_data, m.size) for m in tar if m.isreg()}
            end = tar.offset
        size = path.stat().st_size
    except (tarfile.TarError, OSError, ValueError) as error:
        raise DamagedFileError(
            f"{path}: expected an uncompressed tar file, found something else ({error}); copy or "
            "make it again."
        ) from error
    # A tar ends with two blocks of zeros; Python's reader is content without them.
    if size < end + tarfile.BLOCKSIZE or any(sum(m) > size for m in members.values()):
        raise DamagedFileError(
            f"{path}: expected a whole tar file, found one that is cut short after "
            f"{len(members)} files; copy or make it again."
        )
    return members, end
