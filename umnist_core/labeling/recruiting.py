"""How a study recruits: ids that a link carries, where people go afterwards, what they are paid.

Ids that a site such as Prolific puts into a link say who somebody is there. They are no part of
what a person answers: the log has a keyed hash of them, by which the same person is known again,
and themselves apart (`umnist_core.labeling.events.Recruited`).
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from umnist_core.errors import InvalidValueError, RefusedError
from umnist_core.labeling.recorded import check_whole

ENDINGS = ("complete", "quota_full", "screened_out", "ended_early", "withdrawn")
"""Ways in which a part ends, `umnist_core.labeling.people.OUTCOMES`."""

TOUCHES = ("allowed", "required", "refused")
BONUS_RULES = ("none", "each_right", "each_answer")
"""What a bonus is paid for: nothing; each right answer; each answer."""

ID_MAX = 128
"""Longest id, characters; those of the sites have 14 to 64."""

_ID = re.compile(rf"[0-9A-Za-z][0-9A-Za-z._@:~+=/-]{{0,{ID_MAX - 1}}}", re.ASCII)
_NAME = re.compile(r"[A-Za-z][0-9A-Za-z_]{0,39}", re.ASCII)
_PLACE = re.compile(r"\{([^{}]*)\}")
_UNFILLED = re.compile(r"[{}\[\]<>$%]")
"""What ids have none of: such a value is still a placeholder, as {{%PROLIFIC_PID%}}."""

_PREVIEW = "ASSIGNMENT_ID_NOT_AVAILABLE"
"""What Mechanical Turk gives somebody who has not accepted a task yet."""

CODE = "code"
_IDS_MAX = 10
_TEXT_MAX = 1000


@dataclass(frozen=True)
class Site:
    """A site that sends people: what it is called, its parameters, the one that names a person."""

    title: str
    ids: tuple[str, ...]
    person_id: str
    return_to: str = ""


SITES: Mapping[str, Site] = {
    "prolific": Site(
        "Prolific",
        ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID"),
        "PROLIFIC_PID",
        "https://app.prolific.com/submissions/complete?cc={code}",
    ),
    "mturk": Site("Mechanical Turk", ("workerId", "assignmentId", "hitId"), "workerId"),
    "sona": Site("SONA", ("survey_code",), "survey_code"),
    "connect": Site(
        "CloudResearch Connect", ("participantId", "assignmentId", "projectId"), "participantId"
    ),
}

HOSTS = {
    "prolific.com": "Prolific",
    "prolific.co": "Prolific",
    "mturk.com": "Mechanical Turk",
    "sona-systems.com": "SONA",
    "cloudresearch.com": "CloudResearch",
}
"""Known sites by the end of their hosts."""


@dataclass(frozen=True)
class DeviceNeeds:
    """What a device must be.

    Attributes
    ----------
    smallest_side_px
        The shorter side of the screen, CSS px, however it is turned; 0 for any.
    touch
        One of `TOUCHES`: ``required`` is any touch screen, ``refused`` one without a mouse.
    """

    smallest_side_px: int = 0
    touch: str = "allowed"


@dataclass(frozen=True)
class Recruiting:
    """The settings of a study that are about where its people come from.

    Attributes
    ----------
    site
        One of `SITES` whose parameters were taken; empty for none.
    ids
        Parameters of the link that are kept; at most 10 names.
    person_id
        That of them which says who somebody is; empty where none does.
    require_id
        Whether nobody joins by an open link that has none.
    redirects
        Outcome -> http or https address where the person is sent; ``{code}`` and the names of
        ``ids`` in braces are filled in.
    codes
        Outcome -> code for all who ended so, whatever they answered; where there is none, each
        person gets one of their own.
    countdown_s
        Seconds before somebody is sent on; 0: only when they click.
    currency
        Of ``pay`` and ``bonus``, three letters such as GBP.
    pay
        Outcome -> what everybody who ended so is paid.
    bonus_rule, bonus, bonus_max
        One of `BONUS_RULES`; amount for each; the most that one person gets, 0 for no limit.
    smallest_side_px, touch
        As of `DeviceNeeds`.
    """

    site: str = ""
    ids: tuple[str, ...] = ()
    person_id: str = ""
    require_id: bool = True
    redirects: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    countdown_s: int = 10
    currency: str = ""
    pay: Mapping[str, float] = field(default_factory=dict)
    bonus_rule: str = "none"
    bonus: float = 0.0
    bonus_max: float = 0.0
    smallest_side_px: int = 0
    touch: str = "allowed"

    def __post_init__(self) -> None:
        _check_one_of("site", self.site, ("", *SITES))
        _check_ids(self)
        for name, low, high in (("countdown_s", 0, 600), ("smallest_side_px", 0, 10_000)):
            check_whole(name, getattr(self, name), low, high)
        _check_one_of("touch", self.touch, TOUCHES)
        _check_one_of("bonus_rule", self.bonus_rule, BONUS_RULES)
        _check_endings(self)
        _check_money(self)

    @property
    def gate(self) -> DeviceNeeds | None:
        """What a device must be; None where any will do."""
        gate = DeviceNeeds(self.smallest_side_px, self.touch)
        return None if gate == DeviceNeeds() else gate

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON-serialisable values."""
        return {**asdict(self), "ids": list(self.ids)}

    @classmethod
    def from_dict(cls, data: object) -> Recruiting:
        """Read what `to_dict` returned, or some of it; ids that are left out are the site's.

        Raises
        ------
        InvalidValueError
            If a name is unknown or a value is not allowed.
        """
        if not isinstance(data, Mapping):
            raise InvalidValueError(
                f"recruiting is a list of NAME: VALUE; got {str(data)[:40]!r}; correct it."
            )
        known = [one.name for one in dataclasses.fields(cls)]
        if unknown := sorted(set(map(str, data)) - set(known)):
            raise InvalidValueError(
                f"Recruiting has no setting {unknown[0][:40]!r}; the settings are "
                f"{', '.join(known)}."
            )
        site = SITES.get(str(data.get("site", "")), Site("", (), ""))
        usual = {} if "ids" in data else {"ids": site.ids, "person_id": site.person_id}
        values = {**usual, **data}
        if isinstance(values.get("ids"), list):
            values["ids"] = tuple(values["ids"])
        try:
            return cls(**values)
        except (TypeError, AttributeError) as error:
            raise InvalidValueError(
                f"The settings of recruiting could not be read ({error}); every value is of the "
                "kind that its default has."
            ) from error


# -- ids ------------------------------------------------------------------------------


def read_ids(recruiting: Recruiting | None, given: Mapping[str, object]) -> dict[str, str]:
    """Return those parameters of a link that a study keeps, without those that say nothing.

    Parameters
    ----------
    recruiting
        Settings of the study; None keeps none.
    given
        Name -> value of whatever came with the link.
    """
    if recruiting is None:
        return {}
    values = {name: str(given.get(name, "")).strip() for name in recruiting.ids}
    return {name: value for name, value in values.items() if is_id(value)}


def is_id(text: str) -> bool:
    """Whether a text is an id, and not a placeholder that nobody has filled in."""
    return text != _PREVIEW and _ID.fullmatch(text) is not None


def missing_id(recruiting: Recruiting, given: Mapping[str, object]) -> RefusedError:
    """Return what is said to somebody whose link lacks the id that a study needs."""
    name = recruiting.person_id
    value = str(given.get(name, "")).strip()
    where = SITES[recruiting.site].title if recruiting.site else "the page that sent you here"
    if given.get("assignmentId") == _PREVIEW:
        said, why = "preview", "you have not accepted the task yet"
    elif _UNFILLED.search(value):
        said, why = "unfilled", f"its {name} is a placeholder that was not filled in"
    elif value:
        said, why = "characters", f"its {name} has characters that no id has"
    else:
        said, why = "missing", f"it has no {name}"
    return RefusedError(
        f"This link does not say who you are: {why}. Nothing was recorded. Open the study again "
        f"from {where}; if this stays so, please tell whoever invited you.",
        "no_id",
        f"no_id.{said}",
        name=name,
        **({"site": where} if recruiting.site else {}),
    )


# -- where people go --------------------------------------------------------------------


def redirect_of(
    recruiting: Recruiting | None, outcome: str | None, code: str | None, ids: Mapping[str, str]
) -> str | None:
    """Return where somebody is sent whose part ended; None for nowhere.

    None also where the address needs a code or an id that the person does not have.
    """
    template = "" if recruiting is None else recruiting.redirects.get(outcome or "", "")
    values = {**ids, **({} if code is None else {CODE: code})}
    if not template or any(name not in values for name in _PLACE.findall(template)):
        return None
    return _PLACE.sub(lambda found: quote(values[found[1]], safe=""), template)


def site_name(address: str) -> str:
    """Return what people call the site of an address: its name where it is known, else its host."""
    host = urlsplit(address).hostname or ""
    known = (name for end, name in HOSTS.items() if host == end or host.endswith(f".{end}"))
    return next(known, host)


# -- devices ----------------------------------------------------------------------------


def misfit_of(gate: DeviceNeeds | None, device: Mapping[str, Any] | None) -> str | None:
    """Return why a device is not one that a study takes, as a sentence; None if it is.

    Parameters
    ----------
    gate
        What it must be; None for anything.
    device
        As the browser reports it: ``screen`` (width and height, CSS px), ``touch`` and
        ``touch_first``; None where it reports nothing.
    """
    if gate is None:
        return None
    if device is None:
        return "The browser did not say what device this is; reload the page."
    side_px = min(device["screen"])
    if side_px < gate.smallest_side_px:
        return (
            f"This study needs a screen whose shorter side has at least {gate.smallest_side_px} "
            f"px; this one has {side_px}."
        )
    if gate.touch == "required" and not device["touch"]:
        return "This study needs a touch screen, and this device has none."
    if gate.touch == "refused" and device["touch_first"]:
        return "This study needs a mouse or a touchpad, and this device is used by touch."
    return None


def read_device(given: object) -> dict[str, Any] | None:
    """Return what a browser reports of its device; None where it reports nothing.

    Raises
    ------
    InvalidValueError
        If it is no screen of two whole numbers and two answers of yes or no.
    """
    if given is None:
        return None
    device = given if isinstance(given, Mapping) else {}
    screen = device.get("screen")
    sides = screen if isinstance(screen, list) and len(screen) == 2 else [None]
    touches = [device.get("touch"), device.get("touch_first")]
    if any(type(one) is not int or not 1 <= one <= 100_000 for one in sides) or any(
        not isinstance(one, bool) for one in touches
    ):
        raise InvalidValueError(
            f"Expected a device with its screen and touch, got {str(given)[:80]!r}; reload the "
            "page."
        )
    return {"screen": sides, "touch": touches[0], "touch_first": touches[1]}


# -- checks -----------------------------------------------------------------------------


def _check_one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InvalidValueError(
            f"{name} of recruiting is {', '.join(one or 'empty' for one in allowed)}; got "
            f"{str(value)[:40]!r}."
        )


def _check_ids(one: Recruiting) -> None:
    if not isinstance(one.require_id, bool):
        raise InvalidValueError(f"require_id is true or false; got {str(one.require_id)[:40]!r}.")
    names = one.ids
    is_list = isinstance(names, tuple) and len(names) <= _IDS_MAX
    if not is_list or not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
        raise InvalidValueError(
            f"ids of recruiting are at most {_IDS_MAX} names of parameters, of letters, digits and "
            f"_; got {str(names)[:80]!r}."
        )
    if len(set(names)) < len(names) or CODE in names:
        raise InvalidValueError(
            f"ids of recruiting are each named once, and none is {CODE!r}, which stands for the "
            f"completion code; got {', '.join(names)!r}."
        )
    if one.person_id and one.person_id not in names:
        raise InvalidValueError(
            f"person_id is one of the ids {', '.join(names) or '(there are none)'}; got "
            f"{str(one.person_id)[:40]!r}."
        )


def _check_endings(one: Recruiting) -> None:
    for name, values in (("redirects", one.redirects), ("codes", one.codes), ("pay", one.pay)):
        if not isinstance(values, Mapping) or set(values) - set(ENDINGS):
            raise InvalidValueError(
                f"{name} of recruiting are for {', '.join(ENDINGS)}; got {str(values)[:80]!r}."
            )
    for outcome, code in one.codes.items():
        is_text = isinstance(code, str) and code == code.strip() and code.isprintable()
        if not is_text or not 1 <= len(code) <= 64:
            raise InvalidValueError(
                f"A completion code is a text of 1 to 64 characters; got {str(code)[:80]!r} for "
                f"{outcome}."
            )
    for outcome, address in one.redirects.items():
        _check_redirect(outcome, address, (CODE, *one.ids))


def _check_redirect(outcome: str, address: object, places: tuple[str, ...]) -> None:
    """Check a template of an address: no place of it may choose the host.

    Raises
    ------
    InvalidValueError
        If it is none of http or https, or has a placeholder that is not known.
    """
    text = address if isinstance(address, str) else ""
    for name in _PLACE.findall(text):
        if name not in places:
            raise InvalidValueError(
                f"The redirect for {outcome} has a placeholder {name[:40]!r}; there are "
                f"{', '.join(f'{{{one}}}' for one in places)}."
            )
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    is_plain = text.isascii() and text.isprintable() and not re.search(r"[\s\\\"'<>`]", text)
    is_web = parts.scheme in ("http", "https") and bool(host) and not _UNFILLED.search(parts.netloc)
    is_whole = not re.search(r"[{}]", _PLACE.sub("", text))
    if not (is_plain and is_web and is_whole) or "@" in parts.netloc or len(text) > _TEXT_MAX:
        raise InvalidValueError(
            f"The redirect for {outcome} is an address that begins with https:// or http:// and "
            f"has {{code}} or ids after its host alone; got {str(address)[:80]!r}."
        )


def _check_money(one: Recruiting) -> None:
    amounts = {"bonus": one.bonus, "bonus_max": one.bonus_max, **one.pay}
    for name, amount in amounts.items():
        is_number = isinstance(amount, int | float) and not isinstance(amount, bool)
        is_sum = is_number and math.isfinite(amount) and 0 <= amount <= 100_000
        if not is_sum or round(amount, 2) != amount:
            raise InvalidValueError(
                f"An amount of money is 0 or more with at most 2 decimals; got "
                f"{str(amount)[:40]!r} for {name}."
            )
    if not isinstance(one.currency, str) or not re.fullmatch(r"([A-Z]{3})?", one.currency):
        raise InvalidValueError(
            f"The currency is three capital letters such as GBP; got {str(one.currency)[:40]!r}."
        )
    if any(amounts.values()) and not one.currency:
        raise InvalidValueError("Money is paid in a currency; name it, such as GBP, EUR or USD.")
    if (one.bonus_rule != "none") != (one.bonus > 0):
        raise InvalidValueError(
            f"A bonus has an amount and a rule; got {one.bonus} and {one.bonus_rule}. Give both, "
            "or neither."
        )
