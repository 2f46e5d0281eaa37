"""Looking into a data set: what it is, what is in it, and what is wrong with it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from umnist_core.datasets.decode import CHOICES
from umnist_core.datasets.known import Known
from umnist_core.datasets.read import open_dataset
from umnist_core.datasets.reader import DatasetReader
from umnist_core.datasets.truth import TruthTable, truth_path
from umnist_core.datasets.years import year_bin
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
        Images of each label, ascending; ``unknown`` where nothing says it. Where labels are
        classes their names, in the order of the classes, and ``no class``.
    years
        Images of each bin of years (`umnist_core.datasets.years.year_bin`), ascending, of each
        split of a data set whose images have years.
    boxes
        Boxes of each class, most frequent first, where a data set says what is where.
    sizes
        Images of each size, as ``WIDTHxHEIGHT`` in px, most frequent first.
    choices
        Images of each kind of choice that was made to read them, where there are any: ``turned``
        by their file's orientation, transparent parts drawn on a ``ground``, ``first page`` of
        several. A quick look does not find the ground.
    missing
        Ids that the folder should have and has not.
    damaged
        One sentence for each damaged file, and for each line of a table that cannot be read.
    notes
        What else is to be known of the data set, such as what is published of it.
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
    years: Mapping[str, Mapping[str, int]]
    boxes: Mapping[str, int]
    sizes: Mapping[str, int]
    choices: Mapping[str, int]
    missing: tuple[str, ...]
    damaged: tuple[str, ...]
    notes: tuple[str, ...]
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
    damaged += reader.damage
    found = _look_at_all(reader, quick=quick, jobs=jobs, progress=progress)
    damaged += [sentence for one in found for sentence in one.wrong]
    damaged += _damaged_truth(reader)
    records = {} if reader.manifest is None else reader.manifest.splits
    sizes = Counter(one.size for one in found if one.size)
    choices = Counter(choice for one in found for choice in one.choices)
    return Inspection(
        folder=str(root),
        kind=reader.kind,
        made_by=tuple(record.command for record in records.values()),
        stand_in=any(record.stand_in for record in records.values()) if records else None,
        counts=_counts(reader),
        expected={split: record.count for split, record in records.items()},
        unfinished=tuple(s for s in records if not truth_path(reader.root, s).is_file()),
        labels=_histogram(reader, [one.known for one in found]),
        years=_count_years(reader, found),
        boxes=dict(Counter(box.name for one in found for box in one.known.boxes).most_common()),
        sizes=dict(sizes.most_common()),
        choices={kind: choices[kind] for kind in CHOICES if choices[kind]},
        missing=tuple(reader.iter_missing()),
        damaged=tuple(dict.fromkeys(damaged)),
        notes=(*reader.notes, *_other_sizes(reader, found)),
        check="ends" if quick else "decoded",
    )


def _look_at_all(
    reader: DatasetReader, *, quick: bool, jobs: int | None, progress: bool
) -> list[_Checked]:
    """Look at every image; as `inspect_dataset`."""
    with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        try:
            checks = pool.map(lambda name: _check(reader, name, quick=quick), reader.ids)
            bar = tqdm(
                checks, total=len(reader.ids), unit=" images", disable=None if progress else True
            )
            return list(bar)
        finally:
            pool.shutdown(cancel_futures=True)


def _counts(reader: DatasetReader) -> dict[str, int]:
    splits = [reader.get_split(name) for name in reader.ids]
    rest = "no split" if any(splits) else "all"
    return dict(Counter(split or rest for split in splits))


def _histogram(reader: DatasetReader, known: Sequence[Known]) -> dict[str, int]:
    # A year is known where there is no class to know.
    labels = Counter(one.label for one in known if one.label is not None or one.year is None)
    names = reader.class_names
    if names:
        counts = {name: labels[place] for place, name in enumerate(names)}
        return counts | ({"no class": labels[None]} if labels[None] else {})
    ascending = sorted(label for label in labels if label is not None)
    counts = {str(label): labels[label] for label in ascending}
    return counts | ({"unknown": labels[None]} if labels[None] else {})


def _count_years(reader: DatasetReader, found: Sequence[_Checked]) -> dict[str, dict[str, int]]:
    years: dict[str, list[float]] = {}
    for name, one in zip(reader.ids, found, strict=True):
        if one.known.year is not None:
            years.setdefault(reader.get_split(name) or "all", []).append(one.known.year)
    return {split: dict(Counter(map(year_bin, sorted(each)))) for split, each in years.items()}


def _other_sizes(reader: DatasetReader, found: Sequence[_Checked]) -> Iterator[str]:
    """Yield a sentence where files have other sizes than a table says."""
    others = [
        (name, one.size, f"{stated[1]}x{stated[0]}")
        for name, one in zip(reader.ids, found, strict=True)
        if one.size and (stated := one.known.stated_size) is not None
    ]
    others = [one for one in others if one[1] != one[2]]
    if others:
        name, size, stated_words = others[0]
        yield (
            f"{len(others)} of {len(found)} images have another size than the table says, as "
            f"{name}: {size} px and not {stated_words}; the files are followed."
        )


@dataclass
class _Checked:
    """What is known of an image as far as it is, and what is wrong with it."""

    size: str = ""
    known: Known = field(default_factory=Known)
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
        found.known = reader.known(name)
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
