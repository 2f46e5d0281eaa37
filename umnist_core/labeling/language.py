"""The languages in which a study speaks to its people: sentences by their keys.

Each language is a file of ``languages/``; a laboratory may give a study one of its own, made from
`template`. English is the source: a key that another language lacks is said in English, as a study
may be older than the sentence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from umnist_core.errors import InvalidValueError
from umnist_core.labeling.plural_forms import forms_of

Sentence = str | Mapping[str, str]
"""A text, or one for each plural category where ``{count}`` is in it."""

ENGLISH = "en"

SHIPPED = (ENGLISH, "de", "fr")
"""Tags of the languages that are there, in the order in which they are offered."""

COUNT = "count"
"""The place whose number chooses among plural forms."""

OTHER = "other"

DIRECTIONS = ("ltr", "rtl")
"""Whether a language is written from left to right or from right to left, as HTML says it."""

_RIGHT_TO_LEFT = frozenset(
    [
        "ar",
        "arc",
        "ars",
        "ckb",
        "dv",
        "fa",
        "he",
        "khw",
        "ks",
        "nqo",
        "ps",
        "sd",
        "syr",
        "ug",
        "ur",
        "yi",
    ]
)
_RIGHT_TO_LEFT_SCRIPT = re.compile(r"-(Arab|Hebr|Nkoo|Syrc|Thaa)(-|$)")

_DIR = Path(__file__).parent / "languages"
_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_PLACE = re.compile(r"\{([a-z_]+)\}")
_LETTER = re.compile(r"[^\W\d_]")
_TEXT_MAX = 20_000
_NAME_MAX = 60
_NAMED = 10
"""Sentences that are named where many are not right; of the others it is said how many."""


@dataclass(frozen=True)
class Language:
    """All that a study says to its people.

    Attributes
    ----------
    tag
        As in HTML: ``en``, ``de``, ``pt-BR``.
    name
        What its speakers call it.
    sentences
        Key -> sentence.
    direction
        One of `DIRECTIONS`.
    """

    tag: str
    name: str
    sentences: Mapping[str, Sentence]
    direction: str = DIRECTIONS[0]

    def say(self, key: str, **values: str) -> str:
        """Return a sentence that has no number in it, with its places filled in."""
        sentence = self.sentences[key]
        text = sentence if isinstance(sentence, str) else sentence[OTHER]
        return _PLACE.sub(lambda found: values.get(found[1], found[0]), text)

    def to_dict(self) -> dict[str, Any]:
        """Return what a file of a language has."""
        return {
            "language": self.tag,
            "name": self.name,
            "direction": self.direction,
            "sentences": dict(self.sentences),
        }


@cache
def shipped(tag: str) -> Language:
    """Return a language that is there.

    Raises
    ------
    InvalidValueError
        If it is none of `SHIPPED`.
    """
    if tag not in SHIPPED:
        raise InvalidValueError(
            f"The languages that are there are {', '.join(SHIPPED)}; got {str(tag)[:40]!r}. Give a "
            "file for another one; `umnist study language-template` writes one to translate."
        )
    data = json.loads((_DIR / f"{tag}.json").read_text("utf-8"))
    return Language(data["language"], data["name"], data["sentences"])


def language_of(tag: str, own: Mapping[str, Any]) -> Language:
    """Return the language of a study.

    Parameters
    ----------
    tag
        Of `SHIPPED`, or of the study's own.
    own
        `Language.to_dict` of the study's own without its tag; empty for one that is there.
    """
    if not own:
        return shipped(tag)
    sentences = {**shipped(ENGLISH).sentences, **own["sentences"]}
    return Language(tag, own["name"], sentences, own["direction"])


def in_language(
    language: Language, consent: str, instructions: Mapping[str, str]
) -> tuple[str, dict[str, str]]:
    """Return texts of a study: those that are as they come in English in the language instead."""
    english = shipped(ENGLISH).sentences

    def said(key: str, text: str) -> str:
        return language.say(key) if text == english.get(key) else text

    told = {pool: said(f"text.instructions.{pool}", text) for pool, text in instructions.items()}
    return said("text.consent", consent), told


def check_language(tag: object, own: object) -> None:
    """Check a study's setting; whether a language is whole, `read_language` has checked before.

    Raises
    ------
    InvalidValueError
        If it is no language.
    """
    if not isinstance(tag, str) or not _TAG.fullmatch(tag):
        raise InvalidValueError(
            "The language is a tag such as de, fr or pt-BR, or a file that has one; got "
            f"{str(tag)[:40]!r}."
        )
    if own == {}:
        shipped(tag)
        return
    is_own = isinstance(own, Mapping) and set(own) == {"name", "direction", "sentences"}
    if (
        not is_own
        or own["direction"] not in DIRECTIONS  # type: ignore[index]
        or not isinstance(own["sentences"], Mapping)  # type: ignore[index]
    ):
        raise InvalidValueError(
            "The words of a study are a name, a direction and sentences, as `umnist study "
            f"language-template` writes them; got {str(own)[:60]!r}."
        )


def template(tag: str) -> Language:
    """Return a language to translate: one that is there as it is, any other in English.

    Raises
    ------
    InvalidValueError
        If the tag is none.
    """
    if tag in SHIPPED:
        return shipped(tag)
    if not _TAG.fullmatch(tag):
        raise InvalidValueError(
            f"A language has a tag such as nl, pl or pt-BR; got {tag[:40]!r}; correct it."
        )
    forms = forms_of(tag)
    sentences = {
        key: text
        if isinstance(text, str)
        else {form: text.get(form, text[OTHER]) for form in forms}
        for key, text in shipped(ENGLISH).sentences.items()
    }
    return Language(tag, tag, sentences, direction_of(tag))


def direction_of(tag: str) -> str:
    """Return how a language is written, for all that its tag says."""
    is_right_to_left = tag.partition("-")[0] in _RIGHT_TO_LEFT or _RIGHT_TO_LEFT_SCRIPT.search(tag)
    return DIRECTIONS[bool(is_right_to_left)]


def settings_of(language: Language) -> dict[str, Any]:
    """Return the fields of a study's settings that stand for a language of its own."""
    return {
        "language": language.tag,
        "words": {
            "name": language.name,
            "direction": language.direction,
            "sentences": dict(language.sentences),
        },
    }


def language_text(language: Language) -> str:
    """Return a language as its file."""
    return json.dumps(language.to_dict(), ensure_ascii=False, indent=2) + "\n"


def read_language(text: str, source: str) -> Language:
    """Read the file of a language and check that it is whole.

    Parameters
    ----------
    text
        JSON as `language_text` writes it.
    source
        What the file is called in errors.

    Raises
    ------
    InvalidValueError
        If it is none, or a sentence is missing, unknown, lacks a place or a plural form; those that
        are missing are named, else the first that is not right.
    """
    data = _parsed(text, source)
    tag, name, direction = _head(data, source)
    if faults := _faults(tag, data["sentences"]):
        more = f", and {len(faults) - 1} more not right" if len(faults) > 1 else ""
        raise InvalidValueError(f"In {source}, {faults[0]}{more}; correct it and try again.")
    return Language(tag, name, data["sentences"], direction)


def english_note(language: Language) -> str:
    """Return what to say of sentences that are as in English, perhaps forgotten; empty of none."""
    if language.tag.partition("-")[0] == ENGLISH:
        return ""
    source = ENGLISH if language.tag in SHIPPED else language.tag
    english = template(source).sentences
    same = [
        key
        for key, text in language.sentences.items()
        if text == english[key] and _LETTER.search(_PLACE.sub("", str(text)))
    ]
    if not same:
        return ""
    return (
        f"{len(same)} of {len(language.sentences)} sentences of the language {language.name} are "
        f"as in English: {_listed(same)}."
    )


def _parsed(text: str, source: str) -> dict[str, Any]:
    try:
        data = json.loads(text.removeprefix("\ufeff"))
    except ValueError as error:
        raise InvalidValueError(
            f"Expected a language as JSON in {source}, found something else ({str(error)[:120]}); "
            "`umnist study language-template` shows how one is written."
        ) from error
    if not isinstance(data, dict) or not isinstance(data.get("sentences"), dict):
        raise InvalidValueError(
            f"Expected language, name and sentences in {source}, found none; `umnist study "
            "language-template` shows how they are written."
        )
    return data


def _head(data: Mapping[str, Any], source: str) -> tuple[str, str, str]:
    """Return tag, name and direction."""
    tag, name = data.get("language"), data.get("name")
    if not isinstance(tag, str) or not _TAG.fullmatch(tag):
        raise InvalidValueError(
            f"Expected the tag of a language such as nl in {source}, found {str(tag)[:40]!r}; "
            "write it at the top."
        )
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= _NAME_MAX:
        raise InvalidValueError(
            f"Expected the name of the language in {source}, found {str(name)[:40]!r}; write it at "
            "the top."
        )
    direction = data.get("direction", direction_of(tag))
    if direction not in DIRECTIONS:
        raise InvalidValueError(
            f"Expected the direction in {source} as ltr or, from right to left, rtl; found "
            f"{str(direction)[:40]!r}; correct it at the top."
        )
    return tag, name.strip(), direction


def _faults(tag: str, sentences: Mapping[str, Any]) -> list[str]:
    """Return what is not right of each sentence that is not, the missing ones first."""
    english = shipped(ENGLISH).sentences
    lacking = [key for key in english if key not in sentences]
    missing = [_missing(lacking)] if lacking else []
    unknown = [f"there is no sentence {key[:60]!r}" for key in sentences if key not in english]
    known = ((key, sentences[key]) for key in english if key in sentences)
    found = (_fault(key, one, english[key], tag) for key, one in known)
    return [*missing, *unknown, *(one for one in found if one is not None)]


def _missing(keys: list[str]) -> str:
    named = _listed([repr(key) for key in keys])
    return f"the sentence{'s' * (len(keys) > 1)} {named} {'are' if len(keys) > 1 else 'is'} missing"


def _listed(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
    return f"{', '.join(keys[:_NAMED])}{more}"


def _fault(key: str, sentence: object, english: Sentence, tag: str) -> str | None:
    """Return what is not right of a sentence; None if nothing."""
    if isinstance(english, str):
        return _text_fault(key, sentence, places_of(english))
    if not isinstance(sentence, Mapping):
        return f"the sentence {key!r} has no plural forms, such as {', '.join(forms_of(tag))}"
    forms = forms_of(tag)
    if wrong := sorted(set(sentence) ^ set(forms)):
        what = "lacks the plural form" if wrong[0] in forms else "has no plural form"
        return f"the sentence {key!r} {what} {wrong[0]!r}: {tag} has {', '.join(forms)}"
    # Of one, of two, a language may say the number in a word, or none.
    needed = {form: places_of(english) - ({COUNT} if form != OTHER else set()) for form in forms}
    faults = (
        _text_fault(f"{key}, {form}", sentence[form], needed[form], places_of(english))
        for form in forms
    )
    return next((one for one in faults if one is not None), None)


def _text_fault(
    key: str, text: object, needed: frozenset[str], allowed: frozenset[str] | None = None
) -> str | None:
    if not isinstance(text, str) or not text.strip() or len(text) > _TEXT_MAX:
        return f"the sentence {key!r} is no text of 1 to {_TEXT_MAX} characters"
    places = places_of(text)
    if lacking := sorted(needed - places):
        return f"the sentence {key!r} lacks {{{lacking[0]}}}"
    if more := sorted(places - (needed if allowed is None else allowed)):
        return f"the sentence {key!r} has {{{more[0]}}}, which nothing stands for"
    return None


def places_of(sentence: Sentence) -> frozenset[str]:
    """Return the names in braces of a sentence, in any of its forms."""
    texts = [sentence] if isinstance(sentence, str) else list(sentence.values())
    return frozenset(name for text in texts for name in _PLACE.findall(text))
