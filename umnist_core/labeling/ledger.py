"""A study's state in this process, and the one way to change it.

A change is a function of the study's state that returns drafts of events. It runs under
the study's lock in this process; if another process has appended in the meantime, the log
refuses, the new events are read and the decision is made again on them. So two servers on
one database, or a server that was killed and started again, never disagree.
"""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from umnist_core.errors import (
    ClaimError,
    NotFoundError,
    SequenceError,
    StoreError,
    UmnistError,
)
from umnist_core.labeling.claims import claims_of, merged
from umnist_core.labeling.events import INVITED_PERSON, OWN, InviteCreated, PersonErased
from umnist_core.labeling.log import Draft, EventLog, chain, sha256
from umnist_core.labeling.private import close_lab_to_others
from umnist_core.labeling.secret import derive, derive_text, load_secret
from umnist_core.labeling.state import Invite, StudyState
from umnist_core.labeling.study_key import KEY_SEQ, StudyKey
from umnist_core.labeling.times import SteadyClock, text_of_time

TRIES = 50
"""Decisions that are made anew because another process was faster, before giving up."""

Decide = Callable[[StudyState, str], Sequence[Draft]]


class HeldStudy:
    """A study's state in this process, and the lock under which it is read and changed."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.lock = threading.RLock()
        self.clock = SteadyClock(clock)
        self.state: StudyState | None = None
        self.key: StudyKey | None = None
        self.sums: Mapping[str, int] | None = None


class Ledger:
    """The studies of one store.

    Every method is safe to call from many threads, and what it has returned from is on disk.

    Parameters
    ----------
    log
        Where events are kept.
    folder
        Where frozen images lie: ``folder/studies/STUDY/``.
    secret
        Signs links and codes; that of the folder when None.
    now
        Clock, for tests; aware, in UTC.
    """

    def __init__(
        self,
        log: EventLog,
        folder: Path,
        *,
        secret: bytes | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.log = log
        self.folder = folder
        self.secret = load_secret(folder) if secret is None else secret
        close_lab_to_others(folder)
        self.now = now
        self._lock = threading.Lock()
        self._studies: dict[str, HeldStudy] = {}

    # -- state ------------------------------------------------------------------------

    def state(self, study: str) -> StudyState:
        """Return a study as the log has it now; not to be changed.

        It goes on with the study, in other threads and when it is asked for again: take a
        ``tuple`` of what is walked through.

        Raises
        ------
        NotFoundError
            If there is no such study.
        StoreError
            If the store cannot be read.
        """
        held = self._held(study)
        with held.lock:
            return self._fresh(study, held)

    def studies(self) -> list[str]:
        """Return the ids of all studies, oldest first."""
        return self.log.studies()

    def _held(self, study: str) -> HeldStudy:
        with self._lock:
            return self._studies.setdefault(study, HeldStudy(self.now))

    def _fresh(self, study: str, held: HeldStudy) -> StudyState:
        """Take in what has been appended by others; called under the study's lock."""
        head = held.state.head if held.state else None
        events = self.log.read(study, head.seq if head else 0)
        # Erasing empties events that are in the state already: it is folded anew.
        if held.state is None or any(event.kind == PersonErased.event_kind for event in events):
            events = self.log.read(study) if head else events
            if not events:
                with self._lock:
                    self._studies.pop(study, None)
                raise NotFoundError(f"There is no study {study[:40]!r}; see the list of studies.")
            held.state = StudyState(events)
            return held.state
        try:
            for event in events:
                held.state.apply(event)
        except BaseException:
            held.state = None  # half applied
            raise
        return held.state

    def _change(self, study: str, decide: Decide) -> StudyState:
        """Decide on the newest state and log what was decided.

        Raises
        ------
        NotFoundError, RefusedError, StoreError
            As the decision does, and as the log does.
        """
        held = self._held(study)
        for attempt in range(TRIES):
            with held.lock:
                state, drafts, now = self._decide(study, held, decide, is_first=attempt == 0)
                if not drafts:
                    return state
                events = chain(study, drafts, state.head, now)
                attachments = {
                    event.seq: draft.attachment
                    for event, draft in zip(events, drafts, strict=True)
                    if draft.attachment is not None
                }
                try:
                    self.log.append(events, merged(map(claims_of, events)), attachments)
                except (SequenceError, ClaimError):
                    # Someone else was faster; a claim can only be taken by events not read yet.
                    if attempt == TRIES - 1:
                        raise
                else:
                    try:
                        for event in events:
                            state.apply(event)
                    except BaseException:
                        held.state = None
                        raise
                    return state
            time.sleep(0.002 * secrets.randbelow(attempt + 2))
        raise StoreError("Too many others were writing; nothing was kept. Try again.")

    def _decide(
        self, study: str, held: HeldStudy, decide: Decide, *, is_first: bool
    ) -> tuple[StudyState, Sequence[Draft], str]:
        """Return a state, what is decided on it, and when; called under the study's lock.

        At first the state is the one at hand: if others have appended since, the log refuses
        what is decided on it. Only a decision that writes nothing needs the newest state.
        """
        if is_first and held.state is not None:
            now = text_of_time(_time_of(held, held.state))
            with contextlib.suppress(UmnistError):
                if drafts := decide(held.state, now):
                    return held.state, drafts, now
        state = self._fresh(study, held)
        now = text_of_time(_time_of(held, state))
        return state, decide(state, now), now

    def _now(self, study: str, state: StudyState) -> datetime:
        """Return a study's time (`SteadyClock`), of a state of it."""
        return _time_of(self._held(study), state)

    def _invite_draft(
        self,
        study: str,
        invite: str,
        pool: str | None,
        expires_utc: str | None,
        *,
        annotator: str | None = None,
        is_open: bool = False,
        origin: str = INVITED_PERSON,
    ) -> Draft:
        fact = InviteCreated(
            invite=invite,
            token_hash=sha256(self._token(study, invite)),
            pool=pool,
            annotator=annotator,
            expires_utc=expires_utc,
            is_open=is_open,
            origin=origin,
        )
        return fact.draft(annotator)

    def self_link_draft(self, study: str, pool: str) -> Draft:
        """Return the one link of a study of oneself, which it is made with."""
        return self._invite_draft(study, f"i{secrets.token_hex(6)}", pool, None, origin=OWN)

    def _token(self, study: str, invite: str) -> str:
        # Derived, so that a researcher can look a link up again though only its hash is stored.
        return derive_text(self.secret, "invite", study, invite)

    def _own_token(self, state: StudyState, study: str, annotator: str) -> str:
        own = [one.id for one in state.invites.values() if one.annotator == annotator]
        return self._token(study, own[-1]) if own else ""

    def _alias(self, state: StudyState, study: str, invite: Invite) -> str | None:
        """Return what an address has for a link's name; None where it has none of this secret."""
        named = state.recruits.name_of(invite.id)
        return None if named is None else self._alias_token(study, *named, is_open=invite.is_open)

    def _alias_token(self, study: str, alias: str, name: str, *, is_open: bool) -> str:
        # Whoever guesses a personal link is that person, so a name alone does not open one.
        ending = base64.b32encode(derive(self.secret, "alias", study, alias)).decode()[:10]
        return name if is_open else f"{name}-{ending.lower()}"

    def _code(self, study: str, annotator: str) -> str:
        text = base64.b32encode(derive(self.secret, "code", study, annotator)).decode()[:8]
        return f"{text[:4]}-{text[4:]}"

    def _key(self, study: str) -> StudyKey | None:
        """Return a study's key; None if it has none, or came from elsewhere without."""
        held = self._held(study)
        if held.key is None:
            text = self.log.read_attachment(study, KEY_SEQ)
            held.key = None if text is None else StudyKey.from_text(text)
        return held.key

    def _sums(self, study: str) -> Mapping[str, int]:
        """Return image -> sum of its digits, read once, of an adaptive study; else nothing."""
        held = self._held(study)
        if held.sums is None:
            truth = self.log.read_truth(study) if self.state(study).spec.adaptive else {}
            held.sums = {name: json.loads(text)["label"] for name, text in truth.items()}
        return held.sums

    def study_folder(self, study: str) -> Path:
        """Return where a study's frozen images lie."""
        return self.folder / "studies" / study

    def _file(self, state: StudyState, study: str, name: str) -> Path:
        return self.study_folder(study) / f"{name}{state.suffixes[name]}"


def _time_of(held: HeldStudy, state: StudyState) -> datetime:
    return held.clock.now(state.head.time_utc if state.head else "")
