"""Label 20 now: a study of oneself, made and opened in two clicks."""

from __future__ import annotations

import streamlit as st

from pages._ui.shared.home import base_path
from pages._ui.shared.making import Making, forget, makings, start_making
from pages._ui.shared.notices import show_digits_notice
from pages._ui.shared.studies import told
from pages._ui.shared.words import POOL_TITLES, count, plain
from umnist_core.labeling.records import POOLS
from umnist_core.labeling.self_study import IMAGES, SelfStudy, self_spec, self_studies
from umnist_core.labeling.service import StudyService

SHOWN = 3
"""Of the studies of oneself, of those that go on and of those that are over."""

_POOL = "self_pool"
_FEEDBACK = "self_feedback"
_FEEDBACKS = {True: "After each image", False: "At the end"}
_RESULTS = "results_page"
"""Key of the session under which the shell leaves the Results page."""


def show_alone(service: StudyService) -> None:
    """Draw what makes a study of oneself, those that go on, and those that are over."""
    st.subheader("On your own", anchor=False)
    show_digits_notice()
    with st.container(border=True):
        st.caption(
            f"{IMAGES} fresh images as released, for you alone: no consent, and marked *self* in "
            "Studies, Results and every export. Guided: *Hints* tells the sizes and the number of "
            "digits."
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            _show_choices()
            _show_button(service)
        if any(making.is_self for making in makings()):
            _follow_making()
        _show_own(service)


def _show_choices() -> None:
    st.segmented_control(
        "Guidance",
        POOLS,
        format_func=POOL_TITLES.__getitem__,
        default=POOLS[0],
        required=True,
        key=_POOL,
        width="content",
    )
    st.segmented_control(
        "Told the sum",
        list(_FEEDBACKS),
        format_func=_FEEDBACKS.__getitem__,
        default=True,
        required=True,
        key=_FEEDBACK,
        width="content",
    )


def _show_button(service: StudyService) -> None:
    is_busy = any(not making.is_over for making in makings())
    st.button(
        f"Label {IMAGES} now",
        type="primary",
        key="self_make",
        on_click=_make,
        args=(service,),
        disabled=is_busy,
        help="A study is being made; this can begin when it is done." if is_busy else None,
    )


def _make(service: StudyService) -> None:
    for making in makings():
        if making.is_self and making.is_over:
            forget(making)
    spec = self_spec(st.session_state[_POOL], has_feedback=bool(st.session_state[_FEEDBACK]))
    start_making(service, spec)


@st.fragment(run_every="0.5s")
def _follow_making() -> None:
    """Draw how far the images are; the page is drawn anew when they are there."""
    own = [making for making in makings() if making.is_self]
    for making in own:
        if making.is_over and making.error is None:
            forget(making)
            st.rerun(scope="app")
        _show_making(making)
    if not own:
        st.rerun(scope="app")


def _show_making(making: Making) -> None:
    if making.error is not None:
        st.error(f"The images could not be made. {making.error}")
        st.button("Understood", key="self_forget", on_click=forget, args=(making,))
        return
    told_ = f"Making your images: {making.done} of {making.total}"
    st.progress(making.share, "Cancelling" if making.is_cancelled else told_)
    st.button(
        "Cancel",
        key="self_cancel",
        on_click=making.cancel,
        disabled=making.is_cancelled,
        help="Nothing of it is kept.",
    )


def _show_own(service: StudyService) -> None:
    with told():
        studies = self_studies(service)
        for one in [one for one in studies if one.token is not None][:SHOWN]:
            _show_open(one)
        for one in [one for one in studies if one.is_over and one.answered][:SHOWN]:
            _show_over(one)


def _show_open(one: SelfStudy) -> None:
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.markdown(f"**{plain(one.name)}**")
    left.caption(
        f"{one.answered} of {count(one.total, 'image')} answered · sum told "
        + _FEEDBACKS[one.has_feedback].lower()
    )
    right.link_button(
        "Go on" if one.answered else "Open the first image",
        f"{base_path()}/join/{one.token}#go",  # one's own link, which goes on by itself
        type="primary",
        width="stretch",
    )


def _show_over(one: SelfStudy) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{plain(one.name)}: {one.answered} of {count(one.total, 'image')} answered")
        if _RESULTS in st.session_state:
            st.page_link(
                st.session_state[_RESULTS],
                label="Results",
                icon=":material/bar_chart:",
                query_params={"study": one.study},
            )
