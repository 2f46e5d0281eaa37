"""What is accepted as settings and as an answer, and that every field is explained."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from tests.labeling.making import TOLD, post, small_spec
from umnist_core.errors import InvalidValueError
from umnist_core.labeling import AnswerPost, StudySpec
from umnist_core.labeling.recorded import Response, Trace, explained
from umnist_core.labeling.telling import CONTACT_FIELDS


def body(**changes: Any) -> dict[str, Any]:
    """Return an answer as JSON has it."""
    return {"key": "12345678", "assignment": "abc", "answer": 3, "response": {}, **changes}


def test_settings_survive_json() -> None:
    """What is written is what is read."""
    spec = small_spec(pools=("guided",), repeats=2, ask_digits=True)
    assert StudySpec.from_dict(spec.to_dict()) == spec


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": " "}, "name is a text"),
        ({"stimuli": 0}, "stimuli is a whole number from 1 to 100000; got '0'"),
        ({"images_per_annotator": 7}, "shown 7 images and the study has 6"),
        ({"pools": ()}, "pools is one or both"),
        ({"pools": ("guided", "guided")}, "pools is one or both"),
        ({"pools": ("expert",)}, "pools is one or both"),
        ({"repeats": 4}, "At most as many images can be repeated as are shown, 3; got 4"),
        ({"pyramid_filter": "cubic"}, "pyramid_filter is area or nearest"),
        ({"consent": ""}, "consent is a text"),
        ({"instructions": {"guided": "x"}}, "instructions of the unguided pool"),
        ({"lease_minutes": True}, "lease_minutes is a whole number"),
        ({"practice_feedback": {"guided": "full"}}, "of the unguided pool is correctness or full"),
        ({"practice_feedback": {"unguided": "none", "guided": "full"}}, "full; got 'none'"),
        ({"practice_feedback": {"expert": "full"}}, "unguided and guided; got 'expert'"),
        ({"contact": None}, "contact is a text of at most 500 characters; got 'None'"),
        ({"retention": "x" * 501}, "retention is a text of at most 500 characters"),
    ],
)
def test_wrong_settings_get_one_sentence(changes: dict[str, Any], said: str) -> None:
    """Which names the setting and what is allowed."""
    with pytest.raises(InvalidValueError, match=said):
        small_spec(**changes)


def test_unguided_practice_tells_less_and_old_studies_are_as_they_were() -> None:
    """Right or not yet unless it is set; a study from before the setting told everything."""
    spec = small_spec()
    assert spec.practice_feedback == {"unguided": "correctness", "guided": "full"}
    old = spec.to_dict()
    for name in ("practice_feedback", *CONTACT_FIELDS):
        del old[name]
    before = StudySpec.from_log(old)
    assert before.practice_feedback == {"unguided": "full", "guided": "full"}
    assert before.consent_text == before.consent == spec.consent
    assert StudySpec.from_log(spec.to_dict()) == spec


def test_consent_names_contact_duration_retention_and_withdrawal() -> None:
    """Below the consent, a paragraph each; one that is empty is left out, and missed."""
    text = small_spec(consent="Be welcome.\n").consent_text
    assert text.split("\n\n") == [
        "Be welcome.",
        f"How long it takes: {TOLD['duration']}",
        f"How long your data are kept: {TOLD['retention']}",
        f"How to withdraw: {TOLD['withdrawal']}",
        f"Whom to ask: {TOLD['contact']}",
    ]
    fewer = small_spec(contact=" ", duration="")
    assert fewer.missing_for_strangers == ("duration", "contact")
    assert "Whom to ask" not in fewer.consent_text
    assert small_spec().missing_for_strangers == ()


def test_unknown_setting_is_named() -> None:
    """A typing error in a file of settings is not ignored."""
    with pytest.raises(InvalidValueError, match="no setting 'stimulus'"):
        StudySpec.from_dict({"name": "x", "stimulus": 3})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "an answer as a JSON object"),
        ([], "an answer as a JSON object"),
        (body(answer=28), "answer is a whole number from 0 to 27; got '28'"),
        (body(answer=-1), "answer is a whole number"),
        (body(answer="3"), "answer is a whole number"),
        (body(answer=3.0), "answer is a whole number"),
        (body(answer=True), "answer is a whole number"),
        (body(answer=None), "answer is a whole number"),
        (body(key="short"), "key is 8 to 64"),
        (body(key="x" * 65), "key is 8 to 64"),
        (body(key="../../etc/passwd"), "key is 8 to 64"),
        (body(assignment="a b"), "assignment is an id"),
        (body(confidence=101), "confidence is a whole number from 0 to 100"),
        (body(digits=[1, 10]), "a digit is a whole number from 0 to 9"),
        (body(digits="123"), "digits is a list"),
        (body(response=[]), "response as a JSON object"),
        (body(response={"response_ms": float("nan")}), "response_ms is a number"),
        (body(response={"response_ms": -1}), "response_ms is a time"),
        (body(response={"parts": {}}), "parts is a list"),
        (body(response={"parts": [{"samples": [{"t": 0}]}]}), "x is a number"),
        (body(response={"parts": [{"samples": [0] * 5000}]}), "at most 4100 samples"),
        (body(response={"device": {"x": "y" * 3000}}), "device is at most"),
    ],
)
def test_malformed_answer_gets_one_sentence(data: object, said: str) -> None:
    """Nothing that is no answer is taken for one."""
    with pytest.raises(InvalidValueError, match=said):
        AnswerPost.from_dict(data)


def test_answer_keeps_what_the_browser_measured() -> None:
    """Times to a tenth of a ms, the trace sample by sample, nothing that was not asked for."""
    sent = post("abc", 12, confidence=80, digits=[3, 9])
    assert (sent.answer, sent.confidence, sent.digits) == (12, 80, (3, 9))
    assert sent.response.active_ms == 4000
    assert sent.parts[0]["samples"][0]["zoom"] == 1.5
    bare = AnswerPost.from_dict(body())
    assert (bare.confidence, bare.digits, bare.parts) == (None, None, ())


def test_every_recorded_field_is_explained() -> None:
    """The codebook has each field, with its unit where it is a time."""
    book = explained()
    for kind in (AnswerPost, Response, Trace):
        for one in dataclasses.fields(kind):
            if one.name in ("response", "parts") and kind is AnswerPost:
                continue  # records of their own
            assert len(book[one.name]) > 10, one.name
            if one.name.endswith("_ms"):
                assert "ms" in book[one.name], one.name
