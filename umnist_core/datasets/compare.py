"""Data sets side by side: sizes, shapes and years of their images, and what they share.

Made for MetH, whose document compares its data sets so (figures 2 and 5, table 1), and takes any
two: megapixels are width times height over a million, aspect ratio is width over height. An image
is in both by its file's name, since MetH names files by the museum's number of the piece, and by
its bytes; the document does not say which it went by.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from umnist_core.datasets.file_reader import FileReader
from umnist_core.datasets.inspect import Inspection
from umnist_core.datasets.meth.published import PUBLISHED, SHARED_PERCENT, published_years
from umnist_core.datasets.meth.table import composed
from umnist_core.datasets.read import open_dataset
from umnist_core.datasets.reader import DatasetReader
from umnist_core.errors import UmnistError
from umnist_core.paths import check_file


@dataclass(frozen=True)
class Quartiles:
    """How a figure spreads over the images of a data set: mean, extremes and quartiles."""

    mean: float
    least: float
    lower_quartile: float
    median: float
    upper_quartile: float
    most: float


@dataclass(frozen=True)
class ShapeFigures:
    """Sizes and shapes of the images of a data set.

    Attributes
    ----------
    folder, kind, images
        Which, and how many images whose size is known.
    megapixels, aspect
        Quartiles of both; None without any image.
    portraits, squares, landscapes
        How many are taller than wide, as tall as wide, and wider.
    years
        As `Inspection.years`.
    published
        What the document says of it: ``mean_mpx``, ``shapes`` and ``years``; nothing of others.
    """

    folder: str
    kind: str
    images: int
    megapixels: Quartiles | None
    aspect: Quartiles | None
    portraits: int
    squares: int
    landscapes: int
    years: Mapping[str, Mapping[str, int]]
    published: Mapping[str, object]


@dataclass(frozen=True)
class SharedImages:
    """How many images of one data set are in another.

    Attributes
    ----------
    first, second
        Folders.
    images
        Of the first.
    by_name
        Of these, how many have a file of the same name in the second, without its suffix.
    by_bytes
        How many have a file of the same bytes there; None where that was not looked for.
    published_percent
        What table 1 of the document says; None of other pairs.
    """

    first: str
    second: str
    images: int
    by_name: int
    by_bytes: int | None
    published_percent: float | None


@dataclass(frozen=True)
class SideBySide:
    """Data sets side by side: each by itself, and each with each."""

    shapes: tuple[ShapeFigures, ...]
    shared: tuple[SharedImages, ...]


def compare_datasets(inspections: Sequence[Inspection], *, quick: bool = False) -> SideBySide:
    """Compare data sets that were looked at.

    Parameters
    ----------
    inspections
        Two or more, of `umnist_core.datasets.inspect.inspect_dataset`.
    quick
        Whether to leave out reading the files whose sizes agree, to compare their bytes.

    Raises
    ------
    MissingFileError, DamagedFileError
        As `open_dataset`, but for damage that the inspections have told.
    """
    readers = [(one.folder, open_dataset(Path(one.folder), damaged=[])) for one in inspections]
    return SideBySide(
        tuple(map(shape_figures, inspections)),
        tuple(_share(*first, *second, quick=quick) for first, second in permutations(readers, 2)),
    )


def shape_figures(found: Inspection) -> ShapeFigures:
    """Return the figures of a data set's sizes and shapes."""
    sizes = np.array(list(_iter_sizes(found.sizes)), np.float64).reshape(-1, 2)
    width, height = sizes.T
    said = PUBLISHED.get(found.kind)
    published: dict[str, object] = {}
    if said is not None:
        published = {"mean_mpx": said.mean_mpx, "shapes": said.shapes}
    if found.kind == "MetH-Period":
        published["years"] = published_years()
    return ShapeFigures(
        found.folder,
        found.kind,
        len(sizes),
        _spread(width * height / 1e6),
        _spread(width / height),
        int((width < height).sum()),
        int((width == height).sum()),
        int((width > height).sum()),
        found.years,
        published,
    )


def _iter_sizes(sizes: Mapping[str, int]) -> Iterator[tuple[int, int]]:
    for size, count in sizes.items():
        width, height = map(int, size.split("x"))
        yield from [(width, height)] * count


def _spread(values: NDArray[np.float64]) -> Quartiles | None:
    if not len(values):
        return None
    least, lower, median, upper, most = np.quantile(values, [0, 0.25, 0.5, 0.75, 1]).tolist()
    return Quartiles(float(values.mean()), least, lower, median, upper, most)


def _share(
    first_folder: str,
    first: DatasetReader,
    second_folder: str,
    second: DatasetReader,
    *,
    quick: bool,
) -> SharedImages:
    there = set(map(_name, _paths(second)))
    by_name = sum(_name(path) in there for path in _paths(first))
    by_bytes = None
    if isinstance(first, FileReader) and isinstance(second, FileReader) and not quick:
        by_bytes = _count_same_bytes(first, second)
    return SharedImages(
        first_folder,
        second_folder,
        len(first.ids),
        by_name,
        by_bytes,
        SHARED_PERCENT.get((first.kind, second.kind)),
    )


def _paths(reader: DatasetReader) -> Iterator[str]:
    yield from (reader.get_identity(name).path for name in reader.ids)


def _name(path: str) -> str:
    return composed(PurePosixPath(path).stem)


def _count_same_bytes(first: FileReader, second: FileReader) -> int:
    """Return how many files of the first are in the second, reading none of another length."""
    lengths = [Counter(_lengths(one).values()) for one in (first, second)]
    common = lengths[0].keys() & lengths[1].keys()
    sums = [
        {name: _sum(one, name) for name, length in _lengths(one).items() if length in common}
        for one in (first, second)
    ]
    there = set(sums[1].values()) - {""}
    return sum(one in there for one in sums[0].values())


def _lengths(reader: FileReader) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in reader.ids:
        part = reader.get_part(name)
        try:
            found[name] = check_file(part.path).st_size if part.size is None else part.size
        except OSError:
            continue  # told by the inspection
    return found


def _sum(reader: FileReader, name: str) -> str:
    try:
        return hashlib.sha256(reader.read_bytes(name)).hexdigest()
    except UmnistError:
        return ""
