"""Fields that are recorded with an answer: each declared once, and everything follows."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.golden.remake_schema import GOLDEN_FILE
from tests.golden.study_log import GOLDEN as STUDIES
from umnist_core.errors import InvalidValueError
from umnist_core.labeling.codebook import ANSWERS
from umnist_core.labeling.recorded import (
    COUNT,
    DEVICE,
    AnswerPost,
    Response,
    added_later,
    answer_schema,
    explained,
    fields_of,
    recorded,
)

ROOT = Path(__file__).parents[2]


def test_schema_is_the_golden_one() -> None:
    """What the annotators' page is checked against is what the server reads."""
    assert json.loads(GOLDEN_FILE.read_text()) == answer_schema()


def test_every_field_of_a_response_is_declared() -> None:
    """None is read, stored or explained apart from its declaration."""
    declared = [one.name for one in fields_of(Response)]
    assert declared == [one.name for one in dataclasses.fields(Response)]
    required = answer_schema()["properties"]["response"]["required"]
    assert required == [*declared, "parts"]


def test_every_measured_field_is_a_column_in_the_same_words() -> None:
    """Times and counts stand in the table of answers as the record explains them."""
    columns = {one.name: one.meaning for one in ANSWERS}
    for one in fields_of(Response):
        assert one.kind is DEVICE or columns[one.name] == one.text


def test_field_that_older_logs_lack_is_declared_as_later() -> None:
    """Of an answer from before it is unknown, and none of the studies that labs have is damaged."""
    lines = map(json.loads, STUDIES.read_text().splitlines())
    payloads = [one["payload"] for one in lines if one["kind"] == "answered"]
    first = set.intersection(*(set(one["response"]) for one in payloads if one is not None))
    for one in fields_of(Response):
        assert one.kind.is_later is (one.name not in first), one.name


def test_later_field_is_unknown_where_it_was_not_sent() -> None:
    """Not 0; it is logged once it is known, and its column may be empty."""
    kind = added_later(COUNT)
    assert (kind.missing, kind.read("turns", None), kind.read("turns", 3)) == (None, None, 3)
    assert (kind.schema["type"], kind.column, kind.is_later) == (["integer", "null"], "float", True)
    with pytest.raises(InvalidValueError, match="turns"):
        kind.read("turns", -1)
    turns = dataclasses.field(default=None, metadata=recorded(kind, "Turns"))
    more = dataclasses.make_dataclass(
        "More", [("turns", int | None, turns)], bases=(Response,), frozen=True
    )
    known = {one.name: 1 for one in fields_of(Response)}
    assert "turns" not in more(**known).payload()
    assert more(**known, turns=0).payload()["turns"] == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("response_ms", -1),
        ("response_ms", "1"),
        ("edits", 1.5),
        ("device", []),
        ("parts", {}),
        ("parts", [{"samples": [{"t": None}], "end_ms": 1}]),
    ],
)
def test_what_the_schema_forbids_is_refused(field: str, value: Any) -> None:
    """The sentence names the field, or what in it is wrong."""
    data = {"key": "a-key-of-mine", "assignment": "a1", "answer": 3, "response": {field: value}}
    with pytest.raises(InvalidValueError):
        AnswerPost.from_dict(data)


def test_what_is_left_out_is_nothing() -> None:
    """An answer without anything measured is taken; a clock that tells no time is no reason."""
    data = {"key": "a-key-of-mine", "assignment": "a1", "answer": 3}
    read = AnswerPost.from_dict({**data, "response": {"submitted_utc": 12}})
    assert read == AnswerPost.from_dict(data)
    response = read.response.payload()
    assert (response.pop("submitted_utc"), response.pop("device")) == (None, {})
    assert set(response.values()) == {0}


def test_codebook_does_not_depend_on_docstrings() -> None:
    """Python started with -OO has none."""
    code = "from umnist_core.labeling.codebook import codebook_text; print(len(codebook_text()))"
    lengths = {
        subprocess.run(
            [sys.executable, *options, "-c", code],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for options in ([], ["-OO"])
    }
    assert len(lengths) == 1
    assert all(len(text) > 20 for text in explained().values() if "0 to 27" not in text)
