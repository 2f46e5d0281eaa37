"""Many people at once, over several servers: never more labels than asked, and all of them.

The people want more images than there are places, so every one of the last places is
fought for; some leave with an image open, whose place must come back when its time is over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.labeling.making import Clock, come_in, open_small, post, small_spec
from umnist_core.bench.durability import STORES, temporary_store
from umnist_core.bench.label_server import LabelServer, label_server
from umnist_core.errors import RefusedError
from umnist_core.labeling import StudyService
from umnist_core.labeling.events import Answered
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.sql import open_log
from umnist_core.labeling.state import StudyState
from umnist_core.simulation.audit import Audit, audit
from umnist_core.simulation.client import Acknowledged
from umnist_core.simulation.people import Crowd
from umnist_core.simulation.run import Guessing, Pace, Run, invite_people, run_people

STIMULI = 30
LABELS = 2
PEOPLE = 40
SERVERS = 3

RACE = {
    "stimuli": STIMULI,
    "labels_per_image": LABELS,
    "images_per_annotator": 12,
    "practice": 1,
    "lease_minutes": 10,
}
"""40 people could give 480 labels where 120 are wanted, 60 of each pool."""


class Lab:
    """A store with a study that is raced for, and several servers of it."""

    def __init__(self, service: StudyService, server: LabelServer) -> None:
        self.service = service
        self.server = server
        self.study = create_study(service, small_spec(**RACE), jobs=1)
        self.ledger: list[Acknowledged] = []

    def race(self, people: int, *, seed: int, images_max: int | None = None) -> None:
        """Let new people answer until there is nothing left for them, or they leave."""
        everybody, tokens = invite_people(self.service, self.study, people, Crowd(), seed)
        pace = Pace(fetches_tiles=False, images_max=images_max)
        tally = run_people(Run(self.server.origin, Guessing(), pace), everybody, tokens)
        assert not tally.troubles, tally.troubles
        self.ledger += tally.acknowledged

    def outcome(self) -> Audit:
        """Hold the store against what everybody was told."""
        return audit(self.service.log, self.study, self.ledger)

    def counts(self) -> dict[str, Counter[int]]:
        """Return for each pool how many images have how many labels, from the events alone."""
        state = StudyState(self.service.log.read(self.study))
        counts = {pool: Counter(dict.fromkeys(state.stimuli, 0)) for pool in state.spec.pools}
        for one in state.assignments.values():
            counts[state.annotators[one.annotator].pool][one.stimulus] += one.is_counted
        return {pool: Counter(images.values()) for pool, images in counts.items()}


@pytest.fixture(params=STORES)
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    """Yield a lab on either store."""
    with (
        temporary_store(request.param, tmp_path) as (folder, url),
        label_server(folder, url, processes=SERVERS) as server,
    ):
        log = open_log(url)
        yield Lab(StudyService(log, folder), server)
        log.close()


def test_race_gives_every_image_exactly_its_labels(lab: Lab) -> None:
    """In both pools, which share nobody; what is wanted is all there and nothing beside it."""
    lab.race(PEOPLE, seed=1)
    assert lab.counts() == {pool: {LABELS: STIMULI} for pool in ("unguided", "guided")}
    outcome = lab.outcome()
    assert outcome.is_sound, outcome
    assert outcome.stored == 2 * STIMULI * LABELS
    assert outcome.open_places == 0
    pools = lab.service.log.read_claims(lab.study).annotators
    assert len({name for name, _ in pools}) == len(pools) == PEOPLE


def test_server_that_lags_behind_decides_on_the_newest_events(tmp_path: Path) -> None:
    """What another server has written in the meantime is neither overlooked nor done again."""
    one, study = open_small(tmp_path)
    other = StudyService(one.log, tmp_path, now=Clock())
    me = come_in(one, study)
    trial = one.annotator_view(study, me).trial
    assert trial is not None
    assert other.annotator_view(study, me).trial == trial
    sent = post(trial.key)
    one.answer(study, me, sent)
    assert other.answer(study, me, sent).was_there
    one.annotator_view(study, me)
    with pytest.raises(RefusedError, match="its answer already"):
        other.answer(study, me, post(trial.key))
    following = one.annotator_view(study, me).trial
    assert following is not None
    one.close(study)
    with pytest.raises(RefusedError, match="closed"):
        other.answer(study, me, post(following.key))
    assert sum(event.kind == Answered.event_kind for event in one.log.read(study)) == 1


def test_places_of_people_who_leave_come_back(lab: Lab) -> None:
    """Not before their time is over, and then each once, whoever comes for them."""
    lab.race(PEOPLE // 2, seed=2, images_max=1)
    left = lab.outcome()
    assert left.is_sound, left
    assert left.stored >= 10, "Whoever got an image answered one and left."
    lab.race(PEOPLE, seed=3)
    kept = lab.outcome()
    assert kept.is_sound, kept
    assert kept.stored < 2 * STIMULI * LABELS, "What is reserved is nobody else's."
    assert kept.open_places == left.open_places
    lab.server.pass_time(60 * (RACE["lease_minutes"] + 1))
    lab.race(PEOPLE, seed=4)
    assert lab.counts() == {pool: {LABELS: STIMULI} for pool in ("unguided", "guided")}
    outcome = lab.outcome()
    assert outcome.is_sound, outcome
    assert outcome.open_places == 0


def test_reservations_that_end_in_the_middle_double_nothing(lab: Lab) -> None:
    """Time runs out again and again while people answer; late answers are kept, not counted."""
    everybody, tokens = invite_people(lab.service, lab.study, PEOPLE, Crowd(), 5)
    run = Run(lab.server.origin, Guessing(), Pace(think_s=0.05, fetches_tiles=False))
    jumps = 0

    def jump(_: object) -> None:
        nonlocal jumps
        lab.server.pass_time(60 * RACE["lease_minutes"] * 0.75)
        jumps += 1

    tally = run_people(run, everybody, tokens, jump)
    lab.ledger += tally.acknowledged
    assert jumps > 3
    outcome = lab.outcome()
    assert outcome.is_sound, outcome
    for labels in lab.counts().values():
        assert max(labels) <= LABELS
    lab.server.pass_time(60 * (RACE["lease_minutes"] + 1))
    lab.race(PEOPLE, seed=6)
    assert lab.counts() == {pool: {LABELS: STIMULI} for pool in ("unguided", "guided")}
    assert lab.outcome().is_sound
