"""The form that makes a study."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages._ui.shared.making import makings, start_making
from pages._ui.shared.scenes import FILTERS, parse_overrides
from pages._ui.shared.words import POOL_TITLES, count
from pages._ui.studies.adaptive import ask_adaptive, count_adaptive
from pages._ui.studies.asking import ask_questions
from pages._ui.studies.crossed import ask_factors
from pages._ui.studies.data import LABELS_FOR_DATA, ask_folder_without_truth
from pages._ui.studies.exclusions import ask_exclusions
from pages._ui.studies.language import ask_language
from pages._ui.studies.pace import find_duration, offer_for_consent
from pages._ui.studies.plan import say_what_is_found, show_plan
from pages._ui.studies.promise import ask_promise
from pages._ui.studies.recruiting import show_recruiting
from pages._ui.studies.words import FEEDBACK_TITLES, people_a_pool
from umnist_core.errors import UmnistError
from umnist_core.experiments import NAMED_SETTINGS
from umnist_core.labeling.asking import Asking
from umnist_core.labeling.durations import Duration
from umnist_core.labeling.exclusions import ExclusionRules
from umnist_core.labeling.factors import read_factors
from umnist_core.labeling.records import (
    DEFAULT_INSTRUCTIONS,
    POOL_FOR_DATA,
    POOLS,
    StudySpec,
)
from umnist_core.labeling.recruiting import Recruiting
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.telling import CONTACT_FIELDS, DEFAULT_FEEDBACK, FEEDBACKS
from umnist_core.scenes import get_preset

PRESETS = ("released", "paper")
"""Presets whose answer is a sum."""

_CONTACT_EXAMPLES = {
    "duration": "About 45 minutes, in one go or several",
    "retention": "Ten years, without any name",
    "withdrawal": "Write to the contact with your own link",
    "contact": "Name, institution, address",
}

_SOURCES = {
    "preset": "Generated",
    "folder": "Of a folder, with sums",
    "data": "Of a folder, without sums",
}

_NEW = "study_new"


def is_form_open() -> bool:
    """Return whether someone is about to make a study."""
    return bool(st.session_state.get(_NEW, False))


def open_form(is_open: bool = True) -> None:
    """Open or leave the form; a callback."""
    st.session_state[_NEW] = is_open


def show_form(service: StudyService) -> None:
    """Draw the form, and begin to make the study when it is asked for."""
    st.subheader("New study", anchor=False)
    left, right = st.columns(2, gap="large")
    with left:
        name = st.text_input(
            "Name", key="new_name", max_chars=120, placeholder="Pilot, spring 2026"
        )
        values = {"name": name or "", **_images()}
        adaptive, can_be = ask_adaptive() if "preset" in values else (None, True)
        if adaptive is None:
            values |= _counts(values.pop("found", 1000), has_truth=values.get("has_truth", True))
        else:
            values |= {**count_adaptive(adaptive), "adaptive": adaptive}
        if "preset" in values and adaptive is None:
            values["factors"] = ask_factors(values)
    with right:
        has_truth = values.get("has_truth", True)
        values = {**_people(has_truth=has_truth, is_adaptive=adaptive is not None), **values}
        pace = find_duration(service, values, spec_from)
        _heading("What people meet")
        with st.expander("Recruiting"):
            values["recruiting"] = show_recruiting()
        with st.expander("Texts that people read"):
            values |= _texts(values["pools"], pace)
        asking = ask_questions(values)
        values["asking"] = asking or Asking()
        with st.expander("More settings"):
            values |= _more(values["pools"])
        _heading("What is fixed before anybody comes")
        with st.expander("Exclusions"):
            values["exclusions"] = ask_exclusions()
        if has_truth:
            values["preregistration"] = ask_promise(values, spec_from)
        is_whole = can_be and asking is not None and "language" in values
        _show_buttons(service, values, is_whole=is_whole)
    with left:
        _heading("What it takes")
        _say_what_it_takes(values)
        if has_truth and len(values["pools"]) == len(POOLS) and adaptive is None:
            show_plan(values, pace)


def _heading(text: str) -> None:
    st.markdown(f"**{text}**")


def _images() -> dict[str, Any]:
    source = st.segmented_control(
        "Images",
        list(_SOURCES),
        format_func=_SOURCES.__getitem__,
        default="preset",
        required=True,
        key="new_source",
    )
    if source == "data":
        return ask_folder_without_truth()
    if source == "folder":
        path = st.text_input(
            "Folder on this machine",
            key="new_folder",
            placeholder="~/ultra-mnist",
            help="Images with a table of their sums beside them, such as Kaggle's train.csv. "
            "Where only the sum is known, nobody can say later which digit was missed.",
        )
        return {"folder": path or ""}
    preset = st.selectbox(
        "Preset",
        PRESETS,
        format_func=lambda one: NAMED_SETTINGS[one].title,
        key="new_preset",
    )
    text = st.text_input(
        "Change the preset",
        key="new_overrides",
        placeholder="shape_pairs=3 rotation=-10..10",
        help="NAME=VALUE, as many as you like, as on Explore; try them in the Noise lab.",
    )
    st.caption(
        "Which images they are is drawn from a secret key of the study's own. It is in the export "
        "once the study is closed, so that anybody can make the images anew."
    )
    return {"preset": preset, "overrides": text or ""}


def _counts(found: int, *, has_truth: bool) -> dict[str, Any]:
    """Ask how many images and labels; of a folder without truth all and three unless told."""
    first, second, third = st.columns(3)
    kind = "" if has_truth else f"_data_{found}"
    numbers = {
        "stimuli": first.number_input(
            "Images", 1, 100_000, found, key=f"new_stimuli{kind}", help="The same for both pools."
        ),
        "images_per_annotator": second.number_input(
            "Images a person",
            1,
            1000,
            min(30, found),
            key=f"new_images{kind}",
            help="The paper's people had 20 to 40. A person needs 1 to 2 minutes for an image.",
        ),
        "labels_per_image": third.number_input(
            "Labels an image",
            1,
            100,
            1 if has_truth else LABELS_FOR_DATA,
            key=f"new_labels{kind}",
            help="Answers that are wanted for each image from each pool.",
        ),
    }
    return {name: int(number) for name, number in numbers.items()}


def _people(*, has_truth: bool, is_adaptive: bool) -> dict[str, Any]:
    pools = st.pills(
        "Pools",
        POOLS,
        format_func=POOL_TITLES.__getitem__,
        selection_mode="multi",
        default=POOLS if has_truth else (POOL_FOR_DATA,),
        key="new_pools" if has_truth else "new_pools_data",
        help="Unguided people are only asked for the sum. Guided ones are also told the sizes and "
        "the number of digits, and see every digit that was used.",
    )
    first, second = st.columns(2)
    numbers = {
        "practice": first.number_input(
            "Practice images", 0, 20, 3, key="new_practice", help="With feedback, before the rest."
        )
        if has_truth
        else 0,
        "repeats": second.number_input(
            "Repeats",
            0,
            20,
            0,
            key="new_repeats",
            help="Images that each person sees a second time, to learn how consistent they are.",
            disabled=is_adaptive,
        ),
    }
    return {
        "pools": tuple(pool for pool in POOLS if pool in pools),
        **{name: int(number) for name, number in numbers.items()},
        **_asks(is_adaptive=is_adaptive),
    }


def _asks(*, is_adaptive: bool) -> dict[str, Any]:
    asks = {
        "ask_confidence": st.checkbox("Ask how sure they are", key="new_confidence"),
        "ask_digits": st.checkbox(
            "Ask which digits they saw",
            key="new_digits",
            help="Tells misread digits from wrong sums.",
            disabled=bool(st.session_state.get("new_boxes")),
        ),
        "ask_boxes": st.checkbox(
            "Ask for a box around each digit",
            key="new_boxes",
            help="People draw boxes and say which digit is in each; the sum is counted from them.",
        ),
        "allow_change": st.checkbox(
            "Let people change their last answer",
            key="new_change",
            help="Both are kept.",
            disabled=is_adaptive,
        ),
    }
    asks["ask_digits"] = asks["ask_digits"] and not asks["ask_boxes"]
    return asks


def _texts(pools: tuple[str, ...], pace: Duration | None) -> dict[str, Any]:
    spoken = ask_language()
    consent = st.text_area("Consent", height=200, key="new_consent")
    st.caption("These stand below the consent; an open link, for strangers, needs all four.")
    lines = {
        name: st.text_input(
            title, max_chars=500, key=f"new_{name}", placeholder=_CONTACT_EXAMPLES[name]
        )
        or ""
        for name, title in CONTACT_FIELDS.items()
    }
    offer_for_consent(pace)
    instructions = {
        pool: st.text_area(
            f"Instructions, {POOL_TITLES[pool].lower()}",
            height=200,
            key=f"new_instructions_{pool}",
        )
        for pool in pools
    }
    told = {"consent": consent or "", **lines, **spoken}
    return {**told, "instructions": {**DEFAULT_INSTRUCTIONS, **instructions}}


def _more(pools: tuple[str, ...]) -> dict[str, Any]:
    feedback = {
        pool: st.selectbox(
            f"After a practice answer, {pool} people are told",
            FEEDBACKS,
            index=FEEDBACKS.index(DEFAULT_FEEDBACK[pool]),
            format_func=FEEDBACK_TITLES.__getitem__,
            key=f"new_feedback_{pool}",
            help="Each digit with its place teaches how many there are and how small; unguided "
            "people are not to know."
            if pool == "unguided"
            else None,
        )
        for pool in pools
    }
    pyramid_filter = st.selectbox(
        "Seen from afar, a pixel is the",
        list(FILTERS),
        format_func=FILTERS.__getitem__,
        key="new_filter",
        help="Part of what people see, so it is fixed with the study and recorded.",
    )
    hours = st.number_input(
        "Hours that an image stays reserved",
        1,
        720,
        24,
        key="new_lease",
        help="For somebody who has answered an image and left; who has answered none keeps theirs "
        "for minutes. Then others get it, and a later answer counts only if a place is left.",
    )
    return {
        "practice_feedback": {**DEFAULT_FEEDBACK, **feedback},
        "pyramid_filter": pyramid_filter,
        "lease_minutes": 60 * int(hours),
    }


def _say_what_it_takes(values: dict[str, Any]) -> None:
    people, each = people_a_pool(values), values["images_per_annotator"]
    is_adaptive = values.get("adaptive") is not None
    target = (each if is_adaptive else values["stimuli"]) * values["labels_per_image"]
    told = f"{count(target, 'label')} from each pool: {count(people, 'person', 'people')} a pool."
    is_measured = values.get("has_truth", True) and not is_adaptive
    if is_measured and len(values["pools"]) == len(POOLS) and people > 1:
        told += say_what_is_found(2 * people, each, values["labels_per_image"])
    st.caption(told)


def _show_buttons(service: StudyService, values: dict[str, Any], *, is_whole: bool) -> None:
    is_busy = any(not making.is_over for making in makings())
    with st.container(horizontal=True):
        wanted = st.button(
            "Make the study", type="primary", disabled=is_busy or not is_whole, key="new_make"
        )
        st.button("Back to the list", on_click=open_form, args=(False,), key="new_leave")
    if is_busy:
        st.caption("Another study is being made; this one can begin when it is done.")
    if not wanted:
        return
    try:
        spec = spec_from(values)
    except UmnistError as error:
        st.error(str(error))
        return
    start_making(service, spec)
    open_form(False)
    st.rerun()


def spec_from(values: dict[str, Any]) -> StudySpec:
    """Return the settings that the form holds.

    Raises
    ------
    InvalidValueError
        If they cannot be; the sentence says what to change.
    """
    changed = dict(values)
    if "overrides" in changed:
        changed["overrides"] = parse_overrides(changed["overrides"], changed["preset"])
    if changed.get("exclusions") is not None:
        changed["exclusions"] = ExclusionRules.from_dict(changed["exclusions"])
    recruiting = changed.pop("recruiting", None)
    changed["recruiting"] = Recruiting.from_dict(recruiting) if recruiting else None
    if factors := changed.pop("factors", ""):
        changed["factors"] = read_factors(factors.split())
    spec = StudySpec(**changed)
    for cell in spec.cells:
        get_preset(spec.preset).with_overrides({**spec.overrides, **cell})
    return spec
