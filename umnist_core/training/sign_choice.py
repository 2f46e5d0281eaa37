"""Which of the Swedish traffic signs a run takes: a filter, and a subset of each set."""

from __future__ import annotations

from dataclasses import dataclass

from umnist_core.datasets import DatasetReader
from umnist_core.datasets.signs import SIGN_FILTERS, SUBSETS, SignsReader
from umnist_core.errors import InvalidValueError


@dataclass(frozen=True)
class SignsPart:
    """Which images of the Swedish traffic signs, of each of its sets; see `SignsReader.choose`.

    Attributes
    ----------
    chosen
        The filter that gives each image its class: ``ats`` or ``google``.
    subset
        ``all``; ``first`` of each class in the order of the annotations, as the released code of
        Riffi-Aslett and Fell does; or ``random``, as their text says.
    share
        Of each class, above 0 to 1.
    seed
        Of the draw of ``random``.
    """

    chosen: str = "ats"
    subset: str = "all"
    share: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.chosen not in SIGN_FILTERS or self.subset not in SUBSETS:
            raise InvalidValueError(
                f"data.signs.chosen is one of {', '.join(SIGN_FILTERS)} and subset one of "
                f"{', '.join(SUBSETS)}; got {self.chosen!r:.40} and {self.subset!r:.40}."
            )
        if not 0 < self.share <= 1 or (self.subset == "all") != (self.share == 1):
            raise InvalidValueError(
                "data.signs.share is 1 of the subset all, and above 0 and below 1 of the others; "
                f"got {self.share:g} of {self.subset}; correct one of them."
            )


def choose_signs(reader: DatasetReader, part: SignsPart) -> DatasetReader:
    """Return the images that a run takes; of another data set all.

    Raises
    ------
    InvalidValueError
        If something is to be chosen of a data set that is not the traffic signs with annotations.
    """
    if isinstance(reader, SignsReader):
        return reader.choose(
            chosen=part.chosen, subset=part.subset, share=part.share, seed=part.seed
        )
    if part != SignsPart():
        raise InvalidValueError(
            "data.signs is of the Swedish traffic signs with their annotations; found a data set "
            f"of the kind {reader.kind!r}; leave it out, or choose another data.folder."
        )
    return reader
