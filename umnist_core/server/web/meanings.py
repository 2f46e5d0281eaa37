"""What each error of ours is in HTTP, and who may read its sentence: one table for all routes.

A status says who has to act. 4xx: whoever asked, and the same request will not do again. 5xx:
the server, and the same request may do later, so a page that keeps an answer sends it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from umnist_core.errors import (
    BusyError,
    ClaimError,
    ConflictError,
    DamagedFileError,
    DeviceLostError,
    GlyphMismatchError,
    InvalidValueError,
    MissingFileError,
    NetworkError,
    NotFoundError,
    OutOfMemoryError,
    PlacementError,
    RefusedError,
    SequenceError,
    StoreError,
    TooLargeError,
    UmnistError,
    WorkerError,
    WriteError,
)

TROUBLE = "Something went wrong on the server; its log says more about it."
_NOT_SAVED = (
    "The server can neither save nor read at the moment, and nothing of this was kept; try again."
)

_RETRY_S = 2


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a class of errors is in HTTP.

    Attributes
    ----------
    status, code
        HTTP status, and the word that programs tell errors apart by.
    instead
        What others than researchers read: None for the error's own sentence, where that is about
        what was asked; else this, as the own one may name files and hosts of the server.
    """

    status: int
    code: str
    instead: str | None = TROUBLE


MEANINGS: dict[type[UmnistError], Meaning] = {
    UmnistError: Meaning(500, "trouble"),
    InvalidValueError: Meaning(422, "invalid", None),
    NotFoundError: Meaning(404, "unknown", None),
    MissingFileError: Meaning(500, "missing"),
    DamagedFileError: Meaning(500, "damaged"),
    TooLargeError: Meaning(413, "too_large", None),
    OutOfMemoryError: Meaning(503, "out_of_memory"),
    DeviceLostError: Meaning(503, "device_lost"),
    PlacementError: Meaning(422, "invalid"),
    GlyphMismatchError: Meaning(409, "other_digits"),
    NetworkError: Meaning(502, "no_network"),
    WriteError: Meaning(507, "not_written"),
    ConflictError: Meaning(409, "conflict"),
    RefusedError: Meaning(409, "refused", None),  # status by its code: `REFUSALS`
    BusyError: Meaning(503, "busy"),
    WorkerError: Meaning(500, "trouble"),
    StoreError: Meaning(503, "not_saved", _NOT_SAVED),
    SequenceError: Meaning(503, "not_saved", _NOT_SAVED),
    ClaimError: Meaning(503, "not_saved", _NOT_SAVED),
}
"""A line for every class of `umnist_core.errors`; refusals and workers bring their own codes."""

REFUSALS = {
    "no_session": 401,
    "not_yours": 403,
    "revoked": 410,
    "expired": 410,
}
"""HTTP status of a refusal, by its code; 409 for one that is not named."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as somebody is told it.

    Attributes
    ----------
    status, code
        As in `Meaning`.
    sentence
        For people.
    headers
        More of the answer.
    is_own
        Whether the sentence is the error's own; if not, that is for the log.
    said, values
        Key of the sentence in other languages, and what stands in its places
        (`umnist_core.labeling.language`).
    """

    status: int
    code: str
    sentence: str
    headers: Mapping[str, str] = field(default_factory=dict)
    is_own: bool = True
    said: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


def problem_of(error: UmnistError, *, to_researcher: bool) -> Problem:
    """Return an error of ours as it is told to a researcher, or to anybody else."""
    meaning = next(MEANINGS[kind] for kind in type(error).__mro__ if kind in MEANINGS)
    status, code = meaning.status, meaning.code
    if isinstance(error, RefusedError):
        status = REFUSALS.get(error.code, status)
    if isinstance(error, RefusedError | WorkerError):
        code = error.code
    headers = {"retry-after": str(_RETRY_S)} if status == 503 else {}
    if isinstance(error, RefusedError):
        said, values = error.said, error.values
        return Problem(status, code, str(error), headers, said=said, values=values)
    if to_researcher or meaning.instead is None:
        return Problem(status, code, str(error), headers)
    return Problem(status, code, meaning.instead, headers, is_own=False)
