"""WebDataset shards: tar files of samples, each a run of members with the same stem.

An id has three members: ``ID.jpeg`` or ``ID.png``, ``ID.cls`` (the label as text) and
``ID.json`` (the scene). Headers hold no time and no user, so equal samples give equal
shards.
"""

from __future__ import annotations

import hashlib
import io
import posixpath
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from umnist_core.datasets.ends import Ends, has_ends
from umnist_core.errors import DamagedFileError
from umnist_core.paths import open_file
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


def shard_checksums(
    path: Path, image: str, samples: Iterable[tuple[str, Ends, Scene]]
) -> list[str] | None:
    """Return the SHA-256 of each image of a shard, in hex, in the order of its samples.

    None unless the shard is there, holds exactly these samples, and each image has its ends.
    """
    found = []
    try:
        members, end = _scan(path)
        # Tar files are filled up to whole records.
        records = -(-(end + 2 * tarfile.BLOCKSIZE) // tarfile.RECORDSIZE)
        if path.stat().st_size != records * tarfile.RECORDSIZE:
            return None
        with open_file(path) as file:
            for image_id, ends, scene in samples:
                data = _read(file, *members.pop(f"{image_id}.{image}"))
                if not has_ends(io.BytesIO(data), len(data), ends):
                    return None
                found.append(hashlib.sha256(data).hexdigest())
                for name, text in _texts(image_id, scene).items():
                    if _read(file, *members.pop(name)) != text:
                        return None
    except (OSError, DamagedFileError, KeyError):
        return None
    return None if members else found


def _read(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def read_members(path: Path) -> dict[str, tuple[int, int]]:
    """Return offset and size in bytes of each file in a tar, in order; nothing is unpacked.

    A file goes by the path that it would be unpacked to: ``./a.png`` is ``a.png``.

    Raises
    ------
    DamagedFileError
        If it is no uncompressed tar file, is cut short, or has a path twice.
    """
    members: dict[str, tuple[int, int]] = {}
    spelled: dict[str, str] = {}
    for name, part in _scan(path)[0].items():
        member = posixpath.normpath(name).lstrip("/")
        if (before := spelled.setdefault(member, name)) != name:
            raise DamagedFileError(
                f"{path}: expected each path once, found {before} and {name}, which are one; "
                "rename one of them."
            )
        members[member] = part
    return members


def _put(members: dict[str, tuple[int, int]], path: Path, member: tarfile.TarInfo) -> None:
    if member.name in members:
        raise DamagedFileError(
            f"{path}: expected each name once, found {member.name} at byte "
            f"{members[member.name][0]} and at byte {member.offset_data}; make it again."
        )
    members[member.name] = (member.offset_data, member.size)


def _scan(path: Path) -> tuple[dict[str, tuple[int, int]], int]:
    """Return the members, and where the last one ends."""
    try:
        with open_file(path) as file, tarfile.open(fileobj=file, mode="r:") as tar:
            members: dict[str, tuple[int, int]] = {}
            for member in filter(tarfile.TarInfo.isreg, tar):
                _put(members, path, member)
            end = tar.offset
        size = path.stat().st_size
    except DamagedFileError:
        raise
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
