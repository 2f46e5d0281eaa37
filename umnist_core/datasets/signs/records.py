"""The Swedish traffic signs as TFRecords, ``set1.tfrecords`` and ``set2.tfrecords``.

So the code of Cordonnier et al. (CVPR 2021) keeps them: records of a ``tf.train.Example`` with
``image``, the bytes of a JPEG, and ``label``, a place in `CLASS_NAMES`. Neither TensorFlow nor a
library of protocol buffers is needed: a record is framed by its length, and an image is a run of
bytes in the file, which is read as the part of a file that it is. Boxes are not in them. The
checksums (CRC-32C) are not compared.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from umnist_core.datasets.file_reader import FileReader
from umnist_core.datasets.identity import ImageIdentity, by_id, short_names
from umnist_core.datasets.shard_folder import ImagePart
from umnist_core.datasets.signs.filters import CLASS_NAMES
from umnist_core.errors import DamagedFileError
from umnist_core.paths import open_file

_SPLITS = {"set1": "train", "set2": "test"}
_SUFFIXES = (".tfrecords", ".tfrecord")
_HEAD_BYTES, _TAIL_BYTES = 12, 4
_BYTES_LIST, _INT64_LIST = 1, 3
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


@dataclass(frozen=True)
class RecordFile:
    """A file of records and the split that its set is."""

    path: Path
    shown: str
    split: str


@dataclass(frozen=True, eq=False)
class SignRecordsReader(FileReader):
    """The images of the Swedish traffic signs in TFRecords; each has a class and no boxes."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """``EMPTY`` and the three limits."""
        return CLASS_NAMES

    @classmethod
    def open(
        cls, root: Path, files: Sequence[RecordFile], damaged: list[str] | None
    ) -> SignRecordsReader:
        """Open files of records; as `umnist_core.datasets.signs.open_signs`."""
        parts: dict[str, ImagePart] = {}
        labels: dict[str, int] = {}
        splits: dict[str, str] = {}
        for file in files:
            try:
                for number, (part, label) in enumerate(_iter_images(file)):
                    path = f"{file.shown}/{number}"
                    parts[path], labels[path], splits[path] = part, label, file.split
            except DamagedFileError as error:
                if damaged is None:
                    raise
                damaged.append(str(error))
        names = short_names(ImageIdentity(str(root), splits[path], path) for path in parts)
        at = {name: one.path for name, one in names.items()}
        return cls(root, "signs", None, names, by_id(at, parts), by_id(at, labels))


def find_record_files(root: Path) -> list[RecordFile]:
    """Return the files of records of a folder, train before test."""
    found = [root / f"{stem}{suffix}" for stem in _SPLITS for suffix in _SUFFIXES]
    return [RecordFile(one, one.name, _SPLITS[one.stem]) for one in found if one.is_file()]


def _iter_images(file: RecordFile) -> Iterator[tuple[ImagePart, int]]:
    """Yield where each image is, and its label.

    Raises
    ------
    DamagedFileError
        If the file is cut short, or a record is none of these.
    """
    read = 0
    try:
        with open_file(file.path) as opened:
            size = opened.seek(0, 2)
            if not size:
                raise ValueError("an empty file")
            with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
                for first, last in _iter_records(data, size):
                    yield _read_example(file.path, data, first, last)
                    read += 1
    except (OSError, ValueError, IndexError, struct.error) as error:
        raise DamagedFileError(
            f"{file.shown}: expected records with image and label, found that number {read + 1} is "
            f"none ({error}); copy or make it again."
        ) from error


def _iter_records(data: mmap.mmap, size: int) -> Iterator[tuple[int, int]]:
    """Yield the first byte of each record and the one behind its last."""
    at = 0
    while at < size:
        (length,) = struct.unpack_from("<Q", data, at)
        first = at + _HEAD_BYTES
        at = first + length + _TAIL_BYTES
        if at > size:
            raise ValueError(f"{length} bytes where {max(0, size - first)} are left")
        yield first, first + length


def _read_example(path: Path, data: mmap.mmap, first: int, last: int) -> tuple[ImagePart, int]:
    found: dict[bytes, tuple[int, int, int]] = {}
    for number, start, end in _fields(data, first, last):
        for _, entry, entry_end in _fields(data, start, end) if number == 1 else ():
            both = {key: (one, stop) for key, one, stop in _fields(data, entry, entry_end)}
            key = data[slice(*both[1])] if 1 in both else b""
            for kind, one, stop in _fields(data, *both[2]) if 2 in both else ():
                found[key] = (kind, one, stop)
    image, label = found.get(b"image"), found.get(b"label")
    if image is None or image[0] != _BYTES_LIST or label is None or label[0] != _INT64_LIST:
        raise ValueError("no image and label")
    (_, begin, behind), *others = _fields(data, image[1], image[2])
    places = list(_numbers(data, label[1], label[2]))
    if others or len(places) != 1 or not 0 <= places[0] < len(CLASS_NAMES):
        raise ValueError(f"a label of {places[:3]}")
    return ImagePart(path, begin, behind - begin), places[0]


def _numbers(data: mmap.mmap, first: int, last: int) -> Iterator[int]:
    """Yield the numbers of an ``Int64List``, packed or one by one."""
    at = first
    while at < last:
        tag, at = _varint(data, at, last)
        number, at = _varint(data, at, last)
        if tag & 7 == _VARINT:
            yield number
        else:  # packed: the number before was the length
            stop = at + number
            while at < min(stop, last):
                value, at = _varint(data, at, last)
                yield value


def _fields(data: mmap.mmap, first: int, last: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, first byte and the one behind the last, of the fields that have a length."""
    at = first
    while at < last:
        tag, at = _varint(data, at, last)
        kind = tag & 7
        if kind == _VARINT:
            _, at = _varint(data, at, last)
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        elif kind == _LENGTH:
            length, at = _varint(data, at, last)
            if at + length > last:
                raise ValueError("a field that is longer than its record")
            yield tag >> 3, at, at + length
            at += length
        else:
            raise ValueError(f"a field of kind {kind}")


def _varint(data: mmap.mmap, at: int, last: int) -> tuple[int, int]:
    number = 0
    for place in range(_LONGEST_VARINT):
        if at + place >= last:
            raise ValueError("a number that is cut short")
        byte = data[at + place]
        number |= (byte & 127) << (7 * place)
        if byte < 128:
            return number, at + place + 1
    raise ValueError("a number without end")
