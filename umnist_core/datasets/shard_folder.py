"""The images of a WebDataset: members of tar files, and the classes beside them.

A sample's key means something within its shard alone, so equal keys in two shards, or in two
folders of one, are two images.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from umnist_core.datasets.identity import (
    ImageIdentity,
    by_id,
    short_names,
    split_of_file,
    split_of_word,
    split_order,
)
from umnist_core.datasets.manifest import MANIFEST
from umnist_core.datasets.scan import IMAGE_SUFFIXES, split_of_path
from umnist_core.datasets.shards import read_members
from umnist_core.datasets.tables import SplitTables, read_split_tables
from umnist_core.errors import DamagedFileError, MissingFileError
from umnist_core.paths import has_debris, is_debris


@dataclass(frozen=True)
class ImagePart:
    """Where the bytes of an image are.

    Attributes
    ----------
    path
        The file, or the shard that it is a part of.
    offset, size
        Part of the file, in bytes; the size is None for a whole file.
    """

    path: Path
    offset: int = 0
    size: int | None = None


@dataclass(frozen=True)
class ShardFolder:
    """The images of a WebDataset, by id, and what is said of them.

    Attributes
    ----------
    identities
        Which image each id is; its path is that of its shard and of the member in it.
    images, classes
        Where it and its class are.
    table
        What ``train.csv`` says, by id.
    """

    identities: Mapping[str, ImageIdentity]
    images: Mapping[str, ImagePart]
    classes: Mapping[str, ImagePart] = field(default_factory=dict)
    table: SplitTables = field(default_factory=SplitTables)


def find_shards(root: Path) -> list[Path]:
    """Return the tar files of a folder, and of those folders in it that are called as a split."""
    if not root.is_dir():
        return []
    folders = [one for one in sorted(root.iterdir()) if split_of_word(one.name) and one.is_dir()]
    ours = [one for one in folders if not is_debris(one.name)]
    searched = [root, *(one for one in ours if not (one / MANIFEST).exists())]
    # Of the many images beside them no more than the name is looked at.
    found = (sorted(path for path in one.iterdir() if _is_shard(path)) for one in searched)
    return [path for paths in found for path in paths]


def _is_shard(path: Path) -> bool:
    is_named = path.suffix.lower() == ".tar" and not is_debris(path.name)
    return is_named and path.is_file()


def find_shard_image(
    root: Path, shards: Sequence[Path], damaged: list[str] | None = None
) -> str | None:
    """Return the path of the first image in shards, below ``root``; None if they hold none.

    Takes what `open_shards` takes.

    Raises
    ------
    DamagedFileError
        If a shard before it cannot be read.
    """
    for shard in shards:
        name = shard.relative_to(root).as_posix()
        for member in _read_shard(shard, damaged):
            if _is_image(member):
                return f"{name}/{member}"
    return None


def open_shards(root: Path, shards: Sequence[Path], damaged: list[str] | None) -> ShardFolder:
    """Find the images and classes of shards.

    Parameters
    ----------
    root, shards
        The folder and its tar files.
    damaged
        Where to note shards that cannot be read; None to raise at the first.

    Raises
    ------
    MissingFileError
        If there is no image in them.
    DamagedFileError
        If a shard is damaged, two of its images have one class or one has two, or a row of
        ``train.csv`` may mean two images.
    """
    images: dict[str, ImagePart] = {}
    classes: dict[str, ImagePart] = {}
    splits: dict[str, str | None] = {}
    for shard in shards:
        name = shard.relative_to(root).as_posix()
        split = split_of_path(name, root.name) or split_of_file(shard.stem)
        members = _read_shard(shard, damaged)
        for member, class_name in _iter_images(members, name):
            path = f"{name}/{member}"
            splits[path], images[path] = split, ImagePart(shard, *members[member])
            if class_name is not None:
                classes[path] = ImagePart(shard, *members[class_name])
    if not images and not damaged:
        raise MissingFileError(
            f"Expected images ({', '.join(IMAGE_SUFFIXES)}) in the {len(shards)} tar files of "
            f"{root}, found none; choose a folder with a WebDataset of images."
        )
    order = sorted(images, key=lambda path: split_order(splits[path]))
    names = short_names(ImageIdentity(str(root), splits[path], path) for path in order)
    table = read_split_tables(root, splits)
    at = {name: one.path for name, one in names.items()}
    return ShardFolder(
        names,
        by_id(at, images),
        by_id(at, classes),
        replace(table, labels=by_id(at, table.labels), tasks=by_id(at, table.tasks)),
    )


def _read_shard(shard: Path, damaged: list[str] | None) -> dict[str, tuple[int, int]]:
    try:
        return read_members(shard)
    except DamagedFileError as error:
        if damaged is None:
            raise
        damaged.append(str(error))
        return {}


def _is_image(member: str) -> bool:
    return member.lower().endswith(IMAGE_SUFFIXES) and not has_debris(member)


def _iter_images(
    members: Mapping[str, tuple[int, int]], shard: str
) -> Iterator[tuple[str, str | None]]:
    """Yield each image of a shard, and the name of the member that is its class, if any."""
    classes = _classes(members, shard)
    owner: dict[str, str] = {}
    for member in members:
        if not _is_image(member):
            continue
        stem = posixpath.splitext(member)[0]
        before = owner.setdefault(stem, member)
        if before != member and stem in classes:
            raise DamagedFileError(
                f"Expected one image of the class {classes[stem]} in {shard}, found {before} and "
                f"{member}; give each sample a key of its own."
            )
        yield member, classes.get(stem)


def _classes(members: Iterable[str], shard: str) -> dict[str, str]:
    """Return the member that is the class of each key."""
    found: dict[str, str] = {}
    for member in members:
        stem, suffix = posixpath.splitext(member)
        if suffix.lower() != ".cls" or has_debris(member):
            continue
        if (before := found.setdefault(stem, member)) != member:
            raise DamagedFileError(
                f"Expected one class of the sample {stem} in {shard}, found {before} and {member}; "
                "give each sample a key of its own."
            )
    return found
