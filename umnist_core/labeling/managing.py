"""What a researcher does: invite, watch, pause, close, erase."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from umnist_core.errors import (
    InvalidValueError,
    NotFoundError,
    RefusedError,
    SequenceError,
    StoreError,
)
from umnist_core.labeling import decisions
from umnist_core.labeling.events import (
    INVITED_PERSON,
    ORIGINS,
    InviteRevoked,
    PersonErased,
    ResultsSeen,
    StudyClosed,
    StudyPaused,
    StudyResumed,
)
from umnist_core.labeling.fact import Fact
from umnist_core.labeling.ledger import TRIES, Ledger
from umnist_core.labeling.log import Draft, chain, sha256
from umnist_core.labeling.people import code_of, outcome_of, phase_of, total_of
from umnist_core.labeling.state import SCREENED_OUT, Annotator, Invite, StudyState
from umnist_core.labeling.study_key import StudyKey
from umnist_core.labeling.times import MINUTES_A_DAY, later, text_of_time
from umnist_core.labeling.views import ListedAnnotator, ListedInvite, Overview, PoolCounts


class Managing(Ledger):
    """The part of `umnist_core.labeling.service.StudyService` that researchers reach."""

    # -- the researcher's way ----------------------------------------------------------------

    def invite(
        self,
        study: str,
        count: int = 1,
        pool: str | None = None,
        days: float | None = None,
        *,
        origin: str = INVITED_PERSON,
    ) -> list[ListedInvite]:
        """Make personal links.

        Parameters
        ----------
        count
            How many, a link a person.
        pool
            Whose; the one that lacks more labels at the time of joining when None.
        days
            How long they can be opened for the first time and used; for ever when None.
        origin
            Whose data will come by them, one of `umnist_core.labeling.events.ORIGINS`; it is
            told with the data everywhere.

        Raises
        ------
        NotFoundError
            If there is no such study or pool.
        InvalidValueError
            If the origin is another.
        RefusedError
            ``closed``, or ``self`` if it is a study of oneself.
        StoreError
            If the store cannot be written.
        """
        if origin not in ORIGINS:
            raise InvalidValueError(f"Data are of {', '.join(ORIGINS)}; got {origin[:40]!r}.")
        return self._new_invites(study, count, pool, days, is_open=False, origin=origin)

    def open_link(self, study: str, days: float | None = None) -> ListedInvite:
        """Make a link that any number of people may join by.

        Raises
        ------
        InvalidValueError
            If the consent does not tell strangers whom to ask, how long it takes, how long data
            are kept or how to withdraw.
        NotFoundError, RefusedError, StoreError
            As `invite`.
        """
        if missing := self.state(study).spec.missing_for_strangers:
            raise InvalidValueError(
                f"An open link is for strangers, and this study does not tell them its "
                f"{', '.join(missing)}. Settings are fixed: make a study that has "
                f"{'it' if len(missing) == 1 else 'them'}, or invite people by personal links."
            )
        shared = self._new_invites(study, 1, None, days, is_open=True, origin=INVITED_PERSON)
        return shared[0]

    def _new_invites(
        self,
        study: str,
        count: int,
        pool: str | None,
        days: float | None,
        *,
        is_open: bool,
        origin: str,
    ) -> list[ListedInvite]:
        names = [f"i{secrets.token_hex(6)}" for _ in range(count)]

        def decide(state: StudyState, now: str) -> Sequence[Draft]:
            decisions.check_not_closed(state)
            decisions.check_is_for_others(state)
            expires = None if days is None else later(now, days * MINUTES_A_DAY)
            if pool is not None and pool not in state.spec.pools:
                raise NotFoundError(
                    f"The study's pools are {', '.join(state.spec.pools)}; got {pool[:40]!r}."
                )
            return [
                self._invite_draft(study, name, pool, expires, is_open=is_open, origin=origin)
                for name in names
            ]

        self._change(study, decide)
        made = set(names)
        return [row for row in self.invites(study) if row.invite in made]

    def revoke(self, study: str, invite: str) -> None:
        """End a link, and the session of the person who came by it; answers stay.

        Raises
        ------
        NotFoundError
            If there is no such study or link.
        StoreError
            If the store cannot be written.
        """

        def decide(state: StudyState, now: str) -> Sequence[Draft]:
            if invite not in state.invites:
                raise NotFoundError(f"Study {study} has no link {invite[:40]!r}.")
            if state.invites[invite].is_revoked:
                return []
            return [InviteRevoked(invite=invite).draft()]

        self._change(study, decide)

    def pause(self, study: str) -> None:
        """Show no new images until `resume`; answers under way are still taken."""
        self._set_status(study, "open", StudyPaused())

    def resume(self, study: str) -> None:
        """Go on after `pause`."""
        self._set_status(study, "paused", StudyResumed())

    def close(self, study: str) -> Overview:
        """Seal a study: nothing can be added any more, but a person can still be erased.

        Returns
        -------
        Overview
            With the hash of the last event, which names all that the study holds.
        """
        counts = [_counts_of(pool) for pool in self.overview(study).pools]
        closing = StudyClosed(pools=counts, has_key=self._key(study) is not None)

        def decide(state: StudyState, now: str) -> Sequence[Draft]:
            return [] if state.status == "closed" else [closing.draft()]

        self._change(study, decide)
        return self.overview(study)

    def note_seen(self, study: str, where: str) -> None:
        """Log that accuracies are shown, if the study is preregistered and not closed.

        Parameters
        ----------
        where
            As of `umnist_core.labeling.events.ResultsSeen`.

        Raises
        ------
        NotFoundError, StoreError
            As `overview`.
        """
        spec = self.state(study).spec

        def decide(state: StudyState, now: str) -> Sequence[Draft]:
            return [] if state.status == "closed" else [ResultsSeen(where=where).draft()]

        if spec.preregistration:
            self._change(study, decide)

    def key(self, study: str) -> StudyKey | None:
        """Return the key of a closed study; None if it has none, or came from elsewhere without.

        Raises
        ------
        RefusedError
            ``open`` while the study is not closed: whoever has the key has every sum.
        NotFoundError, StoreError
            As `overview`.
        """
        if self.state(study).status != "closed":
            raise RefusedError(
                "The key of a study is shown to nobody before it is closed; close it first.", "open"
            )
        return self._key(study)

    def _set_status(self, study: str, before: str, fact: Fact) -> None:
        def decide(state: StudyState, now: str) -> Sequence[Draft]:
            decisions.check_not_closed(state)
            return [fact.draft()] if state.status == before else []

        self._change(study, decide)

    def erase(self, study: str, annotator: str) -> int:
        """Delete a person with everything theirs; a tombstone and the hashes stay.

        Returns
        -------
        int
            Events that were emptied.

        Raises
        ------
        NotFoundError
            If there is no such study or person.
        StoreError
            If the store cannot be written.
        """
        state = self.state(study)
        if annotator not in state.annotators:
            raise NotFoundError(f"Study {study} has no person {annotator[:40]!r}.")
        for invite in [one.id for one in state.invites.values() if one.annotator == annotator]:
            self.revoke(study, invite)
        held = self._held(study)
        for attempt in range(TRIES):
            with held.lock:
                state = self._fresh(study, held)
                pool = state.annotators[annotator].pool if annotator in state.annotators else None
                draft = PersonErased(annotator=annotator, pool=pool).draft()
                now = text_of_time(self._now(study, state))
                event = chain(study, [draft], state.head, now)[0]
                try:
                    emptied = self.log.erase(event, annotator)
                except SequenceError:
                    if attempt == TRIES - 1:
                        raise
                else:
                    held.state = None
                    return emptied
        raise StoreError("Too many others were writing; nothing was erased. Try again.")

    def overview(self, study: str) -> Overview:
        """Return a study's settings and how full its pools are."""
        held = self._held(study)
        with held.lock:
            state = self._fresh(study, held)
            now = text_of_time(self._now(study, state))
            pools = tuple(decisions.pool_counts(state, pool, now) for pool in state.spec.pools)
            assert state.head is not None
            return Overview(
                study=study,
                spec=state.spec,
                status=state.status,
                created_utc=state.created_utc,
                last_utc=state.head.time_utc,
                events=state.head.seq,
                erased=state.erased,
                head_hash=state.head.hash,
                pools=pools,
                is_guessable=state.is_guessable,
            )

    def annotators(self, study: str) -> list[ListedAnnotator]:
        """Return the people of a study, in the order in which they joined."""
        held = self._held(study)
        with held.lock:
            state = self._fresh(study, held)
            return [self._row(state, study, one) for one in state.annotators.values()]

    def _row(self, state: StudyState, study: str, one: Annotator) -> ListedAnnotator:
        times = [given.time_utc for assignment in one.assignments for given in assignment.given]
        return ListedAnnotator(
            annotator=one.id,
            pool=one.pool,
            origin=one.origin,
            joined_utc=one.joined_utc,
            last_utc=max(times, default=one.joined_utc),
            phase=phase_of(state, one),
            outcome=outcome_of(state, one),
            answered=len(one.answered),
            total=total_of(state, one),
            is_revoked=one.is_revoked,
            code=code_of(state, one, self._code(study, one.id)),
        )

    def invites(self, study: str) -> list[ListedInvite]:
        """Return the links of a study that researchers made, in the order of their making."""
        held = self._held(study)
        with held.lock:
            state = self._fresh(study, held)
            return [self._invite_row(state, study, one) for one in state.invites.values()]

    def usable_links(self, study: str) -> list[ListedInvite]:
        """Return the links by which somebody new can come in still: open ones, and unused ones."""
        state = self.state(study)
        now = text_of_time(self._now(study, state))
        return [
            row
            for row in self.invites(study)
            if row.token and not row.is_revoked and (row.is_open or row.annotator is None)
            if row.expires_utc is None or row.expires_utc > now
        ]

    def _invite_row(self, state: StudyState, study: str, invite: Invite) -> ListedInvite:
        token = self._token(study, invite.id)
        return ListedInvite(
            invite=invite.id,
            token=token if sha256(token) == invite.token_hash else None,
            pool=invite.pool,
            annotator=invite.annotator,
            created_utc=invite.created_utc,
            expires_utc=invite.expires_utc,
            is_open=invite.is_open,
            is_revoked=invite.is_revoked,
            origin=invite.origin,
            alias=self._alias(state, study, invite),
        )

    def stimulus_file(self, study: str, stimulus: str) -> Path:
        """Return the frozen file of any image; for researchers alone.

        Raises
        ------
        NotFoundError
            If there is no such study or image.
        """
        state = self.state(study)
        if stimulus not in state.suffixes:
            raise NotFoundError(f"Study {study} has no image {stimulus[:40]!r}.")
        return self._file(state, study, stimulus)


def _counts_of(pool: PoolCounts) -> dict[str, Any]:
    """Return the counts as they are logged: without what there could not be once, if it is not."""
    return {name: value for name, value in asdict(pool).items() if value or name != SCREENED_OUT}
