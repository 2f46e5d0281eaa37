"""The desk of a lab computer: which studies are open, and the way into them.

Labeling itself happens on a page of its own, which needs nothing of Streamlit: it goes on
through a lost connection and a restarted server.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import streamlit as st

from pages._ui.label.alone import show_alone
from pages._ui.shared.home import base_path
from pages._ui.shared.studies import get_service, list_studies
from pages._ui.shared.words import invite_state, plain
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.times import text_of_time
from umnist_core.labeling.views import Overview

_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,128}")


def show_desk() -> None:
    """Draw the studies that somebody can take part in, and a place for a link."""
    service = get_service()
    show_alone(service)
    st.subheader("Take part", anchor=False)
    studies = [one for one in list_studies(service) if not one.spec.is_self]
    running = [one for one in studies if one.status != "closed"]
    if not running:
        st.markdown(
            "No study is open on this machine. Make one under **Studies**, or paste the link that "
            "you were sent."
        )
    for one in running:
        _show_study(service, one)
    st.markdown("**I have a link**")
    _show_link_field()


def _show_study(service: StudyService, one: Overview) -> None:
    token = _open_token(service, one.study)
    with st.container(border=True):
        left, right = st.columns([4, 1], vertical_alignment="center")
        left.markdown(f"**{plain(one.spec.name)}**")
        if one.status == "paused":
            left.caption("Paused; come back later.")
        elif token is None:
            left.caption(
                "By personal link only: paste yours below, or make an open link under Studies."
            )
        else:
            left.caption(
                f"Give the sum of the digits that are hidden in {one.spec.images_per_annotator} "
                "images. No name is asked for."
            )
            right.link_button(
                "Take part", f"{base_path()}/join/{token}", type="primary", width="stretch"
            )


def _open_token(service: StudyService, study: str) -> str | None:
    """Return the token of the newest link that everybody may use."""
    now = text_of_time(datetime.now(UTC))
    rows = [row for row in service.invites(study) if invite_state(row, now) == "Open to all"]
    return rows[-1].token if rows else None


def _show_link_field() -> None:
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    text = left.text_input(
        "Link, or its last part",
        key="label_link",
        placeholder="http://…/join/…",
        help="A personal link brings you back to where you were.",
    )
    token = token_in(text or "")
    if text and token is None:
        st.error("This is no invite link; paste it whole, as it was sent to you.")
    if token is not None:
        right.link_button("Go", f"{base_path()}/join/{token}", type="primary", width="stretch")


def token_in(text: str) -> str | None:
    """Return the token of an invite link, or of what was copied of it; None for anything else."""
    last = text.strip().rstrip("/").rpartition("/")[2].partition("?")[0].partition("#")[0]
    return last if _TOKEN.fullmatch(last) else None
