"""What the sliders are set to: two settings of the same sample, and how they are compared.

The controls hold this state while someone works with them and report it when they are
let go of; the page holds it between reruns and puts it into the link. Where the page
changes it itself (another sample, a file), it raises ``revision``, by which the controls
know that they must take it over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from umnist_core.datasets.large_scale.ref import ALL_PARAMETER_NAMES, AnyRef, DigitRef, any_ref
from umnist_core.errors import UmnistError
from umnist_core.experiments import NAMED_SETTINGS, find_setting
from umnist_core.scenes.ref import read_number
from umnist_core.seeds import MAX_SEED

COMPARES = ("one", "side", "wipe")

B_PREFIX = "b."
"""The parameters of setting B begin so in the address."""

SCENE_NAMES = ("preset", "seed", "split", "index", *ALL_PARAMETER_NAMES)
"""Parameters of the address that name a generated image."""

_KEY, _REVISION = "lab_state", "lab_revision"


@dataclass(frozen=True)
class LabState:
    """Settings A and B, which have seed, split and index in common.

    Attributes
    ----------
    a, b
        The settings.
    references
        Key of the named setting that each came from, its reference in the figures.
    compare
        One of `COMPARES`.
    edit
        ``"a"`` or ``"b"``, which of the two the controls change.
    """

    a: AnyRef
    b: AnyRef
    references: tuple[str, str] = ("released", "noise-free")
    compare: str = "one"
    edit: str = "a"

    @property
    def edited(self) -> AnyRef:
        """The setting that the controls change."""
        return self.b if self._edits_b else self.a

    @property
    def reference(self) -> str:
        """Key of the named setting that the edited one is compared with."""
        return self.references[self._edits_b]

    @property
    def _edits_b(self) -> bool:
        return self.compare != "one" and self.edit == "b"

    def at(self, index: int) -> LabState:
        """Return the same settings at another sample."""
        return replace(self, a=_reached(self.a, index), b=_reached(self.b, index))

    @property
    def last_index(self) -> int:
        """Of the samples that every shown setting has."""
        shown = (self.a,) if self.compare == "one" else (self.a, self.b)
        return min(one.last_index if isinstance(one, DigitRef) else MAX_SEED for one in shown)

    def with_edited(self, setting: AnyRef) -> LabState:
        """Return the state with another edited setting, whose sample is that of both."""
        first, second = self.references
        if self._edits_b:
            a = sampled(self.a, setting)
            return replace(self, a=a, b=setting, references=(first, setting.preset))
        b = sampled(self.b, setting)
        return replace(self, a=setting, b=b, references=(setting.preset, second))

    @property
    def link(self) -> dict[str, str | None]:
        """The state as parameters of the page's address; None removes one."""
        names = ("preset", "reference", *ALL_PARAMETER_NAMES)
        link: dict[str, str | None] = dict.fromkeys((*names, *(B_PREFIX + name for name in names)))
        link |= {"seed": str(self.a.seed), "split": self.a.split, "index": str(self.a.index)}
        link |= _setting_link("", self.a, self.references[0])
        if self.compare != "one":
            link |= _setting_link(B_PREFIX, self.b, self.references[1])
        return link | {
            "compare": None if self.compare == "one" else self.compare,
            "edit": "b" if self._edits_b else None,
        }

    def to_json(self) -> dict[str, Any]:
        """Return the state as the controls know it."""
        return {
            "seed": self.a.seed,
            "split": self.a.split,
            "index": self.a.index,
            "compare": self.compare,
            "edit": self.edit,
            "a": _setting_json(self.a, self.references[0]),
            "b": _setting_json(self.b, self.references[1]),
        }


def sampled(setting: AnyRef, like: AnyRef) -> AnyRef:
    """Return a setting at the sample of another, or at its last one where it has no such."""
    first = replace(setting, seed=like.seed, split=like.split, index=0)
    return _reached(first, like.index)


def _reached(setting: AnyRef, index: int) -> AnyRef:
    """Return a setting at an index, or at its last where it has fewer samples."""
    last = setting.last_index if isinstance(setting, DigitRef) else MAX_SEED
    return setting.at(min(index, last))


def _setting_link(prefix: str, setting: AnyRef, reference: str) -> dict[str, str | None]:
    # The reference need only be told where it is not the preset itself.
    told = {"reference": reference} if reference != setting.preset else {}
    values = {"preset": setting.preset, **told, **dict(setting.overrides)}
    return {prefix + name: value for name, value in values.items()}


def _setting_json(setting: AnyRef, reference: str) -> dict[str, Any]:
    overrides = dict(setting.overrides)
    return {"preset": setting.preset, "overrides": overrides, "reference": reference}


def state_from_report(report: Mapping[str, Any]) -> LabState:
    """Read the state that the controls report.

    Raises
    ------
    InvalidValueError
        If a value is not allowed.
    """
    index = int(report["index"])
    a, b = (
        any_ref(
            report[name]["preset"],
            report[name]["overrides"],
            seed=int(report["seed"]),
            split=report["split"],
        )
        for name in ("a", "b")
    )
    # What is not shown need not have the sample.
    a, b = a.at(index), (_reached(b, index) if report["compare"] == "one" else b.at(index))
    references = tuple(find_setting(report[name]["reference"]).key for name in ("a", "b"))
    compare = report["compare"] if report["compare"] in COMPARES else "one"
    edit = "b" if report["edit"] == "b" else "a"
    return LabState(a, b, (references[0], references[1]), compare, edit)


def state_from_query(query: Mapping[str, str]) -> LabState:
    """Read the state of a link.

    Raises
    ------
    InvalidValueError
        If a value is not allowed.
    """
    report = {
        "seed": read_number("seed", query.get("seed", "0")),
        "index": read_number("index", query.get("index", "0")),
        "split": query.get("split", "train"),
        "compare": query.get("compare", "one"),
        "edit": query.get("edit", "a"),
        "a": _setting_in(query, "", "released"),
        "b": _setting_in(query, B_PREFIX, "noise-free"),
    }
    return state_from_report(report)


def _setting_in(query: Mapping[str, str], prefix: str, default: str) -> dict[str, Any]:
    if prefix + "preset" not in query and not any(prefix + n in query for n in ALL_PARAMETER_NAMES):
        named = NAMED_SETTINGS[default]
        return _setting_json(named.ref, named.key)
    preset = query.get(prefix + "preset", "released")
    names = (name for name in ALL_PARAMETER_NAMES if prefix + name in query)
    overrides = {name: query[prefix + name] for name in names}
    reference = query.get(prefix + "reference", preset)
    return {"preset": preset, "overrides": overrides, "reference": reference}


# -- kept between reruns ------------------------------------------------------------


def current_state() -> tuple[LabState, int]:
    """Return the state and its revision; at first, what the address asks for."""
    if _KEY not in st.session_state:
        try:
            state = state_from_query(st.query_params)
        except UmnistError as error:
            st.warning(
                f"This link asks for something that cannot be; the default is shown. {error}"
            )
            state = state_from_query({})
        st.session_state[_KEY] = state
    return st.session_state[_KEY], st.session_state.get(_REVISION, 0)


def take_report(report: Mapping[str, Any]) -> None:
    """Keep what the controls report."""
    try:
        st.session_state[_KEY] = state_from_report(report)
    except UmnistError:
        # The viewer shows the sentence where the picture would be; the last state that
        # could be is kept for the link and the figures.
        return


def change_state(state: LabState) -> None:
    """Keep a change of the page's own, which the controls take over."""
    st.session_state[_KEY] = state
    st.session_state[_REVISION] = st.session_state.get(_REVISION, 0) + 1


def forget_state() -> None:
    """Read the state from the address again, as the controls then do, too."""
    st.session_state.pop(_KEY, None)
    st.session_state[_REVISION] = st.session_state.get(_REVISION, 0) + 1
