"""Writing sets of MNIST Large Scale: streamed, resumable, and whole under their names or not there.

A file is laid out first, with room for every image, under a hidden name; then images go to their
places in it, a batch at a time, and the checksum of each batch is noted beside it once it is
there. A run that finds such a file only draws the batches whose checksums are not noted or do not
agree. HDF5 itself is closed all the while, so nothing that it keeps in memory is lost when a run
is killed. The file gets its name last.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from umnist_core.datasets.large_scale.origin import ORIGIN, Origin
from umnist_core.datasets.large_scale.readme import README, readme_text
from umnist_core.datasets.large_scale.rescaling import LARGE_SCALE_PX
from umnist_core.datasets.large_scale.sets import LargeScaleSet
from umnist_core.datasets.staging import UNFINISHED, said_as_write_error
from umnist_core.errors import ConflictError, DamagedFileError, WriteError
from umnist_core.files import write_whole
from umnist_core.paths import expand_home

BATCH = 256
"""Images that are drawn, noted and held in memory together: 13 MB."""

_IMAGE_BYTES = 4 * LARGE_SCALE_PX**2


@dataclass(frozen=True)
class LargeScaleReport:
    """What a run did.

    Attributes
    ----------
    folder
        Where the files are.
    count
        Images in all files, but for those that are not to be used.
    drawn
        How many of them were not there yet.
    seconds
        How long it took.
    """

    folder: Path
    count: int
    drawn: int
    seconds: float


def write_large_scale(
    sets: Sequence[LargeScaleSet], folder: Path, *, progress: bool = False
) -> LargeScaleReport:
    """Write sets into a folder, or what is missing of them, and a README on how to load them.

    Parameters
    ----------
    sets
        Which; a file each.
    folder
        Where. Other files in it stay as they are.
    progress
        Whether to draw a bar on standard error, where that is a terminal.

    Raises
    ------
    ConflictError
        If a file of a set's name holds something else; it is left alone.
    WriteError
        If something cannot be written; the same call goes on from there.
    MissingFileError, DamagedFileError
        As of the digits.
    """
    start = time.perf_counter()
    folder = expand_home(folder).absolute()
    if folder.exists() and not folder.is_dir():
        raise ConflictError(f"Expected a folder, found the file {folder}; choose another name.")
    with said_as_write_error(folder):
        folder.mkdir(parents=True, exist_ok=True)
    there = [_is_there(folder / one.name, one) for one in sets]  # before anything is written
    count, drawn = sum(sum(one.counts.values()) for one in sets), 0
    with tqdm(
        total=count,
        desc=folder.name,
        unit=" images",
        smoothing=0,
        disable=None if progress else True,
    ) as bar:
        for made, is_there in zip(sets, there, strict=True):
            for images, is_new in _iter_written(folder, made, is_there=is_there):
                drawn += images if is_new else 0
                if not bar.disable and not is_new:
                    bar.initial += images  # no work, which must not flatter the rate
                bar.update(images)
    is_stand_in = any(Origin.of(one).stand_in for one in sets)
    write_whole(folder / README, readme_text(folder, stand_in=is_stand_in).encode())
    return LargeScaleReport(folder, count, drawn, time.perf_counter() - start)


def _is_there(path: Path, made: LargeScaleSet) -> bool:
    """Return whether a set is written already; raise if another stands in its place."""
    if not path.exists():
        return False
    origin = _find_origin(path)
    if origin is None or not origin.makes_the_same(Origin.of(made)):
        raise ConflictError(
            f"{path} holds another set than the one to be written (other digits, seed or maker); "
            "nothing was changed. Choose another folder, or remove the file."
        )
    return True


def _find_origin(path: Path) -> Origin | None:
    """Return what a file of ours says of itself; None of any other."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return Origin.from_json(str(file.attrs[ORIGIN]), path.name)
    except (OSError, KeyError, DamagedFileError):
        return None


def _iter_written(
    folder: Path, made: LargeScaleSet, *, is_there: bool
) -> Iterator[tuple[int, bool]]:
    """Write a set; yield of each batch how many images it has, and whether they were drawn."""
    if is_there:
        yield sum(made.counts.values()), False
        return
    path = folder / made.name
    growing = Growing(folder / f"{UNFINISHED}{made.name}", made)
    with said_as_write_error(path):
        places = growing.begin()
        with growing.path.open("rb+") as file, growing.notes.open("a") as notes:
            for split, first, last in _iter_batches(made):
                place = places[split] + first * _IMAGE_BYTES
                is_new = not growing.holds(file, place, last - first)
                if is_new:
                    checksum = _write_images(file, place, made.draw(split, first, last))
                    notes.write(f"{place} {checksum}\n")
                    notes.flush()
                if split in made.counts:
                    yield last - first, is_new
            os.fsync(file.fileno())
        growing.path.replace(path)
        growing.notes.unlink(missing_ok=True)


def _write_images(file: BinaryIO, place: int, images: NDArray[np.float32]) -> str:
    """Write images to their place; return the checksum of their bytes."""
    data = images.astype("<f4", copy=False).data
    file.seek(place)
    file.write(data)
    file.flush()
    return hashlib.sha256(data).hexdigest()


def _iter_batches(made: LargeScaleSet) -> Iterator[tuple[str, int, int]]:
    for split, count in made.stored_counts.items():
        for first in range(0, count, BATCH):
            yield split, first, min(first + BATCH, count)


class Growing:
    """A file in the making.

    Parameters
    ----------
    path
        Its hidden name.
    made
        What it is to hold.
    """

    def __init__(self, path: Path, made: LargeScaleSet) -> None:
        self.path = path
        self.notes = path.with_name(f"{path.name}.sha256")
        self._made = made
        self._noted: dict[int, str] = {}

    def begin(self) -> Mapping[str, int]:
        """Lay the file out, or take up the one that is there; return where each partition begins.

        Raises
        ------
        OSError
            If there is no room for it.
        """
        origin = _find_origin(self.path) if self.path.exists() else None
        if origin is not None and origin.makes_the_same(Origin.of(self._made)):
            self._noted = _read_notes(self.notes)
        else:
            self.notes.unlink(missing_ok=True)
            _lay_out(self.path, self._made)
        return find_places(self.path)

    def holds(self, file: BinaryIO, place: int, count: int) -> bool:
        """Return whether so many images at a place are those that were noted."""
        if place not in self._noted:
            return False
        file.seek(place)
        data = file.read(count * _IMAGE_BYTES)
        return hashlib.sha256(data).hexdigest() == self._noted[place]


def _read_notes(path: Path) -> dict[int, str]:
    """Return the checksums that were noted, by place; of a line that is cut short, none."""
    try:
        lines = path.read_text("ascii", "replace").splitlines()
    except FileNotFoundError:
        return {}
    words = [line.split() for line in lines]
    return {int(two[0]): two[1] for two in words if len(two) == 2 and two[0].isdecimal()}


def _lay_out(path: Path, made: LargeScaleSet) -> None:
    """Write a file with everything but the images, and with room for them."""
    import h5py

    new = path.with_name(f"{path.name}.new")  # so that a laid-out file is whole
    with h5py.File(new, "w", libver=("earliest", "v108")) as file:
        file.attrs[ORIGIN] = Origin.of(made).to_json()
        for split, count in made.stored_counts.items():
            shape = (count, LARGE_SCALE_PX, LARGE_SCALE_PX, 1)
            # One image alone is stored without its first axis, as in the original.
            _make_room(file, f"x_{split}", shape if split in made.counts else shape[1:])
            file[f"y_{split}"] = made.labels(split).astype("<i4")
    _check_room(new, made)
    with new.open("rb+") as file_itself:
        os.fsync(file_itself.fileno())
    new.replace(path)


def _make_room(file: object, name: str, shape: tuple[int, ...]) -> None:
    """Add a data set whose place in the file is fixed now and whose values are written later."""
    import h5py

    assert isinstance(file, h5py.File)
    options = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    options.set_layout(h5py.h5d.CONTIGUOUS)
    options.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    options.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    options.set_obj_track_times(False)  # the same bytes whenever it is made
    space = h5py.h5s.create_simple(shape)
    h5py.h5d.create(file.id, name.encode(), h5py.h5t.IEEE_F32LE, space, options)


def _check_room(path: Path, made: LargeScaleSet) -> None:
    """Raise if the disc cannot hold the file, whose room is not taken before it is written."""
    size, free = path.stat().st_size, shutil.disk_usage(path.parent).free
    if free < size:
        path.unlink()
        raise WriteError(
            f"Expected {size / 1e9:.1f} GB of room for {made.name}, found {free / 1e9:.1f} GB; "
            "make room, or choose another folder or fewer images."
        )


def find_places(path: Path) -> dict[str, int]:
    """Return where the images of each partition begin in a file of ours, in bytes.

    Raises
    ------
    OSError, KeyError
        If it is none.
    """
    import h5py

    with h5py.File(path, "r") as file:
        names = [name for name in file if name.startswith("x_")]
        return {name.removeprefix("x_"): int(file[name].id.get_offset()) for name in names}
