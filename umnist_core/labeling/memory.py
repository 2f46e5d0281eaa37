"""A log in memory, for tests and demonstrations; it refuses what the databases refuse."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar

from umnist_core.errors import StoreError
from umnist_core.labeling.events import token_hash_of
from umnist_core.labeling.log import Claims, Event, EventLog, LogReader, StudyCopy, canonical_json
from umnist_core.labeling.refusals import (
    START,
    Place,
    check_batch,
    check_place,
    existing,
    refused_claim,
    unknown,
)

K = TypeVar("K")
V = TypeVar("V")


@dataclass
class _Taken:
    """What is claimed in a study; each table as `umnist_core.labeling.log.Claims` has it."""

    annotators: dict[str, str] = field(default_factory=dict)
    invites: dict[str, str] = field(default_factory=dict)
    assignments: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    positions: set[tuple[str, int]] = field(default_factory=set)
    answers: dict[str, str] = field(default_factory=dict)
    labels: dict[tuple[str, str, int], str] = field(default_factory=dict)

    def add(self, claims: Claims) -> None:
        """Take all claims; those before a refused one stay, so work on a `copy`.

        Raises
        ------
        ClaimError
            If one is taken, or not open to who claims it.
        """
        for name, pool in claims.annotators:
            _put(self.annotators, name, pool, "annotators", (name, pool))
        for token_hash, invite in claims.invites:
            if invite in self.invites.values():
                raise refused_claim("invites", (token_hash, invite))
            _put(self.invites, token_hash, invite, "invites", (token_hash, invite))
        for one in claims.assignments:
            name, annotator, stimulus, position = one
            if annotator not in self.annotators or (annotator, position) in self.positions:
                raise refused_claim("assignments", one)
            _put(self.assignments, name, (annotator, stimulus, position), "assignments", one)
            self.positions.add((annotator, position))
        for key, assignment in claims.answers:
            if assignment not in self.assignments:
                raise refused_claim("answers", (key, assignment))
            _put(self.answers, key, assignment, "answers", (key, assignment))
        for label in claims.labels:
            stimulus, pool, slot, annotator = label
            if self.annotators.get(annotator) != pool:
                raise refused_claim("labels", label)
            _put(self.labels, (stimulus, pool, slot), annotator, "labels", label)

    def give_up(self, annotator: str, token_hashes: Iterable[object]) -> None:
        """Drop a person's claims but the one to the pool."""
        gone = {name for name, one in self.assignments.items() if one[0] == annotator}
        self.assignments = {k: v for k, v in self.assignments.items() if k not in gone}
        self.positions = {one for one in self.positions if one[0] != annotator}
        self.answers = {k: v for k, v in self.answers.items() if v not in gone}
        self.labels = {k: v for k, v in self.labels.items() if v != annotator}
        for token_hash in token_hashes:
            self.invites.pop(str(token_hash), None)

    def claims(self) -> Claims:
        """Return them as the contract has them."""
        return Claims(
            annotators=tuple(sorted(self.annotators.items())),
            invites=tuple(sorted(self.invites.items())),
            assignments=tuple(sorted((name, *one) for name, one in self.assignments.items())),
            answers=tuple(sorted(self.answers.items())),
            labels=tuple(sorted((*place, who) for place, who in self.labels.items())),
        )

    def copy(self) -> _Taken:
        """Return a copy that shares no table."""
        return _Taken(
            dict(self.annotators),
            dict(self.invites),
            dict(self.assignments),
            set(self.positions),
            dict(self.answers),
            dict(self.labels),
        )


def _put(table: dict[K, V], key: K, value: V, name: str, claim: Sequence[str | int]) -> None:
    if key in table:
        raise refused_claim(name, claim)
    table[key] = value


@dataclass
class _Study:
    events: list[Event]
    taken: _Taken
    truth: dict[str, str]
    attachments: dict[int, str] = field(default_factory=dict)
    erasures: int = 0

    @property
    def head(self) -> Place:
        return (self.events[-1].seq, self.events[-1].hash) if self.events else START


class MemoryLog(EventLog):
    """Keeps everything in this process, and loses it with it."""

    place = "in memory"

    def __init__(self) -> None:
        self._studies: dict[str, _Study] = {}
        self._lock = threading.RLock()
        self._is_closed = False

    def create(
        self,
        events: Sequence[Event],
        claims: Claims,
        truth: Mapping[str, str],
        attachments: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        """Add a new study."""
        check_batch(events, attachments)
        with self._open():
            given = tuple(attachments.items())
            self._restore(StudyCopy(events[0].study, tuple(events), claims, given, truth))

    def restore(self, copies: Iterable[StudyCopy]) -> None:
        """Add whole studies, or none."""
        with self._open():
            before = dict(self._studies)
            try:
                for copy in copies:
                    self._restore(copy)
            except BaseException:
                self._studies = before
                raise

    def _restore(self, copy: StudyCopy) -> None:
        if copy.study in self._studies:
            raise existing(copy.study)
        check_place(copy.events, START)
        self._check_tokens(copy.claims)
        taken = _Taken()
        taken.add(copy.claims)
        self._studies[copy.study] = _Study(
            [_as_stored(event) for event in copy.events],
            taken,
            dict(copy.truth),
            dict(copy.attachments),
            copy.erasures,
        )

    def append(
        self, events: Sequence[Event], claims: Claims, attachments: Mapping[int, str]
    ) -> None:
        """Add events behind the last."""
        check_batch(events, attachments)
        with self._open():
            study = self._get(events[0].study)
            check_place(events, study.head)
            self._check_tokens(claims)
            # A copy costs time, and makes "all or nothing" plain; this log is for small studies.
            taken = study.taken.copy()
            taken.add(claims)
            study.taken = taken
            study.events += [_as_stored(event) for event in events]
            study.attachments.update(attachments)

    def erase(self, event: Event, annotator: str) -> int:
        """Empty a person's events."""
        check_batch([event], {})
        with self._open():
            study = self._get(event.study)
            check_place([event], study.head)
            tokens = []
            emptied = 0
            for index, one in enumerate(study.events):
                if one.subject == annotator and one.kind != event.kind and one.payload is not None:
                    tokens.append(token_hash_of(one.kind, one.payload))
                    study.events[index] = replace(one, payload=None)
                    study.attachments.pop(one.seq, None)
                    emptied += 1
            study.taken.give_up(annotator, tokens)
            study.events.append(_as_stored(event))
            study.erasures += 1
            return emptied

    def read(self, study: str, after_seq: int = 0) -> list[Event]:
        """Return events."""
        with self._open():
            found = self._studies.get(study)
            return found.events[max(after_seq, 0) :] if found else []

    def read_attachment(self, study: str, seq: int) -> str | None:
        """Return an attachment."""
        with self._open():
            found = self._studies.get(study)
            return found.attachments.get(seq) if found else None

    def iter_attachments(self, study: str) -> Iterator[tuple[int, str]]:
        """Yield the attachments that there are now."""
        with self._open():
            found = self._studies.get(study)
            pairs = sorted(found.attachments.items()) if found else []
        yield from pairs

    def read_truth(self, study: str) -> dict[str, str]:
        """Return the truth."""
        with self._open():
            return dict(self._get(study).truth)

    def studies(self) -> list[str]:
        """Return the ids of studies."""
        with self._open():
            return list(self._studies)

    def find_invite(self, token_hash: str) -> tuple[str, str] | None:
        """Return an invitation's study and id."""
        with self._open():
            for name, study in self._studies.items():
                if token_hash in study.taken.invites:
                    return name, study.taken.invites[token_hash]
            return None

    def read_claims(self, study: str) -> Claims:
        """Return all claims."""
        with self._open():
            found = self._studies.get(study)
            return found.taken.claims() if found else Claims()

    def erasure_count(self, study: str) -> int:
        """Return how many people were erased."""
        with self._open():
            found = self._studies.get(study)
            return found.erasures if found else 0

    def faults(self) -> list[str]:
        """Return none: there is no file."""
        return []

    @contextmanager
    def snapshot(self) -> Iterator[LogReader]:
        """Give a copy, which nothing changes."""
        with self._open():
            frozen = MemoryLog()
            frozen._studies = {
                name: replace(
                    one,
                    events=list(one.events),
                    taken=one.taken.copy(),
                    attachments=dict(one.attachments),
                )
                for name, one in self._studies.items()
            }
        yield frozen

    def close(self) -> None:
        """Refuse every later call."""
        self._is_closed = True

    @contextmanager
    def _open(self) -> Iterator[None]:
        with self._lock:
            if self._is_closed:
                raise StoreError("The store was closed; open it again.")
            yield

    def _get(self, study: str) -> _Study:
        found = self._studies.get(study)
        if found is None:
            raise unknown(study)
        return found

    def _check_tokens(self, claims: Claims) -> None:
        """Refuse the token of another study's invitation; within one, `_Taken.add` does."""
        for claim in claims.invites:
            if self.find_invite(claim[0]) is not None:
                raise refused_claim("invites", claim)


def _as_stored(event: Event) -> Event:
    """Return the event as JSON gives it back, sharing nothing with the caller's."""
    if event.payload is None:
        return event
    return replace(event, payload=json.loads(canonical_json(event.payload)))
