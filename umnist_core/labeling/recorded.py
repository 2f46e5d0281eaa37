"""What a browser records with an answer: every field declared once, where its class has it.

A field says how it is read, what it means, its unit and the zero of its clock. The reading of
what is sent, the codebook of an export, the columns of its tables and the JSON schema follow.
``tests/golden/answer.schema.json`` holds that schema; the simulation and the annotators' page are
checked against it.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from umnist_core.errors import InvalidValueError
from umnist_core.labeling.boxes import (
    BOXED_SUM_MAX,
    BOXES_SCHEMA,
    check_sum_of_boxes,
    read_boxes,
)

SUM_MAX = 27
"""Largest sum that UltraMNIST's labels have."""

_SAMPLES_MAX = 4100
_PARTS_MAX = 1000
_DEVICE_MAX = 2000
_TIME_MAX = 40
_MS_MAX = 1e10
_SAMPLE_NUMBERS = ("t", "x", "y", "zoom", "w", "h")

_REQUIRED: Any = object()


@dataclass(frozen=True)
class Kind:
    """How a field is sent.

    Attributes
    ----------
    read
        From the field's name and what was sent to its value; raises `InvalidValueError`.
    schema
        JSON schema of what is sent.
    missing
        What it is where it was not sent.
    column
        Kind of its column in the table of answers, as of `umnist_core.labeling.columns.Column`;
        empty if it has none of its own.
    is_later
        Whether it was not recorded from the beginning; see `added_later`.
    """

    read: Callable[[str, Any], Any]
    schema: Mapping[str, Any]
    missing: Any = _REQUIRED
    column: str = ""
    is_later: bool = False


@dataclass(frozen=True)
class Recorded:
    """A field as the codebook explains it.

    Attributes
    ----------
    name
        Of the field.
    kind
        How it is sent.
    meaning
        What it is, without a full stop.
    unit
        Empty where it has none.
    note
        What else is to be known.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    note: str = ""

    @property
    def text(self) -> str:
        """All of it in a sentence."""
        unit, note = (f"{mark}{said}" if said else "" for mark, said in self._after)
        return f"{self.meaning}{unit}{note}."

    @property
    def _after(self) -> tuple[tuple[str, str], tuple[str, str]]:
        return (", ", self.unit), ("; ", self.note)


# -- reading ------------------------------------------------------------------------


def check_key(value: object) -> str:
    """Return an idempotency key.

    Raises
    ------
    InvalidValueError
        If it is not 8 to 64 letters, digits and dashes.
    """
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9-]{8,64}", value):
        raise InvalidValueError(
            f"key is 8 to 64 letters, digits and dashes; got {str(value)[:80]!r}."
        )
    return value


def check_sum(value: object) -> int:
    """Return an answer.

    Raises
    ------
    InvalidValueError
        If it is no whole number from 0 to 27.
    """
    return check_whole("answer", value, 0, SUM_MAX)


def check_whole(name: str, value: object, low: int, high: int) -> int:
    """Return a whole number.

    Raises
    ------
    InvalidValueError
        If it is none, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidValueError(
            f"{name} is a whole number from {low} to {high}; got {str(value)[:40]!r}."
        )
    return value


def check_mapping(name: str, value: object) -> Mapping[str, Any]:
    """Return a JSON object.

    Raises
    ------
    InvalidValueError
        If it is none.
    """
    if not isinstance(value, Mapping):
        raise InvalidValueError(f"Expected {name} as a JSON object, found {type(value).__name__}.")
    return value


def practice_extras(fields: Mapping[str, object]) -> dict[str, Any]:
    """Return what may come with a practice answer beside the sum.

    Raises
    ------
    InvalidValueError
        If the confidence, a digit or a box is none.
    """
    return {
        "confidence": _percent("confidence", fields.get("confidence")),
        "digits": _digits("digits", fields.get("digits")),
        "boxes": read_boxes("boxes", fields.get("boxes")),
    }


def practice_sum(fields: Mapping[str, object], extras: Mapping[str, Any]) -> int:
    """Return the sum of a practice answer; any that boxes can have where some came with it.

    Raises
    ------
    InvalidValueError
        If it is none.
    """
    most = SUM_MAX if extras["boxes"] is None else BOXED_SUM_MAX
    return check_whole("answer", fields.get("answer"), 0, most)


def _id(name: str, value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value):
        raise InvalidValueError(f"{name} is an id as the server gave it; got {str(value)[:80]!r}.")
    return value


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidValueError(f"{name} is a number; got {str(value)[:40]!r}.")
    return float(value)


def _ms(name: str, value: object) -> float:
    number = _number(name, value)
    if not 0 <= number <= _MS_MAX:
        raise InvalidValueError(f"{name} is a time in ms of 0 or more; got {number}.")
    return round(number, 1)


def _percent(name: str, value: object) -> int | None:
    return None if value is None else check_whole(name, value, 0, 100)


def _digits(name: str, value: object) -> tuple[int, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > 100:
        raise InvalidValueError(f"{name} is a list of at most 100 digits; send it so.")
    return tuple(check_whole("a digit", one, 0, 9) for one in value)


def _time(_name: str, value: object) -> str | None:
    # A clock that is wrong is no reason to lose an answer.
    return value if isinstance(value, str) and len(value) <= _TIME_MAX else None


def _device(name: str, value: object) -> Mapping[str, Any]:
    device = check_mapping(name, value)
    if len(json.dumps(device)) > _DEVICE_MAX:
        raise InvalidValueError(f"{name} is at most {_DEVICE_MAX} characters of JSON; send less.")
    return device


def _parts(name: str, value: object) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(value, list) or len(value) > _PARTS_MAX:
        raise InvalidValueError(f"{name} is a list of at most {_PARTS_MAX}; send it so.")
    parts = []
    total = 0
    for item in value:
        part = check_mapping("a part of the trace", item)
        samples = part.get("samples", [])
        if not isinstance(samples, list):
            raise InvalidValueError("samples is a list; send it so.")
        total += len(samples)
        if total > _SAMPLES_MAX:
            raise InvalidValueError(f"A trace has at most {_SAMPLES_MAX} samples; thin it out.")
        kept = {
            "samples": [_sample(sample) for sample in samples],
            "end_ms": _ms("end_ms", part.get("end_ms", 0)),
        }
        parts.append({**kept, "thinned": True} if part.get("thinned") is True else kept)
    return tuple(parts)


def _sample(value: object) -> dict[str, Any]:
    sample = check_mapping("a sample of the trace", value)
    numbers = {name: _number(name, sample.get(name)) for name in _SAMPLE_NUMBERS}
    return {**numbers, "visible": sample.get("visible", True) is True}


# -- kinds ----------------------------------------------------------------------------

_NUMBER = {"type": "number"}
_MS_SCHEMA = {"type": "number", "minimum": 0, "maximum": _MS_MAX}
_SAMPLE_SCHEMA = {
    "type": "object",
    "required": [*_SAMPLE_NUMBERS, "visible"],
    "properties": {**dict.fromkeys(_SAMPLE_NUMBERS, _NUMBER), "visible": {"type": "boolean"}},
}
_PART_SCHEMA = {
    "type": "object",
    "required": ["samples", "end_ms"],
    "properties": {
        "samples": {"type": "array", "maxItems": _SAMPLES_MAX, "items": _SAMPLE_SCHEMA},
        "end_ms": _MS_SCHEMA,
        "thinned": {"type": "boolean"},
    },
}


def _whole_schema(low: int, high: int, *, optional: bool = False) -> dict[str, Any]:
    kinds = ["integer", "null"] if optional else "integer"
    return {"type": kinds, "minimum": low, "maximum": high}


KEY = Kind(
    lambda _, value: check_key(value), {"type": "string", "pattern": "^[A-Za-z0-9-]{8,64}$"}, None
)
ID = Kind(_id, {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}, None)
SUM = Kind(
    lambda name, value: check_whole(name, value, 0, BOXED_SUM_MAX),
    _whole_schema(0, BOXED_SUM_MAX),
    None,
)
PERCENT = Kind(_percent, _whole_schema(0, 100, optional=True), None)
DIGITS = Kind(
    _digits, {"type": ["array", "null"], "maxItems": 100, "items": _whole_schema(0, 9)}, None
)
BOXES = Kind(read_boxes, BOXES_SCHEMA, None)
MS = Kind(_ms, _MS_SCHEMA, 0, "float")
COUNT = Kind(
    lambda name, value: check_whole(name, value, 0, 10**6), _whole_schema(0, 10**6), 0, "int"
)
TIME = Kind(_time, {"type": ["string", "null"], "maxLength": _TIME_MAX}, None, "text")
DEVICE = Kind(_device, {"type": "object"}, {})
PARTS = Kind(_parts, {"type": "array", "maxItems": _PARTS_MAX, "items": _PART_SCHEMA}, [])


def added_later(kind: Kind) -> Kind:
    """Return a kind for a field that pages and logs from before do not have: unknown, not 0."""

    def read(name: str, value: Any) -> Any:
        return None if value is None else kind.read(name, value)

    schema = {**kind.schema, "type": [kind.schema["type"], "null"]}
    # A whole number that may be empty is a float in tables.
    column = {"int": "float"}.get(kind.column, kind.column)
    return Kind(read, schema, None, column, is_later=True)


def recorded(kind: Kind, meaning: str, *, unit: str = "", note: str = "") -> Mapping[str, Recorded]:
    """Return the metadata that declare a field of a record; `fields_of` adds its name."""
    return {"recorded": Recorded("", kind, meaning, unit, note)}


def fields_of(record: type) -> Iterator[Recorded]:
    """Yield the declared fields of a record, in order."""
    for one in dataclasses.fields(record):
        if "recorded" in one.metadata:
            yield dataclasses.replace(one.metadata["recorded"], name=one.name)


def _read(record: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a record from what was sent."""
    return {
        one.name: one.kind.read(one.name, data.get(one.name, one.kind.missing))
        for one in fields_of(record)
    }


# -- records --------------------------------------------------------------------------


@dataclass(frozen=True)
class Response:
    """How an answer came about, as the browser measured it; each field says what it is."""

    response_ms: float = field(
        metadata=recorded(
            MS,
            "From the first fully drawn view of the image to the submission",
            unit="ms",
            note="the time between two loads of the page is left out",
        )
    )
    active_ms: float = field(
        metadata=recorded(MS, "Part of response_ms with input within the last 10 s", unit="ms")
    )
    idle_ms: float = field(
        metadata=recorded(MS, "Part of response_ms without such input", unit="ms")
    )
    hidden_ms: float = field(
        metadata=recorded(MS, "Part of response_ms with the page hidden or paused", unit="ms")
    )
    first_drawn_ms: float = field(
        metadata=recorded(
            MS,
            "From asking for the image to its first fully drawn view",
            unit="ms",
            note="of the last page load",
        )
    )
    edits: int = field(metadata=recorded(COUNT, "Times that the typed answer was changed"))
    queued_ms: float = field(
        metadata=recorded(
            MS,
            "From the submission to the sending that arrived",
            unit="ms",
            note="large after a lost connection",
        )
    )
    submitted_utc: str | None = field(
        metadata=recorded(
            TIME, "Submission by the browser's clock, ISO 8601", note="None if it is not a time"
        )
    )
    device: Mapping[str, Any] = field(
        metadata=recorded(
            DEVICE,
            "Screen and window in CSS px, device px per CSS px, touch, drawer, browser and theme",
        )
    )

    def payload(self) -> dict[str, Any]:
        """Return the fields as an event has them: a later one that is unknown is left out."""
        later = {one.name for one in fields_of(type(self)) if one.kind.is_later}
        values = dataclasses.asdict(self)
        return {name: one for name, one in values.items() if one is not None or name not in later}


@dataclass(frozen=True)
class Trace:
    """What was in view."""

    parts: tuple[Mapping[str, Any], ...] = field(
        metadata=recorded(
            PARTS,
            "Viewport trace, a part for each load of the page: "
            '``{"samples": [...], "end_ms": ...}``',
            note="``t`` in ms since the part's first fully drawn view, ``x`` and ``y`` the view's "
            "centre in canvas px, ``zoom`` in CSS px per canvas px, ``w`` and ``h`` the pane in "
            "CSS px, ``visible`` whether the page was; a sample holds until the next",
        )
    )


@dataclass(frozen=True)
class AnswerPost:
    """An answer as it is sent; each field says what it is."""

    key: str = field(
        metadata=recorded(
            KEY,
            "Idempotency key, 8 to 64 letters, digits and dashes",
            note="the same for every sending",
        )
    )
    assignment: str = field(metadata=recorded(ID, "Which image of which person"))
    answer: int = field(
        metadata=recorded(
            SUM,
            "The sum, 0 to 27",
            note=f"where boxes are asked for, that of their labels, up to {BOXED_SUM_MAX}",
        )
    )
    confidence: int | None = field(
        metadata=recorded(
            PERCENT, "0 to 100 per cent", note="None where it was not asked for or not given"
        )
    )
    digits: tuple[int, ...] | None = field(
        metadata=recorded(
            DIGITS,
            "The digits that were seen, in any order",
            note="None where they were not asked for or given",
        )
    )
    response: Response
    parts: tuple[Mapping[str, Any], ...]
    boxes: tuple[Mapping[str, Any], ...] | None = field(
        default=None,
        metadata=recorded(
            BOXES,
            "Boxes around the digits that were seen: ``label``, ``x``, ``y``, ``width`` and "
            "``height`` in px of the image, from its upper left corner",
            note="none at all means that there is no digit; None where they were not asked for",
        ),
    )

    @classmethod
    def from_dict(cls, data: object) -> AnswerPost:
        """Read and check what a browser sent.

        Raises
        ------
        InvalidValueError
            If a field is missing or not of its kind; the sentence names it.
        """
        body = check_mapping("an answer", data)
        response = check_mapping("response", body.get("response", {}))
        own = _read(cls, body)
        if own["boxes"] is None:
            check_sum(own["answer"])
        else:
            check_sum_of_boxes(own["answer"], own["boxes"])
        trace = Trace(**_read(Trace, response))
        return cls(**own, response=Response(**_read(Response, response)), parts=trace.parts)


def explained() -> dict[str, str]:
    """Return field -> meaning, unit and zero, of everything that is recorded with an answer."""
    return {one.name: one.text for kind in (AnswerPost, Response, Trace) for one in fields_of(kind)}


def answer_schema() -> dict[str, Any]:
    """Return the JSON schema of an answer as it is sent, every field with what it means."""
    response = {
        "type": "object",
        "required": [one.name for kind in (Response, Trace) for one in fields_of(kind)],
        "properties": {**_properties(Response), **_properties(Trace)},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An answer of an annotator",
        "type": "object",
        "required": [*(one.name for one in fields_of(AnswerPost)), "response"],
        "properties": {**_properties(AnswerPost), "response": response},
    }


def _properties(record: type) -> dict[str, Any]:
    return {one.name: {**one.kind.schema, "description": one.text} for one in fields_of(record)}
