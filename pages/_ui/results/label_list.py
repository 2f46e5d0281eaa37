"""Which image of a study without truth is looked at: a list by what has become of its label."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from pages._ui.shared.study_choice import IMAGE, put_image
from umnist_core.labeling.labels import ImageLabel
from umnist_core.scoring.consensus import ADJUDICATED

_STATE = "labels_state"


def _is_open(one: ImageLabel) -> bool:
    return bool(one.said) and not one.is_settled


def _is_agreed(one: ImageLabel) -> bool:
    return one.is_settled and one.provenance != ADJUDICATED


_STATES: Mapping[str, Callable[[ImageLabel], bool]] = {
    "All": lambda one: True,
    "To settle": _is_open,
    "Agreed": _is_agreed,
    "Settled": lambda one: one.provenance == ADJUDICATED,
}


def choose_image(labels: Sequence[ImageLabel]) -> tuple[ImageLabel, list[ImageLabel]]:
    """Draw the choice of an image, and return it with all that are listed.

    Parameters
    ----------
    labels
        All images of the study, in the order in which they are to be looked at.
    """
    put_image([one.stimulus for one in labels])
    counts = {name: sum(map(is_one, labels)) for name, is_one in _STATES.items()}
    state = st.segmented_control(
        "Which images",
        [name for name, number in counts.items() if number],
        format_func=lambda name: f"{name} {counts[name]}",
        default="All",
        required=True,
        key=_STATE,
        on_change=_go_to_first,
        args=(labels,),
    )
    is_listed = _STATES[state or "All"]
    # What was just settled stays in sight, though it is in another list now.
    listed = [one for one in labels if is_listed(one) or one.stimulus == st.session_state[IMAGE]]
    numbers = {one.stimulus: number for number, one in enumerate(labels, 1)}
    by_id = {one.stimulus: one for one in listed}
    chosen = st.selectbox(
        "Image, most disputed first",
        list(by_id),
        format_func=lambda name: f"{numbers[name]}. {_title(by_id[name])}",
        key=IMAGE,
    )
    return by_id[chosen], listed


def _go_to_first(labels: Sequence[ImageLabel]) -> None:
    is_listed = _STATES[st.session_state.get(_STATE) or "All"]
    found = next(filter(is_listed, labels), None)
    if found is not None:
        st.session_state[IMAGE] = found.stimulus


def _title(one: ImageLabel) -> str:
    if not one.said:
        return "nobody has labelled it yet"
    said = ", ".join(str(label.answer) for label in one.said.values())
    return f"{'open' if not one.is_settled else f'is {one.answer}'} (said {said})"


def go_to_open(labels: Sequence[ImageLabel], place: int) -> None:
    """Go to the first open image behind a place, or from the beginning on; a callback."""
    following = [*labels[place + 1 :], *labels[:place]]
    found = next(filter(_is_open, following), None)
    if found is not None:
        st.session_state[IMAGE] = found.stimulus
