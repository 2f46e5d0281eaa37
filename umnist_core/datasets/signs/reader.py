"""The Swedish traffic signs, read as any other data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from umnist_core.datasets.file_reader import FileReader
from umnist_core.datasets.identity import ImageIdentity, short_names, split_order
from umnist_core.datasets.known import Known
from umnist_core.datasets.shard_folder import ImagePart
from umnist_core.datasets.signs.exports import parse_export
from umnist_core.datasets.signs.filters import (
    ALL,
    ATS,
    CLASS_NAMES,
    choose_images,
    image_class,
)
from umnist_core.datasets.signs.grammar import (
    MOST_MIB,
    WHAT,
    Annotations,
    SignedImage,
    read_annotations,
)
from umnist_core.datasets.signs.layout import SignFile, find_sign_files
from umnist_core.datasets.signs.published import set_notes
from umnist_core.datasets.signs.records import RecordFile, SignRecordsReader, find_record_files
from umnist_core.datasets.texts import read_text
from umnist_core.errors import DamagedFileError, MissingFileError
from umnist_core.seeds import SPLITS


@dataclass(frozen=True)
class SignSet:
    """One annotation file with its images.

    Attributes
    ----------
    file
        Where it is and of which set.
    images
        What its lines say, in its order.
    paths
        Image file of each that is there, by its name in the line.
    damage
        A sentence for each line, or sign, that could not be read.
    empty
        How many of the images have no row in a table and are taken to be empty.
    """

    file: SignFile
    images: tuple[SignedImage, ...]
    paths: Mapping[str, Path]
    damage: tuple[str, ...]
    empty: int = 0

    def classes(self, chosen: str) -> list[int | None]:
        """Return the class of each image by a filter; None of those that it does not use."""
        return [image_class(image, chosen) for image in self.images]


@dataclass(frozen=True, eq=False)
class SignsReader(FileReader):
    """The images of the Swedish traffic signs, all of them or those of a subset.

    Attributes
    ----------
    sets
        The annotation files.
    signed
        What its line says of each image, by id.
    chosen
        The filter by which images have their class.
    """

    sets: tuple[SignSet, ...] = ()
    signed: Mapping[str, SignedImage] = field(default_factory=dict)
    chosen: str = ATS

    @property
    def class_names(self) -> tuple[str, ...]:
        """``EMPTY`` and the three limits."""
        return CLASS_NAMES

    def label(self, image_id: str) -> int | None:
        """Return the class of an image by the filter; None where the filter does not use it.

        Raises
        ------
        NotFoundError
            If there is no such image.
        """
        self.get_part(image_id)
        return image_class(self.signed[image_id], self.chosen)

    def known(self, image_id: str) -> Known:
        """Return the class of an image, and all of its signs that lie in it as boxes.

        Raises
        ------
        NotFoundError
            If there is no such image.
        """
        return replace(super().known(image_id), boxes=self.signed[image_id].boxes)

    @property
    def notes(self) -> tuple[str, ...]:
        """What each file keeps by each filter and subset, beside what is published."""
        return tuple(
            note
            for one in self.sets
            for note in set_notes(one.file.shown, one.file.number, one.images, one.empty)
        )

    @property
    def damage(self) -> tuple[str, ...]:
        """What of the lines could not be read."""
        return tuple(sentence for one in self.sets for sentence in one.damage)

    def choose(
        self, *, chosen: str = ATS, subset: str = ALL, share: float = 1.0, seed: int = 0
    ) -> SignsReader:
        """Return the images that a filter keeps, or a subset of them, each set by itself.

        Which they are follows from the annotations alone: images that are not there are missing,
        and no others are taken instead.

        Parameters
        ----------
        chosen
            ``ats`` or ``google``.
        subset, share, seed
            As for `umnist_core.datasets.signs.filters.choose_images`.

        Raises
        ------
        InvalidValueError
            As `choose_images`.
        """
        kept: set[tuple[str | None, str]] = set()
        missing: list[str] = []
        for one in self.sets:
            split = one.file.split if one.file.split in SPLITS else SPLITS[0]
            places = choose_images(one.classes(chosen), subset, share, seed=seed, split=split)
            names = [one.images[place].name for place in places]
            kept |= {(str(one.paths[name]), name) for name in names if name in one.paths}
            missing += _iter_missing(one, names)
        ids = [
            name for name in self.ids if (str(self.find_path(name)), self.signed[name].name) in kept
        ]
        return replace(
            self,
            identities={name: self.identities[name] for name in ids},
            parts={name: self.parts[name] for name in ids},
            signed={name: self.signed[name] for name in ids},
            missing=tuple(missing),
            chosen=chosen,
        )


class SignsLayout(NamedTuple):
    """What of the Swedish traffic signs a folder has."""

    files: Sequence[SignFile]
    records: Sequence[RecordFile]


def find_signs(root: Path) -> SignsLayout | None:
    """Return where the annotations of a folder lie; None of one that is no such data set."""
    files = find_sign_files(root)
    records = [] if files else find_record_files(root)
    return SignsLayout(files, records) if files or records else None


def open_signs(
    root: Path, layout: SignsLayout, damaged: list[str] | None = None
) -> SignsReader | SignRecordsReader:
    """Open the Swedish traffic signs in any of their layouts.

    Parameters
    ----------
    root
        The folder.
    layout
        Of `find_signs`.
    damaged
        Where to note files that cannot be read; None to raise at the first.

    Raises
    ------
    DamagedFileError
        If an annotation file is none.
    MissingFileError
        If none of the images is there.
    """
    if layout.records:
        return SignRecordsReader.open(root, layout.records, damaged)
    sets: list[SignSet] = []
    for file in layout.files:
        try:
            sets.append(_read_set(file))
        except DamagedFileError as error:
            if damaged is None:
                raise
            damaged.append(str(error))
    sets.sort(key=lambda one: split_order(one.file.split))
    reader = _reader(root, sets)
    if not reader.parts and damaged is None:
        count = sum(len(one.images) for one in sets)
        raise MissingFileError(
            f"Expected the {count} images that {layout.files[0].shown} in {root} names, found none "
            f"of them (the first is {sets[0].images[0].name!r:.80}); unpack them beside it."
        )
    return reader


def _read_set(file: SignFile) -> SignSet:
    if not file.is_table:
        found = read_annotations(file.path, file.shown)
        return _link(file, found)
    found = parse_export(read_text(file.path, file.shown, WHAT, MOST_MIB), file.shown)
    named = {path for image in found.images if (path := file.find_image(image.name))}
    rest = [SignedImage(path.name) for path in file.list_images() if path not in named]
    return _link(file, replace(found, images=(*found.images, *rest)), empty=len(rest))


def _link(file: SignFile, found: Annotations, empty: int = 0) -> SignSet:
    paths = {
        image.name: path
        for image in found.images
        if (path := file.find_image(image.name)) is not None
    }
    return SignSet(file, found.images, paths, found.damage, empty)


def _reader(root: Path, sets: Sequence[SignSet]) -> SignsReader:
    images = {
        ImageIdentity(
            str(root), one.file.split, one.paths[image.name].relative_to(root).as_posix()
        ): (
            image,
            one.paths[image.name],
        )
        for one in sets
        for image in one.images
        if image.name in one.paths
    }
    names = short_names(images)
    return SignsReader(
        root,
        "signs",
        None,
        names,
        {name: ImagePart(images[identity][1]) for name, identity in names.items()},
        missing=tuple(
            missing
            for one in sets
            for missing in _iter_missing(one, [image.name for image in one.images])
        ),
        sets=tuple(sets),
        signed={name: images[identity][0] for name, identity in names.items()},
    )


def _iter_missing(one: SignSet, names: Sequence[str]) -> Iterator[str]:
    yield from (f"{name} ({one.file.shown})" for name in names if name not in one.paths)
