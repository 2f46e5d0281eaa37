"""Looking into a data set: what it is, what is in it, and what is wrong with it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from umnist_core.datasets.decode import HEAD_BYTES, decode_grey, image_size, is_tiff
from umnist_core.datasets.ends import is_cut_short
from umnist_core.datasets.megapixel_sparse import PARAMETER_FILE, open_megapixel_split
from umnist_core.datasets.read import DatasetReader, open_dataset
from umnist_core.datasets.recipe import image_id
from umnist_core.datasets.truth import TruthTable, truth_path
from umnist_core.errors import DamagedFileError, UmnistError
from umnist_core.seeds import SPLITS

_TAIL_BYTES = 512


@dataclass(frozen=True)
class Inspection:
    """What is known of a data set.

    Attributes
    ----------
    folder, kind
        Where and what it is; see `DatasetReader`.
    made_by
        Command that made each split; empty for the data sets of others.
    stand_in
        Whether its digits are the bundled stand-in; None where that is unknown.
    counts
        Images of each split; ``all`` where there are no splits.
    expected
        Images that each split has when it is finished, where the folder says so.
    unfinished
        Splits whose tables are not written yet.
    labels
        Images of each label, ascending; ``unknown`` where nothing says it.
    sizes
        Images of each size, as ``WIDTHxHEIGHT`` in px, most frequent first.
    missing
        Ids that the folder should have and has not.
    damaged
        One sentence for each damaged file.
    check
        ``decoded`` if every pixel was, else ``ends``.
    """

    folder: str
    kind: str
    made_by: tuple[str, ...]
    stand_in: bool | None
    counts: Mapping[str, int]
    expected: Mapping[str, int]
    unfinished: tuple[str, ...]
    labels: Mapping[str, int]
    sizes: Mapping[str, int]
    missing: tuple[str, ...]
    damaged: tuple[str, ...]
    check: str

    @property
    def is_sound(self) -> bool:
        """Whether all is there and whole."""
        return not (self.missing or self.damaged or self.unfinished)


def inspect_dataset(
    root: Path, *, quick: bool = False, jobs: int | None = None, progress: bool = False
) -> Inspection:
    """Look at every image of a data set.

    Parameters
    ----------
    root
        The folder.
    quick
        Whether to look at headers and ends alone instead of decoding every pixel.
    jobs
        Threads; one a core when None.
    progress
        Whether to draw a bar on standard error, where that is a terminal.

    Raises
    ------
    MissingFileError, DamagedFileError
        As `open_dataset`, but for damaged shards, which are listed.
    """
    if (root / PARAMETER_FILE).is_file():
        return _inspect_sparse(root)
    damaged: list[str] = []
    reader = open_dataset(root, damaged=damaged)
    sizes: Counter[str] = Counter()
    labels: Counter[int | None] = Counter()
    with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        try:
            checks = pool.map(lambda name: _check(reader, name, quick=quick), reader.ids)
            bar = tqdm(
                checks, total=len(reader.ids), unit=" images", disable=None if progress else True
            )
            for size, label, sentences in bar:
                sizes[size] += size != ""
                labels[label] += 1
                damaged += sentences
        finally:
            pool.shutdown(cancel_futures=True)
    damaged += _damaged_truth(reader)
    records = {} if reader.manifest is None else reader.manifest.splits
    return Inspection(
        folder=str(root),
        kind=reader.kind,
        made_by=tuple(record.command for record in records.values()),
        stand_in=any(record.stand_in for record in records.values()) if records else None,
        counts=dict(Counter(part.split or "all" for part in reader.parts.values())),
        expected={split: record.count for split, record in records.items()},
        unfinished=tuple(s for s in records if not truth_path(reader.root, s).is_file()),
        labels=_histogram(labels),
        sizes={size: count for size, count in sizes.most_common() if count},
        missing=tuple(_missing(reader)),
        damaged=tuple(dict.fromkeys(damaged)),
        check="ends" if quick else "decoded",
    )


def _inspect_sparse(root: Path) -> Inspection:
    """Look at Megapixel MNIST in its original layout, which is read whole or not at all."""
    splits, damaged = {}, []
    for split in SPLITS:
        try:
            if (root / f"{split}.npy").is_file():
                splits[split] = open_megapixel_split(root, split)
        except DamagedFileError as error:
            damaged.append(str(error))
    if not splits and not damaged:
        open_megapixel_split(root, SPLITS[0])  # says what is missing
    return Inspection(
        folder=str(root),
        kind="megapixel",
        made_by=(),
        stand_in=None,
        counts={name: len(split.images) for name, split in splits.items()},
        expected={},
        unfinished=(),
        labels=_histogram(
            Counter(image.tasks.majority for split in splits.values() for image in split.images)
        ),
        sizes={
            f"{split.width}x{split.height}": sum(len(split.images) for split in splits.values())
            for split in splits.values()
        },
        missing=(),
        damaged=tuple(damaged),
        check="decoded",
    )


def _histogram(labels: Counter[int | None]) -> dict[str, int]:
    known = sorted(label for label in labels if label is not None)
    counts = {str(label): labels[label] for label in known}
    return counts | ({"unknown": labels[None]} if labels[None] else {})


def _check(reader: DatasetReader, name: str, *, quick: bool) -> tuple[str, int | None, list[str]]:
    """Return size and label of an image, as far as they are known, and what is wrong with it."""
    wrong = []
    size, label = "", None
    try:
        height, width = _look_at_ends(reader, name)
        size = f"{width}x{height}"
        if not quick:
            decode_grey(reader.read_bytes(name), name)
    except UmnistError as error:
        wrong.append(str(error))
    try:
        label = reader.label(name)
    except UmnistError as error:
        wrong.append(str(error))
    return size, label, wrong


def _look_at_ends(reader: DatasetReader, name: str) -> tuple[int, int]:
    """Return height and width of an image whose header can be read and whose end is there."""
    start = reader.read_bytes(name, HEAD_BYTES)
    size = image_size(reader.read_bytes(name) if is_tiff(start) else start, name)
    if is_cut_short(start, reader.read_end(name, _TAIL_BYTES)):
        raise DamagedFileError(
            f"{name}: expected a whole image, found one that is cut short; copy or make it again."
        )
    return size


def _damaged_truth(reader: DatasetReader) -> Iterator[str]:
    for split in () if reader.manifest is None else reader.manifest.splits:
        path = truth_path(reader.root, split)
        try:
            if path.is_file():
                TruthTable(path)
        except DamagedFileError as error:
            yield str(error)


def _missing(reader: DatasetReader) -> Iterator[str]:
    """Yield the images that the manifest, or else the table of labels, promises."""
    found = {name.rpartition("/")[2] for name in reader.ids}
    if reader.manifest is None:
        yield from (name for name in reader.labels if name not in found)
        return
    for split, record in reader.manifest.splits.items():
        for index in range(record.count):
            if (name := image_id(reader.manifest.seed, split, index)) not in found:
                yield f"{split}/{name}"
