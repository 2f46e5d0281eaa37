"""What is recorded of a study: its settings, and an answer with everything around it.

Every field says its unit and the zero of its clock; the codebook of an export is made of
these texts (`codebook`).
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from umnist_core.errors import InvalidValueError

SUM_MAX = 27
"""Largest sum that UltraMNIST's labels have."""

POOLS = ("unguided", "guided")
"""The two variants of the paper's human baseline; a person is in one of them for good."""

PYRAMID_FILTERS = ("area", "nearest")

QUESTION = "Give the sum of the digits you see, 0 to 27."

DEFAULT_CONSENT = """\
You are asked to look at images in which handwritten digits are hidden, and to say their sum.

Your answers, how long they took and which parts of each image you looked at are recorded. No \
name and no address is asked for or kept.

Taking part is voluntary. You can pause at any time and come back with the same link, stop at any \
time, and have everything that you gave deleted by asking whoever invited you."""

DEFAULT_INSTRUCTIONS = {
    "unguided": """\
Each image is black and white and very large. Zoom in and look around as closely as you like.

Give the sum of the digits you see, 0 to 27. Take the time that you need; there is no prize for \
speed.""",
    "guided": """\
Each image is black and white and very large, 4000 by 4000 pixels. It hides 3 to 5 handwritten \
digits. The smallest are 14 pixels tall, the largest over 2000: look at the whole image first, \
then zoom in and go through it part by part.

A digit is black where the ground is white and white where the ground is black, so it can change \
colour in the middle. Digits are never rotated, mirrored or overlapping.

Give the sum of the digits you see, 0 to 27. Take the time that you need; there is no prize for \
speed.""",
}

_TEXT_MAX = 20_000
_NAME_MAX = 120


@dataclass(frozen=True)
class StudySpec:
    """The settings of a study, fixed when it is created.

    Attributes
    ----------
    name
        What researchers and annotators see it called, 1 to 120 characters.
    preset, seed, overrides
        Generated images: preset of `umnist_core.scenes.PRESETS` whose answer is a sum, seed of
        the data set, and parameters that replace the preset's.
    folder
        A folder of images with their sums, such as Kaggle's, instead of generated ones; None
        for those.
    stimuli
        Images of the study, the same for all pools; 1 to 100,000.
    images_per_annotator
        How many of them each person is shown, 1 to 1,000; the paper's annotators had 20 to 40.
    labels_per_image
        Answers that are wanted for each image from each pool, 1 to 100.
    pools
        One or both of `POOLS`.
    consent
        What people agree to before they begin; plain text, an empty line ends a paragraph.
    instructions
        Pool -> what its people are told; plain text.
    practice
        Trials with feedback before the real ones, 0 to 20.
    repeats
        Images that a person is shown a second time, for self-consistency; 0 to 20. They come on
        top of ``images_per_annotator`` and fill no place.
    ask_confidence, ask_digits
        Whether to ask for confidence in per cent, and for the digits themselves.
    allow_change
        Whether the last answer may be changed; both are then kept, and the last counts.
    pyramid_filter
        How images are made smaller for the screen (`umnist_core.rendering.FILTERS`).
    lease_minutes
        How long an image stays reserved for somebody who does not come back, 1 to 43,200.
    """

    name: str
    preset: str = "released"
    seed: int = 0
    overrides: Mapping[str, str] = field(default_factory=dict)
    folder: str | None = None
    stimuli: int = 1000
    images_per_annotator: int = 30
    labels_per_image: int = 1
    pools: tuple[str, ...] = POOLS
    consent: str = DEFAULT_CONSENT
    instructions: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_INSTRUCTIONS))
    practice: int = 3
    repeats: int = 0
    ask_confidence: bool = False
    ask_digits: bool = False
    allow_change: bool = False
    pyramid_filter: str = "area"
    lease_minutes: int = 1440

    def __post_init__(self) -> None:
        _check_text("name", self.name, _NAME_MAX)
        _check_text("consent", self.consent, _TEXT_MAX)
        for name, low, high in _SPEC_RANGES:
            _check_whole(name, getattr(self, name), low, high)
        if not self.pools or len(set(self.pools)) < len(self.pools) or set(self.pools) - {*POOLS}:
            raise InvalidValueError(
                f"pools is one or both of {', '.join(POOLS)}; got {', '.join(self.pools)!r}."
            )
        for pool in self.pools:
            _check_text(f"instructions of the {pool} pool", self.instructions.get(pool), _TEXT_MAX)
        if self.images_per_annotator > self.stimuli:
            raise InvalidValueError(
                f"Each person is shown {self.images_per_annotator} images and the study has "
                f"{self.stimuli}; show fewer or make more."
            )
        if self.repeats > self.images_per_annotator:
            raise InvalidValueError(
                "At most as many images can be repeated as are shown, "
                f"{self.images_per_annotator}; got {self.repeats}."
            )
        if self.pyramid_filter not in PYRAMID_FILTERS:
            raise InvalidValueError(
                f"pyramid_filter is {' or '.join(PYRAMID_FILTERS)}; got {self.pyramid_filter!r}."
            )

    @property
    def target_per_pool(self) -> int:
        """Labels that each pool is to give."""
        return self.stimuli * self.labels_per_image

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON-serialisable values."""
        return {**asdict(self), "pools": list(self.pools)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> StudySpec:
        """Read what `to_dict` returned, or the same from a file of settings.

        Raises
        ------
        InvalidValueError
            If a name is unknown or a value is not allowed.
        """
        known = {one.name for one in dataclasses.fields(cls)}
        if unknown := sorted(set(data) - known):
            raise InvalidValueError(
                f"A study has no setting {unknown[0]!r}; the settings are "
                f"{', '.join(sorted(known))}."
            )
        values = dict(data)
        if isinstance(values.get("pools"), list):
            values["pools"] = tuple(values["pools"])
        try:
            return cls(**values)
        except (TypeError, AttributeError) as error:
            raise InvalidValueError(
                f"The settings of a study could not be read ({error}); a name is needed, and every "
                "value is of the kind that its default has."
            ) from error


_SPEC_RANGES = (
    ("seed", 0, 2**63 - 1),
    ("stimuli", 1, 100_000),
    ("images_per_annotator", 1, 1000),
    ("labels_per_image", 1, 100),
    ("practice", 0, 20),
    ("repeats", 0, 20),
    ("lease_minutes", 1, 43_200),
)


@dataclass(frozen=True)
class Response:
    """How an answer came about, as the browser measured it.

    Attributes
    ----------
    response_ms
        From the first fully drawn view of the image to the submission, ms; the time between
        two loads of the page is left out.
    active_ms, idle_ms, hidden_ms
        Parts of it, ms: with input within the last 10 s; without; with the page hidden or paused.
    first_drawn_ms
        From asking for the image to its first fully drawn view, ms; of the last page load.
    edits
        Times that the typed answer was changed.
    queued_ms
        From the submission to the sending that arrived, ms; large after a lost connection.
    submitted_utc
        Submission by the browser's clock, ISO 8601; None if it is not a time.
    device
        Screen and window in CSS px, device px per CSS px, touch, drawer, browser and theme.
    """

    response_ms: float
    active_ms: float
    idle_ms: float
    hidden_ms: float
    first_drawn_ms: float
    edits: int
    queued_ms: float
    submitted_utc: str | None
    device: Mapping[str, Any]


@dataclass(frozen=True)
class AnswerPost:
    """An answer as it is sent.

    Attributes
    ----------
    key
        Idempotency key, 8 to 64 letters, digits and dashes; the same for every sending.
    assignment
        Which image of which person.
    answer
        The sum, 0 to 27.
    confidence
        0 to 100 per cent; None where it was not asked for or not given.
    digits
        The digits that were seen, in any order; None where they were not asked for or given.
    response
        How it came about.
    parts
        Viewport trace, a part for each load of the page: ``{"samples": [...], "end_ms": ...}``;
        ``t`` in ms since the part's first fully drawn view, ``x`` and ``y`` the view's centre in
        canvas px, ``zoom`` in CSS px per canvas px, ``w`` and ``h`` the pane in CSS px,
        ``visible`` whether the page was. A sample holds until the next.
    """

    key: str
    assignment: str
    answer: int
    confidence: int | None
    digits: tuple[int, ...] | None
    response: Response
    parts: tuple[Mapping[str, Any], ...]

    @classmethod
    def from_dict(cls, data: object) -> AnswerPost:
        """Read and check what a browser sent.

        Raises
        ------
        InvalidValueError
            If a field is missing or not of its kind; the sentence names it.
        """
        body = _mapping("an answer", data)
        response = _mapping("response", body.get("response", {}))
        digits = body.get("digits")
        confidence = body.get("confidence")
        return cls(
            key=check_key(body.get("key")),
            assignment=_word("assignment", body.get("assignment")),
            answer=check_sum(body.get("answer")),
            confidence=None if confidence is None else _whole("confidence", confidence, 0, 100),
            digits=None if digits is None else _digits(digits),
            response=_response(response),
            parts=_parts(response.get("parts", [])),
        )


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
    return _whole("answer", value, 0, SUM_MAX)


def codebook() -> dict[str, str]:
    """Return field -> meaning, unit and zero, of everything that is recorded with an answer."""
    return {**_attributes(AnswerPost), **_attributes(Response)}


def _attributes(kind: type) -> dict[str, str]:
    """Return the texts of the Attributes section of a class, by name."""
    text = (kind.__doc__ or "").split("----------", 1)[1]
    found: dict[str, str] = {}
    names: list[str] = []
    for line in text.splitlines():
        if line.startswith("    ") and not line.startswith("     ") and line.strip():
            names = [name.strip() for name in line.split(",")]
        elif line.strip():
            for name in names:
                found[name] = f"{found.get(name, '')} {line.strip()}".strip()
    return found


_SAMPLES_MAX = 4100
_PARTS_MAX = 1000
_DEVICE_MAX = 2000
_MS_MAX = 1e10
_SAMPLE_NUMBERS = ("t", "x", "y", "zoom", "w", "h")


def _response(data: Mapping[str, Any]) -> Response:
    device = _mapping("device", data.get("device", {}))
    if len(json.dumps(device)) > _DEVICE_MAX:
        raise InvalidValueError(f"device is at most {_DEVICE_MAX} characters of JSON; send less.")
    submitted = data.get("submitted_utc")
    is_time = isinstance(submitted, str) and len(submitted) <= 40
    return Response(
        response_ms=_ms("response_ms", data),
        active_ms=_ms("active_ms", data),
        idle_ms=_ms("idle_ms", data),
        hidden_ms=_ms("hidden_ms", data),
        first_drawn_ms=_ms("first_drawn_ms", data),
        edits=_whole("edits", data.get("edits", 0), 0, 10**6),
        queued_ms=_ms("queued_ms", data),
        submitted_utc=submitted if is_time else None,
        device=device,
    )


def _parts(value: object) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(value, list) or len(value) > _PARTS_MAX:
        raise InvalidValueError(f"parts is a list of at most {_PARTS_MAX}; send it so.")
    parts = []
    total = 0
    for item in value:
        part = _mapping("a part of the trace", item)
        samples = part.get("samples", [])
        if not isinstance(samples, list):
            raise InvalidValueError("samples is a list; send it so.")
        total += len(samples)
        if total > _SAMPLES_MAX:
            raise InvalidValueError(f"A trace has at most {_SAMPLES_MAX} samples; thin it out.")
        kept = {"samples": [_sample(sample) for sample in samples], "end_ms": _ms("end_ms", part)}
        parts.append({**kept, "thinned": True} if part.get("thinned") is True else kept)
    return tuple(parts)


def _sample(value: object) -> dict[str, Any]:
    sample = _mapping("a sample of the trace", value)
    numbers = {name: _number(name, sample.get(name)) for name in _SAMPLE_NUMBERS}
    return {**numbers, "visible": sample.get("visible", True) is True}


def _digits(value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or len(value) > 100:
        raise InvalidValueError("digits is a list of at most 100 digits; send it so.")
    return tuple(_whole("a digit", one, 0, 9) for one in value)


def _mapping(name: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidValueError(f"Expected {name} as a JSON object, found {type(value).__name__}.")
    return value


def _word(name: str, value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value):
        raise InvalidValueError(f"{name} is an id as the server gave it; got {str(value)[:80]!r}.")
    return value


def _ms(name: str, data: Mapping[str, Any]) -> float:
    value = _number(name, data.get(name, 0))
    if not 0 <= value <= _MS_MAX:
        raise InvalidValueError(f"{name} is a time in ms of 0 or more; got {value}.")
    return round(value, 1)


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidValueError(f"{name} is a number; got {str(value)[:40]!r}.")
    return float(value)


def _whole(name: str, value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidValueError(
            f"{name} is a whole number from {low} to {high}; got {str(value)[:40]!r}."
        )
    return value


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    _whole(name, value, low, high)


def _check_text(name: str, value: object, longest: int) -> None:
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise InvalidValueError(
            f"The {name} is a text of 1 to {longest} characters; got "
            f"{'nothing' if not value else str(value)[:40]!r}."
        )
