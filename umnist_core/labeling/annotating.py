"""What a person who takes part does: join, agree, practise, answer."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from umnist_core.errors import NotFoundError, RefusedError
from umnist_core.labeling import decisions
from umnist_core.labeling.boxes import Box, check_sum_of_boxes, check_within
from umnist_core.labeling.events import Began, Consented, Joined, Practised, Withdrew
from umnist_core.labeling.log import Draft, canonical_json, sha256
from umnist_core.labeling.people import COMPLETE, annotator_view, is_over, outcome_of
from umnist_core.labeling.practice import PracticeImage
from umnist_core.labeling.recorded import AnswerPost, check_key, check_sum
from umnist_core.labeling.recruiting import missing_id, read_ids
from umnist_core.labeling.recruitment import Recruitment
from umnist_core.labeling.state import QUOTA_FULL, Invite, StudyState
from umnist_core.labeling.views import AnnotatorView, Arrival, Feedback, Saved

_NO_IDS: Mapping[str, object] = MappingProxyType({})


class Annotating(Recruitment):
    """The part of `umnist_core.labeling.service.StudyService` that annotators reach."""

    # -- coming in ----------------------------------------------------------------------

    def join(
        self, token: str, resume: str | None = None, ids: Mapping[str, object] = _NO_IDS
    ) -> Arrival:
        """Let somebody in by a link.

        Parameters
        ----------
        token
            The secret part of the link.
        resume
            Who this browser is in that study already, by its cookie; comes back as that person
            if the link is the open one.
        ids
            Parameters that came with the link. Those that the study keeps are kept, apart from
            what is answered, and whoever they say it is comes back as the same person.

        Raises
        ------
        NotFoundError
            If there is no such link.
        RefusedError
            ``expired``, ``revoked`` or ``closed``; ``no_id`` if the link does not say who it is
            and the study needs to know.
        StoreError
            If the store cannot be written.
        """
        found = self.find_link(token)
        if found is None:
            raise NotFoundError(
                "This link is not one of ours, or was cut off; open it again as it was sent, or "
                "ask for a new one."
            )
        study, invite_id = found
        arrived: list[Arrival] = []

        def decide(state: StudyState, now: str) -> Sequence[Draft]:
            arrived.clear()
            invite = decisions.get_usable_invite(state, invite_id, now)
            kept = read_ids(state.spec.recruiting, ids)
            known = self._known(state, study, invite, resume, kept)
            if known is not None:
                arrived.append(Arrival(study, known, is_new=False))
                is_over_ = is_over(state, state.annotators[known])
                return [] if is_over_ else self._recruit_drafts(state, study, known, kept)
            if state.status == "closed":
                raise RefusedError(
                    "This study is closed; nobody can join it any more.", "closed", "closed.join"
                )
            _check_says_who(state, invite, kept, ids)
            annotator = f"p{secrets.token_hex(8)}"
            arrived.append(Arrival(study, annotator, is_new=True))
            drafts = self._join_drafts(state, study, invite, annotator, now)
            return [*drafts, *self._recruit_drafts(state, study, annotator, kept)]

        self._change(study, decide)
        return arrived[0]

    def _known(
        self,
        state: StudyState,
        study: str,
        invite: Invite,
        resume: str | None,
        ids: Mapping[str, str],
    ) -> str | None:
        """Return who somebody is who comes by a link; None for somebody new.

        A link that is somebody's is that person. Else it is whoever its ids say, in any browser;
        only where they say nothing, whoever the browser was before.
        """
        if invite.annotator is not None:
            return invite.annotator
        person_hash = self._person_hash(state, study, ids)
        if person_hash is not None:
            return state.recruits.annotators.get(person_hash)
        return resume if invite.is_open and resume in state.annotators else None

    def _join_drafts(
        self, state: StudyState, study: str, invite: Invite, annotator: str, now: str
    ) -> list[Draft]:
        pool = invite.pool or decisions.pool_in_need(state, now)
        key = self._key(study)
        joined = Joined(
            annotator=annotator,
            pool=pool,
            invite=invite.id,
            seed=secrets.randbits(63) if key is None else key.order_seed(annotator),
            consent_sha256=sha256(state.spec.consent_text),
            origin=invite.origin,
        )
        drafts = [joined.draft(annotator)]
        if invite.is_open:  # a link of one's own, to come back by from any browser
            own = f"i{secrets.token_hex(6)}"
            drafts.append(
                self._invite_draft(
                    study, own, pool, None, annotator=annotator, origin=invite.origin
                )
            )
        return drafts

    # -- a person's way -------------------------------------------------------------------

    def annotator_view(self, study: str, annotator: str, *, reserve: bool = True) -> AnnotatorView:
        """Return where a person stands; reserves the open image and the next if wanted.

        Somebody whose link was ended is told how their part ended, and given nothing more.

        Raises
        ------
        NotFoundError
            If there is no such study.
        RefusedError
            ``no_session`` for somebody unknown or erased.
        StoreError
            If something is to be reserved and the store cannot be written.
        """
        held = self._held(study)
        sums = self._sums(study)
        decided: list[Draft] = []
        now_utc = ""

        def decide(state: StudyState, now: str) -> Sequence[Draft]:
            nonlocal now_utc
            now_utc = now
            person = decisions.get_known(state, annotator)
            decided[:] = decisions.reserve(state, person, now, sums) if reserve else []
            return decided

        with held.lock:
            state = self._change(study, decide)
            while decided:  # one thing at a time, until there is no more to reserve
                state = self._change(study, decide)
            own = self._own_token(state, study, annotator)
            return annotator_view(
                state,
                study,
                decisions.get_known(state, annotator),
                now_utc,
                link_token=own,
                code=self._code(study, annotator),
                ids=self._ids_for_redirect(state, study, annotator),
            )

    def _ids_for_redirect(self, state: StudyState, study: str, annotator: str) -> Mapping[str, str]:
        """Return somebody's ids where the address that they are sent to may need them."""
        recruiting = state.spec.recruiting
        person = decisions.get_known(state, annotator)
        if recruiting is None or not recruiting.redirects or not is_over(state, person):
            return {}
        return self._ids(state, study, annotator)

    def consent(self, study: str, annotator: str, key: str, version: int | None = None) -> None:
        """Record that a person agrees to take part.

        Parameters
        ----------
        version
            Of the consent that was read; the one that there is when None.

        Raises
        ------
        InvalidValueError, NotFoundError, RefusedError, StoreError
            As `answer`.
        """
        check_key(key)

        def decide(state: StudyState, now: str) -> Sequence[Draft]:
            person = decisions.get_person(state, annotator)
            if person.is_consented:
                return []
            decisions.check_not_closed(state)
            decisions.check_takes_part(state, person)
            newest = state.consents[-1].version
            if version not in (None, newest):
                raise RefusedError(
                    "The consent was changed meanwhile; reload the page and read it.", "amended"
                )
            return [Consented(annotator=annotator, key=key, version=newest).draft(annotator)]

        self._change(study, decide)

    def begin(self, study: str, annotator: str, key: str) -> None:
        """Record that a person has read the instructions; as `consent`."""
        check_key(key)

        def decide(state: StudyState, now: str) -> Sequence[Draft]:
            person = decisions.get_person(state, annotator)
            if person.has_begun or key in person.asked.begin_keys:
                return []
            decisions.check_not_closed(state)
            decisions.check_takes_part(state, person)
            return [Began(annotator=annotator, key=key).draft(annotator)]

        self._change(study, decide)

    def withdraw(self, study: str, annotator: str, key: str) -> None:
        """End a person's part by their own wish; as `consent`.

        What they gave stays until they are erased; places that are held for them are free.
        Also for somebody who has answered every image; changes nothing for somebody whose part
        ended otherwise.
        """
        check_key(key)

        def decide(state: StudyState, now: str) -> Sequence[Draft]:
            person = decisions.get_person(state, annotator)
            if outcome_of(state, person) not in (None, COMPLETE, QUOTA_FULL):
                return []
            decisions.check_not_closed(state)
            return [Withdrew(annotator=annotator, key=key).draft(annotator)]

        self._change(study, decide)

    def practise(
        self,
        study: str,
        annotator: str,
        key: str,
        practice: str,
        answer: int,
        *,
        confidence: int | None = None,
        digits: Sequence[int] | None = None,
        boxes: Sequence[Box] | None = None,
    ) -> Feedback:
        """Record a practice answer and return what its pool is told of it.

        The first answer to an image is recorded; the same image may be answered again.

        Raises
        ------
        InvalidValueError
            If the answer is none.
        NotFoundError
            If there is no such study or practice image.
        RefusedError
            ``closed``, ``withdrawn``, ``not_begun``, ``no_session`` or ``revoked``.
        StoreError
            If the store cannot be written.
        """
        check_key(key)
        if boxes is None:
            check_sum(answer)
        else:
            check_sum_of_boxes(answer, boxes)
        found: list[PracticeImage] = []

        def decide(state: StudyState, now: str) -> Sequence[Draft]:
            found[:] = [image for image in state.practice if image.id == practice]
            if not found:
                raise NotFoundError("There is no such practice image; reload the page.")
            person = decisions.get_person(state, annotator)
            if practice in person.practised:
                return []
            decisions.check_not_closed(state)
            decisions.check_takes_part(state, person)
            decisions.check_has_begun(state, person)
            given = decisions.practised_with(state, practice, confidence, digits, boxes)
            fact = Practised(
                annotator=annotator, key=key, practice=practice, answer=answer, **given
            )
            return [fact.draft(annotator)]

        state = self._change(study, decide)
        pool = decisions.get_person(state, annotator).pool
        is_full = state.spec.practice_feedback[pool] == "full"
        return Feedback(answer, answer == found[0].label, found[0] if is_full else None)

    def answer(self, study: str, annotator: str, post: AnswerPost) -> Saved:
        """Take an answer in; it is on disk when this returns.

        The same key again gives the same result and changes nothing. An answer that comes after
        its place was kept for it counts if its image still has a place that nobody at work needs;
        else it is kept and not counted. It is one of the person's answers either way.

        Raises
        ------
        NotFoundError
            If there is no such study.
        RefusedError
            ``not_yours``, ``already_answered``, ``changed_enough``, ``debriefed``, ``withdrawn``,
            ``closed``, ``no_session`` or ``revoked``.
        StoreError
            If the store cannot be written; nothing was kept, and the answer is to be sent again.
        """
        saved: list[Saved] = []

        def decide(state: StudyState, now: str) -> Sequence[Draft]:
            person = decisions.get_person(state, annotator)
            one = state.assignments.get(post.assignment)
            if one is None or one.annotator != annotator:
                raise RefusedError("This image is not one of yours; reload the page.", "not_yours")
            if post.key in state.keys:
                if state.keys[post.key] is not one:
                    raise RefusedError("This key belongs to another answer.", "not_yours")
                saved[:] = [Saved(post.key, one.is_counted, was_there=True)]
                return []
            decisions.check_not_closed(state)
            decisions.check_takes_part(state, person)
            decisions.check_is_whole(state, post.confidence, post.digits, post.boxes)
            check_within(post.boxes or (), state.sizes[one.stimulus])
            if one.given:
                decisions.check_may_change(state, person, one)
            place = None if one.given else decisions.place_for(state, person, one, now)
            fact = decisions.answer_fact(person, one, post, place)
            saved[:] = [Saved(post.key, fact.counted, was_there=False)]
            return [fact.draft(annotator, canonical_json(post.parts))]

        self._change(study, decide)
        return saved[0]

    def feedback(self, study: str, annotator: str, assignment: str) -> Feedback | None:
        """Return what a study of oneself tells of an answer that is on disk; None of any other.

        Raises
        ------
        NotFoundError, StoreError
            As `annotator_view`.
        """
        state = self.state(study)
        one = state.assignments.get(assignment)
        if not state.spec.trial_feedback or one is None:
            return None
        if one.annotator != annotator or not one.given:
            return None
        truth = json.loads(self.log.read_truth(study)[one.stimulus])
        image = PracticeImage(one.id, truth["label"], tuple(truth["digits"] or ()))
        answer = one.given[-1].answer
        return Feedback(answer, answer == image.label, image)

    def keep_alive(self, study: str, annotator: str, assignment: str) -> None:
        """Keep an open image reserved; does nothing for one that is answered or gone.

        Raises
        ------
        NotFoundError, RefusedError, StoreError
            As `annotator_view`.
        """

        def decide(state: StudyState, now: str) -> Sequence[Draft]:
            person = decisions.get_person(state, annotator)
            one = state.assignments.get(assignment)
            if one is None or one.annotator != annotator:
                return []
            return decisions.renewals(state, person, now, one)

        self._change(study, decide)

    def image_file(self, study: str, annotator: str, key: str) -> Path:
        """Return the frozen file of a person's own image or of a practice image.

        Raises
        ------
        NotFoundError
            If there is no such study.
        RefusedError
            ``no_session``, ``revoked``, or ``not_yours`` for any other image.
        """
        state = self.state(study)
        decisions.get_person(state, annotator)
        one = state.assignments.get(key)
        if one is not None and one.annotator == annotator:
            return self._file(state, study, one.stimulus)
        if any(image.id == key for image in state.practice):
            return self._file(state, study, key)
        raise RefusedError("This image is not one of yours; reload the page.", "not_yours")


def _check_says_who(
    state: StudyState, invite: Invite, kept: Mapping[str, str], given: Mapping[str, object]
) -> None:
    """Refuse somebody new whose link is for all and does not say who they are, where it has to."""
    recruiting = state.spec.recruiting
    if recruiting is None or not (recruiting.person_id and recruiting.require_id):
        return
    if invite.is_open and recruiting.person_id not in kept:
        raise missing_id(recruiting, given)
