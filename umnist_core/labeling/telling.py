"""What people of a study are told besides its texts: of practice, and before they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from umnist_core.errors import InvalidValueError
from umnist_core.labeling.language import Language

FEEDBACKS = ("correctness", "full")
"""What is told of a practice answer: whether it is right and nothing else; or also the sum, each
digit, its size and its place."""

DEFAULT_FEEDBACK = {"unguided": "correctness", "guided": "full"}
"""Unguided people must not learn from practice what guided ones are told."""

CONTACT_FIELDS = {
    "duration": "How long it takes",
    "retention": "How long your data are kept",
    "withdrawal": "How to withdraw",
    "contact": "Whom to ask",
}
"""What strangers must be told before they agree, and how it begins there in English, in that
order."""

_CONTACT_MAX = 500


def check_feedback(known: Sequence[str], needed: Sequence[str], told: Mapping[str, str]) -> None:
    """Check what each pool is told of a practice answer.

    Parameters
    ----------
    known, needed
        Pools that there can be, and those that the study has.
    told
        Pool -> one of `FEEDBACKS`.

    Raises
    ------
    InvalidValueError
        If a pool is unknown, or one of the study's is told none of them.
    """
    if unknown := sorted(set(told) - set(known)):
        raise InvalidValueError(
            f"practice_feedback is of {' and '.join(known)}; got {str(unknown[0])[:40]!r}."
        )
    for pool in needed:
        if told.get(pool) not in FEEDBACKS:
            raise InvalidValueError(
                f"practice_feedback of the {pool} pool is {' or '.join(FEEDBACKS)}; got "
                f"{str(told.get(pool, 'nothing'))[:40]!r}."
            )


def check_contact(name: str, value: object) -> None:
    """Check one of `CONTACT_FIELDS`, which may be empty.

    Raises
    ------
    InvalidValueError
        If it is no text of at most 500 characters.
    """
    if not isinstance(value, str) or len(value) > _CONTACT_MAX:
        raise InvalidValueError(
            f"The {name} is a text of at most {_CONTACT_MAX} characters; got {str(value)[:40]!r}."
        )


def consent_with(speech: Language, consent: str, told: Mapping[str, str]) -> str:
    """Return a consent with what else is told, a paragraph each of what is not empty.

    Parameters
    ----------
    speech
        The language, which says how beginning and rest are set apart.
    consent
        The text above.
    told
        How a paragraph begins -> how it goes on.
    """
    lines = [
        speech.say("consent.line", begin=begin, text=text.strip())
        for begin, text in told.items()
        if text.strip()
    ]
    return "\n\n".join([consent.rstrip(), *lines]) if lines else consent


def ids_told(speech: Language, names: Sequence[str]) -> str:
    """Return what people are told of the ids that a recruiting site gives; empty without any."""
    return speech.say("consent.link_ids", names=", ".join(names)) if names else ""
