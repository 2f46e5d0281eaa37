"""MetH-Medium, -Cultures, -Period and -SR, and MAMe, read as any other data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from umnist_core.datasets.file_reader import FileReader
from umnist_core.datasets.identity import ImageIdentity, short_names, split_order
from umnist_core.datasets.known import Known
from umnist_core.datasets.meth.layout import (
    FACTORS,
    MethLayout,
    choose_pattern,
    find_images,
    find_low_files,
    list_images,
    low_path,
)
from umnist_core.datasets.meth.published import TableNotes
from umnist_core.datasets.meth.table import PAIR, MethRow, MethTable, read_meth_table
from umnist_core.datasets.shard_folder import ImagePart
from umnist_core.errors import MissingFileError

_TRIED_FOR_LOW = 50
"""Test images whose reduced copies are looked for before it is said that there are none."""


@dataclass(frozen=True, eq=False)
class MethReader(FileReader):
    """The images of a table of MetH or MAMe.

    Attributes
    ----------
    layout
        Where its parts lie.
    table
        What the CSV says.
    rows
        Of each image that is there, by id.
    images
        The folder of images; None where none is there.
    low_pattern
        By which reduced copies are found; None without any.
    """

    layout: MethLayout = field(default_factory=lambda: MethLayout(Path(), Path(), None))
    table: MethTable = field(default_factory=lambda: MethTable("", PAIR, ()))
    rows: Mapping[str, MethRow] = field(default_factory=dict)
    images: Path | None = None
    low_pattern: str | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """In the order of their numbers; none in MetH-Period and MetH-SR."""
        return self.table.class_names

    def label(self, image_id: str) -> int | None:
        """Return the number of an image's class; None where images have none.

        Raises
        ------
        NotFoundError
            If there is no such image.
        """
        self.get_part(image_id)
        name = self.rows[image_id].class_name
        return None if name is None else self.class_names.index(name)

    def known(self, image_id: str) -> Known:
        """Return the class or year of an image, and its reduced copies.

        Raises
        ------
        NotFoundError
            If there is no such image.
        """
        label = self.label(image_id)
        row = self.rows[image_id]
        low = find_low_files(self.layout.home, self.low_pattern, row.file)
        # Those of originals are no matter of images that were reduced.
        size = row.size if self.reduced_px is None else None
        return Known(label, row.class_name, row.year, smaller=low, stated_size=size)

    @property
    def reduced_px(self) -> int | None:
        """Side to which the images were reduced, by their folder's name; None of originals."""
        number = "" if self.images is None else self.images.name.rpartition("_")[2]
        return int(number) if number.isascii() and number.isdigit() else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the document says beside the table, and what else there is."""
        home, files = self.layout.home, [row.file for row in self.rows.values()]
        copies = [find_low_files(home, self.low_pattern, one) for one in files]
        low = Counter(factor for each in copies for factor in each)
        own = {path for each in copies for path in each.values()}
        own |= {part.path for part in self.parts.values()}
        listed = {} if self.images is None else list_images(self.images)
        return tuple(
            TableNotes(
                self.table,
                self.layout.table.name,
                None if self.images is None else self.images.name,
                self.reduced_px,
                len(set(listed.values()) - own),
                dict(sorted(low.items())),
            ).sentences()
        )

    def with_low_files(self, pattern: str) -> MethReader:
        """Return the same images with their reduced copies by a pattern of one's own.

        Parameters
        ----------
        pattern
            As for `umnist_core.datasets.meth.layout.low_path`.

        Raises
        ------
        InvalidValueError
            As `low_path`.
        MissingFileError
            If no image has a copy by it.
        """
        home = self.layout.home
        if not any(find_low_files(home, pattern, row.file) for row in self.rows.values()):
            first = next((row.file for row in self.rows.values()), "a.jpg")
            raise MissingFileError(
                f"Expected reduced images by the pattern {pattern!r} in {home}, found none (the "
                f"first would be {low_path(home, pattern, first, FACTORS[0])}); correct it."
            )
        return replace(self, low_pattern=pattern)


def open_meth(layout: MethLayout, damaged: list[str] | None = None) -> MethReader:
    """Open MetH or MAMe.

    Parameters
    ----------
    layout
        Of `umnist_core.datasets.meth.layout.find_meth`.
    damaged
        Where to note rows that cannot be read; None to raise at the first.

    Raises
    ------
    DamagedFileError
        As `umnist_core.datasets.meth.table.read_meth_table`.
    MissingFileError
        If none of the images is there.
    """
    table = read_meth_table(layout.table, layout.labels, damaged)
    folder, found = find_images(layout, [row.file for row in table.rows])
    if folder is None and damaged is None:
        raise MissingFileError(
            f"Expected the {len(table.rows)} images that {layout.table.name} names in "
            f"{layout.images or layout.home / 'data'}, found none of them (the first is "
            f"{table.rows[0].file!r:.80}); unpack them there."
        )
    root = layout.home if layout.images is None else layout.images
    rows = sorted(table.rows, key=lambda row: split_order(row.split))
    images = {
        ImageIdentity(str(root), row.split, _below(found[row.file], root)): row
        for row in rows
        if row.file in found
    }
    names = short_names(images)
    tests = [row.file for row in rows if row.split == "test"][:_TRIED_FOR_LOW]
    return MethReader(
        root,
        table.name,
        None,
        names,
        {name: ImagePart(found[images[one].file]) for name, one in names.items()},
        missing=tuple(
            f"{row.file} ({layout.table.name}, line {row.line})"
            for row in rows
            if row.file not in found
        ),
        layout=layout,
        table=table,
        rows={name: images[one] for name, one in names.items()},
        images=folder,
        low_pattern=choose_pattern(layout.home, tests) if table.task == PAIR else None,
    )


def _below(path: Path, root: Path) -> str:
    return PurePosixPath(path.relative_to(root)).as_posix()
