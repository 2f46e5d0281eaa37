"""What a study asks beside images: pages of questions, a gate, breaks, and words around them.

It is one setting of a study, ``asking``, written in a file of settings as `Asking.to_dict` has
it: names and texts, and only what is set.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeGuard, TypeVar

from umnist_core.errors import InvalidValueError
from umnist_core.labeling.recorded import check_mapping, check_whole

QUESTION_KINDS = ("choice", "many", "number", "scale", "text")
"""One option; any of the options; a number; a whole number from low to high; words."""

ETHICS_FIELDS = {
    "approval": "Ethics approval",
    "institution": "Institution",
    "responsible": "Responsible",
}
"""Who stands for the study, and how it begins under the consent in English, in that order."""

ANSWER_MAX = 2000
"""Longest text that somebody can give, characters."""

_Made = TypeVar("_Made")

Value = str | int | float | list[str]
"""An answer to a question; a list for one of which several options may be ticked."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LINE_MAX = 500
_TEXT_MAX = 20_000
_OPTIONS_MAX = 50
_QUESTIONS_MAX = 50
_SCALE_STEPS = 11
_NUMBER_MAX = 1e12


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes
    ----------
    name
        Names it in tables: small letters, figures and ``_``, at most 40.
    kind
        One of `QUESTION_KINDS`.
    text
        What is asked.
    required
        Whether the page can be sent only with an answer to it.
    options
        Of choice and many, 2 to 50.
    low, high
        Smallest and largest answer: of a scale, 1 and 7 unless given, at most 11 steps; of a
        number where there is a bound.
    low_label, high_label
        What the ends of a scale mean.
    whole
        Whether a number is a whole one.
    """

    name: str
    kind: str
    text: str
    required: bool = False
    options: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    low_label: str = ""
    high_label: str = ""
    whole: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise InvalidValueError(
                "The name of a question is 1 to 40 small letters, figures or _, and begins with a "
                f"letter; got "
                f"{str(self.name)[:50]!r}."
            )
        if self.kind not in QUESTION_KINDS:
            raise InvalidValueError(
                f"The kind of question {self.name} is one of {', '.join(QUESTION_KINDS)}; got "
                f"{str(self.kind)[:40]!r}."
            )
        _check_line(f"text of question {self.name}", self.text)
        for name in ("required", "whole"):
            _check_flag(f"{name} of question {self.name}", getattr(self, name))
        for name in ("low_label", "high_label"):
            _check_line(f"{name} of question {self.name}", getattr(self, name), least=0)
        self._check_options()
        self._check_bounds()

    def _check_options(self) -> None:
        if self.kind in ("choice", "many"):
            check_options(f"Question {self.name}", self.options)
        elif self.options:
            raise InvalidValueError(
                f"Question {self.name} is of the kind {self.kind}, which has no options; leave "
                "them out."
            )

    def _check_bounds(self) -> None:
        low, high = self.low, self.high
        for one in (low, high):
            if one is not None and not _is_number(one):
                raise InvalidValueError(
                    f"The bounds of question {self.name} are numbers; got {str(one)[:40]!r}."
                )
        if self.kind == "scale":
            low, high = self.steps[0], self.steps[-1]
        elif self.kind != "number" and (low, high) != (None, None):
            raise InvalidValueError(
                f"Question {self.name} is of the kind {self.kind}, which has no bounds; leave low "
                "and high out."
            )
        if low is not None and high is not None and low >= high:
            raise InvalidValueError(
                f"low of question {self.name} is below its high; got {low:g} and {high:g}."
            )

    @property
    def steps(self) -> range:
        """Answers of a scale.

        Raises
        ------
        InvalidValueError
            If its bounds are no whole numbers of 2 to 11 steps.
        """
        low, high = 1 if self.low is None else self.low, 7 if self.high is None else self.high
        if low != int(low) or high != int(high) or not 1 <= high - low < _SCALE_STEPS:
            raise InvalidValueError(
                f"Scale {self.name} goes from one whole number to another in 2 to {_SCALE_STEPS} "
                f"steps; got {low:g} to {high:g}."
            )
        return range(int(low), int(high) + 1)

    @property
    def _bounds(self) -> tuple[float | None, float | None]:
        """Smallest and largest answer; None where there is no bound."""
        if self.kind == "scale":
            return self.steps[0], self.steps[-1]
        return self.low, self.high

    def read(self, given: object) -> Value | None:
        """Return an answer as it is kept; None for none.

        Raises
        ------
        InvalidValueError
            If it is not of the question's kind or is missing; the sentence is for who answers.
        """
        value = self._value(given)
        if value is None and self.required:
            raise InvalidValueError(f"“{self.text}” needs an answer.")
        return value

    def _value(self, given: object) -> Value | None:
        if given is None or given in ("", []):
            return None
        if self.kind == "text":
            if isinstance(given, str) and len(given) <= ANSWER_MAX and _is_text(given):
                return given.strip() or None
            raise InvalidValueError(
                f"The answer to “{self.text}” is a text of at most {ANSWER_MAX} characters; "
                "shorten it."
            )
        if self.kind == "choice":
            return self._chosen([given])[0]
        if self.kind == "many":
            return self._chosen(given if isinstance(given, list) else [given])
        return self._number(given)

    def _chosen(self, given: Sequence[object]) -> list[str]:
        """Return options that were ticked, in their own order."""
        if any(one not in self.options for one in given):
            raise InvalidValueError(f"The answer to “{self.text}” is one of its options; choose.")
        return [one for one in self.options if one in given]

    def _number(self, given: object) -> int | float:
        whole = self.whole or self.kind == "scale"
        low, high = self._bounds
        if (
            not _is_number(given)
            or (whole and given != int(given))
            or (low is not None and given < low)
            or (high is not None and given > high)
        ):
            raise InvalidValueError(f"The answer to “{self.text}” is {self.said_range}.")
        return int(given) if given == int(given) else float(given)

    @property
    def said_range(self) -> str:
        """What numbers may be given, in words."""
        kind = "a whole number" if self.whole or self.kind == "scale" else "a number"
        low, high = self._bounds
        if low is not None and high is not None:
            return f"{kind} from {low:g} to {high:g}"
        if low is not None:
            return f"{kind} of {low:g} or more"
        return kind if high is None else f"{kind} of {high:g} or less"


@dataclass(frozen=True)
class Page:
    """Questions that are on screen and sent together, 1 to 50, below a ``title`` and a text."""

    title: str
    questions: tuple[Question, ...]
    text: str = ""

    def __post_init__(self) -> None:
        _check_line("title of a page of questions", self.title)
        _check_line(f"text of the page {self.title!r}", self.text, least=0, most=_TEXT_MAX)
        if not 1 <= len(self.questions) <= _QUESTIONS_MAX:
            raise InvalidValueError(
                f"The page {self.title!r} has 1 to {_QUESTIONS_MAX} questions; got "
                f"{len(self.questions)}."
            )

    def read(self, given: object) -> dict[str, Value]:
        """Return the answers to a page, by name, in the order of its questions.

        Raises
        ------
        InvalidValueError
            As `Question.read`, or if something is answered that is not asked.
        """
        answers = check_mapping("answers", given)
        if unknown := sorted({*answers} - {one.name for one in self.questions}):
            raise InvalidValueError(
                f"This page has no question {str(unknown[0])[:40]!r}; reload the page."
            )
        read = {one.name: one.read(answers.get(one.name)) for one in self.questions}
        return {name: value for name, value in read.items() if value is not None}


@dataclass(frozen=True)
class GateQuestion:
    """A question on the instructions: ``right`` is the one of its ``options`` that is."""

    text: str
    options: tuple[str, ...]
    right: str

    def __post_init__(self) -> None:
        _check_line("text of a question on the instructions", self.text)
        check_options(f"The question {self.text[:60]!r}", self.options)
        if self.right not in self.options:
            raise InvalidValueError(
                f"right of the question {self.text[:60]!r} is one of its options; got "
                f"{str(self.right)[:60]!r}."
            )


@dataclass(frozen=True)
class Comprehension:
    """Questions on the instructions; who answers all of them within ``tries`` goes on."""

    questions: tuple[GateQuestion, ...]
    tries: int = 2

    def __post_init__(self) -> None:
        check_whole("tries of the gate", self.tries, 1, 10)
        if not 1 <= len(self.questions) <= _QUESTIONS_MAX:
            raise InvalidValueError(
                f"A gate has 1 to {_QUESTIONS_MAX} questions; got {len(self.questions)}."
            )

    def wrong(self, chosen: object) -> tuple[int, ...]:
        """Return which questions were not answered right, 0 for the first.

        Parameters
        ----------
        chosen
            The option that was chosen of each question.

        Raises
        ------
        InvalidValueError
            If a question has no answer.
        """
        if not isinstance(chosen, list) or len(chosen) != len(self.questions):
            raise InvalidValueError("Every question on the instructions needs an answer; choose.")
        for one, answer in zip(self.questions, chosen, strict=True):
            if answer not in one.options:
                raise InvalidValueError(f"“{one.text}” needs one of its answers; choose.")
        pairs = zip(self.questions, chosen, strict=True)
        return tuple(place for place, (one, answer) in enumerate(pairs) if answer != one.right)


@dataclass(frozen=True)
class Asking:
    """What a study asks beside images; nothing unless it is set.

    Attributes
    ----------
    before, after
        Pages of questions between consent and instructions, and behind the last image.
    gate
        Questions on the instructions.
    break_every, break_seconds
        Images after which there is a break, 0 for none, and how long it is at least.
    debriefing
        What people read when their part is over; plain text.
    approval, institution, responsible
        `ETHICS_FIELDS`; they follow the consent on the screen and are part of it.
    require_digits, require_confidence
        Whether an answer is taken only with them.
    practise_asked
        Whether digits and confidence, where they are asked for, are asked for in practice too.
    """

    before: tuple[Page, ...] = ()
    after: tuple[Page, ...] = ()
    gate: Comprehension | None = None
    break_every: int = 0
    break_seconds: int = 0
    debriefing: str = ""
    approval: str = ""
    institution: str = ""
    responsible: str = ""
    require_digits: bool = False
    require_confidence: bool = False
    practise_asked: bool = False

    def __post_init__(self) -> None:
        check_whole("break_every", self.break_every, 0, 1000)
        check_whole("break_seconds", self.break_seconds, 0, 3600)
        if self.break_seconds and not self.break_every:
            raise InvalidValueError(
                "break_seconds is of breaks, and there is none; set break_every too."
            )
        _check_line("debriefing", self.debriefing, least=0, most=_TEXT_MAX)
        for name in ETHICS_FIELDS:
            _check_line(name, getattr(self, name), least=0)
        for name in ("require_digits", "require_confidence", "practise_asked"):
            _check_flag(name, getattr(self, name))
        names = [one.name for _, page in self.pages for one in page.questions]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise InvalidValueError(
                f"Every question of a study has a name of its own; {twice[0]} is there twice."
            )

    def __bool__(self) -> bool:
        """Whether anything is set."""
        return self != type(self)()

    @property
    def pages(self) -> tuple[tuple[str, Page], ...]:
        """Id and page of all, ``before-1`` and so on."""
        parts = (("before", self.before), ("after", self.after))
        return tuple(
            (f"{part}-{number}", page)
            for part, pages in parts
            for number, page in enumerate(pages, start=1)
        )

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read what `to_dict` returned, or the same from a file of settings.

        Raises
        ------
        InvalidValueError
            If a name is unknown or a value is not allowed.
        """
        values = dict(check_mapping("asking", data))
        for part in ("before", "after"):
            if part in values:
                values[part] = tuple(_page(one) for one in _list(part, values[part]))
        if values.get("gate") is not None:
            gate = dict(check_mapping("gate", values["gate"]))
            gate["questions"] = tuple(
                _record(GateQuestion, "question of the gate", one)
                for one in _list("questions of the gate", gate.get("questions"))
            )
            values["gate"] = _record(Comprehension, "gate", gate)
        return _record(cls, "asking", values)

    def to_dict(self) -> dict[str, Any]:
        """Return what is set, as JSON-serialisable values."""
        found: dict[str, Any] = _plain(self)
        return found


def check_options(whose: str, options: object) -> None:
    """Check the options of a question: 2 to 50 different texts.

    Raises
    ------
    InvalidValueError
        If they are not.
    """
    is_fine = isinstance(options, tuple) and 2 <= len(options) <= _OPTIONS_MAX
    if not is_fine or len({*map(str, options)}) < len(options):  # type: ignore[arg-type, call-overload]
        raise InvalidValueError(
            f"{whose} has 2 to {_OPTIONS_MAX} different options; got {str(options)[:60]}."
        )
    for one in options:  # type: ignore[attr-defined]
        _check_line(f"option of {whose[0].lower()}{whose[1:]}", one)


def _plain(record: Any) -> Any:
    """Return a record as a mapping of what differs from its defaults."""
    if isinstance(record, tuple):
        return [_plain(one) for one in record]
    if not dataclasses.is_dataclass(record):
        return record
    return {
        one.name: _plain(getattr(record, one.name))
        for one in dataclasses.fields(record)
        if getattr(record, one.name) != one.default
    }


def _page(data: object) -> Page:
    values = dict(check_mapping("page of questions", data))
    questions = _list("questions of a page", values.get("questions"))
    values["questions"] = tuple(_record(Question, "question", one) for one in questions)
    return _record(Page, "page of questions", values)


def _record(kind: type[_Made], what: str, data: object) -> _Made:
    values = dict(check_mapping(what, data))
    known = {one.name: one for one in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(map(str, values)) - set(known)):
        raise InvalidValueError(f"A {what} has no {unknown[0][:40]!r}; it has {', '.join(known)}.")
    if missing := [
        name
        for name, one in known.items()
        if one.default is dataclasses.MISSING and name not in values
    ]:
        raise InvalidValueError(f"A {what} has a {missing[0]}; got none. Add it.")
    if isinstance(values.get("options"), list):
        values["options"] = tuple(values["options"])
    return kind(**values)


def _list(what: str, value: object) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise InvalidValueError(f"The {what} are a list; got {str(value)[:40]!r}.")
    return value


def _check_line(name: str, value: object, *, least: int = 1, most: int = _LINE_MAX) -> None:
    is_fine = isinstance(value, str) and _is_text(value)
    if not is_fine or not least <= len(str(value).strip()) <= most:
        raise InvalidValueError(
            f"The {name} is a text of {least} to {most} characters; got {str(value)[:40]!r}."
        )


def _check_flag(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise InvalidValueError(f"{name} is true or false; got {str(value)[:40]!r}.")


def _is_text(value: str) -> bool:
    """Whether a text can be kept: no half of a character, and nothing that ends it."""
    return "\0" not in value and value == value.encode(errors="replace").decode()


def _is_number(value: object) -> TypeGuard[int | float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and abs(value) <= _NUMBER_MAX
