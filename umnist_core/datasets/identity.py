"""Which image is meant: the data set, the split and the path; never a bare name.

Two images of a data set may share their file's name: in two folders, in two shards, with two
suffixes. So labels, truth and studies keep to `ImageIdentity`, and people read the shortest
name that no other image of the data set could have (`short_names`).
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeVar

from umnist_core.seeds import FOLDER_SPLITS

_Value = TypeVar("_Value")

_WORDS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
_YEAR = re.compile(r"(?:19|20)\d\d$")


@dataclass(frozen=True, order=True)
class ImageIdentity:
    """One image.

    Attributes
    ----------
    data_set
        The folder that was opened.
    split
        One of `FOLDER_SPLITS`; None where the layout does not say.
    path
        Below that folder, with ``/``: a file, ``SHARD/MEMBER``, or ``FILE/NUMBER`` in the
        original layout of Megapixel MNIST.
    """

    data_set: str
    split: str | None
    path: str

    @property
    def stem(self) -> str:
        """The file's name without its suffix, which other images may share."""
        return PurePosixPath(self.path).stem


def split_of_word(word: str) -> str | None:
    """Return the split that a folder's or a list's name means, as ``Validation`` or ``val2017``."""
    return _WORDS.get(_YEAR.sub("", word.lower()))


def split_of_file(stem: str) -> str | None:
    """Return the one split that a file's name speaks of, as ``instances_train2017``."""
    found = {split_of_word(word) for word in re.split(r"[^A-Za-z0-9]+", stem)} - {None}
    return found.pop() if len(found) == 1 else None


def split_order(split: str | None) -> int:
    """Return the place of a split among others; images without one come last."""
    return len(FOLDER_SPLITS) if split is None else FOLDER_SPLITS.index(split)


def by_id(paths: Mapping[str, str], values: Mapping[str, _Value]) -> dict[str, _Value]:
    """Return values by path as values by id; ``paths`` has the path of each id."""
    return {name: values[path] for name, path in paths.items() if path in values}


def short_names(images: Iterable[ImageIdentity]) -> dict[str, ImageIdentity]:
    """Return images by the shortest name that means one of them alone, in their order.

    A name is the end of the path, without its suffix where that is enough. Images of all but
    the first split have the split and ``/`` in front.
    """
    listed = list(images)
    first = min((split_order(one.split) for one in listed), default=0)

    def names(one: ImageIdentity) -> Iterator[str]:
        front = "" if one.split is None or split_order(one.split) == first else f"{one.split}/"
        parts = one.path.split("/")
        suffix = posixpath.splitext(parts[-1])[1]
        for count in range(1, len(parts) + 1):
            end = front + "/".join(parts[-count:])
            yield end.removesuffix(suffix)
            yield end

    counts = Counter(name for one in listed for name in set(names(one)))
    return {
        next((name for name in names(one) if counts[name] == 1), one.path): one for one in listed
    }
