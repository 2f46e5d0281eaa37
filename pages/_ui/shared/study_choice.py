"""Which study a page is about, whether its results may be seen yet, and which image."""

from __future__ import annotations

import random
from collections.abc import Hashable, Mapping, Sequence
from math import isnan
from typing import Any

import streamlit as st

from pages._ui.shared.address import LED_BY_ADDRESS
from pages._ui.shared.results import Results
from pages._ui.shared.studies import (
    STUDY,
    asked_study,
    get_service,
    list_studies,
    show_mark,
    told,
)
from pages._ui.shared.words import STATUS_COLOURS, count
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.views import Overview

_CHOICE = "results_study"
_MASK = "results_mask"

STIMULUS = "stimulus"
"""Parameter of the address that names an image of a study."""

IMAGE = "results_image"
"""Where the session keeps the image that is shown."""

OPTIONAL_STOPPING = (
    "This study is still open. Who looks at accuracies before the end is tempted to stop when "
    "they look good, and a test that was looked at on the way is wrong more often than it says "
    "(optional stopping). Close the study first, unless you have a reason to look now."
)


def choose_study(service: StudyService) -> Overview | None:
    """Draw the choice of a study; None, and what to do, while there is none."""
    studies = {one.study: one for one in list_studies(service)}
    if not studies:
        st.markdown("There is no study yet. Make one under **Studies** and invite people.")
        if "studies_page" in st.session_state:
            st.page_link(st.session_state["studies_page"], label="Go to Studies")
        return None
    asked = asked_study()
    is_led = st.session_state.get(LED_BY_ADDRESS, False) or _CHOICE not in st.session_state
    if is_led and asked is not None and asked not in studies:
        st.warning(f"There is no study {asked[:40]!r}; another one is shown.")
    if is_led and asked in studies:
        st.session_state[_CHOICE] = asked
    elif st.session_state.get(_CHOICE) not in studies:
        st.session_state[_CHOICE] = _first(studies)
    titles = _titles(studies)
    chosen = st.selectbox("Study", list(studies), format_func=titles.__getitem__, key=_CHOICE)
    one = studies[chosen]
    labels = sum(pool.labels for pool in one.pools)
    target = sum(pool.target for pool in one.pools)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(one.status.capitalize(), color=STATUS_COLOURS[one.status])  # type: ignore[arg-type]
        people = count(sum(pool.people for pool in one.pools), "person", "people")
        st.caption(f"{labels:,} of {count(target, 'label')} · {people}")
        show_mark(one)
    return one


def _first(studies: dict[str, Overview]) -> str:
    """Return the study that is shown unasked: a closed one with answers, else the newest.

    Of oneself only where there is no other.
    """
    others = [s for s, one in studies.items() if not one.spec.is_self]
    closed = (s for s in others if studies[s].status == "closed" and studies[s].pools[0].labels)
    return next(closed, next(iter(others or studies)))


def _titles(studies: dict[str, Overview]) -> dict[str, str]:
    """Return each study's name, with its id where another has the same, and self where it is.

    Streamlit takes options with the same title for one another.
    """
    names = [one.spec.name for one in studies.values()]
    titles = {
        study: name if names.count(name) == 1 else f"{name} ({study})"
        for study, name in zip(studies, names, strict=True)
    }
    return {
        s: f"{title} \N{MIDDLE DOT} self" if studies[s].spec.is_self else title
        for s, title in titles.items()
    }


def is_masked(one: Overview) -> bool:
    """Draw the switch that shows an open study's results; True until somebody insists."""
    if one.status == "closed" or one.spec.is_self:
        return False  # whoever labels alone tests nothing that could be stopped at the right time
    shown = st.toggle(
        "Show anyway",
        key=f"{_MASK}_{one.study}",
        help=OPTIONAL_STOPPING,
        on_change=_note_seen,
        args=(one.study,),
    )
    if shown:
        st.caption("This study is still open; say so wherever you report what you see here.")
    return not shown


def _note_seen(study: str) -> None:
    """Log that a preregistered study's accuracies are shown before its end; a callback."""
    if st.session_state[f"{_MASK}_{study}"]:
        with told():
            get_service().note_seen(study, "page")


def choose_image(results: Results) -> str:
    """Draw the list of images, the hardest first, and return the chosen one."""
    images = list(results.images.index)
    put_image(images)
    rows = results.images.to_dict("index").items()
    # Numbered, since Streamlit takes options with the same title for one another.
    titles = {
        str(name): f"{number}. {image_title(row)}" for number, (name, row) in enumerate(rows, 1)
    }
    chosen: str = st.selectbox(
        "Image, hardest first", images, format_func=titles.__getitem__, key=IMAGE
    )
    return chosen


def put_image(images: Sequence[str]) -> None:
    """Have an image in the state: that of the address where it leads, else the first."""
    is_led = st.session_state.get(LED_BY_ADDRESS, False) or IMAGE not in st.session_state
    asked = st.query_params.get(STIMULUS)
    if is_led and asked in images:
        st.session_state[IMAGE] = asked
    elif st.session_state.get(IMAGE) not in images:
        st.session_state[IMAGE] = images[0]


def step_image(images: Sequence[str], way: str) -> None:
    """Go to the image after or before, or to a random one; a callback."""
    place = images.index(st.session_state[IMAGE]) if st.session_state.get(IMAGE) in images else 0
    steps = {"next": place + 1, "previous": place - 1, "random": random.randrange(len(images))}
    st.session_state[IMAGE] = images[min(max(steps[way], 0), len(images) - 1)]


def study_link(study: str, image: str) -> dict[str, str | None]:
    """Return an image of a study as parameters of the page's address."""
    return {STUDY: study, STIMULUS: image}


def image_title(row: Mapping[Hashable, Any]) -> str:
    """Return how an image is called in the list."""
    right = f"{row['correct']} of {row['labels']} right" if row["labels"] else "no answer yet"
    smallest = "" if isnan(row["smallest_px"]) else f", smallest digit {row['smallest_px']:.0f} px"
    return f"{right}: sum {row['sum']}{smallest}"
