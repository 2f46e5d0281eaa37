"""A study while it runs: who works how, and whom a rule catches; nothing of right or wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from umnist_core.errors import NotFoundError
from umnist_core.labeling.conduct import Conduct, ConductFold, Flag, Look, Seqs, Showing, flags_of
from umnist_core.labeling.exclusions import ExclusionRules
from umnist_core.labeling.judging import FIXED_BEFORE, rules_of
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.study_key import KEY_SEQ
from umnist_core.labeling.views import ListedAnnotator

ONE_BY_ONE = 40
"""Traces up to which each is asked for by itself; more are read in one go."""


@dataclass(frozen=True)
class WatchedPerson:
    """One person of a study.

    Attributes
    ----------
    person
        Where they stand.
    last_utc
        Last sign of life: of anything that they did or that was reserved for them.
    conduct
        How they work.
    flags
        Rules that catch them.
    """

    person: ListedAnnotator
    last_utc: str
    conduct: Conduct
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class WatchedStudy:
    """A study as it is watched.

    Attributes
    ----------
    study, status
        Its id and whether it is open, paused or closed.
    rules, is_fixed
        By which people are flagged, and whether the study fixed them before anybody came.
    legible_zoom
        Zoom from which on area counts as seen, CSS px for each canvas px.
    people
        What needs a look first: most flags, then the last sign of life.
    """

    study: str
    status: str
    rules: ExclusionRules
    is_fixed: bool
    legible_zoom: float
    people: tuple[WatchedPerson, ...]


class Watcher:
    """Watches the studies of a service; what was worked out of a trace is kept.

    Safe to call from many threads. Only new events and traces are read each time, so that a page
    may ask every few seconds.
    """

    def __init__(self, service: StudyService) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._folds: dict[str, ConductFold] = {}
        self._looks: dict[str, dict[Seqs, Look]] = {}

    def watch(self, study: str) -> WatchedStudy:
        """Return a study as it is now.

        Raises
        ------
        NotFoundError
            If there is no such study.
        StoreError
            If the store cannot be read.
        """
        rows = self._service.annotators(study)
        with self._lock:
            fold = self._folds.setdefault(study, ConductFold())
            fold.take(self._service.log.read(study, fold.seq))
            looks = self._fresh_looks(study, fold)
            return _watched(study, self._service.state(study).status, fold, looks, rows)

    def person(self, study: str, annotator: str) -> WatchedPerson:
        """Return one person of a study.

        Raises
        ------
        NotFoundError
            If there is no such study or person.
        StoreError
            If the store cannot be read.
        """
        for one in self.watch(study).people:
            if one.person.annotator == annotator:
                return one
        raise NotFoundError(
            f"Study {study} has no person {annotator[:40]!r}; `umnist study watch {study}` lists "
            "all."
        )

    def _fresh_looks(self, study: str, fold: ConductFold) -> dict[Seqs, Look]:
        """Return what every trace says; what is of answers that are no more is forgotten."""
        shown = [one for own in fold.shown.values() for one in own.values()]
        before = self._looks.get(study, {})
        missing = [one for one in shown if one.seqs not in before]
        traces = self._traces(study, missing)
        looks = {one.seqs: before[one.seqs] for one in shown if one.seqs in before}
        for one in missing:
            looks[one.seqs] = fold.look(one, [part for seq in one.seqs for part in traces(seq)])
        self._looks[study] = looks
        return looks

    def _traces(self, study: str, missing: list[Showing]) -> Any:
        """Return what gives the parts of an event's trace."""
        log = self._service.log
        if len(missing) <= ONE_BY_ONE:
            return lambda seq: json.loads(log.read_attachment(study, seq) or "[]")
        texts = {seq: text for seq, text in log.iter_attachments(study) if seq != KEY_SEQ}
        return lambda seq: json.loads(texts.get(seq, "[]"))


def _watched(
    study: str,
    status: str,
    fold: ConductFold,
    looks: Mapping[Seqs, Look],
    rows: list[ListedAnnotator],
) -> WatchedStudy:
    rules, chosen = rules_of(fold.spec)
    people = []
    for row in rows:
        conduct = fold.conduct(row.annotator, lambda one: looks.get(one.seqs, Look()))
        last_utc = max(row.last_utc, fold.last_utc.get(row.annotator, ""))
        people.append(WatchedPerson(row, last_utc, conduct, flags_of(conduct, rules)))
    people.sort(key=lambda one: one.last_utc, reverse=True)
    people.sort(key=lambda one: len(one.flags), reverse=True)
    return WatchedStudy(study, status, rules, chosen == FIXED_BEFORE, fold.zoom, tuple(people))
