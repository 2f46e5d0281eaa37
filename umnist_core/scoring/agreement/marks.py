"""Who got which image right: raters by images, with gaps where somebody was not asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ScoringInputError
from ..intervals import Floats

PERSON, MODEL = "person", "model"
KINDS = (PERSON, MODEL)


@dataclass(frozen=True, eq=False)
class Marks:
    """Right and wrong answers of people and models to the same images.

    Attributes
    ----------
    raters
        Names, each once.
    kinds
        Of each rater, one of `KINDS`.
    images
        Names, each once.
    right
        float64 (raters, images): 1 right, 0 wrong, NaN not asked.

    Raises
    ------
    ScoringInputError
        If names and table do not fit, or the table has other values.
    """

    raters: tuple[str, ...]
    kinds: tuple[str, ...]
    images: tuple[str, ...]
    right: Floats

    def __post_init__(self) -> None:
        fits = self.right.shape == (len(self.raters), len(self.images))
        if not fits or len(self.kinds) != len(self.raters):
            raise ScoringInputError(
                f"Expected marks of {len(self.raters)} raters and {len(self.images)} images, found "
                f"a table of {self.right.shape} and {len(self.kinds)} kinds; give one row a rater."
            )
        if not np.isin(self.right[~np.isnan(self.right)], (0.0, 1.0)).all():
            raise ScoringInputError("A mark is 0, 1 or NaN; found another; mark answers first.")
        if len(set(self.raters)) < len(self.raters) or set(self.kinds) - set(KINDS):
            raise ScoringInputError(
                f"Expected each rater once, as {' or '.join(KINDS)}; found others; rename them."
            )

    @classmethod
    def of_rows(
        cls,
        raters: Sequence[str],
        images: Sequence[str],
        right: Sequence[bool] | NDArray[np.bool_],
        models: Sequence[str] = (),
    ) -> Marks:
        """Return the marks of answers that are listed one after the other.

        Parameters
        ----------
        raters, images, right
            (n,) each: who answered, about which image, and whether correctly. Of several answers
            of one rater to one image the first counts.
        models
            Names of those raters that are models; they come last.
        """
        people = list(dict.fromkeys(name for name in raters if name not in set(models)))
        names = [*people, *(name for name in models if name in set(raters))]
        pictures = list(dict.fromkeys(images))
        rows = {name: place for place, name in enumerate(names)}
        columns = {name: place for place, name in enumerate(pictures)}
        table = np.full((len(names), len(pictures)), np.nan)
        for rater, image, mark in zip(raters, images, right, strict=True):
            place = rows[rater], columns[image]
            if np.isnan(table[place]):
                table[place] = float(mark)
        kinds = [PERSON] * len(people) + [MODEL] * (len(names) - len(people))
        return cls(tuple(names), tuple(kinds), tuple(pictures), table)

    @property
    def asked(self) -> Floats:
        """float64 (raters, images): 1 where somebody answered, 0 elsewhere."""
        return (~np.isnan(self.right)).astype(float)

    @property
    def hits(self) -> Floats:
        """float64 (raters, images): 1 where an answer is right, 0 elsewhere."""
        return np.nan_to_num(self.right)

    @property
    def is_person(self) -> NDArray[np.bool_]:
        """Bool (raters,)."""
        return np.array([kind == PERSON for kind in self.kinds], dtype=bool)
