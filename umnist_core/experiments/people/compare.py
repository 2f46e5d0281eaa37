"""People against models on the same images: every figure in one record.

docs/people-and-models.md explains each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from umnist_core.experiments.people.agreeing import (
    ceiling,
    consistency,
    paired_rows,
    psychometric_rows,
    scales,
)
from umnist_core.experiments.people.breakdowns import (
    accuracy_rows,
    confusion_rows,
    rater_rows,
    reason_rows,
)
from umnist_core.experiments.people.data import PeopleData
from umnist_core.experiments.people.looking import budget_rows, gaze_rows, time_rows
from umnist_core.experiments.people.pairing import pair
from umnist_core.experiments.people.predictions import ModelAnswers
from umnist_core.experiments.people.words import sentences
from umnist_core.scoring.agreement import DRAWS, ErrorConsistency
from umnist_core.scoring.plain import plain_value

VERSION = 1
"""Raised when a figure changes its meaning."""

STEPS = 8


@dataclass(frozen=True, eq=False)
class PeopleReport:
    """Every figure of people against models.

    Attributes
    ----------
    figures
        Name -> rows or figures; docs/people-and-models.md lists them.
    """

    figures: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as what JSON can hold; None for a number that is not known."""
        plain: dict[str, Any] = plain_value(self.figures)
        return plain

    def to_json(self) -> str:
        """Return the figures as JSON that any parser reads (no NaN)."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False)


def compare_people(
    people: PeopleData,
    models: Sequence[ModelAnswers],
    *,
    seed: int = 0,
    draws: int = DRAWS,
    progress: Callable[[int, int], None] | None = None,
) -> PeopleReport:
    """Compare people and models on the images that all of them answered.

    Parameters
    ----------
    people
        Of a study.
    models
        None or more, each of another name; without any, people are compared with each other.
    seed
        Of everything that is drawn: the same seed gives the same figures.
    draws
        Resamples of images and people, and permutations.
    progress
        Told of steps done, and of all.

    Raises
    ------
    InvalidValueError
        If there is nothing to compare; the sentence says why.
    """
    done = iter(range(1, STEPS + 1))

    def tell() -> None:
        if progress is not None:
            progress(next(done), STEPS)

    paired = pair(people, models)
    rngs = [np.random.default_rng((seed, part)) for part in range(4)]
    found: dict[str, Any] = {
        "version": VERSION,
        "seed": seed,
        "draws": draws,
        "study": people.name,
        "images": len(paired.images),
        "left_out": list(paired.left_out),
        "raters": list(rater_rows(paired)),
        "accuracy": list(accuracy_rows(paired)),
    }
    tell()
    errors = ErrorConsistency(paired.marks, rng=rngs[0], draws=draws)
    found |= {"consistency": consistency(errors), "ceiling": ceiling(errors)}
    tell()
    found["paired_tests"] = list(paired_rows(paired.marks))
    tell()
    found["mixed"], found["scale"] = scales(paired.marks)
    tell()
    found |= {"reasons": list(reason_rows(paired)), "confusion": list(confusion_rows(paired))}
    tell()
    found["times"] = list(time_rows(paired, rngs[1]))
    found["psychometric"] = list(psychometric_rows(paired, rngs[2]))
    tell()
    found["gaze"] = list(gaze_rows(paired, rngs[3]))
    tell()
    found["viewing_budget"] = list(budget_rows(paired))
    found["sentences"] = list(sentences(found))
    tell()
    return PeopleReport(found)
