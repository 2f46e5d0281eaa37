"""How long taking part takes, measured on people who have taken part in studies alike.

Two studies are alike in what takes time: their images, and what is asked of each. Two figures are
kept apart, since the next study may have other numbers: what an image takes, and what comes before
the first one (consent, instructions, practice). Simulated people are no people here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, nan

import numpy as np

from umnist_core.labeling.events import SIMULATED, Answered, Changed
from umnist_core.labeling.records import StudySpec
from umnist_core.labeling.results import FoldedStudy
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.state import Annotator

LONGEST_BEFORE_MIN = 120.0
"""Minutes before the first image; after a longer time somebody was away, and does not count."""

_ALIKE = (
    *("preset", "overrides", "factors", "adaptive", "folder"),
    *("ask_confidence", "ask_digits", "ask_boxes"),
)


@dataclass(frozen=True)
class OnePace:
    """What one person took, in minutes: for an image, and before the first; NaN if not known."""

    an_image: float
    before: float


@dataclass(frozen=True)
class Duration:
    """How long taking part takes, in minutes.

    Attributes
    ----------
    minutes, low, high
        For so many images: of the person in the middle, and between whom half of them lie.
    an_image, before
        Medians: for an image, and before the first one.
    people
        Whom it was measured on.
    images
        For how many images it is.
    """

    minutes: float
    low: float
    high: float
    an_image: float
    before: float
    people: int
    images: int

    @property
    def sentence(self) -> str:
        """What was measured, for researchers."""
        who = "1 person" if self.people == 1 else f"{self.people} people"
        return f"Measured: {_minutes_text(self.minutes)} ({_span(self)}), {who}"

    @property
    def told(self) -> str:
        """What a person is told before they agree."""
        span = f"; half of people take {_span(self)} minutes" if self.people > 1 else ""
        return f"About {_minutes_text(self.minutes)}{span}"


def _minutes_text(minutes: float) -> str:
    return "1 minute" if minutes <= 1 else f"{ceil(minutes)} minutes"


def _span(one: Duration) -> str:
    return f"{ceil(one.low)} to {ceil(one.high)}"


def measure_duration(service: StudyService, spec: StudySpec) -> Duration | None:
    """Return how long a study takes by those of this store that are like it; None if none is.

    Parameters
    ----------
    service
        Whose store is looked through.
    spec
        The study that is planned; it need not be there.

    Raises
    ------
    StoreError, DamagedFileError
        As of `umnist_core.labeling.results.load_answers`.
    """
    alike = [one for one in service.studies() if are_alike(service.state(one).spec, spec)]
    paces = [pace for one in alike for pace in paces_of(FoldedStudy.of(service.log, one))]
    return expected(paces, spec.images_per_annotator + spec.repeats)


def are_alike(one: StudySpec, other: StudySpec) -> bool:
    """Whether two studies are alike in what takes people's time."""
    if one.is_self != other.is_self:
        return False
    values, others = one.to_dict(), other.to_dict()
    # The log has the name of a folder alone.
    for each in (values, others):
        each["folder"] = str(each["folder"] or "").rstrip("/").rpartition("/")[2]
    return all(values.get(name) == others.get(name) for name in _ALIKE)


def paces_of(folded: FoldedStudy) -> list[OnePace]:
    """Return the pace of everybody in a study who answered an image and was no simulation."""
    people = (one for one in folded.state.annotators.values() if one.origin != SIMULATED)
    return [_pace(folded, one) for one in people if one.answered]


def _pace(folded: FoldedStudy, person: Annotator) -> OnePace:
    times = [_minutes(folded, [given.seq for given in one.given]) for one in person.answered]
    first = min(one.assigned_utc for one in person.assignments)
    joined = datetime.fromisoformat(person.joined_utc)
    before = (datetime.fromisoformat(first) - joined).total_seconds() / 60
    return OnePace(float(np.mean(times)), before if before <= LONGEST_BEFORE_MIN else nan)


def _minutes(folded: FoldedStudy, seqs: Sequence[int]) -> float:
    """Return the time of an image that was on screen and open: hidden and paused time is none."""
    given: list[Answered | Changed] = [folded.answers[seq] for seq in seqs]
    shown = [one.response["active_ms"] + one.response["idle_ms"] for one in given]
    return float(sum(shown)) / 60_000


def expected(paces: Sequence[OnePace], images: int) -> Duration | None:
    """Return how long so many images take people of such paces; None of nobody."""
    if not paces:
        return None
    each = np.array([one.an_image for one in paces])
    before = np.array([one.before for one in paces])
    known = before[~np.isnan(before)]
    usual = float(np.median(known)) if len(known) else 0.0
    whole = np.where(np.isnan(before), usual, before) + images * each
    low, middle, high = (float(one) for one in np.quantile(whole, (0.25, 0.5, 0.75)))
    an_image = float(np.median(each))
    return Duration(middle, low, high, an_image, usual, len(paces), images)
