"""Where people come from: whose ids are whose, names of links, and devices that do not fit."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from umnist_core.errors import ConflictError, InvalidValueError, NotFoundError, RefusedError
from umnist_core.labeling import decisions
from umnist_core.labeling.events import ScreenedOut
from umnist_core.labeling.ledger import Ledger
from umnist_core.labeling.log import Draft, canonical_json, sha256
from umnist_core.labeling.people import is_over
from umnist_core.labeling.recorded import check_key
from umnist_core.labeling.recruiting import DeviceNeeds, misfit_of
from umnist_core.labeling.recruits import LinkNamed, Recruited, ids_of_text
from umnist_core.labeling.secret import derive_text
from umnist_core.labeling.state import StudyState

TIMES_MAX = 20
"""How often somebody may come back with other ids and have them kept; sites send a few at most."""

DEVICE = "device"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,38})[a-z0-9]", re.ASCII)


class Recruitment(Ledger):
    """The part of `umnist_core.labeling.service.StudyService` that is about recruiting."""

    # -- ids --------------------------------------------------------------------------

    def find_link(self, token: str) -> tuple[str, str] | None:
        """Return the study and the id of a link or of its name; None if there is none.

        A name may be typed in any case, as from paper.
        """
        found = self.log.find_invite(sha256(token))
        return found or self.log.find_invite(sha256(token.lower()))

    def ids(self, study: str, annotator: str) -> Mapping[str, str]:
        """Return what somebody's link carried, name -> value; for nobody but the researcher.

        Raises
        ------
        NotFoundError, StoreError
            As `state`.
        """
        return self._ids(self.state(study), study, annotator)

    def _ids(self, state: StudyState, study: str, annotator: str) -> Mapping[str, str]:
        recruit = state.recruits.people.get(annotator)
        return {} if recruit is None else ids_of_text(self.log.read_attachment(study, recruit.seq))

    def _person_hash(self, state: StudyState, study: str, ids: Mapping[str, str]) -> str | None:
        """Return by what a person is known again; None if their link does not say who they are."""
        recruiting = state.spec.recruiting
        value = None if recruiting is None else ids.get(recruiting.person_id)
        return None if value is None else derive_text(self.secret, "recruit", study, value)

    def _recruit_drafts(
        self, state: StudyState, study: str, annotator: str, ids: Mapping[str, str]
    ) -> list[Draft]:
        """Return what keeps the ids of a person's link, if they are others than before."""
        if not ids:
            return []
        person_hash = self._person_hash(state, study, ids)
        ids_hash = derive_text(self.secret, "recruit ids", study, canonical_json(ids))
        before = state.recruits.people.get(annotator)
        if before is not None:
            is_same = before.ids_hash == ids_hash or before.person_hash != person_hash
            if is_same or before.times >= TIMES_MAX:
                return []
        fact = Recruited(annotator=annotator, person_hash=person_hash, ids_hash=ids_hash)
        # Salted: its hash stays in the log, and in exports, where ids could be tried.
        attachment = canonical_json({"ids": dict(ids), "salt": secrets.token_hex(16)})
        return [fact.draft(annotator, attachment)]

    # -- devices ----------------------------------------------------------------------

    def check_device(self, study: str, device: Mapping[str, Any] | None) -> None:
        """Refuse, with the code ``device``, to go on with one that the study does not take.

        Parameters
        ----------
        device
            As the browser reports it (`umnist_core.labeling.recruiting.read_device`).

        Raises
        ------
        NotFoundError, StoreError
            As `state`.
        """
        if reason := misfit_of(_gate(self.state(study)), device):
            raise RefusedError(f"{reason} Open your link on another device to take part.", "device")

    def screen_out(
        self, study: str, annotator: str, key: str, device: Mapping[str, Any] | None
    ) -> None:
        """End the part of somebody who has no device that the study takes.

        Changes nothing for somebody whose part is over.

        Raises
        ------
        InvalidValueError
            If the key is none.
        RefusedError
            ``fits`` for a device that the study takes, ``has_begun`` for somebody who has agreed
            to take part already; ``closed``, ``no_session`` or ``revoked``.
        NotFoundError, StoreError
            As `state`.
        """
        check_key(key)

        def decide(state: StudyState, now: str) -> Sequence[Draft]:
            person = decisions.get_person(state, annotator)
            if is_over(state, person):
                return []
            decisions.check_not_closed(state)
            if person.is_consented:
                raise RefusedError("You take part already; stop taking part instead.", "has_begun")
            if not misfit_of(_gate(state), device):
                raise RefusedError("This device will do; reload the page.", "fits")
            return [ScreenedOut(annotator=annotator, key=key, reason=DEVICE).draft(annotator)]

        self._change(study, decide)

    # -- names of links ---------------------------------------------------------------

    def name_link(self, study: str, invite: str, name: str) -> str:
        """Give a link a name, by which it can be opened too; names before go on working.

        Returns
        -------
        str
            What stands in the address: the name, and of a personal link a secret ending too.

        Raises
        ------
        InvalidValueError
            If the name is none of 3 to 40 small letters, digits and hyphens.
        ConflictError
            If another link has the name.
        NotFoundError
            If there is no such study or link.
        RefusedError
            ``closed`` or ``revoked``.
        StoreError
            If the store cannot be written.
        """
        if not _NAME.fullmatch(name):
            raise InvalidValueError(
                "The name of a link has 3 to 40 small letters, digits and hyphens, and no hyphen "
                f"at either end; got {name[:60]!r}."
            )
        alias = f"a{secrets.token_hex(6)}"
        given = ""

        def decide(state: StudyState, now: str) -> Sequence[Draft]:
            nonlocal given
            decisions.check_not_closed(state)
            if invite not in state.invites:
                raise NotFoundError(f"Study {study} has no link {invite[:40]!r}.")
            link = decisions.get_usable_invite(state, invite, now)
            given = self._alias_token(study, alias, name, is_open=link.is_open)
            token_hash = sha256(given)
            if self.log.find_invite(token_hash) is not None:
                raise ConflictError(
                    f"There is a link with the name {name!r} already; choose another name."
                )
            fact = LinkNamed(alias=alias, invite=invite, name=name, token_hash=token_hash)
            return [fact.draft(link.annotator)]

        self._change(study, decide)
        return given


def _gate(state: StudyState) -> DeviceNeeds | None:
    return None if state.spec.recruiting is None else state.spec.recruiting.gate
