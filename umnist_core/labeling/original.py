"""The study that another one replicates, as the settings of the latter have it.

What the original found is written into the replication's first event, before anybody answers, so
that neither the figures nor the bounds of the verdict can follow from what comes out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from umnist_core.errors import InvalidValueError

if TYPE_CHECKING:
    from umnist_core.scoring.replication import StudyFigure

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HASH = re.compile(r"[0-9a-f]{64}")
_NAME_MAX = 120
_FIELDS = ("study", "name", "head_hash", "is_closed", "bounds", "figures")


@dataclass(frozen=True)
class Original:
    """A study that is replicated, at the moment of its export.

    Attributes
    ----------
    study, name
        Its id and what it is called.
    head_hash
        Hash of its last event, which names all that it held.
    is_closed
        Whether it was closed, so that its figures are final.
    figures
        What it found, of `umnist_core.scoring.replication.measure`.
    bounds
        Least difference of accuracies that matters, above 0 and below 1.
    """

    study: str
    name: str
    head_hash: str
    is_closed: bool
    figures: tuple[StudyFigure, ...]
    bounds: float

    def __post_init__(self) -> None:
        _check(isinstance(self.study, str) and bool(_ID.fullmatch(self.study)), "study", "an id")
        is_name = isinstance(self.name, str) and 0 < len(self.name.strip()) <= _NAME_MAX
        _check(is_name, "name", f"a text of 1 to {_NAME_MAX} characters")
        is_hash = isinstance(self.head_hash, str) and bool(_HASH.fullmatch(self.head_hash))
        _check(is_hash, "head_hash", "64 hexadecimal digits")
        _check(isinstance(self.is_closed, bool), "is_closed", "true or false")
        check_bounds(self.bounds)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values."""
        return {
            "study": self.study,
            "name": self.name,
            "head_hash": self.head_hash,
            "is_closed": self.is_closed,
            "bounds": self.bounds,
            "figures": [one.to_dict() for one in self.figures],
        }

    @classmethod
    def from_dict(cls, data: object) -> Original:
        """Read what `to_dict` returned.

        Raises
        ------
        InvalidValueError
            If it is something else.
        """
        # Statistics take a second to load, and a server of people's answers needs none of them.
        from umnist_core.scoring.errors import ScoringInputError
        from umnist_core.scoring.replication import StudyFigure

        if not isinstance(data, Mapping) or set(data) != set(_FIELDS):
            raise InvalidValueError(
                f"replicates has {', '.join(_FIELDS)}, as `umnist study replicate` writes it; got "
                f"{str(data)[:60]!r}."
            )
        values = dict(data)
        figures = values.pop("figures")
        try:
            read = tuple(map(StudyFigure.from_dict, figures))
        except (ScoringInputError, TypeError) as error:
            raise InvalidValueError(str(error)) from error
        return cls(**values, figures=read)


def check_bounds(value: object) -> float:
    """Return a least difference of accuracies.

    Raises
    ------
    InvalidValueError
        If it is not above 0 and below 1.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < float(value) < 1:  # type: ignore[arg-type]
        raise InvalidValueError(
            "The bounds of equivalence are a difference of accuracies above 0 and below 1, 0.05 "
            f"for five points; got {str(value)[:40]!r}."
        )
    return float(value)  # type: ignore[arg-type]


def _check(holds: bool, name: str, expected: str) -> None:
    if not holds:
        raise InvalidValueError(f"replicates.{name} is {expected}; export the original again.")
