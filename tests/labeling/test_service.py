"""What annotators and researchers may do, and what is true afterwards."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.labeling.making import TOLD, Clock, answer_all, come_in, new_key, open_small, post
from umnist_core.errors import InvalidValueError, NotFoundError, RefusedError
from umnist_core.labeling import StudyService
from umnist_core.labeling.events import REPEAT, Joined
from umnist_core.labeling.log import sha256
from umnist_core.labeling.state import StudyState
from umnist_core.labeling.telling import CONTACT_FIELDS, FEEDBACKS
from umnist_core.labeling.verify import verify_log


def is_sound(service: StudyService, study: str) -> bool:
    """Whether the log verifies, and a state folded from it alone equals the one in use."""
    verified = verify_log(service.log, study)
    assert verified.faults == ()
    live, folded = service.state(study), StudyState(service.log.read(study))
    return (
        live.head == folded.head
        and live.slots == folded.slots
        and live.annotators == folded.annotators
        and live.invites == folded.invites
        and live.status == folded.status
    )


def test_person_goes_through_all_phases(tmp_path: Path) -> None:
    """Consent, instructions, practice, trials, done; each only after the one before."""
    service, study = open_small(tmp_path)
    token = service.invite(study)[0].token
    assert token is not None
    me = service.join(token).annotator
    phases = [service.annotator_view(study, me).phase]
    service.consent(study, me, new_key())
    phases.append(service.annotator_view(study, me).phase)
    service.begin(study, me, new_key())
    view = service.annotator_view(study, me)
    assert view.practice is not None
    phases.append(view.phase)
    told = service.practise(study, me, new_key(), view.practice.key, 3)
    assert told.is_correct == (service.state(study).practice[0].label == 3)
    phases.append(service.annotator_view(study, me).phase)
    assert phases == ["consent", "instructions", "practice", "trial"]
    assert len(answer_all(service, study, me)) == 3
    view = service.annotator_view(study, me)
    assert (view.phase, view.progress.done, view.progress.total) == ("done", 3, 3)
    assert view.code is not None
    assert view.code == service.annotators(study)[0].code
    assert is_sound(service, study)


@pytest.mark.parametrize("unguided", FEEDBACKS)
@pytest.mark.parametrize("guided", FEEDBACKS)
def test_practice_tells_a_pool_what_the_study_says(
    tmp_path: Path, unguided: str, guided: str
) -> None:
    """The image with its digits, or whether it is right alone; again and again, kept once."""
    feedback = {"unguided": unguided, "guided": guided}
    service, study = open_small(tmp_path, practice_feedback=feedback)
    assert service.state(study).spec.practice_feedback == feedback
    truth = service.state(study).practice[0]
    for pool, kind in feedback.items():
        token = service.invite(study, pool=pool)[0].token
        assert token is not None
        me = service.join(token).annotator
        service.consent(study, me, new_key())
        service.begin(study, me, new_key())
        for answer in ((truth.label + 1) % 28, truth.label):
            told = service.practise(study, me, new_key(), truth.id, answer)
            assert (told.answer, told.is_correct) == (answer, answer == truth.label)
            assert told.image == (truth if kind == "full" else None)
        kept = service.state(study).annotators[me].practised
        assert kept == {truth.id: (truth.label + 1) % 28}


@pytest.mark.parametrize("missing", list(CONTACT_FIELDS))
def test_open_link_needs_what_strangers_must_be_told(tmp_path: Path, missing: str) -> None:
    """One sentence says what is missing, and no link is made; personal links need none of it."""
    service, study = open_small(tmp_path, **{missing: "  "})  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match=f"does not tell them its {missing}. Settings"):
        service.open_link(study)
    assert service.invites(study) == []
    assert service.invite(study)[0].token is not None


def test_joining_keeps_the_hash_of_all_that_was_agreed_to(tmp_path: Path) -> None:
    """Contact, duration, retention and withdrawal are part of what people consent to."""
    service, study = open_small(tmp_path)
    token = service.invite(study)[0].token
    assert token is not None
    service.join(token)
    joined = [event.payload for event in service.log.read(study) if event.kind == Joined.event_kind]
    spec = service.state(study).spec
    assert TOLD["contact"] in spec.consent_text
    assert [one["consent_sha256"] for one in joined if one] == [sha256(spec.consent_text)]


def test_link_brings_back_the_same_person_at_the_same_image(tmp_path: Path) -> None:
    """Also on a service that was started again and knows nothing but the log."""
    service, study = open_small(tmp_path)
    me = come_in(service, study)
    token = service.invites(study)[0].token
    assert token is not None
    open_image = service.annotator_view(study, me).trial
    again = StudyService(service.log, tmp_path, now=Clock())
    joined = again.join(token)
    assert (joined.annotator, joined.is_new) == (me, False)
    assert again.annotator_view(study, me).trial == open_image


def test_same_key_is_stored_once(tmp_path: Path) -> None:
    """A sending that is repeated gets the answer of the first."""
    service, study = open_small(tmp_path)
    me = come_in(service, study)
    trial = service.annotator_view(study, me).trial
    assert trial is not None
    sent = post(trial.key)
    first, second = service.answer(study, me, sent), service.answer(study, me, sent)
    assert (first.was_there, second.was_there) == (False, True)
    assert service.overview(study).pools[0].labels + service.overview(study).pools[1].labels == 1


def test_second_answer_is_refused_unless_the_study_allows_it(tmp_path: Path) -> None:
    """Then both are kept, and only the last image's can be changed."""
    service, study = open_small(tmp_path)
    me = come_in(service, study)
    trial = service.annotator_view(study, me).trial
    assert trial is not None
    service.answer(study, me, post(trial.key, 5))
    with pytest.raises(RefusedError, match="its answer already") as refused:
        service.answer(study, me, post(trial.key, 6))
    assert refused.value.code == "already_answered"

    service, study = open_small(tmp_path / "b", allow_change=True)
    me = come_in(service, study)
    done = answer_all(service, study, me)
    service.answer(study, me, post(done[-1], 6))
    given = service.state(study).assignments[done[-1]].given
    assert [one.answer for one in given] == [9, 6]
    with pytest.raises(RefusedError, match="its answer already"):
        service.answer(study, me, post(done[0], 6))
    assert is_sound(service, study)


def test_every_place_is_filled_exactly_once(tmp_path: Path) -> None:
    """People ask for more than there is; nobody sees an image twice; pools fill alike."""
    service, study = open_small(tmp_path, stimuli=6, images_per_annotator=5, labels_per_image=2)
    people = [come_in(service, study) for _ in range(8)]
    for one in people:
        answer_all(service, study, one)
    state = service.state(study)
    for pool in state.spec.pools:
        assert state.labels_in(pool) == 12
        counted = Counter(
            one.stimulus
            for one in state.assignments.values()
            if one.is_counted and state.annotators[one.annotator].pool == pool
        )
        assert set(counted.values()) == {2}
        assert set(counted) == set(state.stimuli)
    for person in state.annotators.values():
        assert len({one.stimulus for one in person.assignments}) == len(person.assignments)
    assert Counter(one.pool for one in state.annotators.values()) == {"unguided": 4, "guided": 4}
    assert is_sound(service, study)


def test_least_labelled_image_comes_first(tmp_path: Path) -> None:
    """No image gets its second answer before every image has its first."""
    service, study = open_small(
        tmp_path, stimuli=6, images_per_annotator=3, labels_per_image=2, pools=("unguided",)
    )
    for _ in range(2):
        answer_all(service, study, come_in(service, study))
    seen = Counter(one.stimulus for one in service.state(study).assignments.values())
    assert set(seen.values()) == {1}
    assert len(seen) == 6


def test_order_differs_between_people_and_follows_from_the_log(tmp_path: Path) -> None:
    """Two people see other orders; a replay of the log chooses the same images again."""
    service, study = open_small(
        tmp_path, stimuli=20, images_per_annotator=10, labels_per_image=2, pools=("guided",)
    )
    first, second = come_in(service, study), come_in(service, study)
    orders = []
    for one in (first, second):
        answer_all(service, study, one)
        person = service.state(study).annotators[one]
        orders.append([assignment.stimulus for assignment in person.assignments])
    assert orders[0] != orders[1]
    assert (
        service.state(study).annotators[first].seed != service.state(study).annotators[second].seed
    )


def test_images_of_somebody_who_left_return(tmp_path: Path) -> None:
    """When the reservation has run out; before, nobody else gets them.

    What the person sends after that is kept, and fills no place that somebody else has filled.
    """
    clock = Clock()
    service, study = open_small(
        tmp_path,
        now=clock,
        stimuli=3,
        images_per_annotator=3,
        pools=("unguided",),
        lease_minutes=30,
    )
    gone, there = come_in(service, study), come_in(service, study)
    held = service.annotator_view(study, gone)
    assert held.trial is not None
    assert held.next is not None
    assert answer_all(service, study, there) == []
    assert service.annotator_view(study, there).phase == "held"
    clock.pass_(minutes=16)
    assert len(answer_all(service, study, there)) == 3
    assert service.overview(study).pools[0].labels == 3
    late = service.answer(study, gone, post(held.trial.key))
    assert not late.is_counted
    counts = service.overview(study).pools[0]
    assert (counts.labels, counts.surplus) == (3, 1)
    assert is_sound(service, study)


def test_reservation_lasts_while_its_person_is_there(tmp_path: Path) -> None:
    """A page that is open keeps its image; an image that nobody took can be answered late."""
    clock = Clock()
    service, study = open_small(
        tmp_path,
        now=clock,
        stimuli=3,
        images_per_annotator=3,
        pools=("unguided",),
        lease_minutes=30,
    )
    slow, other = come_in(service, study), come_in(service, study)
    first = service.annotator_view(study, slow).trial
    assert first is not None
    service.answer(study, slow, post(first.key))
    view = service.annotator_view(study, slow)
    assert view.trial is not None
    for _ in range(5):
        clock.pass_(minutes=20)
        service.keep_alive(study, slow, view.trial.key)
    clock.pass_(minutes=20)
    assert answer_all(service, study, other) == []
    assert service.annotator_view(study, slow).trial == view.trial
    clock.pass_(days=9)
    assert service.answer(study, slow, post(view.trial.key)).is_counted
    assert is_sound(service, study)


def test_open_link_fills_both_pools_alike_and_gives_a_link_of_ones_own(tmp_path: Path) -> None:
    """Whoever opens it again in the same browser comes back as the same person."""
    service, study = open_small(tmp_path)
    token = service.open_link(study).token
    assert token is not None
    people = [service.join(token).annotator for _ in range(6)]
    pools = Counter(service.state(study).annotators[one].pool for one in people)
    assert pools == {"unguided": 3, "guided": 3}
    assert service.join(token, resume=people[2]).annotator == people[2]
    own = service.annotator_view(study, people[2]).link_token
    assert service.join(own).annotator == people[2]
    assert is_sound(service, study)


def test_wrong_expired_and_ended_links_let_nobody_in(tmp_path: Path) -> None:
    """Each with its own sentence; an ended link ends the session too."""
    clock = Clock()
    service, study = open_small(tmp_path, now=clock)
    short, ended = service.invite(study, days=1)[0], service.invite(study)[0]
    assert short.token is not None
    assert ended.token is not None
    me = service.join(ended.token).annotator
    service.revoke(study, ended.invite)
    clock.pass_(days=2)
    with pytest.raises(NotFoundError, match="not one of ours"):
        service.join("nonsense")
    for token, code in ((short.token, "expired"), (ended.token, "revoked")):
        with pytest.raises(RefusedError) as refused:
            service.join(token)
        assert refused.value.code == code
    with pytest.raises(RefusedError, match="has been ended"):
        service.consent(study, me, new_key())
    view = service.annotator_view(study, me)
    assert (view.phase, view.outcome, view.trial, view.code) == ("done", "ended_early", None, None)


def test_nobody_reaches_the_image_of_another(tmp_path: Path) -> None:
    """Neither its file nor its answer."""
    service, study = open_small(tmp_path)
    me, other = come_in(service, study), come_in(service, study)
    theirs = service.annotator_view(study, other).trial
    mine = service.annotator_view(study, me).trial
    assert theirs is not None
    assert mine is not None
    assert service.image_file(study, me, mine.key).is_file()
    for attempt in (
        lambda: service.image_file(study, me, theirs.key),
        lambda: service.image_file(study, me, service.state(study).stimuli[0]),
        lambda: service.answer(study, me, post(theirs.key)),
    ):
        with pytest.raises(RefusedError) as refused:
            attempt()
        assert refused.value.code == "not_yours"


def test_closing_seals_and_erasing_is_still_possible(tmp_path: Path) -> None:
    """Nothing can be added; a person can go, and the log still verifies."""
    service, study = open_small(tmp_path)
    me, other = come_in(service, study), come_in(service, study)
    answer_all(service, study, other)
    mine = service.annotator_view(study, me).trial
    assert mine is not None
    sealed = service.close(study)
    assert sealed.status == "closed"
    for attempt in (
        lambda: service.answer(study, me, post(mine.key)),
        lambda: service.invite(study),
        lambda: service.resume(study),
    ):
        with pytest.raises(RefusedError) as refused:
            attempt()
        assert refused.value.code == "closed"
    assert service.erase(study, other) > 5
    with pytest.raises(RefusedError) as refused:
        service.annotator_view(study, other)
    assert refused.value.code == "no_session"
    assert is_sound(service, study)


def test_erased_person_leaves_nothing_and_the_place_is_free_again(tmp_path: Path) -> None:
    """No answer, no trace, no time; the link is ended, and others get the images."""
    service, study = open_small(
        tmp_path, stimuli=3, images_per_annotator=3, pools=("unguided",), ask_confidence=True
    )
    me = come_in(service, study)
    token = service.invites(study)[0].token
    assert token is not None
    answer_all(service, study, me)
    service.erase(study, me)
    for event in service.log.read(study):
        if event.subject == me:
            assert event.payload is None
    assert [seq for seq, _ in service.log.iter_attachments(study)] == [1]  # the study's key
    with pytest.raises(RefusedError):
        service.join(token)
    assert service.overview(study).pools[0].labels == 0
    assert len(answer_all(service, study, come_in(service, study))) == 3
    assert is_sound(service, study)


def test_repeats_come_later_and_fill_no_place(tmp_path: Path) -> None:
    """Each is one of the person's own earlier images, in the second half."""
    service, study = open_small(
        tmp_path, stimuli=12, images_per_annotator=10, repeats=3, pools=("guided",)
    )
    me = come_in(service, study)
    assert len(answer_all(service, study, me)) == 13
    person = service.state(study).annotators[me]
    repeats = [one for one in person.assignments if one.kind == REPEAT]
    assert len(repeats) == 3
    assert len({one.stimulus for one in repeats}) == 3
    for one in repeats:
        first = next(other for other in person.assignments if other.stimulus == one.stimulus)
        assert one.position - first.position >= 5
        assert one.position > 6
    assert service.overview(study).pools[0].labels == 10


def test_paused_study_takes_answers_under_way_and_shows_no_new_image(tmp_path: Path) -> None:
    """And goes on where it was."""
    service, study = open_small(tmp_path)
    me = come_in(service, study)
    trial = service.annotator_view(study, me).trial
    assert trial is not None
    service.pause(study)
    assert service.answer(study, me, post(trial.key)).is_counted
    assert service.annotator_view(study, me).phase == "paused"
    service.resume(study)
    assert service.annotator_view(study, me).progress.done == 1
    assert len(answer_all(service, study, me)) == 2


def test_two_servers_on_one_log_agree(tmp_path: Path) -> None:
    """Two services answer for different people at once and neither loses or doubles anything."""
    one, study = open_small(tmp_path, stimuli=12, images_per_annotator=12, pools=("unguided",))
    two = StudyService(one.log, tmp_path, now=one.now)
    people = [(service, come_in(one, study)) for service in (one, two, one, two)]
    threads = [
        threading.Thread(target=answer_all, args=(service, study, who)) for service, who in people
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for service in (one, two):
        counts = service.overview(study).pools[0]
        assert (counts.labels, counts.surplus) == (12, 0)
        assert is_sound(service, study)


def test_erased_person_is_gone_on_every_server(tmp_path: Path) -> None:
    """A server that had the person in memory folds its state anew."""
    one, study = open_small(tmp_path)
    two = StudyService(one.log, tmp_path, now=one.now)
    me = come_in(one, study)
    answer_all(two, study, me)
    one.erase(study, me)
    assert me not in two.state(study).annotators
    assert two.overview(study).erased == 1
    assert is_sound(two, study)
