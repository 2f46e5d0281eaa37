"""What the label routes ask of the studies: one blocking method for each address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from starlette.requests import HTTPConnection

from umnist_core.errors import NotFoundError, RefusedError, StoreError
from umnist_core.labeling.language import Language
from umnist_core.labeling.recorded import AnswerPost
from umnist_core.labeling.self_study import summarise
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.state import QUOTA_FULL
from umnist_core.labeling.views import AnnotatorView
from umnist_core.server.labeling.sessions import Session, Signer, read_session
from umnist_core.server.labeling.state_json import (
    IMAGE_PURPOSE,
    feedback_json,
    state_json,
    warm_keys,
)
from umnist_core.server.labeling.tiles import GUIDED, SHEET_KEY, LabelTiles
from umnist_core.settings import Settings


class Desk:
    """Serves the people of all studies; every method may be called from many threads.

    Parameters
    ----------
    service
        The studies. Its secret signs cookies and addresses too.
    settings
        Limits and cache size.

    Attributes
    ----------
    signer
        Signs and checks.
    tiles
        Tiles of what studies show.
    """

    def __init__(self, service: StudyService, settings: Settings) -> None:
        self._service = service
        self.signer = Signer(service.secret)
        self.tiles = LabelTiles(service, settings)

    def join(self, connection: HTTPConnection, token: str, ids: Mapping[str, object]) -> Session:
        """Let somebody in by a link; a browser that is known comes back as who it was.

        Raises
        ------
        NotFoundError, RefusedError, StoreError
            As `StudyService.join`.
        """
        found = self._service.find_link(token)
        known = read_session(connection, self.signer, found[0]) if found else None
        joined = self._service.join(token, known.annotator if known else None, ids)
        return Session(joined.study, joined.annotator)

    def language(self, study: str) -> Language:
        """Return the language of a study; errors as `StudyService.state`."""
        return self._service.state(study).spec.speech

    def language_of_link(self, token: str) -> Language:
        """Return the language of a link's study.

        Raises
        ------
        NotFoundError
            If there is no such link.
        StoreError
            As `StudyService.state`.
        """
        found = self._service.find_link(token)
        if found is None:
            raise NotFoundError("There is no such link; open it as it was sent.")
        return self.language(found[0])

    def state(self, session: Session) -> dict[str, Any]:
        """Return where a person stands, and make what comes next ready.

        Raises
        ------
        NotFoundError, RefusedError, StoreError
            As `StudyService.annotator_view`.
        """
        return self._told(session, self._view(session))

    def consent(
        self,
        session: Session,
        key: str,
        device: Mapping[str, Any] | None = None,
        version: int | None = None,
    ) -> dict[str, Any]:
        """Record consent and return the state; errors as `StudyService.consent`.

        Raises
        ------
        RefusedError
            ``device`` on one that the study does not take.
        """
        self._service.check_device(session.study, device)
        self._service.consent(session.study, session.annotator, key, version)
        return self.state(session)

    def screen_out(
        self, session: Session, key: str, device: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """End the part of somebody whose device does not fit and return the state.

        Errors as `StudyService.screen_out`.
        """
        self._service.screen_out(session.study, session.annotator, key, device)
        return self.state(session)

    def answer_page(self, session: Session, key: str, page: str, answers: object) -> dict[str, Any]:
        """Take a page of questions in and return the state; errors as the service's."""
        self._service.answer_page(session.study, session.annotator, key, page, answers)
        return self.state(session)

    def try_gate(self, session: Session, key: str, chosen: object) -> dict[str, Any]:
        """Take answers on the instructions in and return the state; errors as the service's."""
        self._service.try_gate(session.study, session.annotator, key, chosen)
        return self.state(session)

    def rest(self, session: Session, key: str) -> dict[str, Any]:
        """End a break and return the state; errors as `StudyService.rest`."""
        self._service.rest(session.study, session.annotator, key)
        return self.state(session)

    def erase(self, session: Session) -> dict[str, Any]:
        """Delete everything of a person; return what that was, and what they are told last."""
        view = self._service.annotator_view(session.study, session.annotator, reserve=False)
        deleted = self._service.erase_oneself(session.study, session.annotator)
        told = view.spec.asking.debriefing.strip() if deleted.answers else ""
        return {"erased": asdict(deleted), "debriefing": told or None}

    def begin(self, session: Session, key: str) -> dict[str, Any]:
        """Record that the instructions were read; as `consent`."""
        self._service.begin(session.study, session.annotator, key)
        return self.state(session)

    def withdraw(self, session: Session, key: str) -> dict[str, Any]:
        """End a person's part by their own wish and return the state; as `consent`."""
        self._service.withdraw(session.study, session.annotator, key)
        return self.state(session)

    def practise(
        self, session: Session, key: str, practice: str, answer: int, **given: Any
    ) -> dict[str, Any]:
        """Record a practice answer; return feedback and state; errors as the service's."""
        study, annotator = session.study, session.annotator
        feedback = self._service.practise(study, annotator, key, practice, answer, **given)
        return {"feedback": feedback_json(feedback), "state": self.state(session)}

    def answer(self, session: Session, post: AnswerPost) -> dict[str, Any]:
        """Take an answer in; it is on disk when this returns. Errors as `StudyService.answer`.

        In a study of oneself, what is told of it comes along.
        """
        study, annotator = session.study, session.annotator
        saved = self._service.answer(study, annotator, post)
        feedback = self._service.feedback(study, annotator, post.assignment)
        told = {} if feedback is None else {"feedback": feedback_json(feedback)}
        reply = {"saved": True, "key": saved.key, "counted": saved.is_counted, **told}
        return {**reply, "state": self.state(session)}

    def keep_alive(self, session: Session, assignment: str) -> None:
        """Keep an image reserved; errors as `StudyService.keep_alive`."""
        self._service.keep_alive(session.study, session.annotator, assignment)

    def check_address(self, session: Session, key: str, signature: str) -> None:
        """Check that an image's address was made for a person.

        Raises
        ------
        RefusedError
            ``not_yours`` if it was not.
        """
        parts = (session.study, session.annotator, key)
        if not self.signer.is_signed(signature, IMAGE_PURPOSE, *parts):
            raise RefusedError("This image is not one of yours; reload the page.", "not_yours")

    def _view(self, session: Session) -> AnnotatorView:
        """Return where a person stands, with what is reserved already if nothing new can be.

        So a full disk keeps nobody from the open image. Somebody who has none then would look
        as if every image were with others; that is not said.
        """
        study, annotator = session.study, session.annotator
        try:
            return self._service.annotator_view(study, annotator)
        except StoreError:
            view = self._service.annotator_view(study, annotator, reserve=False)
            if view.phase == "held" or view.outcome == QUOTA_FULL:
                raise
            return view

    def _told(self, session: Session, view: AnnotatorView) -> dict[str, Any]:
        sheet_size = self.tiles.sheet_size() if view.pool == GUIDED else None
        keys = warm_keys(view)
        if sheet_size is not None and view.phase == "instructions":
            keys = [SHEET_KEY, *keys]
        self.tiles.warm(session, keys)
        is_summed_up = view.spec.is_self and view.spec.has_truth and view.phase == "done"
        summary = summarise(self._service, view.study) if is_summed_up else None
        return state_json(view, self.signer, sheet_size, summary)
