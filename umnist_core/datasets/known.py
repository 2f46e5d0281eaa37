"""What a data set says of one image, whatever it says: a class, a year, a scale, boxes.

One record for every reader, so that whoever draws an image with its truth asks one question.
Scenes are apart (`DatasetReader.truth`), since reading one costs as much as many of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from umnist_core.datasets.boxes import DrawnBox


@dataclass(frozen=True)
class Known:
    """What is known of an image; None, and nothing, where the data set does not say it.

    Attributes
    ----------
    label
        As `DatasetReader.label`: a sum, a majority, or the number of a class.
    class_name
        The class in the data set's own words.
    year
        In which it was made, of the common era; a number to be estimated, not a class.
    scale
        How many times larger than its original what is in the image is; 1 for the same size.
    boxes
        Of what is in the image, each with the name of its class, in px of the image as shown.
    smaller
        Files of the same image at a lower resolution, by how many times its sides were reduced.
    stated_size
        Height and width in px that a table says, which the file may not have.
    """

    label: int | None = None
    class_name: str | None = None
    year: float | None = None
    scale: float | None = None
    boxes: tuple[DrawnBox, ...] = ()
    smaller: Mapping[int, Path] = field(default_factory=dict)
    stated_size: tuple[int, int] | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """What is known in words, such as ``"year 1730"``; the label where no class has a name."""
        return tuple(self._iter_words())

    def _iter_words(self) -> Iterator[str]:
        if self.class_name is not None:
            yield f"class {self.class_name}"
        elif self.label is not None:
            yield f"label {self.label}"
        if self.year is not None:
            yield f"year {self.year:g}"
        if self.scale is not None:
            yield f"scale {self.scale:.3g}"
        if self.boxes:
            yield f"{len(self.boxes)} box{'es' if len(self.boxes) > 1 else ''}"
        if self.smaller:
            yield "also reduced " + ", ".join(f"x{factor}" for factor in sorted(self.smaller))
