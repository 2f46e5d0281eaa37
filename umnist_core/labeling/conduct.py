"""How people work, without right and wrong: what may be looked at while a study runs.

Everything here follows from events and traces; nothing reads the truth, and nothing that follows
from it. A test holds that: with other truths every figure is the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log2
from typing import Any

import numpy as np

from umnist_core.labeling import told_by_browser as browser
from umnist_core.labeling.digit_ranges import digit_ranges
from umnist_core.labeling.events import (
    Answered,
    Changed,
    PersonErased,
    StudyCreated,
)
from umnist_core.labeling.exclusions import ExclusionRule, ExclusionRules
from umnist_core.labeling.log import Event
from umnist_core.labeling.records import StudySpec
from umnist_core.scoring.area import deepest_zoom, legible_zoom, seen_share, whole_zoom
from umnist_core.scoring.looking import Trace, Views

Seqs = tuple[int, ...]
"""Events of all answers of one person to one showing of an image, in order."""


@dataclass(frozen=True)
class UsedDevice:
    """What somebody works on; None where the browser did not tell.

    Attributes
    ----------
    width_px, height_px
        Of the screen, CSS px.
    density
        Device px for each CSS px.
    touch
        yes or no.
    """

    width_px: float | None = None
    height_px: float | None = None
    density: float | None = None
    touch: str | None = None

    @property
    def shorter_px(self) -> float | None:
        """Shorter side of the screen, CSS px."""
        sides = [side for side in (self.width_px, self.height_px) if side is not None]
        return min(sides) if len(sides) == 2 else None


@dataclass(frozen=True)
class Look:
    """What a trace says of one image; without any view nothing is known.

    Attributes
    ----------
    has_view
        Whether anything of the image was on screen.
    deepest_zoom
        Closest zoom, CSS px for each canvas px.
    closer
        The same over the zoom at which the whole image fits; None where the smallest digits are
        legible at that already.
    seen
        Share of the image's area that was on screen at a legible zoom, 0 to 1.
    """

    has_view: bool = False
    deepest_zoom: float | None = None
    closer: float | None = None
    seen: float | None = None


@dataclass(frozen=True)
class Showing:
    """One image in front of somebody, and the answer to it.

    Attributes
    ----------
    label_key
        Id of the showing.
    position, stimulus, kind
        As of `umnist_core.labeling.events.Assigned`.
    answer
        The sum that was given; of a changed answer, the last.
    time_s
        From the first drawn view to the first answer, hidden time left out, s.
    hidden
        Share of that time and the hidden time together in which the page was hidden or paused.
    device
        What it was answered on.
    time_utc
        When the last answer came.
    seqs
        Its answers' events.
    """

    label_key: str
    position: int
    stimulus: str
    kind: str
    answer: int
    time_s: float
    hidden: float
    device: UsedDevice
    time_utc: str
    seqs: Seqs


@dataclass(frozen=True)
class Conduct:
    """How one person works; a figure is None while it is not known.

    Attributes
    ----------
    answers
        Images with an answer.
    median_s, low_s, high_s
        Time for an image, hidden time left out: median and quartiles, s.
    deepest_zoom
        Median over images of the closest zoom, CSS px for each canvas px.
    median_closer
        Median over images of the closest zoom over that of the whole image.
    median_seen
        Median over images of the share of the area that was on screen at a legible zoom.
    untraced
        Share of answers without any view of the image.
    most_common, most_common_share
        The sum that was given most, and how often.
    longest_run
        Same sums one after the other, the most.
    entropy_bits
        Of the sums that were given; 0 where all are alike.
    median_hidden
        Median over images of the share of time that the page was hidden or paused.
    device
        The last.
    screen_px
        Shorter side of the smallest screen, CSS px.
    images
        What each image came to, in the order of the answers.
    """

    answers: int = 0
    median_s: float | None = None
    low_s: float | None = None
    high_s: float | None = None
    deepest_zoom: float | None = None
    median_closer: float | None = None
    median_seen: float | None = None
    untraced: float | None = None
    most_common: int | None = None
    most_common_share: float | None = None
    longest_run: int | None = None
    entropy_bits: float | None = None
    median_hidden: float | None = None
    device: UsedDevice = field(default_factory=UsedDevice)
    screen_px: float | None = None
    images: tuple[tuple[Showing, Look], ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Flag:
    """A rule that catches somebody.

    Attributes
    ----------
    rule
        Which.
    value
        The person's figure.
    """

    rule: ExclusionRule
    value: float


def flags_of(conduct: Conduct, rules: ExclusionRules) -> tuple[Flag, ...]:
    """Return the rules that catch somebody; none while there are too few answers to judge."""
    if conduct.answers < rules.least_answers:
        return ()
    values = ((rule, getattr(conduct, rule.figure)) for rule in rules.rules)
    return tuple(Flag(rule, float(value)) for rule, value in values if rule.catches(value))


# -- the fold -----------------------------------------------------------------------


class ConductFold:
    """People's answers as events tell them, event by event.

    Attributes
    ----------
    seq
        Of the last event that was taken in.
    spec
        The study's settings.
    zoom
        From which on the smallest digit that there may be is legible.
    shown
        Person -> showing -> its answers.
    last_utc
        Person -> last sign of life: any event of theirs.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.seq = 0
        self.spec: StudySpec
        self.zoom = 1.0
        self.sizes: Mapping[str, Sequence[int]] = {}
        self.shown: dict[str, dict[str, Showing]] = {}
        self.last_utc: dict[str, str] = {}
        self.take(events)

    def take(self, events: Iterable[Event]) -> None:
        """Take in the next events."""
        for event in events:
            self.seq = event.seq
            if event.payload is None:
                continue
            if event.kind == StudyCreated.event_kind:
                self._begin(StudyCreated.read(event.payload))
            elif event.kind == PersonErased.event_kind:
                gone = PersonErased.read(event.payload).annotator
                self.shown.pop(gone, None)
                self.last_utc.pop(gone, None)
                continue
            elif event.kind in (Answered.event_kind, Changed.event_kind):
                self._answer(event, Answered.read(event.payload))
            if event.subject is not None:
                self.last_utc[event.subject] = event.time_utc

    def conduct(self, annotator: str, look: Callable[[Showing], Look]) -> Conduct:
        """Return how somebody works.

        Parameters
        ----------
        annotator
            Who.
        look
            What the trace of a showing says.
        """
        shown = sorted(self.shown.get(annotator, {}).values(), key=lambda one: one.seqs[0])
        return _conduct([(one, look(one)) for one in shown])

    def look(self, showing: Showing, parts: Trace) -> Look:
        """Return what a trace says of a showing."""
        views = Views.from_parts(parts)
        if views.visible_ms <= 0:
            return Look()
        height, width = self.sizes[showing.stimulus]
        deepest, whole = deepest_zoom(views), whole_zoom(views, (height, width))
        closer = None if whole >= self.zoom else deepest / whole
        return Look(True, deepest, closer, seen_share(views, (height, width), self.zoom))

    def _begin(self, created: StudyCreated) -> None:
        self.spec = StudySpec.from_log(created.spec)
        self.sizes = created.sizes
        sides = [side for size in created.sizes.values() for side in size]
        ranges = digit_ranges(self.spec, (min(sides, default=0), max(sides, default=0)))
        self.zoom = legible_zoom(None if ranges is None else ranges[0][0])

    def _answer(self, event: Event, fact: Answered) -> None:
        own = self.shown.setdefault(fact.annotator, {})
        before = own.get(fact.assignment)
        response = fact.response
        whole_s, hidden_s = (response[name] / 1000 for name in ("response_ms", "hidden_ms"))
        own[fact.assignment] = Showing(
            label_key=fact.assignment,
            position=fact.position,
            stimulus=fact.stimulus,
            kind=fact.kind,
            answer=fact.answer,
            time_s=max(whole_s - hidden_s, 0.0) if before is None else before.time_s,
            hidden=(min(hidden_s / whole_s, 1.0) if whole_s > 0 else 0.0)
            if before is None
            else before.hidden,
            device=_device(response["device"]),
            time_utc=event.time_utc,
            seqs=(*(() if before is None else before.seqs), event.seq),
        )


def _device(told: Mapping[str, Any]) -> UsedDevice:
    screen = told.get("screen")
    return UsedDevice(
        browser.number_at(screen, 0),
        browser.number_at(screen, 1),
        browser.number_at([told.get("dpr")], 0),
        browser.yes_or_no(told.get("touch")),
    )


# -- figures --------------------------------------------------------------------------


def _conduct(images: Sequence[tuple[Showing, Look]]) -> Conduct:
    if not images:
        return Conduct()
    times = [one.time_s for one, _ in images]
    low, middle, high = (float(value) for value in np.percentile(times, (25, 50, 75)))
    answers = [one.answer for one, _ in images]
    most_common, count = Counter(answers).most_common(1)[0]
    screens = [one.device.shorter_px for one, _ in images]
    return Conduct(
        answers=len(images),
        median_s=middle,
        low_s=low,
        high_s=high,
        deepest_zoom=_median(look.deepest_zoom for _, look in images),
        median_closer=_median(look.closer for _, look in images),
        median_seen=_median(look.seen for _, look in images),
        untraced=sum(not look.has_view for _, look in images) / len(images),
        most_common=most_common,
        most_common_share=count / len(images),
        longest_run=_longest_run(answers),
        entropy_bits=_entropy(answers),
        median_hidden=_median(one.hidden for one, _ in images),
        device=images[-1][0].device,
        screen_px=min((side for side in screens if side is not None), default=None),
        images=tuple(images),
    )


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None


def _longest_run(answers: Sequence[int]) -> int:
    longest = run = 0
    before: int | None = None
    for one in answers:
        run = run + 1 if one == before else 1
        longest, before = max(longest, run), one
    return longest


def _entropy(answers: Sequence[int]) -> float:
    shares = [count / len(answers) for count in Counter(answers).values()]
    return abs(sum(share * log2(share) for share in shares))
