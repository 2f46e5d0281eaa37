"""Crowds of simulated people who come and go, on a real log under a clock of their own.

They leave and come back, send answers late and twice, open a second device, withdraw, or
never come again. Every answer that was said to be saved is in a ledger here, and every
person's screen is held against it, so that nothing is believed because the code says it.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.labeling.making import Clock, new_key, post
from umnist_core.errors import RefusedError
from umnist_core.labeling import StudyService, StudySpec
from umnist_core.labeling.events import StudyCreated
from umnist_core.labeling.log import Claims, chain
from umnist_core.labeling.memory import MemoryLog
from umnist_core.labeling.recorded import AnswerPost
from umnist_core.labeling.state import StudyState
from umnist_core.labeling.times import text_of_time
from umnist_core.labeling.views import AnnotatorView


@dataclass(frozen=True)
class Habits:
    """How often people do what; shares of the images that they come to."""

    vanish: float = 0.0
    withdraw: float = 0.0
    leave: float = 0.01
    send_late: float = 0.01
    second_device: float = 0.03


@dataclass
class Somebody:
    """A simulated person, and what they were told."""

    id: str
    token: str
    habits: Habits
    answered: set[str] = field(default_factory=set)
    unsent: list[AnswerPost] = field(default_factory=list)
    has_vanished: bool = False
    has_withdrawn: bool = False
    last: AnnotatorView | None = None


class Crowd:
    """A study and the people who take part in it.

    Parameters
    ----------
    folder
        For the server's secret.
    spec
        Settings of the study; its images are names alone, as nobody opens them.
    seed
        Of all that people do.
    """

    def __init__(self, folder: Path, spec: StudySpec, seed: int) -> None:
        self.clock = Clock()
        self.service = StudyService(MemoryLog(), folder, secret=b"s" * 32, now=self.clock)
        self.study = "s0123456789ab"
        self._create(spec)
        self.open_link = self.service.open_link(self.study).token or ""
        self.random = random.Random(seed)
        self.people: list[Somebody] = []
        self._turns: list[tuple[float, int, Somebody]] = []
        self._numbers = itertools.count()
        self.minute = 0.0

    def _create(self, spec: StudySpec) -> None:
        names = [f"x{number:05}" for number in range(spec.stimuli)]
        created = StudyCreated(
            spec=spec.to_dict(),
            stimuli=names,
            practice=[],
            sizes={name: [512, 512] for name in names},
            suffixes=dict.fromkeys(names, ".png"),
            manifest=dict.fromkeys(names, ""),
            versions={},
            glyphs={},
        )
        events = chain(self.study, [created.draft()], None, text_of_time(self.clock()))
        self.service.log.create(events, Claims(), dict.fromkeys(names, "{}"))

    def come(self, habits: Habits, minutes: float = 0.0, pool: str | None = None) -> None:
        """Let somebody new come in some minutes, by the open link or by one of a pool."""
        token = (
            self.open_link if pool is None else self.service.invite(self.study, pool=pool)[0].token
        )
        assert token is not None
        self._turn(Somebody("", token, habits), minutes)

    def go_on(self, until_minute: float) -> bool:
        """Let people act until a time; return whether anybody still wants to."""
        while self._turns and self._turns[0][0] <= until_minute:
            minute, _, one = heapq.heappop(self._turns)
            self._pass(minute)
            self._act(one)
        self._pass(until_minute)
        return bool(self._turns)

    def _pass(self, minute: float) -> None:
        self.clock.pass_(minutes=minute - self.minute)
        self.minute = minute

    def _turn(self, one: Somebody, minutes: float) -> None:
        heapq.heappush(self._turns, (self.minute + minutes, next(self._numbers), one))

    def _act(self, one: Somebody) -> None:
        if not one.id:
            one.id = self.service.join(one.token).annotator
            self.people.append(one)
            self.service.consent(self.study, one.id, new_key())
            self.service.begin(self.study, one.id, new_key())
        self._send(one)
        view = one.last = self.service.annotator_view(self.study, one.id)
        if view.phase == "held":
            self._turn(one, 5)
        elif view.phase == "trial":
            self._at_image(one, view)

    def _send(self, one: Somebody) -> None:
        for answer in one.unsent:
            try:
                self.service.answer(self.study, one.id, answer)
            except RefusedError as error:
                if error.code != "already_answered":
                    raise
            one.answered.add(answer.assignment)
        one.unsent.clear()

    def _at_image(self, one: Somebody, view: AnnotatorView) -> None:
        assert view.trial is not None
        does, habits = self.random.random(), one.habits
        for share, act in (
            (habits.vanish, self._vanish),
            (habits.withdraw, self._withdraw),
            (habits.leave, self._leave),
            (habits.send_late, self._send_later),
            (habits.second_device, self._answer_on_two_devices),
            (1.0, self._answer),
        ):
            if does < share:
                act(one, view)
                return
            does -= share

    def _vanish(self, one: Somebody, view: AnnotatorView) -> None:
        one.has_vanished = True

    def _withdraw(self, one: Somebody, view: AnnotatorView) -> None:
        self.service.withdraw(self.study, one.id, new_key())
        one.has_withdrawn = True
        one.last = self.service.annotator_view(self.study, one.id)

    def _leave(self, one: Somebody, view: AnnotatorView) -> None:
        self._turn(one, self.random.uniform(5, 60 * 40))

    def _send_later(self, one: Somebody, view: AnnotatorView) -> None:
        """Answer all that is loaded without a connection, and come back with it."""
        for trial in (view.trial, view.next):
            if trial is not None:
                one.unsent.append(post(trial.key))
        self._turn(one, self.random.uniform(5, 60 * 40))

    def _answer_on_two_devices(self, one: Somebody, view: AnnotatorView) -> None:
        assert view.trial is not None
        other = self.service.annotator_view(self.study, one.id)
        assert other.trial == view.trial
        one.unsent += [post(view.trial.key), post(view.trial.key, 8)]
        self._turn(one, self.random.uniform(0.5, 6))

    def _answer(self, one: Somebody, view: AnnotatorView) -> None:
        assert view.trial is not None
        one.unsent.append(post(view.trial.key))
        self._turn(one, self.random.uniform(0.5, 6))

    # -- what must be true --------------------------------------------------------------

    def labels(self) -> dict[str, Counter[int]]:
        """Return for each pool how many images have how many labels, from the log alone."""
        state = StudyState(self.service.log.read(self.study))
        counts = {pool: Counter(dict.fromkeys(state.stimuli, 0)) for pool in state.spec.pools}
        for one in state.assignments.values():
            counts[state.annotators[one.annotator].pool][one.stimulus] += one.is_counted
        return {pool: Counter(images.values()) for pool, images in counts.items()}

    def check_outcomes(self) -> Counter[str]:
        """Hold what every person and the owner are told against the ledger; count outcomes."""
        rows = {row.annotator: row for row in self.service.annotators(self.study)}
        overview = self.service.overview(self.study)
        filled = {pool.pool: pool.labels == pool.target for pool in overview.pools}
        told: Counter[str] = Counter()
        for one in self.people:
            row, view = rows[one.id], self.service.annotator_view(self.study, one.id)
            done = len(one.answered)
            assert (view.progress.done, row.answered) == (done, done)
            expected = self._expected(one, view.progress.total, is_full=filled[view.pool])
            assert view.outcome == row.outcome == expected, (one, view.outcome, expected)
            assert (view.phase == "done") == (expected is not None)
            gets_code = expected is not None and done > 0
            assert (view.code is not None, row.code is not None) == (gets_code, gets_code)
            assert view.code == row.code
            told[str(expected)] += 1
        for name in ("complete", "quota_full", "withdrawn", "ended_early"):
            assert sum(getattr(pool, name) for pool in overview.pools) == told[name]
        return told

    def _expected(self, one: Somebody, total: int, *, is_full: bool) -> str | None:
        if one.has_withdrawn:
            return "withdrawn"
        if len(one.answered) >= total:
            return "complete"
        return "quota_full" if is_full else None
