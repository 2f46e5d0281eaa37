"""Replays: which answer is shown again, and the data of its way over the image."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from pages._ui.results.words import REASON_TITLES
from pages._ui.shared.address import LED_BY_ADDRESS
from pages._ui.shared.results import Results, answers_to
from pages._ui.shared.study_choice import IMAGE, study_link
from pages._ui.shared.viewer import our_component
from umnist_core.labeling.events import REPEAT
from umnist_core.labeling.replay import errors_of, load_parts, replay_of
from umnist_core.labeling.service import StudyService

REPLAY = "replay"
"""Parameter of the address that names an answer, and key of the session under which it stands."""

SECTION = "Replay"
KEY = "results_replay"

_NOTE = "A replay shows what was on the screen, not where the eyes were. Nothing plays by itself."
AGAIN = ", second time"
"""Behind an image that somebody was shown once more; such an answer is no label."""

_NO_TRACE = "There is no trace of this answer: the page could not record what was on the screen."

_component = our_component("umnist_replay", "showReplay")


def choose_replay(results: Results) -> str | None:
    """Return the answer that is replayed, and lead to its image; called before any is chosen."""
    if st.session_state.get(LED_BY_ADDRESS, False):
        st.session_state.pop(KEY, None)
        asked = st.query_params.get(REPLAY)
        if asked is not None and not _open(results, asked):
            st.warning(f"There is no answer {asked[:40]!r} in this study.")
    chosen: str | None = st.session_state.get(KEY)
    return chosen


def _open(results: Results, key: str) -> bool:
    """Lead to an answer and its image; return whether there is such an answer."""
    own = results.answers[results.answers["label_key"] == key]
    if own.empty:
        return False
    st.session_state[KEY] = key
    st.session_state[IMAGE] = str(own["stimulus"].iloc[0])
    st.session_state["results_section"] = SECTION
    return True


def replayed(results: Results, image: str) -> str | None:
    """Return the answer that is replayed, if it is one to the image that is shown."""
    key: str | None = st.session_state.get(KEY)
    is_open = st.session_state.get("results_section") == SECTION
    own = results.answers["label_key"] == key
    if not is_open or key is None or (results.answers[own]["stimulus"] != image).any():
        return None
    return key if own.any() else None


def replay_link(key: str | None) -> dict[str, str | None]:
    """Return what a replay adds to the address of its image."""
    return {REPLAY: key}


def show_replay(service: StudyService, results: Results, image: str) -> None:
    """Draw the answers that can be replayed, and play the chosen one over the image.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    key = replayed(results, image)
    errors = errors_of(results.answers, results.digits)
    reasons = dict(zip(errors["label_key"], errors["reason"], strict=True))
    numbers = {str(name): place for place, name in enumerate(results.images.index, 1)}
    shown = None if key is None else _shown(service, results, key, reasons)

    def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
        return [
            _row(results.study, row, numbers, reasons) for row in table.to_dict(orient="records")
        ]

    def opened() -> None:
        _open(results, str(st.session_state["results_replays"].get("open")))

    _component(
        key="results_replays",
        data={
            "bus": "results",
            "wrong": rows(errors),
            "here": rows(answers_to(results, image)),
            "replay": shown,
            "note": _NO_TRACE if key is not None and shown is None else _NOTE,
        },
        on_open_change=opened,
    )


def _row(
    study: str, row: dict[Any, Any], numbers: dict[str, int], reasons: dict[str, str]
) -> dict[str, Any]:
    key, image = str(row["label_key"]), str(row["stimulus"])
    link = {**study_link(study, image), **replay_link(key)}
    return {
        "key": key,
        "image": f"Image {numbers[image]}{AGAIN if row['kind'] == REPEAT else ''}",
        "person": str(row["annotator"]),
        "pool": str(row["pool"]),
        "answer": int(row["answer"]),
        "truth": int(row["truth"]),
        "reason": REASON_TITLES[reasons[key]] if key in reasons else "",
        "link": f"?{urlencode({name: value for name, value in link.items() if value})}",
    }


def _shown(
    service: StudyService, results: Results, key: str, reasons: dict[str, str]
) -> dict[str, Any] | None:
    """Return the way of an answer for the browser; None where there is no trace."""
    row = results.answers[results.answers["label_key"] == key].iloc[0]
    parts = load_parts(service, results.study, row["seqs"])
    way = replay_of(parts, results.truth[row["stimulus"]], row["digits_reported"])
    if not way["views"]:
        return None
    why = f": {REASON_TITLES[reasons[key]].lower()}" if key in reasons else ", right"
    title = f"{row['annotator'][:6]}, {row['pool']}, answered {row['answer']}{why}"
    return {
        **way,
        "key": key,
        "answer": int(row["answer"]),
        "truth": int(row["truth"]),
        "title": title,
    }
