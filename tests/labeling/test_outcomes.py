"""How a person's part ends, what is waited for before it does, and who is told what of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.labeling.making import Clock, answer_all, come_in, new_key, open_small, post
from umnist_core.errors import InvalidValueError, RefusedError
from umnist_core.labeling import StudyService
from umnist_core.labeling.asking import Asking
from umnist_core.labeling.events import Answered, InviteCreated, Joined
from umnist_core.labeling.export import export_study
from umnist_core.labeling.judging import judge
from umnist_core.labeling.log import Event
from umnist_core.labeling.people import CHANGES_MAX, OUTCOMES
from umnist_core.labeling.results import FoldedStudy, annotators_of, answers_of
from umnist_core.labeling.state import StudyState
from umnist_core.labeling.views import AnnotatorView, ListedAnnotator


def told(service: StudyService, study: str, person: str) -> AnnotatorView:
    """Return what a person is told, after checking that the owner is told the same."""
    view = service.annotator_view(study, person)
    row = row_of(service, study, person)
    assert (row.outcome, row.code, row.answered) == (view.outcome, view.code, view.progress.done)
    assert row.phase == view.phase
    return view


def row_of(service: StudyService, study: str, person: str) -> ListedAnnotator:
    """Return a person's row of the owner's table."""
    return next(row for row in service.annotators(study) if row.annotator == person)


def answer_some(service: StudyService, study: str, person: str, count: int) -> None:
    """Answer some of the images that a person is given."""
    for _ in range(count):
        trial = service.annotator_view(study, person).trial
        assert trial is not None
        service.answer(study, person, post(trial.key))


def test_newcomer_waits_while_every_place_is_held_and_gets_no_code(tmp_path: Path) -> None:
    """Three browsers, two images, none answered: nothing is said to be saved or done."""
    service, study = open_small(
        tmp_path, stimuli=2, images_per_annotator=2, pools=("unguided",), practice=0
    )
    one, other, third = (come_in(service, study) for _ in range(3))
    assert told(service, study, one).phase == "trial"
    for person in (other, third):
        view = told(service, study, person)
        assert (view.phase, view.outcome, view.code) == ("held", None, None)
        assert view.held is not None
        assert (view.held.places, view.held.open) == (2, 2)
    answer_some(service, study, one, 1)
    held = told(service, study, third).held
    assert held is not None
    assert (held.places, held.open) == (1, 1)


def test_quota_full_is_told_with_true_counts_and_a_code_for_work_alone(tmp_path: Path) -> None:
    """Whoever waits is told when all is there; no code for nobody's work."""
    clock = Clock()
    service, study = open_small(
        tmp_path, now=clock, stimuli=4, images_per_annotator=3, pools=("unguided",), practice=0
    )
    first, second, third = (come_in(service, study) for _ in range(3))
    assert told(service, study, first).phase == "trial"
    answer_some(service, study, second, 1)
    answer_all(service, study, first)
    assert told(service, study, first).outcome == "complete"
    view = told(service, study, second)
    assert (view.phase, view.outcome) == ("done", "quota_full")
    assert (view.progress.done, view.progress.total) == (1, 3)
    assert view.code is not None
    view = told(service, study, third)
    assert (view.outcome, view.progress.done, view.code) == ("quota_full", 0, None)
    pool = service.overview(study).pools[0]
    assert (pool.complete, pool.quota_full, pool.ended_early, pool.withdrawn) == (1, 2, 0, 0)


def test_newcomer_to_a_full_pool_is_told_so_before_anything_is_asked(tmp_path: Path) -> None:
    """Not after the consent, the instructions and the practice."""
    service, study = open_small(
        tmp_path, stimuli=2, images_per_annotator=2, pools=("guided",), practice=1
    )
    answer_all(service, study, come_in(service, study))
    late = service.join(service.open_link(study).token or "").annotator
    view = told(service, study, late)
    assert (view.phase, view.outcome, view.code) == ("done", "quota_full", None)


def test_code_once_given_stays_with_the_person_and_in_the_owners_table(tmp_path: Path) -> None:
    """Also if somebody else is erased afterwards, so that there are images again."""
    service, study = open_small(
        tmp_path, stimuli=3, images_per_annotator=2, pools=("unguided",), practice=0
    )
    first, second = come_in(service, study), come_in(service, study)
    answer_all(service, study, first)
    answer_all(service, study, second)
    code = told(service, study, second).code
    assert code is not None
    service.erase(study, first)
    view = told(service, study, second)
    assert (view.outcome, view.code, view.progress.done) == ("quota_full", code, 1)
    assert len(answer_all(service, study, come_in(service, study))) == 2


def test_closing_ends_early_those_who_were_not_done(tmp_path: Path) -> None:
    """With a code for those who answered an image; who was complete stays so."""
    service, study = open_small(tmp_path, practice=0)
    done, some, none = (come_in(service, study, "guided") for _ in range(3))
    answer_all(service, study, done)
    answer_some(service, study, some, 1)
    service.close(study)
    views = [told(service, study, one) for one in (done, some, none)]
    assert [view.outcome for view in views] == ["complete", "ended_early", "ended_early"]
    assert [view.progress.done for view in views] == [3, 1, 0]
    assert [view.code is None for view in views] == [False, False, True]
    assert {view.phase for view in views} == {"done"}


def test_person_whose_link_is_ended_is_told_the_outcome_and_lets_places_go(
    tmp_path: Path,
) -> None:
    """Ended early by the study; what was held is anybody's at once."""
    service, study = open_small(
        tmp_path, stimuli=3, images_per_annotator=3, pools=("unguided",), practice=0
    )
    me = come_in(service, study)
    answer_some(service, study, me, 1)
    assert told(service, study, me).phase == "trial"
    service.revoke(study, service.invites(study)[0].invite)
    view = told(service, study, me)
    assert (view.phase, view.outcome, view.trial) == ("done", "ended_early", None)
    assert view.code is not None
    assert service.overview(study).pools[0].reserved == 0


def test_withdrawing_is_for_good_and_keeps_what_was_given(tmp_path: Path) -> None:
    """The places are free at once; later answers are refused, and nothing can be asked again."""
    service, study = open_small(
        tmp_path, stimuli=3, images_per_annotator=3, pools=("unguided",), practice=0
    )
    me = come_in(service, study)
    answer_some(service, study, me, 1)
    trial = service.annotator_view(study, me).trial
    assert trial is not None
    service.withdraw(study, me, new_key())
    service.withdraw(study, me, new_key())
    view = told(service, study, me)
    assert (view.phase, view.outcome, view.progress.done) == ("done", "withdrawn", 1)
    assert view.code is not None
    with pytest.raises(RefusedError) as refused:
        service.answer(study, me, post(trial.key))
    assert refused.value.code == "withdrawn"
    pool = service.overview(study).pools[0]
    assert (pool.labels, pool.reserved, pool.withdrawn) == (1, 0, 1)
    assert len(answer_all(service, study, come_in(service, study))) == 2


def test_practice_is_taken_between_beginning_and_stopping_alone(tmp_path: Path) -> None:
    """Neither before somebody has agreed, nor after they have stopped taking part."""
    service, study = open_small(tmp_path, practice=2)
    token = service.invite(study)[0].token
    assert token is not None
    me = service.join(token).annotator
    first, second = (image.id for image in service.state(study).practice)

    def practise(image: str) -> str:
        try:
            service.practise(study, me, new_key(), image, 3)
        except RefusedError as error:
            return error.code
        return "taken"

    told_so = [practise(first)]
    service.consent(study, me, new_key())
    told_so.append(practise(first))
    service.begin(study, me, new_key())
    told_so.append(practise(first))
    service.withdraw(study, me, new_key())
    told_so.append(practise(second))
    assert told_so == ["not_begun", "not_begun", "taken", "withdrawn"]
    assert len(service.state(study).annotators[me].practised) == 1


def test_made_up_joiners_hold_images_for_minutes_and_not_for_a_day(tmp_path: Path) -> None:
    """Ten who answer nothing; a quarter of an hour later somebody does all of it."""
    clock = Clock()
    service, study = open_small(
        tmp_path,
        now=clock,
        stimuli=12,
        images_per_annotator=12,
        pools=("unguided",),
        practice=0,
        lease_minutes=1440,
    )
    token = service.open_link(study).token or ""
    for _ in range(10):
        made_up = service.join(token).annotator
        service.consent(study, made_up, new_key())
        service.begin(study, made_up, new_key())
        service.annotator_view(study, made_up)
    person = come_in(service, study)
    assert service.annotator_view(study, person).phase == "held"
    clock.pass_(minutes=16)
    assert len(answer_all(service, study, person)) == 12


def test_page_that_is_open_keeps_an_unanswered_image_for_an_hour_at_most(tmp_path: Path) -> None:
    """Whoever has answered an image keeps the next for the time of the study."""
    clock = Clock()
    service, study = open_small(
        tmp_path, now=clock, stimuli=3, images_per_annotator=3, pools=("unguided",), practice=0
    )
    me = come_in(service, study)
    view = service.annotator_view(study, me)
    assert view.trial is not None
    minutes = 0
    while service.overview(study).pools[0].reserved:
        clock.pass_(minutes=5)
        minutes += 5
        service.keep_alive(study, me, view.trial.key)
        service.annotator_view(study, me)
    assert minutes == 60
    assert service.answer(study, me, post(view.trial.key)).is_counted
    service.annotator_view(study, me)
    clock.pass_(hours=23)
    assert service.overview(study).pools[0].reserved == 2


@pytest.mark.parametrize("lease_minutes", [1, 10, 50, 1440])
def test_reservation_is_prolonged_only_when_half_of_it_is_over(
    tmp_path: Path, lease_minutes: int
) -> None:
    """A page that asks again and again does not fill the log."""
    clock = Clock()
    service, study = open_small(tmp_path, now=clock, practice=0, lease_minutes=lease_minutes)
    me = come_in(service, study)
    answer_some(service, study, me, 1)
    service.annotator_view(study, me)
    before = len(service.log.read(study))
    for _ in range(20):
        clock.pass_(milliseconds=7)
        service.annotator_view(study, me)
    assert len(service.log.read(study)) == before


def test_nobody_ends_short_because_the_last_place_was_held_elsewhere(tmp_path: Path) -> None:
    """A third person gets only what the two who have begun do not need."""
    service, study = open_small(
        tmp_path, stimuli=6, images_per_annotator=3, pools=("unguided",), practice=0
    )
    one, other, third = (come_in(service, study) for _ in range(3))
    for person in (one, other):
        answer_some(service, study, person, 1)
        service.annotator_view(study, person)
    assert told(service, study, third).phase == "held"
    answer_all(service, study, one)
    answer_all(service, study, other)
    outcomes = [told(service, study, person).outcome for person in (one, other, third)]
    assert outcomes == ["complete", "complete", "quota_full"]


def test_who_joins_goes_to_the_pool_that_lacks_labels(tmp_path: Path) -> None:
    """Not to the one with fewer people: that one may be full."""
    clock = Clock()
    service, study = open_small(
        tmp_path, now=clock, stimuli=3, images_per_annotator=3, practice=0, lease_minutes=60
    )
    answer_all(service, study, come_in(service, study, "guided"))
    for _ in range(3):
        gone = come_in(service, study, "unguided")
        service.annotator_view(study, gone)
    clock.pass_(hours=2)
    token = service.open_link(study).token or ""
    joined = service.join(token).annotator
    assert service.state(study).annotators[joined].pool == "unguided"


def test_late_answer_counts_unless_somebody_at_work_needs_its_place(tmp_path: Path) -> None:
    """It is the person's own answer either way, and told as what it is."""
    clock = Clock()
    service, study = open_small(
        tmp_path, now=clock, stimuli=3, images_per_annotator=3, pools=("unguided",), practice=0
    )
    late = come_in(service, study)
    view = service.annotator_view(study, late)
    assert view.trial is not None
    assert view.next is not None
    clock.pass_(minutes=30)
    assert service.answer(study, late, post(view.trial.key)).is_counted, "Nobody needs it."
    clock.pass_(hours=30)
    other = come_in(service, study)
    assert service.annotator_view(study, other).trial is not None
    assert not service.answer(study, late, post(view.next.key)).is_counted
    assert told(service, study, late).progress.done == 2
    assert len(answer_all(service, study, other)) == 2
    pool = service.overview(study).pools[0]
    assert (pool.labels, pool.target, pool.surplus) == (3, 3, 1)


def test_late_answer_takes_another_free_place_of_its_image(tmp_path: Path) -> None:
    """Its own was filled by somebody else, and the image wants one more."""
    clock = Clock()
    service, study = open_small(
        tmp_path,
        now=clock,
        stimuli=2,
        images_per_annotator=2,
        labels_per_image=2,
        pools=("unguided",),
        practice=0,
    )
    late = come_in(service, study)
    view = service.annotator_view(study, late)
    assert view.trial is not None
    clock.pass_(hours=30)
    answer_all(service, study, come_in(service, study))
    clock.pass_(hours=30)
    assert service.answer(study, late, post(view.trial.key)).is_counted


def test_changes_of_an_answer_are_bounded_and_it_is_said_before(tmp_path: Path) -> None:
    """The last that was taken stays; what came before is all kept."""
    service, study = open_small(
        tmp_path, pools=("unguided",), allow_change=True, practice=0, images_per_annotator=2
    )
    me = come_in(service, study)
    answer_some(service, study, me, 1)
    seen = []
    for number in range(CHANGES_MAX):
        previous = service.annotator_view(study, me).previous
        assert previous is not None
        seen.append(previous.changes_left)
        service.answer(study, me, post(previous.key, number))
    assert seen == list(range(CHANGES_MAX, 0, -1))
    previous = service.annotator_view(study, me).previous
    assert previous is not None
    assert previous.changes_left == 0
    with pytest.raises(RefusedError, match=f"{CHANGES_MAX} times") as refused:
        service.answer(study, me, post(previous.key, 20))
    assert refused.value.code == "changed_enough"
    given = service.state(study).assignments[previous.key].given
    assert [one.answer for one in given] == [9, *range(CHANGES_MAX)]


def test_nothing_is_changed_once_the_study_was_explained(tmp_path: Path) -> None:
    """Who has read what it was about keeps the answers that were given before."""
    asking = Asking(debriefing="It was about noise.")
    service, study = open_small(
        tmp_path,
        pools=("unguided",),
        allow_change=True,
        asking=asking,
        practice=0,
        images_per_annotator=2,
    )
    me = come_in(service, study)
    answer_some(service, study, me, 1)
    last = service.annotator_view(study, me).trial
    assert last is not None
    answer_some(service, study, me, 1)
    view = service.annotator_view(study, me)
    assert (view.phase, view.previous) == ("done", None)
    with pytest.raises(RefusedError, match="what the study was about") as refused:
        service.answer(study, me, post(last.key, 20))
    assert refused.value.code == "debriefed"
    assert [one.answer for one in service.state(study).assignments[last.key].given] == [9]


def test_whose_data_it_is_stands_in_store_tables_and_export(tmp_path: Path) -> None:
    """By the link that was made for it, whatever the browser says of itself."""
    service, study = open_small(tmp_path, pools=("unguided",), practice=0, stimuli=9)
    people = {}
    for origin in ("invited", "simulated", "own"):
        token = service.invite(study, origin=origin)[0].token or ""
        person = people[origin] = service.join(token).annotator
        service.consent(study, person, new_key())
        service.begin(study, person, new_key())
        answer_some(service, study, person, 1)
        assert service.annotator_view(study, person).origin == origin
        assert row_of(service, study, person).origin == origin
    stored = {
        event.payload["annotator"]: event.payload["origin"]
        for event in service.log.read(study)
        if event.kind == Joined.event_kind and event.payload is not None
    }
    assert stored == {person: origin for origin, person in people.items()}
    folded = FoldedStudy.of(service.log, study)
    for table in (annotators_of(folded, judge(folded, {})), answers_of(folded)):
        origins = dict(zip(table["annotator"], table["origin"], strict=True))
        assert origins == stored
    pool = service.overview(study).pools[0]
    assert (pool.people, pool.simulated, pool.own) == (3, 1, 1)
    export_study(service, study, tmp_path / "study.zip")
    with ZipFile(tmp_path / "study.zip") as archive:
        header = json.loads(archive.read("study.json"))
        assert header["people_by_origin"] == {"invited": 1, "simulated": 1, "own": 1}
        assert b"People: 1 invited, 1 simulated, 1 own." in archive.read("README.md")
    with pytest.raises(InvalidValueError, match="Data are of"):
        service.invite(study, origin="borrowed")


def test_link_of_ones_own_keeps_the_mark(tmp_path: Path) -> None:
    """Links of an older store have none, and are those of invited people."""
    service, study = open_small(tmp_path, practice=0)
    invite = service.invite(study, origin="own")[0]
    assert invite.origin == "own"
    assert service.join(invite.token or "").is_new
    assert service.invites(study)[0].origin == "own"


def test_old_store_is_read_and_its_simulated_people_are_known(tmp_path: Path) -> None:
    """Events of before say nothing of origin; a simulation named itself in every answer."""
    service, study = open_small(tmp_path, pools=("unguided",), practice=0)
    plain, simulated = come_in(service, study), come_in(service, study)
    answer_some(service, study, plain, 1)
    answer_some(service, study, simulated, 1)
    events = [_as_before(event, simulated) for event in service.log.read(study)]
    state = StudyState(events)
    assert state.annotators[plain].origin == "invited"
    assert state.annotators[simulated].origin == "simulated"
    assert state.labels_in("unguided") == 2


def _as_before(event: Event, simulated: str) -> Event:
    """Return an event as versions wrote it that knew no origin."""
    payload: dict[str, Any] = dict(event.payload or {})
    if event.kind in (InviteCreated.event_kind, Joined.event_kind):
        del payload["origin"]
    if event.kind == Answered.event_kind and payload["annotator"] == simulated:
        response = payload["response"]
        device = {**response["device"], "user_agent": "umnist simulation"}
        payload["response"] = {**response, "device": device}
    return replace(event, payload=payload)


def test_there_are_five_outcomes() -> None:
    """Every one of them has its own field in the counts of a pool."""
    assert OUTCOMES == ("complete", "quota_full", "screened_out", "ended_early", "withdrawn")
