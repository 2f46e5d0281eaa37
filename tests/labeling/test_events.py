"""Events: declared once, read and written from it, and folded, every kind of them."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from tests.golden.study_log import GOLDEN, STUDY, lines_of, played
from tests.subclasses import subclasses_of
from umnist_core.labeling import events as declared
from umnist_core.labeling.events import FACTS, Changed, PersonErased, StudyCreated
from umnist_core.labeling.fact import Fact
from umnist_core.labeling.log import Event, canonical_json, sha256
from umnist_core.labeling.state import CHANGES, StudyState

LABELING = Path(declared.__file__).parent
STORED: list[dict[str, Any]] = [json.loads(line) for line in GOLDEN.read_text().splitlines()]
PAYLOADS = [(one["kind"], one["payload"]) for one in STORED if one["payload"] is not None]


def test_every_class_is_a_kind_and_has_a_handler() -> None:
    """Whoever adds a kind of event and forgets the list or the folding sees it here."""
    assert set(FACTS.values()) == subclasses_of(Fact) == set(CHANGES)
    assert len(FACTS) == len(subclasses_of(Fact))


def test_whatever_was_logged_before_has_a_class() -> None:
    """The golden studies have every kind of event that there was when they were played."""
    assert {kind for kind, _ in PAYLOADS} <= set(FACTS)
    assert len({kind for kind, _ in PAYLOADS}) == 18


def test_golden_studies_are_logged_to_the_same_bytes(tmp_path: Path) -> None:
    """Played again, the same studies have every event, hash and attachment as they were."""
    assert lines_of(played(tmp_path)) == GOLDEN.read_text().splitlines()


@pytest.mark.parametrize(("kind", "payload"), PAYLOADS)
def test_what_is_read_is_written_to_the_same_bytes(kind: str, payload: dict[str, Any]) -> None:
    """A class has the fields of its payload and no others, and changes none of them."""
    fact = FACTS[kind].read(payload)
    written = {**fact.payload(), "salt": payload["salt"]}
    assert canonical_json(written) == canonical_json(payload)
    assert fact.draft().kind == kind
    assert FACTS[kind](**fact.payload()) == fact


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("invite_created", "origin", "invited"),
        ("joined", "origin", "invited"),
        ("study_closed", "has_key", False),
        ("renewed", "slot", declared.AS_BEFORE),
        ("study_created", "is_generated_folder", False),
    ],
)
def test_field_that_older_logs_lack_has_its_default(kind: str, field: str, value: object) -> None:
    """It is read as it was meant then, and what was read is written as it was."""
    stored = next(payload for name, payload in PAYLOADS if name == kind and field in payload)
    older = {name: one for name, one in stored.items() if name not in (field, "salt")}
    fact = FACTS[kind].read(older)
    assert getattr(fact, field) == value
    assert fact.payload() == older


def test_renewal_of_an_older_log_leaves_the_place() -> None:
    """Such a log says nothing of the place; it is folded to the same state."""
    events = [_event(one) for one in STORED if one["study"] == STUDY]
    older = [_without_slot(one) if one.kind == "renewed" else one for one in events]
    then, now = StudyState(older), StudyState(events)
    assert then.annotators == now.annotators
    assert then.slots == now.slots


def test_field_that_is_missing_is_told_when_it_is_asked_for() -> None:
    """A damaged log can be read for what is there; what is not is never taken for something."""
    fact = Changed.read({"key": "k", "assignment": "a"})
    assert fact.claims().answers == (("k", "a"),)
    with pytest.raises(AttributeError, match="counted"):
        _ = fact.counted


def test_folder_of_our_images_is_named_only_where_there_is_one() -> None:
    """A payload says nothing of it otherwise, as before there was such a field."""
    named = [StudyCreated.read(payload) for kind, payload in PAYLOADS if kind == "study_created"]
    assert [one.is_generated_folder for one in named] == [True, False]
    assert [one.folder for one in named] == ["images", None]
    assert ["is_generated_folder" in one.payload() for one in named] == [True, False]


def test_drafts_are_made_by_the_classes_alone() -> None:
    """No module writes a kind or a payload of its own."""
    makers = {
        path.name
        for path in LABELING.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Draft"
    }
    assert makers == {"fact.py"}


def _event(stored: dict[str, Any]) -> Event:
    return Event(**{name: one for name, one in stored.items() if name != "attachment"})


def _without_slot(event: Event) -> Event:
    payload = {name: one for name, one in (event.payload or {}).items() if name != "slot"}
    changed = {"payload": payload, "payload_hash": sha256(canonical_json(payload))}
    return Event(**{name: getattr(event, name) for name in event.__dataclass_fields__} | changed)


def test_person_erased_by_an_older_version_has_no_pool_in_the_log() -> None:
    """Such a person may be in either, as before."""
    erased = [payload for kind, payload in PAYLOADS if kind == PersonErased.event_kind]
    assert erased
    assert all(PersonErased.read(payload).pool is None for payload in erased)
