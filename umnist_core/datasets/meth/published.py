"""What the document says of MetH, as numbers, and what a table has beside it.

Parés and others, "MetH: A family of high-resolution and variable-shape image challenges", 2019:
counts in section 3 and in table 2, which differ in two data sets; means of the sizes in section 2,
beside figure 2, a box plot without numbers; the shared images in table 1; and MetH-Period's bins
of fifty years in figure 5, a picture, of which the text says that train and val are balanced.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from umnist_core.datasets.meth.table import MethTable
from umnist_core.datasets.years import all_bins


@dataclass(frozen=True)
class PublishedSet:
    """What the document says of a data set.

    Attributes
    ----------
    text, table
        Images of each split by section 3 and by table 2.
    classes
        How many; 0 where images have none.
    mean_mpx
        Mean size, in millions of px (section 2).
    shapes
        What is said of portraits and landscapes (section 2).
    """

    text: Mapping[str, int]
    table: Mapping[str, int]
    classes: int
    mean_mpx: float
    shapes: str


_BALANCED = "about as many portraits as landscapes"
_PORTRAITS = "slightly more portraits than landscapes"

PUBLISHED: Mapping[str, PublishedSet] = MappingProxyType(
    {
        "MetH-Medium": PublishedSet(
            {"train": 23_000, "val": 2_300, "test": 2_300},
            {"train": 23_000, "val": 2_300, "test": 2_300},
            23,
            5.5,
            _PORTRAITS,
        ),
        "MetH-Cultures": PublishedSet(
            {"train": 12_000, "val": 1_500, "test": 1_500},
            {"train": 12_000, "val": 1_500, "test": 1_500},
            15,
            5.1,
            _BALANCED,
        ),
        "MetH-Period": PublishedSet(
            {"train": 8_000, "val": 2_400, "test": 27_362},
            {"train": 8_000, "val": 10_735, "test": 19_035},
            0,
            6.3,
            _PORTRAITS,
        ),
        "MetH-SR": PublishedSet(
            {"train": 16_000, "test": 4_000},
            {"train": 18_000, "test": 4_000},
            0,
            13.6,
            _BALANCED,
        ),
    }
)

SHARED_PERCENT: Mapping[tuple[str, str], float] = MappingProxyType(
    {
        ("MetH-Medium", "MetH-Cultures"): 7.66,
        ("MetH-Medium", "MetH-Period"): 20.81,
        ("MetH-Medium", "MetH-SR"): 8.82,
        ("MetH-Cultures", "MetH-Medium"): 14.09,
        ("MetH-Cultures", "MetH-Period"): 8.64,
        ("MetH-Cultures", "MetH-SR"): 10.72,
        ("MetH-Period", "MetH-Cultures"): 4.82,
        ("MetH-Period", "MetH-Medium"): 21.38,
        ("MetH-Period", "MetH-SR"): 8.06,
        ("MetH-SR", "MetH-Cultures"): 8.04,
        ("MetH-SR", "MetH-Medium"): 12.16,
        ("MetH-SR", "MetH-Period"): 10.82,
    }
)
"""Of the images of the first, those that are in the second, too (table 1)."""


def published_years() -> dict[str, dict[str, int]]:
    """Return MetH-Period's images of each bin, of the splits that are balanced by the text."""
    bins = all_bins()
    text = PUBLISHED["MetH-Period"].text
    return {split: dict.fromkeys(bins, text[split] // len(bins)) for split in ("train", "val")}


@dataclass(frozen=True)
class TableNotes:
    """What is to be known of a table and of what lies beside it.

    Attributes
    ----------
    table
        What was read.
    shown
        What the file is called.
    images
        What the folder of images is called; None where there is none.
    reduced_px
        Side to which that folder's images were reduced, by its name; None of originals.
    strangers
        How many image files in it are in no row.
    low
        How many images have a reduced copy, by factor.
    """

    table: MethTable
    shown: str
    images: str | None
    reduced_px: int | None = None
    strangers: int = 0
    low: Mapping[int, int] = field(default_factory=dict)

    def sentences(self) -> Iterator[str]:
        """Yield a sentence for each of them."""
        yield from self._count_sentences()
        for written in self.table.stripped:
            yield f"The class {written!r} of {self.shown} is read as {written.strip()!r}."
        if self.reduced_px is not None:
            yield (
                f"The images are those of {self.images}, reduced to {self.reduced_px} px a side "
                f"whatever their shape; the sizes in {self.shown} are those of the originals."
            )
        if self.strangers:
            is_one = self.strangers == 1
            yield (
                f"{self.strangers} image file{'' if is_one else 's'} in {self.images} "
                f"{'is' if is_one else 'are'} in no row of {self.shown}, and left out."
            )
        for factor, count in self.low.items():
            yield f"{count} images have a copy that is reduced x{factor}."

    def _count_sentences(self) -> Iterator[str]:
        found = Counter(row.split for row in self.table.rows)
        yield f"{self.shown} has {_words(found)}; the file is followed."
        said = PUBLISHED.get(self.table.name)
        if said is None:
            return
        agrees = [
            name
            for name, counts in (("text", said.text), ("table 2", said.table))
            if counts == dict(found)
        ]
        if said.text == said.table:
            yield f"The document says {_words(said.text)}{', as the file' if agrees else ''}."
        else:
            beside = f"; the file agrees with its {agrees[0]}" if agrees else ""
            yield (
                f"The document's text says {_words(said.text)}, and its table 2 "
                f"{_words(said.table)}{beside}."
            )
        if said.classes and said.classes != len(self.table.class_names):
            yield (
                f"The document says {said.classes} classes, and {self.shown} has "
                f"{len(self.table.class_names)}."
            )


def _words(counts: Mapping[str, int]) -> str:
    order = [split for split in ("train", "val", "test") if counts.get(split)]
    listed = ", ".join(f"{counts[split]:,} {split}" for split in order)
    return f"{listed} ({sum(counts.values()):,} images)" if listed else "no images"
