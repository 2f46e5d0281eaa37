"""What a study is: its settings, each with its unit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from umnist_core.errors import InvalidValueError
from umnist_core.labeling.adaptive import Adaptive, check_design
from umnist_core.labeling.asking import ETHICS_FIELDS, Asking
from umnist_core.labeling.exclusions import ExclusionRules
from umnist_core.labeling.factors import Cell, cells_of, check_factors
from umnist_core.labeling.language import (
    ENGLISH,
    Language,
    check_language,
    in_language,
    language_of,
)
from umnist_core.labeling.original import Original
from umnist_core.labeling.preregistration import Preregistration, check_preregistration
from umnist_core.labeling.recorded import check_whole
from umnist_core.labeling.recruiting import Recruiting
from umnist_core.labeling.telling import (
    CONTACT_FIELDS,
    DEFAULT_FEEDBACK,
    check_contact,
    check_feedback,
    consent_with,
    ids_told,
)

POOLS = ("unguided", "guided")
"""The two variants of the paper's human baseline; a person is in one of them for good."""

POOL_FOR_DATA = "unguided"
"""The one that a study of images without truth has unless it is told another."""

IMAGES_MAX = 100_000

PYRAMID_FILTERS = ("area", "nearest")

_ENGLISH = language_of(ENGLISH, {})

DEFAULT_CONSENT = _ENGLISH.say("text.consent")
DEFAULT_INSTRUCTIONS = {pool: _ENGLISH.say(f"text.instructions.{pool}") for pool in POOLS}
"""Texts of a study for which nobody has written others."""

_TEXT_MAX = 20_000
_NAME_MAX = 120

_BEFORE = {"practice_feedback": {"unguided": "full", "guided": "full"}}
"""How studies were that do not name a setting, since there was none then."""


@dataclass(frozen=True)
class StudySpec:
    """The settings of a study, fixed when it is created.

    Attributes
    ----------
    name
        What researchers and annotators see it called, 1 to 120 characters.
    preset, overrides
        Generated images: preset of `umnist_core.scenes.PRESETS` whose answer is a sum, and
        parameters that replace the preset's. Which images they are is the secret of the study's
        key (`umnist_core.labeling.study_key`).
    seed
        Of the images of a study that was made before studies had keys; None since.
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
    contact, duration, retention, withdrawal
        Who answers questions, how long taking part takes, how long data are kept and how to
        withdraw; at most 500 characters each. They follow ``consent`` on the screen
        (`consent_text`); one that is empty is left out, and an open link needs all.
    instructions
        Pool -> what its people are told; plain text.
    practice
        Trials with feedback before the real ones, 0 to 20.
    practice_feedback
        Pool -> what its people are told of a practice answer, one of `FEEDBACKS`.
    repeats
        Images that a person is shown a second time, for self-consistency; 0 to 20. They come on
        top of ``images_per_annotator`` and fill no place.
    ask_confidence, ask_digits
        Whether to ask for confidence in per cent, and for the digits themselves.
    ask_boxes
        Whether to ask for a box around each digit, with its label, in place of the sum, which is
        counted from them (`umnist_core.labeling.boxes`). In practice too.
    allow_change
        Whether the last answer may be changed, `umnist_core.labeling.people.CHANGES_MAX` times;
        all are then kept, and the last counts.
    pyramid_filter
        How images are made smaller for the screen (`umnist_core.rendering.FILTERS`).
    lease_minutes
        How long an image stays reserved for somebody who has answered one and does not come back,
        1 to 43,200; for others it is a quarter of an hour at first.
    is_self
        Whether it is a study of oneself: one person alone, who made it, comes in by the one link
        that it is made with and is asked for no consent.
    trial_feedback
        Whether that person is told the sum and the digits after each answer.
    exclusions
        Rules by which people are left out of the second reading of the results, fixed before
        anybody came; None where none were fixed.
    factors
        Parameters of the preset and their levels, which are crossed
        (`umnist_core.labeling.factors`); images, and those of each person, are a multiple of the
        number of cells then. Empty for none.
    adaptive
        How each person's sizes of digits follow from their answers; None where they do not.
    preregistration
        What the study promises, of
        `umnist_core.labeling.preregistration.Preregistration`; empty for nothing.
    recruiting
        Ids that links carry, redirects, codes, pay and what a device must be; None for none of
        that.
    replicates
        Which study it repeats and what that found, of
        `umnist_core.labeling.original.Original.to_dict`; None unless it was made from an export.
    asking
        Pages of questions, a gate, breaks, and what else people are told and asked.
    has_truth
        Whether the sums of the images are known. Without, what people say is not measured but
        becomes the labels (`umnist_core.labeling.labels`), and nothing is practised or told.
    language
        Tag of the language in which people are spoken to (`umnist_core.labeling.language`). Texts
        that are as they come in English are those of the language then.
    words
        Name and sentences of a language of the study's own; empty for one that is there.
    """

    name: str
    preset: str = "released"
    seed: int | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)
    folder: str | None = None
    stimuli: int = 1000
    images_per_annotator: int = 30
    labels_per_image: int = 1
    pools: tuple[str, ...] = POOLS
    consent: str = DEFAULT_CONSENT
    contact: str = ""
    duration: str = ""
    retention: str = ""
    withdrawal: str = ""
    instructions: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_INSTRUCTIONS))
    practice: int = 3
    practice_feedback: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_FEEDBACK))
    repeats: int = 0
    ask_confidence: bool = False
    ask_digits: bool = False
    ask_boxes: bool = False
    allow_change: bool = False
    pyramid_filter: str = "area"
    lease_minutes: int = 1440
    is_self: bool = False
    trial_feedback: bool = False
    asking: Asking = field(default_factory=Asking)
    exclusions: ExclusionRules | None = None
    factors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    preregistration: Mapping[str, Any] = field(default_factory=dict)
    recruiting: Recruiting | None = None
    replicates: Mapping[str, Any] | None = None
    has_truth: bool = True
    adaptive: Adaptive | None = None
    language: str = ENGLISH
    words: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_language(self.language, self.words)
        _speak(self)
        _check_text("name", self.name, _NAME_MAX)
        _check_text("consent", self.consent, _TEXT_MAX)
        for name in CONTACT_FIELDS:
            check_contact(name, getattr(self, name))
        for name, low, high in _SPEC_RANGES:
            check_whole(name, getattr(self, name), low, high)
        if self.seed is not None:
            check_whole("seed", self.seed, 0, 2**63 - 1)
        if not self.pools or len(set(self.pools)) < len(self.pools) or set(self.pools) - {*POOLS}:
            raise InvalidValueError(
                f"pools is one or both of {', '.join(POOLS)}; got {', '.join(self.pools)!r}."
            )
        for pool in self.pools:
            _check_text(f"instructions of the {pool} pool", self.instructions.get(pool), _TEXT_MAX)
        check_feedback(POOLS, self.pools, self.practice_feedback)
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
        _check_asking(self)
        _check_self(self)
        _check_factors(self)
        _check_truth(self)
        _check_adaptive(self)
        check_preregistration(self.preregistration, self.pools, is_adaptive=bool(self.adaptive))
        if self.replicates is not None:
            Original.from_dict(self.replicates)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every combination of levels; one, of nothing, where images are all of one kind."""
        return cells_of(self.factors) if self.adaptive is None else self.adaptive.cells

    @property
    def has_cells(self) -> bool:
        """Whether images are of several cells."""
        return bool(self.factors or self.adaptive)

    @property
    def promised(self) -> Preregistration | None:
        """What the study promises; None where it promises nothing."""
        return Preregistration.read(self.preregistration) if self.preregistration else None

    @property
    def target_per_pool(self) -> int:
        """Labels that each pool is to give."""
        # Of an adaptive study nobody knows which images are needed; as many people take part.
        images = self.images_per_annotator if self.adaptive else self.stimuli
        return images * self.labels_per_image

    @property
    def consent_text(self) -> str:
        """What people read and agree to: the consent, who, how long, and what else is kept."""
        say = self.speech.say
        told = {say(f"consent.{name}"): getattr(self, name) for name in CONTACT_FIELDS}
        ethics = {say(f"consent.{name}"): getattr(self.asking, name) for name in ETHICS_FIELDS}
        ids = self.recruiting.ids if self.recruiting else ()
        came = {say("consent.link"): ids_told(self.speech, ids)}
        return consent_with(self.speech, self.consent, {**told, **came, **ethics})

    @property
    def question(self) -> str:
        """What is asked of each image."""
        return self.speech.say("text.box_question" if self.ask_boxes else "text.question")

    def instructions_text(self, pool: str) -> str:
        """Return what a pool reads: its instructions, and how boxes are drawn where they are."""
        own = self.instructions[pool]
        return f"{own}\n\n{self.speech.say('text.box_instructions')}" if self.ask_boxes else own

    @property
    def speech(self) -> Language:
        """What people are told beside the study's own texts."""
        return language_of(self.language, self.words)

    @property
    def missing_for_strangers(self) -> tuple[str, ...]:
        """Names of what an open link needs and the study does not tell."""
        return tuple(name for name in CONTACT_FIELDS if not getattr(self, name).strip())

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON-serialisable values."""
        values = {**asdict(self), "pools": list(self.pools), "asking": self.asking.to_dict()}
        if self.seed is None:
            del values["seed"]
        if self.language == ENGLISH and not self.words:
            del values["language"]
        if self.recruiting is not None:
            values["recruiting"] = self.recruiting.to_dict()
        if self.adaptive is not None:
            values["adaptive"] = self.adaptive.to_dict()
        for name in _ONLY_IF_SET:
            if not values[name]:
                del values[name]
        if self.has_truth:
            del values["has_truth"]
        return values

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
        if values.get("exclusions") is not None:
            values["exclusions"] = ExclusionRules.from_dict(values["exclusions"])
        if values.get("recruiting") is not None:
            values["recruiting"] = Recruiting.from_dict(values["recruiting"])
        if values.get("adaptive") is not None:
            values["adaptive"] = Adaptive.from_dict(values["adaptive"])
        if "asking" in values and not isinstance(values["asking"], Asking):
            values["asking"] = Asking.from_dict(values["asking"])
        try:
            return cls(**values)
        except (TypeError, AttributeError) as error:
            raise InvalidValueError(
                f"The settings of a study could not be read ({error}); a name is needed, and every "
                "value is of the kind that its default has."
            ) from error

    @classmethod
    def from_log(cls, data: Mapping[str, Any]) -> StudySpec:
        """Read the settings of a study that is there, whatever could be set when it was made.

        Raises
        ------
        InvalidValueError
            As `from_dict`.
        """
        values = {**_BEFORE, **data}
        if isinstance(fixed := values.get("exclusions"), Mapping):
            # A rule that came later than the study was none of its rules.
            values["exclusions"] = {**dict.fromkeys(ExclusionRules.NAMES), **fixed}
        return cls.from_dict(values)


_SELF = ("is_self", "trial_feedback")

_ONLY_IF_SET = (
    *_SELF,
    "ask_boxes",
    *("adaptive", "asking", "exclusions", "factors", "preregistration", "recruiting"),
    *("replicates", "words"),
)
"""Named where they are set alone: studies of others are written as they were before."""

_SELF_HAS_NO = ("asking", "practice", "repeats", "allow_change", "exclusions", "recruiting")

_SPEC_RANGES = (
    ("stimuli", 1, IMAGES_MAX),
    ("images_per_annotator", 1, 1000),
    ("labels_per_image", 1, 100),
    ("practice", 0, 20),
    ("repeats", 0, 20),
    ("lease_minutes", 1, 43_200),
)


def _speak(spec: StudySpec) -> None:
    if spec.language != ENGLISH or spec.words:
        consent, instructions = in_language(spec.speech, spec.consent, spec.instructions)
        object.__setattr__(spec, "consent", consent)
        object.__setattr__(spec, "instructions", instructions)


def _check_text(name: str, value: object, longest: int) -> None:
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise InvalidValueError(
            f"The {name} is a text of 1 to {longest} characters; got "
            f"{'nothing' if not value else str(value)[:40]!r}."
        )


def _check_factors(spec: StudySpec) -> None:
    counts = {"images": spec.stimuli, "images of each person": spec.images_per_annotator}
    check_factors(spec.factors, spec.overrides, counts)
    if spec.factors and spec.folder is not None:
        raise InvalidValueError(
            "Factors are of images that the study draws itself; leave the folder or the factors "
            "out."
        )


_WITHOUT_TRUTH_NO = ("practice", "trial_feedback", "preregistration", "replicates")


def _check_truth(spec: StudySpec) -> None:
    """Check that a study without truth needs none.

    Raises
    ------
    InvalidValueError
        If it does.
    """
    if not isinstance(spec.has_truth, bool):
        raise InvalidValueError(
            f"has_truth is true or false; got {str(spec.has_truth)[:40]!r}; correct it."
        )
    if spec.has_truth:
        return
    if spec.folder is None:
        raise InvalidValueError(
            "Images without truth are those of a folder, and generated ones have their sums; name "
            "a folder, or leave has_truth out."
        )
    needing = [name for name in _WITHOUT_TRUTH_NO if getattr(spec, name)]
    if spec.recruiting is not None and spec.recruiting.bonus_rule == "each_right":
        needing.append("bonus for each right answer")
    if needing:
        raise InvalidValueError(
            f"Without truth nobody can say what is right, so a study of such images has no "
            f"{needing[0]}; leave it out."
        )


def _check_adaptive(spec: StudySpec) -> None:
    if spec.adaptive is None:
        return
    others = {
        "factors": bool(spec.factors),
        "folder": spec.folder is not None,
        "repeats": spec.repeats > 0,
        "allow_change": spec.allow_change,
        "study of oneself": spec.is_self,
        "factor of its own": "factor" in spec.overrides,
        "scale_distribution of its own": "scale_distribution" in spec.overrides,
    }
    each = spec.images_per_annotator
    check_design(spec.adaptive, stimuli=spec.stimuli, each=each, others=others)


def _check_asking(spec: StudySpec) -> None:
    """Check that nothing is required or practised that is not asked for.

    Raises
    ------
    InvalidValueError
        If something is.
    """
    asking = spec.asking
    if not isinstance(spec.ask_boxes, bool):
        raise InvalidValueError(f"ask_boxes is true or false; got {str(spec.ask_boxes)[:40]!r}.")
    if spec.ask_boxes and spec.ask_digits:
        raise InvalidValueError(
            "Boxes say which digits were seen, so ask_boxes and ask_digits are not both set; leave "
            "ask_digits out."
        )
    if not isinstance(asking, Asking):
        raise InvalidValueError(
            f"asking is a list of NAME: VALUE, as docs/studies.md has it; got {str(asking)[:40]!r}."
        )
    for required, asked in (
        ("require_digits", "ask_digits"),
        ("require_confidence", "ask_confidence"),
    ):
        if getattr(asking, required) and not getattr(spec, asked):
            raise InvalidValueError(
                f"{required} is of what is asked for, and {asked} is not set; set it, or leave "
                f"{required} out."
            )


def _check_self(spec: StudySpec) -> None:
    """Check what makes a study one of oneself.

    Raises
    ------
    InvalidValueError
        If it is one and has what is for others, or is none and has what is for it alone.
    """
    for name in _SELF:
        if not isinstance(getattr(spec, name), bool):
            raise InvalidValueError(
                f"{name} is true or false; got {str(getattr(spec, name))[:40]!r}."
            )
    if not spec.is_self:
        if spec.trial_feedback:
            raise InvalidValueError(
                "trial_feedback tells the sum of each image, which is for a study of oneself; set "
                "is_self too, or leave it out."
            )
        return
    if given := [name for name in _SELF_HAS_NO if getattr(spec, name)]:
        raise InvalidValueError(
            f"A study of oneself has no {given[0]}; got {getattr(spec, given[0])}. Leave it out."
        )
    each = spec.stimuli == spec.images_per_annotator and spec.labels_per_image == 1
    if len(spec.pools) != 1 or not each:
        raise InvalidValueError(
            "A study of oneself has one pool, one label for each image, and as many images as its "
            f"one person is shown; got {len(spec.pools)} pools, {spec.labels_per_image} labels and "
            f"{spec.stimuli} images of which {spec.images_per_annotator} are shown."
        )
