"""What people do beside images: questions, a gate, breaks, a consent that changes, leaving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from umnist_core.errors import InvalidValueError, NotFoundError, RefusedError
from umnist_core.labeling import decisions
from umnist_core.labeling.asked import AMENDABLE, amended, is_break_due, rest_left_s
from umnist_core.labeling.asking_events import (
    ConsentAmended,
    GateTried,
    QuestionsAnswered,
    Rested,
)
from umnist_core.labeling.events import ScreenedOut
from umnist_core.labeling.log import Draft, sha256
from umnist_core.labeling.managing import Managing
from umnist_core.labeling.people import page_of, phase_of, total_of
from umnist_core.labeling.recorded import check_key
from umnist_core.labeling.state import StudyState


@dataclass(frozen=True)
class Deleted:
    """What of a person was deleted, and is nowhere in the store any more.

    Attributes
    ----------
    answers, pages, practised
        Answers to images, with their traces; pages of questions; answers to practice images.
    events
        Events that were emptied, these and all others of the person.
    """

    answers: int
    pages: int
    practised: int
    events: int


class Surveying(Managing):
    """The part of `umnist_core.labeling.service.StudyService` for what is asked beside images."""

    def answer_page(self, study: str, annotator: str, key: str, page: str, answers: object) -> None:
        """Take a page of questions in; it is on disk when this returns.

        A page that was sent already stays as it was.

        Raises
        ------
        InvalidValueError
            If a required answer is missing or one is none; the sentence names the question.
        NotFoundError
            If there is no such study or page.
        RefusedError
            ``not_asked`` for a page that is not open, ``closed``, ``withdrawn``,
            ``screened_out``, ``no_session`` or ``revoked``.
        StoreError
            If the store cannot be written.
        """
        check_key(key)

        def decide(state: StudyState, now: str) -> Sequence[Draft]:
            person = decisions.get_person(state, annotator)
            pages = dict(state.spec.asking.pages)
            if page not in pages:
                raise NotFoundError("There is no such page of questions; reload the page.")
            if page in person.asked.pages:
                return []
            decisions.check_not_closed(state)
            decisions.check_takes_part(state, person)
            read = pages[page].read(answers)
            if page != page_of(state, person):
                raise RefusedError("This page is not asked now; reload the page.", "not_asked")
            fact = QuestionsAnswered(annotator=annotator, key=key, page=page, answers=read)
            return [fact.draft(annotator)]

        self._change(study, decide)

    def try_gate(self, study: str, annotator: str, key: str, chosen: object) -> None:
        """Take answers to the questions on the instructions; the same key counts once.

        Whoever has a wrong one is back at the instructions, and after the last try is screened
        out.

        Raises
        ------
        InvalidValueError, NotFoundError, RefusedError, StoreError
            As `answer_page`.
        """
        check_key(key)

        def decide(state: StudyState, now: str) -> Sequence[Draft]:
            person = decisions.get_person(state, annotator)
            gate = state.spec.asking.gate
            if gate is None or key in person.asked.gate_keys or person.asked.has_passed:
                return []
            decisions.check_not_closed(state)
            decisions.check_takes_part(state, person)
            wrong = gate.wrong(chosen)
            if phase_of(state, person) != "gate":
                raise RefusedError("This is not asked now; reload the page.", "not_asked")
            tried = GateTried(annotator=annotator, key=key, chosen=list(chosen), wrong=list(wrong))  # type: ignore[call-overload]
            drafts = [tried.draft(annotator)]
            if wrong and person.asked.gate_tries + 1 >= gate.tries:
                out = ScreenedOut(annotator=annotator, key=key, reason="comprehension")
                drafts.append(out.draft(annotator))
            return drafts

        self._change(study, decide)

    def rest(self, study: str, annotator: str, key: str) -> None:
        """Go on after a break.

        Raises
        ------
        RefusedError
            ``resting`` before it is over; else as `answer_page`.
        NotFoundError, StoreError
            As `answer_page`.
        """
        check_key(key)

        def decide(state: StudyState, now: str) -> Sequence[Draft]:
            person = decisions.get_person(state, annotator)
            if not is_break_due(state, person, total_of(state, person)):
                return []
            decisions.check_not_closed(state)
            decisions.check_takes_part(state, person)
            if left := rest_left_s(state, person, now):
                raise RefusedError(f"The break lasts {left} s more.", "resting", seconds=left)
            return [Rested(annotator=annotator, key=key, done=person.done).draft(annotator)]

        self._change(study, decide)

    # -- consent ------------------------------------------------------------------------

    def amend_consent(self, study: str, texts: Mapping[str, str]) -> int:
        """Give a study another consent; people at work are asked before their next image.

        Parameters
        ----------
        texts
            Setting -> its new text, of `umnist_core.labeling.asked.AMENDABLE`.

        Returns
        -------
        int
            Version of the consent as it is then; the one that it was if nothing changes.

        Raises
        ------
        InvalidValueError
            If a setting is another, or a text is not allowed.
        NotFoundError
            If there is no such study.
        RefusedError
            ``closed``, or ``self`` if it is a study of oneself.
        StoreError
            If the store cannot be written.
        """
        if unknown := sorted(set(texts) - set(AMENDABLE)):
            raise InvalidValueError(
                f"The consent alone can be amended, by {', '.join(AMENDABLE)}; got "
                f"{unknown[0][:40]!r}."
            )

        def decide(state: StudyState, now: str) -> Sequence[Draft]:
            decisions.check_not_closed(state)
            decisions.check_is_for_others(state)
            text = amended(state.spec, texts).consent_text
            if text == state.consents[-1].text:
                return []
            version = state.consents[-1].version + 1
            hashed = sha256(text)
            fact = ConsentAmended(version=version, texts=dict(texts), consent_sha256=hashed)
            return [fact.draft()]

        return self._change(study, decide).consents[-1].version

    # -- leaving ------------------------------------------------------------------------

    def erase_oneself(self, study: str, annotator: str) -> Deleted:
        """Delete everything of a person by their own wish, also from a study that is closed.

        Raises
        ------
        NotFoundError
            If there is no such study.
        RefusedError
            ``no_session`` for somebody unknown or erased, ``self`` in a study of oneself.
        StoreError
            If the store cannot be written.
        """
        state = self.state(study)
        person = decisions.get_known(state, annotator)
        if state.spec.is_self:
            raise RefusedError(
                "A study of oneself is deleted where it lies, by whoever made it.", "self"
            )
        answers, pages = len(person.answered), len(person.asked.pages)
        practised = len(person.practised)
        events = self.erase(study, annotator)
        return Deleted(answers, pages, practised, events)
