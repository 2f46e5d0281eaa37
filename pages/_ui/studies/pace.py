"""How long taking part takes, measured in studies alike: offered to the consent and the plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from umnist_core.errors import UmnistError
from umnist_core.labeling.durations import Duration, are_alike, measure_duration
from umnist_core.labeling.records import StudySpec
from umnist_core.labeling.service import StudyService

_NONE = (
    "Nobody of this store has answered such images with such questions yet; a pilot, or *Label 20 "
    "now* with yourself, tells how long an image takes."
)


def find_duration(
    service: StudyService,
    values: dict[str, Any],
    spec_of: Callable[[dict[str, Any]], StudySpec],
) -> Duration | None:
    """Return how long the form's study takes by studies alike; None if there is none, or an error.

    Parameters
    ----------
    values
        Of the form.
    spec_of
        Makes settings of them.
    """
    try:
        spec = spec_of({**values, "name": values["name"] or "-"})
        states = {one: service.state(one) for one in service.studies()}
        heads = tuple(
            (one, state.head.hash)
            for one, state in states.items()
            if state.head is not None and are_alike(state.spec, spec)
        )
        images = spec.images_per_annotator + spec.repeats
        return _measured(service, spec, heads, images) if heads else None
    except UmnistError:
        return None  # what is wrong is said where the study is made


@st.cache_data(max_entries=16, show_spinner=False)
def _measured(
    _service: StudyService, _spec: StudySpec, heads: tuple[tuple[str, str], ...], images: int
) -> Duration | None:
    # Of the settings only these count, so that writing a name or a text reads no log again.
    return measure_duration(_service, _spec)


def offer_for_consent(found: Duration | None) -> None:
    """Draw what was measured, and the button that puts it below the consent."""
    if found is None:
        st.caption(f"How long it takes: {_NONE[0].lower()}{_NONE[1:]}")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{found.sentence}.", width="content")
        st.button("Tell people so", key="new_duration_use", on_click=_tell, args=(found.told,))


def offer_for_plan(found: Duration | None) -> None:
    """Draw what was measured, and the button by which the plan takes it."""
    if found is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"{found.sentence}: {found.an_image:.1f} an image, {found.before:.0f} besides.",
            width="content",
        )
        st.button("Plan with this", key="new_plan_measured", on_click=_plan, args=(found,))


def _tell(told: str) -> None:
    st.session_state["new_duration"] = told


def _plan(found: Duration) -> None:
    st.session_state["new_plan_minutes"] = min(60.0, max(0.1, round(found.an_image, 1)))
    st.session_state["new_plan_besides"] = min(240.0, float(round(found.before)))
