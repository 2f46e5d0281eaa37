"""Looking into a data set: what it is, what is in it, and what is wrong with it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from umnist_core.datasets.decode import CHOICES
from umnist_core.datasets.read import open_dataset
from umnist_core.datasets.reader import DatasetReader
from umnist_core.datasets.truth import TruthTable, truth_path
from umnist_core.errors import DamagedFileError, UmnistError


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
        Images of each split; ``all`` where there are no splits, and ``no split`` of those
        that are in none of them.
    expected
        Images that each split has when it is finished, where the folder says so.
    unfinished
        Splits whose tables are not written yet.
    labels
        Images of each label, ascending; ``unknown`` where nothing says it.
    sizes
        Images of each size, as ``WIDTHxHEIGHT`` in px, most frequent first.
    choices
        Images of each kind of choice that was made to read them, where there are any: ``turned``
        by their file's orientation, transparent parts drawn on a ``ground``, ``first page`` of
        several. A quick look does not find the ground.
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
    choices: Mapping[str, int]
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
        As `open_dataset`, but for damaged shards and splits, which are listed.
    """
    damaged: list[str] = []
    reader = open_dataset(root, damaged=damaged)
    sizes: Counter[str] = Counter()
    labels: Counter[int | None] = Counter()
    choices: Counter[str] = Counter()
    with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        try:
            checks = pool.map(lambda name: _check(reader, name, quick=quick), reader.ids)
            bar = tqdm(
                checks, total=len(reader.ids), unit=" images", disable=None if progress else True
            )
            for one in bar:
                sizes[one.size] += one.size != ""
                labels[one.label] += 1
                choices.update(one.choices)
                damaged += one.wrong
        finally:
            pool.shutdown(cancel_futures=True)
    damaged += _damaged_truth(reader)
    records = {} if reader.manifest is None else reader.manifest.splits
    return Inspection(
        folder=str(root),
        kind=reader.kind,
        made_by=tuple(record.command for record in records.values()),
        stand_in=any(record.stand_in for record in records.values()) if records else None,
        counts=_counts(reader),
        expected={split: record.count for split, record in records.items()},
        unfinished=tuple(s for s in records if not truth_path(reader.root, s).is_file()),
        labels=_histogram(labels),
        sizes={size: count for size, count in sizes.most_common() if count},
        choices={kind: choices[kind] for kind in CHOICES if choices[kind]},
        missing=tuple(reader.iter_missing()),
        damaged=tuple(dict.fromkeys(damaged)),
        check="ends" if quick else "decoded",
    )


def _counts(reader: DatasetReader) -> dict[str, int]:
    splits = [reader.get_split(name) for name in reader.ids]
    rest = "no split" if any(splits) else "all"
    return dict(Counter(split or rest for split in splits))


def _histogram(labels: Counter[int | None]) -> dict[str, int]:
    known = sorted(label for label in labels if label is not None)
    counts = {str(label): labels[label] for label in known}
    return counts | ({"unknown": labels[None]} if labels[None] else {})


@dataclass
class _Checked:
    """What is known of an image: size and label as far as they are, and what is wrong with it."""

    size: str = ""
    label: int | None = None
    choices: tuple[str, ...] = ()
    wrong: list[str] = field(default_factory=list)


def _check(reader: DatasetReader, name: str, *, quick: bool) -> _Checked:
    """Look at one image."""
    found = _Checked()
    try:
        height, width = reader.read_size(name)
        found.size = f"{width}x{height}"
        if not quick:
            reader.read_image(name)
            found.wrong += filter(None, [reader.find_change(name)])
        found.choices = reader.find_choices(name, quick=quick)
    except UmnistError as error:
        found.wrong.append(str(error))
    try:
        found.label = reader.label(name)
    except UmnistError as error:
        found.wrong.append(str(error))
    return found


def _damaged_truth(reader: DatasetReader) -> Iterator[str]:
    for split in () if reader.manifest is None else reader.manifest.splits:
        path = truth_path(reader.root, split)
        try:
            if path.is_file():
                TruthTable(path)
        except DamagedFileError as error:
            yield str(error)
