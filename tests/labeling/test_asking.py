"""What a study asks beside images: accepted settings, and what people are asked in which order."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.labeling.making import Clock, answer_all, come_in, new_key, open_small, post, small_spec
from umnist_core.errors import InvalidValueError, NotFoundError, RefusedError
from umnist_core.labeling import StudyService, StudySpec
from umnist_core.labeling.asking import Asking
from umnist_core.labeling.backup import write_backup
from umnist_core.labeling.export import export_study, read_tables
from umnist_core.labeling.log import EventLog
from umnist_core.labeling.memory import MemoryLog
from umnist_core.labeling.sql import open_log
from umnist_core.labeling.state import StudyState
from umnist_core.labeling.verify import verify_log

QUESTIONS: list[dict[str, Any]] = [
    {"name": "hand", "kind": "choice", "text": "Which hand?", "options": ["left", "right"]},
    {"name": "tools", "kind": "many", "text": "What with?", "options": ["mouse", "touch", "pad"]},
    {"name": "age", "kind": "number", "text": "How old?", "low": 18, "high": 99, "whole": True},
    {"name": "tired", "kind": "scale", "text": "How tired?", "low_label": "not", "required": True},
    {"name": "more", "kind": "text", "text": "Anything else?"},
]
GATE: dict[str, Any] = {
    "tries": 2,
    "questions": [
        {"text": "What is asked for?", "options": ["the sum", "the count"], "right": "the sum"},
        {"text": "Is there a prize for speed?", "options": ["yes", "no"], "right": "no"},
    ],
}
ALL: dict[str, Any] = {
    "before": [{"title": "About you", "questions": QUESTIONS}],
    "after": [
        {"title": "Looking back", "questions": [{"name": "how", "kind": "text", "text": "How?"}]}
    ],
    "gate": GATE,
    "break_every": 2,
    "break_seconds": 30,
    "debriefing": "It was about noise.",
}
GIVEN = {"hand": "left", "tools": ["pad", "mouse"], "age": 41, "tired": 3, "more": " SECRETWORD "}


def asking_of(**changes: Any) -> Asking:
    """Return what is asked, read as from a file."""
    return Asking.from_dict({**ALL, **changes})


@pytest.fixture(params=["memory", "sqlite"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> EventLog:
    """Return an empty log of each kind."""
    if request.param == "memory":
        return MemoryLog()
    return open_log(f"sqlite:///{tmp_path / 'lab.sqlite'}")


def join(service: StudyService, study: str) -> str:
    """Let somebody in who does nothing yet."""
    token = service.invite(study, pool="unguided")[0].token
    assert token is not None
    return service.join(token).annotator


def phase(service: StudyService, study: str, annotator: str) -> str:
    """Return where somebody stands."""
    return service.annotator_view(study, annotator).phase


def test_settings_survive_json_and_are_not_there_unless_set() -> None:
    """What is written is what is read; a study that asks nothing is written as before."""
    spec = small_spec(asking=asking_of(approval="2026-17"))
    written = spec.to_dict()
    assert StudySpec.from_log(json.loads(json.dumps(written))) == spec
    assert written["asking"]["before"][0]["questions"][0] == QUESTIONS[0]
    assert "asking" not in small_spec().to_dict()
    assert spec.consent_text.endswith("Ethics approval: 2026-17")


def _one(**changes: Any) -> dict[str, Any]:
    return {"before": [{"title": "A", "questions": [{**QUESTIONS[0], **changes}]}]}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (_one(kind="slider"), "kind of question hand is one of choice, many, number, scale, text"),
        (_one(name="My hand"), "name of a question is 1 to 40 small letters"),
        (_one(options=["left"]), "Question hand has 2 to 50 different options"),
        (_one(options=["left", "left"]), "2 to 50 different options"),
        (_one(text=""), "text of question hand is a text of 1 to 500"),
        (_one(color="red"), "A question has no 'color'"),
        (_one(low=3), "has no bounds"),
        (_one(kind="text"), "has no options"),
        (_one(kind="scale", options=[], high=40), "2 to 11 steps; got 1 to 40"),
        (_one(kind="number", options=[], low=3, high=2), "below its high; got 3 and 2"),
        (_one(kind="number", options=[], low="x"), "bounds of question hand are numbers"),
        (_one(required="yes"), "required of question hand is true or false"),
        ({"before": [{"title": "A", "questions": []}]}, "1 to 50 questions; got 0"),
        ({"before": [{"questions": []}]}, "A page of questions has a title"),
        ({"before": {}}, "The before are a list"),
        ({"after": ALL["before"], "before": ALL["before"]}, "a name of its own; age is there"),
        ({"gate": {**GATE, "tries": 0}}, "tries of the gate is a whole number from 1 to 10"),
        ({"gate": {"questions": [{**GATE["questions"][0], "right": "both"}]}}, "one of its opt"),
        ({"break_seconds": 5}, "set break_every too"),
        ({"require_digits": True}, "ask_digits is not set"),
        ({"breaks": 3}, "asking has no 'breaks'"),
    ],
)
def test_wrong_settings_get_one_sentence(asked: dict[str, Any], said: str) -> None:
    """Which names what is wrong and what is allowed."""
    with pytest.raises(InvalidValueError, match=said):
        StudySpec.from_dict({**small_spec().to_dict(), "asking": asked})


def test_study_of_oneself_asks_nothing_beside_images() -> None:
    """Nobody needs a gate or a debriefing of their own."""
    with pytest.raises(InvalidValueError, match="of oneself has no asking"):
        replace(small_spec(asking=asking_of()), is_self=True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hand": "both"}, "“Which hand\\?” is one of its options"),
        ({"tools": ["nose"]}, "“What with\\?” is one of its options"),
        ({"age": 17}, "“How old\\?” is a whole number from 18 to 99"),
        ({"age": 20.5}, "a whole number"),
        ({"age": "20"}, "a whole number"),
        ({"age": True}, "a whole number"),
        ({"tired": 8}, "“How tired\\?” is a whole number from 1 to 7"),
        ({"tired": None}, "“How tired\\?” needs an answer"),
        ({"more": "x" * 2001}, "a text of at most 2000"),
        ({"more": 3}, "a text of at most"),
        ({"more": "a\0b"}, "a text of at most"),
        ({"name": "Ada"}, "no question 'name'"),
    ],
)
def test_wrong_answers_get_one_sentence(changes: dict[str, Any], said: str) -> None:
    """For who answers, with the words of the question."""
    page = asking_of().before[0]
    with pytest.raises(InvalidValueError, match=said):
        page.read({**GIVEN, **changes})
    with pytest.raises(InvalidValueError, match="answers"):
        page.read([])


def test_way_goes_through_everything_that_is_asked(log: EventLog, tmp_path: Path) -> None:
    """Consent, questions, instructions, gate, practice, images with a break, questions, end."""
    clock = Clock()
    service, study = open_small(tmp_path, log, now=clock, asking=asking_of())
    person = join(service, study)
    assert phase(service, study, person) == "consent"
    service.consent(study, person, new_key(), 1)
    assert phase(service, study, person) == "questions"
    with pytest.raises(RefusedError, match="before you agree"):
        service.practise(study, person, new_key(), service.state(study).practice[0].id, 3)
    with pytest.raises(NotFoundError, match="no such page"):
        service.answer_page(study, person, new_key(), "before-2", {})
    with pytest.raises(RefusedError, match="not asked now"):
        service.answer_page(study, person, new_key(), "after-1", {})
    key = new_key()
    service.answer_page(study, person, key, "before-1", GIVEN)
    service.answer_page(study, person, key, "before-1", GIVEN)
    service.answer_page(study, person, new_key(), "before-1", {**GIVEN, "age": 50})
    service.begin(study, person, new_key())
    service.try_gate(study, person, new_key(), ["the sum", "no"])
    service.practise(study, person, new_key(), service.state(study).practice[0].id, 3)
    assert len(answer_all(service, study, person)) == 2
    view = service.annotator_view(study, person)
    assert (view.phase, view.asked.rest_left_s, view.trial) == ("break", 30, None)
    with pytest.raises(RefusedError, match="lasts 30 s more"):
        service.rest(study, person, new_key())
    clock.pass_(seconds=30)
    service.rest(study, person, new_key())
    answer_all(service, study, person)
    view = service.annotator_view(study, person)
    assert (view.phase, view.asked.page, view.code) == ("questions", "after-1", None)
    service.answer_page(study, person, new_key(), "after-1", {})
    view = service.annotator_view(study, person)
    assert (view.phase, view.outcome) == ("done", "complete")
    assert view.code
    again = StudyState(service.log.read(study)).annotators[person]
    assert again == service.state(study).annotators[person]
    _check_tables(service, study)


def _check_tables(service: StudyService, study: str) -> None:
    with service.log.snapshot() as snapshot:
        tables = read_tables(snapshot, study)
    rows = tables["questions"]
    assert list(rows["question"]) == ["hand", "tools", "age", "tired", "more", "how"]
    assert list(rows["answer"][:5]) == ["left", '["mouse", "pad"]', "41", "3", "SECRETWORD"]
    assert rows["answer"][5] is None
    assert list(rows["value"][2:4]) == [41, 3]
    person = tables["annotators"].iloc[0]
    told = (person["consent_version"], person["gate_tries"], person["breaks"])
    assert told == (1, 1, 1)


def test_gate_leads_back_and_then_out(log: EventLog, tmp_path: Path) -> None:
    """A wrong answer leads back to the instructions; the last try screens out, for good."""
    spec = asking_of(before=[], break_every=0, break_seconds=0)
    service, study = open_small(tmp_path, log, asking=spec)
    person = join(service, study)
    service.consent(study, person, new_key())
    begun = new_key()
    service.begin(study, person, begun)
    with pytest.raises(InvalidValueError, match="needs an answer"):
        service.try_gate(study, person, new_key(), ["the sum"])
    key = new_key()
    for _ in range(2):  # sent twice, it is one try
        service.try_gate(study, person, key, ["the sum", "yes"])
    view = service.annotator_view(study, person)
    assert (view.phase, view.asked.gate_tries, view.asked.gate_wrong) == ("instructions", 1, (1,))
    service.begin(study, person, begun)  # an old request that comes late
    assert phase(service, study, person) == "instructions"
    service.begin(study, person, new_key())
    service.try_gate(study, person, new_key(), ["the count", "no"])
    view = service.annotator_view(study, person)
    assert (view.phase, view.outcome, view.code) == ("done", "screened_out", None)
    with pytest.raises(RefusedError, match="cannot take part"):
        service.begin(study, person, new_key())
    assert service.overview(study).pools[0].screened_out == 1
    assert service.state(study).annotators[person].outcome == "screened_out"


def test_amended_consent_is_asked_before_the_next_image(log: EventLog, tmp_path: Path) -> None:
    """The open image can be answered; then the new text is agreed to, whose version is kept."""
    service, study = open_small(tmp_path, log)
    person = come_in(service, study, "unguided")
    trial = service.annotator_view(study, person).trial
    assert trial is not None
    assert service.amend_consent(study, {"retention": "five years"}) == 2
    assert service.amend_consent(study, {"retention": "five years"}) == 2
    assert "five years" in service.annotator_view(study, person).spec.consent_text
    service.answer(study, person, post(trial.key))
    assert phase(service, study, person) == "consent"
    with pytest.raises(RefusedError, match="changed meanwhile"):
        service.consent(study, person, new_key(), 1)
    service.consent(study, person, new_key(), 2)
    assert phase(service, study, person) == "trial"
    late = join(service, study)
    service.consent(study, late, new_key(), 2)
    with service.log.snapshot() as snapshot:
        people = read_tables(snapshot, study)["annotators"]
    assert list(people["consent_version"]) == [2, 2]
    assert set(people["consent_sha256"]) == {service.state(study).consents[1].sha256}
    first, second = service.state(study).consents
    assert first.text != second.text
    assert not verify_log(service.log, study).faults
    with pytest.raises(InvalidValueError, match="consent alone"):
        service.amend_consent(study, {"name": "Other"})
    with pytest.raises(InvalidValueError, match="retention"):
        service.amend_consent(study, {"retention": "x" * 501})


def test_required_digits_and_confidence_are_asked_for_in_practice_too(tmp_path: Path) -> None:
    """An answer without them is none; with them, practice keeps them."""
    asking = Asking(require_digits=True, require_confidence=True, practise_asked=True)
    service, study = open_small(tmp_path, ask_digits=True, ask_confidence=True, asking=asking)
    person = join(service, study)
    service.consent(study, person, new_key())
    service.begin(study, person, new_key())
    image = service.state(study).practice[0].id
    with pytest.raises(InvalidValueError, match="the digits that you see"):
        service.practise(study, person, new_key(), image, 3)
    service.practise(study, person, new_key(), image, 3, confidence=50, digits=[1, 2])
    practised = [one for one in service.log.read(study) if one.kind == "practised"]
    assert practised[0].payload is not None
    assert (practised[0].payload["confidence"], practised[0].payload["digits"]) == (50, [1, 2])
    trial = service.annotator_view(study, person).trial
    assert trial is not None
    with pytest.raises(InvalidValueError, match="how sure you are"):
        service.answer(study, person, post(trial.key, digits=[]))
    service.answer(study, person, post(trial.key, digits=[], confidence=0))


@pytest.mark.parametrize("is_closed", [False, True])
def test_person_leaves_nothing_after_the_end(
    log: EventLog, tmp_path: Path, is_closed: bool
) -> None:
    """Who has finished deletes everything by their own wish, also from a closed study."""
    lab = tmp_path / "lab"
    service, study = open_small(
        lab, log, asking=asking_of(gate=None, break_every=0, break_seconds=0)
    )
    person = join(service, study)
    _finish(service, study, person)
    if is_closed:
        service.close(study)
    view = service.annotator_view(study, person, reserve=False)
    assert (view.asked.can_withdraw, view.asked.can_erase) == (not is_closed, True)
    deleted = service.erase_oneself(study, person)
    assert (deleted.answers, deleted.pages, deleted.practised) == (3, 2, 1)
    with pytest.raises(RefusedError, match="no longer"):
        service.erase_oneself(study, person)
    assert not verify_log(service.log, study).faults
    export_study(service, study, tmp_path / "study.zip")
    write_backup(service.log, None, tmp_path / "backup.zip")
    assert _count("SECRETWORD", tmp_path) == 0


def _finish(service: StudyService, study: str, person: str) -> None:
    service.consent(study, person, new_key())
    service.answer_page(study, person, new_key(), "before-1", GIVEN)
    service.begin(study, person, new_key())
    service.practise(study, person, new_key(), service.state(study).practice[0].id, 3)
    answer_all(service, study, person)
    service.answer_page(study, person, new_key(), "after-1", {"how": "SECRETWORD"})


def _count(word: str, folder: Path) -> int:
    found = 0
    for path in filter(Path.is_file, folder.rglob("*")):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                found += sum(word.encode() in archive.read(name) for name in archive.namelist())
        found += word.encode() in path.read_bytes()
    return found


def test_person_withdraws_after_the_end_and_leaves_the_answers(tmp_path: Path) -> None:
    """What was given stays with the outcome withdrawn; a study that is closed takes no more."""
    service, study = open_small(
        tmp_path, asking=asking_of(gate=None, break_every=0, break_seconds=0)
    )
    first, second = join(service, study), join(service, study)
    _finish(service, study, first)
    service.withdraw(study, first, new_key())
    view = service.annotator_view(study, first)
    assert (view.outcome, view.progress.done) == ("withdrawn", 3)
    assert view.code
    _finish(service, study, second)
    service.close(study)
    with pytest.raises(RefusedError, match="closed"):
        service.withdraw(study, second, new_key())
