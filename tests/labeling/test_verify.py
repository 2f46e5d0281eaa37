"""Checking a log finds whatever was changed in it, and says what it cannot find."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.contracts.log_events import (
    add,
    answered,
    assigned,
    chained,
    create,
    erase,
    invited,
    joined,
)
from umnist_core.errors import NotFoundError
from umnist_core.labeling.log import Claims
from umnist_core.labeling.sql import open_log
from umnist_core.labeling.sql.store import SqlLog
from umnist_core.labeling.verify import verify_log


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqlLog]:
    """Give a store with a study of eleven events, one person of which is erased."""
    with closing(open_log(f"sqlite:///{tmp_path / 'studies.sqlite'}")) as log:
        create(log, "s", invited("i1", "a token"), joined("ann"), joined("bob", "unguided"))
        add(log, "s", joined("cleo"), assigned("a1", "ann"), assigned("c1", "cleo"))
        add(log, "s", answered("k1", "a1", "ann"), answered("k2", "c1", "cleo", slot=1))
        erase(log, "s", "cleo")
        yield log


def test_untouched_log_is_verified(log: SqlLog) -> None:
    """No fault, and the number of events, of empty ones, and the last hash."""
    found = verify_log(log, "s")
    assert found.faults == ()
    assert (found.study, found.events, found.erased) == ("s", 10, 3)
    assert found.head_hash == log.read("s")[-1].hash


def test_unknown_study_is_told(log: SqlLog) -> None:
    """There is nothing to verify."""
    with pytest.raises(NotFoundError, match="no study 'none'"):
        verify_log(log, "none")


OTHER_HASH = "f" * 64

TAMPERED = {
    "an answer": (
        "UPDATE events SET payload = replace(payload, 'k1', 'k7') WHERE seq = 8",
        "Event 8 is not what was logged: its payload",
    ),
    "a number that is none": (
        """UPDATE events SET payload = '{"salt": NaN}' WHERE seq = 1""",
        "Event 1 is not what was logged: its payload",
    ),
    "a payload and its hash": (
        f"UPDATE events SET payload_hash = '{OTHER_HASH}' WHERE seq = 8",
        "Event 8 is not what was logged: its hash",
    ),
    "a time": (
        "UPDATE events SET time_utc = '2025-01-01T00:00:00.000Z' WHERE seq = 4",
        "Event 4 is not what was logged: its hash",
    ),
    "a person": (
        "UPDATE events SET subject = 'bob' WHERE seq = 3",
        "Event 3 is not what was logged: its hash",
    ),
    "a kind": (
        "UPDATE events SET kind = 'practised' WHERE seq = 8",
        "Event 8 is not what was logged: its hash",
    ),
    "a hash": (
        f"UPDATE events SET hash = '{OTHER_HASH}' WHERE seq = 5",
        "Event 6 is not chained",
    ),
    "an event from the middle": ("DELETE FROM events WHERE seq = 4", "Expected event 4, found"),
    "the first event": ("DELETE FROM events WHERE seq = 1", "Expected event 1, found event 2"),
    "a trace": (
        "UPDATE attachments SET content = '{}' WHERE seq = 8",
        "Event 8 is not what was logged: its attachment",
    ),
    "a trace that is gone": (
        "UPDATE attachments SET content = NULL WHERE seq = 8",
        "Event 8 has lost its attachment",
    ),
    "a trace that there never was": (
        "INSERT INTO attachments VALUES ('s', 3, '{}')",
        "Event 3 has an attachment",
    ),
    "a trace that came back": (
        "UPDATE attachments SET content = '{}' WHERE seq = 9",
        "Event 9 has an attachment",
    ),
    "an answer of somebody who is not erased": (
        "UPDATE events SET payload = NULL WHERE seq = 8",
        "Event 8 is empty",
    ),
    "an answer that came back": (
        "UPDATE events SET payload = '{}' WHERE seq = 9",
        "Event 9 is not empty",
    ),
    "the truth": (
        "UPDATE truths SET content = '{}' WHERE stimulus = 'image-a'",
        "The truth of the images",
    ),
    "a place that is empty again": ("DELETE FROM labels", "does not guard 'ann' of labels"),
    "a key that is free again": ("DELETE FROM answers", "does not guard 'a1' of answers"),
    "a person who is free again": (
        "DELETE FROM annotators WHERE annotator = 'bob'",
        "does not guard 'unguided' of annotators",
    ),
    "a person of the other pool": (
        "UPDATE annotators SET pool = 'guided' WHERE annotator = 'bob'",
        "guards 'guided' of annotators, which the log does not have",
    ),
    "an invitation": ("DELETE FROM invites", "does not guard 'i1' of invites"),
    "a place that nobody filled": (
        "INSERT INTO labels VALUES ('s', 'image-b', 'guided', 0, 'ann')",
        "guards 'ann' of labels, which the log does not have",
    ),
    "the pool of an erased person": (
        "DELETE FROM annotators WHERE annotator = 'cleo'",
        "does not guard the pool of cleo",
    ),
    "the number of erasures": ("UPDATE studies SET erasures = 0", "counts 0 erasures"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_tampering_is_found(log: SqlLog, what: str) -> None:
    """Each change by hand of the database gives a sentence about it."""
    statement, sentence = TAMPERED[what]
    # Another program's connection, for which SQLite looks at no references.
    with closing(sqlite3.connect(log.place)) as connection, connection:
        assert connection.execute(statement).rowcount > 0
    faults = verify_log(log, "s").faults
    assert any(sentence in fault for fault in faults), faults


def test_cut_tail_shows_in_the_last_hash_alone(log: SqlLog) -> None:
    """Who takes the last events away unseen cannot give the log its old last hash."""
    before = verify_log(log, "s")
    add(log, "s", joined("dora"))
    sealed = verify_log(log, "s").head_hash
    with log._writing() as connection:
        connection.execute(text("DELETE FROM events WHERE seq = 11"))
        connection.execute(text("DELETE FROM annotators WHERE annotator = 'dora'"))
    after = verify_log(log, "s")
    assert after.faults == ()
    assert after.head_hash == before.head_hash != sealed


@pytest.mark.parametrize("payload", [{"annotator": "x"}, {"annotator": ["x"], "pool": {}}, {}])
def test_payload_that_its_kind_does_not_have_is_a_fault(log: SqlLog, payload: object) -> None:
    """A payload of another shape is told, and stops nothing."""
    with log._writing() as connection:
        row = {"payload": json.dumps(payload)}
        connection.execute(text("UPDATE events SET payload = :payload WHERE seq = 4"), row)
    faults = verify_log(log, "s").faults
    assert any("Event 4 lacks what an event 'joined' has" in fault for fault in faults), faults


def test_claim_that_is_made_twice_is_a_fault(log: SqlLog) -> None:
    """An answer that was logged again under its key is told, though the store has the key once."""
    again = answered("k1", "a1", "ann", trace=None)
    log.append(chained(log, "s", again), Claims(), {})
    faults = verify_log(log, "s").faults
    assert "The log has 'a1' of answers 2 times." in faults
    assert "The log has 'ann' of labels 2 times." in faults
