"""What callers of the service get: frozen pictures of a state, never the state itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from umnist_core.labeling.practice import PracticeImage
from umnist_core.labeling.records import StudySpec


@dataclass(frozen=True)
class Arrival:
    """Somebody came in by a link.

    Attributes
    ----------
    study, annotator
        Which study, and who in it.
    is_new
        Whether the person came for the first time.
    """

    study: str
    annotator: str
    is_new: bool


@dataclass(frozen=True)
class TrialView:
    """An image to answer: the key by which it is asked for, and its number for people."""

    key: str
    number: int


@dataclass(frozen=True)
class GivenView:
    """An answer that may still be changed, ``changes_left`` times; 0: it stays as it is."""

    key: str
    number: int
    answer: int
    confidence: int | None
    digits: tuple[int, ...] | None
    changes_left: int
    boxes: tuple[Mapping[str, Any], ...] | None = None


@dataclass(frozen=True)
class Progress:
    """How far a person is: trials and practice trials that are done, and all of them."""

    done: int
    total: int
    practice_done: int
    practice_total: int


@dataclass(frozen=True)
class Held:
    """What somebody waits for: places that no label fills, none of which is to spare now.

    Attributes
    ----------
    places
        All of them, of images that this person has not answered.
    open
        Those of an image that somebody has before them; the others are kept for people at work.
    """

    places: int
    open: int


@dataclass(frozen=True)
class AskedView:
    """What somebody is asked beside images.

    Attributes
    ----------
    page
        Id of the page of questions that is open; None in other phases than ``questions``.
    consent_version, agreed_version
        Of the consent as it is, and of the last that the person agreed to; 0 for none.
    gate_tries
        How often the questions on the instructions were answered.
    gate_wrong
        Which of them were wrong the last time, 0 for the first.
    rest_left_s
        For how many seconds more a break lasts at least.
    can_withdraw, can_erase
        Whether the person may still withdraw, and have everything deleted.
    """

    page: str | None
    consent_version: int
    agreed_version: int
    gate_tries: int
    gate_wrong: tuple[int, ...]
    rest_left_s: int
    can_withdraw: bool
    can_erase: bool


@dataclass(frozen=True)
class AnnotatorView:
    """Where a person stands in a study.

    Attributes
    ----------
    phase
        ``consent``, ``questions``, ``instructions``, ``gate`` (questions on them), ``practice``,
        ``trial``, ``break``, ``held`` (every image that is left is with others), ``paused`` or
        ``done``.
    outcome
        How it ended, one of `umnist_core.labeling.people.OUTCOMES`; None before ``done``.
    practice, trial, next, previous
        The open practice image and the open image; the one after it, reserved already; the
        last answer if it may be changed. None where there is none.
    held
        What is waited for in the phase ``held``.
    asked
        What is asked beside images.
    origin
        Whose data, one of `umnist_core.labeling.events.ORIGINS`.
    code
        Completion code, once the person is done and has answered an image.
    link_token
        Token of the person's own link.
    sizes
        Key -> (height, width) of every image that is named here, px.
    sides_px
        Shortest and longest side of any image of the study.
    redirect
        Where the person is sent once they are done; None for nowhere.
    """

    study: str
    annotator: str
    pool: str
    phase: str
    outcome: str | None
    spec: StudySpec
    progress: Progress
    practice: TrialView | None
    trial: TrialView | None
    next: TrialView | None
    previous: GivenView | None
    held: Held | None
    asked: AskedView
    origin: str
    code: str | None
    link_token: str
    sizes: dict[str, tuple[int, int]]
    sides_px: tuple[int, int]
    redirect: str | None = None


@dataclass(frozen=True)
class Feedback:
    """What a person is told of a practice answer, or of any in a study of oneself.

    Attributes
    ----------
    image
        The image with its sum and its digits; None where the pool is told no more than whether
        the answer is right.
    """

    answer: int
    is_correct: bool
    image: PracticeImage | None


@dataclass(frozen=True)
class Saved:
    """An answer that is on disk.

    Attributes
    ----------
    is_counted
        False for one that came late, when its image had no free place that nobody at work needed:
        it is kept, and is no label of the study.
    was_there
        Whether it had been taken in before, under the same key.
    """

    key: str
    is_counted: bool
    was_there: bool


@dataclass(frozen=True)
class ListedAnnotator:
    """A person, for the list of a study; ``code`` is None until the person gets it."""

    annotator: str
    pool: str
    origin: str
    joined_utc: str
    last_utc: str
    phase: str
    outcome: str | None
    answered: int
    total: int
    is_revoked: bool
    code: str | None


@dataclass(frozen=True)
class ListedInvite:
    """A link, for the list of a study; ``token`` is None for one made with another secret.

    ``alias`` is what stands in its place in an address that is easier to read; None for none.
    """

    invite: str
    token: str | None
    pool: str | None
    annotator: str | None
    created_utc: str
    expires_utc: str | None
    is_open: bool
    is_revoked: bool
    origin: str
    alias: str | None = None


@dataclass(frozen=True)
class PoolCounts:
    """How full a pool is.

    Attributes
    ----------
    people
        Who joined.
    complete, quota_full, screened_out, ended_early, withdrawn
        Of these, how many ended so (`umnist_core.labeling.people.OUTCOMES`).
    held
        Who waits for an image.
    simulated, own
        People who are none that were invited, as of `umnist_core.labeling.events.ORIGINS`.
    labels, target
        Answers that count, and how many are wanted.
    reserved
        Places that somebody is at work on now.
    surplus
        Answers that came too late to count.
    """

    pool: str
    people: int
    labels: int
    target: int
    reserved: int
    surplus: int
    complete: int = 0
    quota_full: int = 0
    screened_out: int = 0
    ended_early: int = 0
    withdrawn: int = 0
    held: int = 0
    simulated: int = 0
    own: int = 0


@dataclass(frozen=True)
class Overview:
    """A study, for the list of studies.

    ``is_guessable`` is as of `umnist_core.labeling.state.StudyState`.
    """

    study: str
    spec: StudySpec
    status: str
    created_utc: str
    last_utc: str
    events: int
    erased: int
    head_hash: str
    pools: tuple[PoolCounts, ...]
    is_guessable: bool
