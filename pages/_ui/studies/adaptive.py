"""Adaptive sizes in the form of a new study."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages._ui.shared.words import count
from umnist_core.errors import InvalidValueError
from umnist_core.labeling.adaptive import (
    DEFAULT_LEVELS_PX,
    METHODS,
    QUEST_PLUS,
    STAIRCASE,
    USUAL_IMAGES,
    USUAL_PEOPLE,
    Adaptive,
    images_needed,
    read_levels,
)
from umnist_core.labeling.adaptive_choice import level_asked

_OFF = "off"

_TITLES = {_OFF: "Fixed", QUEST_PLUS: "QUEST+", STAIRCASE: "Staircase"}

_STEPS = {
    1: "each right answer",
    2: "two right answers in a row",
    3: "three right answers in a row",
}
_SHARES = {1: "half", 2: "71 %", 3: "79 %"}

USUAL_TEXT = ", ".join(map(str, DEFAULT_LEVELS_PX))


def ask_adaptive() -> tuple[Adaptive | None, bool]:
    """Draw how sizes of digits are chosen, and return it, and whether it can be so.

    None where sizes are fixed. What cannot be is said, and sizes are the usual ones then, with
    which the rest of the form is drawn; no study may be made of it.
    """
    method = st.segmented_control(
        "Sizes of digits",
        list(_TITLES),
        format_func=_TITLES.__getitem__,
        default=_OFF,
        required=True,
        key="new_adaptive",
        help="Fixed: as the preset draws them, the same for everybody. The others measure a "
        "threshold for each person, in px: all digits of an image are of one size, and the next "
        "size follows from that person's answers.",
    )
    if method not in METHODS:
        return None, True
    text = st.text_input(
        "Sizes that there are, px",
        USUAL_TEXT,
        key="new_levels",
        help="14 or multiples of 28. The closer they lie, the better a threshold is known.",
    )
    down = 1
    if method == STAIRCASE:
        down = st.selectbox(
            "Digits get smaller after", list(_STEPS), format_func=_STEPS.__getitem__, key="new_down"
        )
    try:
        adaptive = Adaptive(method, read_levels(text or ""), down=down)
    except InvalidValueError as error:
        st.warning(str(error))
        return Adaptive(method, down=down), False
    st.caption(_what_people_meet(adaptive))
    return adaptive, True


def count_adaptive(adaptive: Adaptive) -> dict[str, Any]:
    """Ask how many images a person and people a pool, and return these and the images needed."""
    first, second = st.columns(2)
    each = first.number_input(
        "Images a person",
        5,
        500,
        USUAL_IMAGES,
        key="new_images_adaptive",
        help="40 tell a threshold to about a tenth where accuracy rises steeply with size.",
    )
    people = second.number_input("People a pool", 1, 1000, USUAL_PEOPLE, key="new_labels_adaptive")
    images = images_needed(adaptive, int(each))
    st.markdown(
        f"{count(images, 'image')} are made: {len(adaptive.levels_px)} sizes with {int(each)} "
        "each, since somebody may need all of one size."
    )
    return {
        "stimuli": images,
        "images_per_annotator": int(each),
        "labels_per_image": int(people),
        "repeats": 0,
        "allow_change": False,
    }


def _what_people_meet(adaptive: Adaptive) -> str:
    first = adaptive.levels_px[level_asked(adaptive, [], 1)]
    return (
        f"A person first sees digits of {first} px; right answers make them smaller, down to "
        f"{adaptive.levels_px[0]} px, and wrong ones larger, until they stay about the size at "
        f"which {_SHARES[adaptive.down]} of the sums are right. Who compares sizes of images can "
        "tell from them whether an earlier answer was right."
    )
