"""One image of a study: in the viewer with everybody's gaze, and what people answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import isnan
from typing import Any

import pandas as pd
import streamlit as st

from pages._ui.shared.results import GAZES, Results, answers_to, find_gaze, heat_data, truth_data
from pages._ui.shared.study_choice import IMAGE, step_image, study_link
from pages._ui.shared.viewer import show_answers, show_viewer
from pages._ui.shared.words import POOL_TITLES, count
from umnist_core.labeling.service import StudyService
from umnist_core.scoring.images import digit_looks
from umnist_core.server.files import register_file

BUS = "results"
GAZE = "results_gaze"


def open_image(image: object) -> None:
    """Go to an image; a callback."""
    st.session_state[IMAGE] = str(image)


def show_stage(
    service: StudyService, results: Results, image: str, gaze: str, replay: str | None = None
) -> None:
    """Draw the viewer, with the gaze that is asked for over the image, or an answer's replay."""
    entry = register_file(service.stimulus_file(results.study, image), frozen=True)
    names = list(results.images.index)
    data = {
        "bus": BUS,
        "panes": [{"title": "Image", **entry.pane}],
        "image": {"width": entry.width, "height": entry.height},
        "link": {**study_link(results.study, image), "replay": replay},
        "subject": image,
        "navigate": True,
        "heat": find_heat(service, results, image, gaze if replay is None else "none"),
        **truth_data(results, image),
    }
    show_viewer(data, key="results_viewer", on_navigate=lambda way: step_image(names, way))


def show_truth(results: Results, image: str) -> None:
    """Draw the switch for the answer, and the list of digits."""
    height, width = results.sizes[image]
    size = {"width": width, "height": height}
    show_answers({"bus": BUS, "image": size, **truth_data(results, image)}, key="results_answers")


def choose_gaze() -> str:
    """Draw the choice of whose gaze lies over the image, and return it, one of `GAZES`."""
    chosen = st.pills(
        "Whose gaze lies over it",
        list(GAZES),
        format_func=GAZES.__getitem__,
        default="all",
        key=GAZE,
        help="How long each part of the image was on screen. A close look puts its time on a small "
        "part and a look at the whole on all of it. It shows what could be seen, not where the "
        "eyes were.",
    )
    return chosen or "none"


def show_answers_given(results: Results, image: str) -> None:
    """Draw what people answered, and how each digit was looked at."""
    given = answers_to(results, image)
    if given.empty:
        st.caption("Nobody has answered this image yet.")
        return
    truth = int(results.truth[image]["label"])
    for pool, title in POOL_TITLES.items():
        own = given[given["pool"] == pool]
        if own.empty:
            continue
        parts = [
            f"**{answer}**{' right' if answer == truth else ''} ({n})"
            for answer, n in answer_counts(own["answer"])
        ]
        st.markdown(f"{title}, {count(len(own), 'answer')}: {', '.join(parts)}")
    keys = set(given["label_key"])
    rows = digit_looks(results.digits[results.digits["label_key"].isin(keys)])
    if rows:
        st.caption("How each digit was looked at")
        st.table(pd.DataFrame([look_text(row) for row in rows]).set_index("Digit"))


def look_text(row: dict[str, Any]) -> dict[str, str]:
    """Return a row of the table of looks, as people read it."""
    dwell = row["dwell_s"]
    return {
        "Digit": f"{row['digit']}, {row['side_px']} px",
        "On screen, legible": f"{row['seen']} of {row['traced']}" if row["traced"] else "no trace",
        "For (median)": "" if isnan(dwell) else f"{dwell:.1f} s",
    }


def find_heat(
    service: StudyService, results: Results, image: str, gaze: str
) -> dict[str, Any] | None:
    """Return the heat over an image for the viewer (``HeatData`` in ``heat.js``), or None.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    found = find_gaze(service, results, image, gaze)
    return None if found is None else heat_data(found.grid, results.sizes[image], found.answers)


def answer_counts(answers: Iterable[int]) -> list[tuple[int, int]]:
    """Return how often each sum was answered, the most frequent first."""
    return sorted(Counter(map(int, answers)).items(), key=lambda pair: (-pair[1], pair[0]))
