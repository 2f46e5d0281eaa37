"""One image of a study: in the viewer with everybody's gaze, and what people answered."""

from __future__ import annotations

import random
from collections.abc import Hashable, Mapping
from math import isnan
from typing import Any

import pandas as pd
import streamlit as st

from pages._ui.results_data import (
    GAZES,
    Results,
    answer_counts,
    answers_to,
    find_heat,
    look_rows,
)
from pages._ui.study_words import POOL_TITLES, count
from pages._ui.viewer import show_answers, show_viewer
from umnist_core.labeling.service import StudyService
from umnist_core.server.files import register_file

BUS = "results"
IMAGE = "results_image"
GAZE = "results_gaze"


def choose_image(results: Results) -> str:
    """Draw the list of images, the hardest first, and return the chosen one."""
    images = list(results.images.index)
    if st.session_state.get(IMAGE) not in images:
        st.session_state[IMAGE] = images[0]
    rows = results.images.to_dict("index").items()
    # Numbered, since Streamlit takes options with the same title for one another.
    titles = {
        str(name): f"{number}. {image_title(row)}" for number, (name, row) in enumerate(rows, 1)
    }
    chosen: str = st.selectbox(
        "Image, hardest first", images, format_func=titles.__getitem__, key=IMAGE
    )
    return chosen


def image_title(row: Mapping[Hashable, Any]) -> str:
    """Return how an image is called in the list."""
    right = f"{row['correct']} of {row['labels']} right" if row["labels"] else "no answer yet"
    smallest = "" if isnan(row["smallest_px"]) else f", smallest digit {row['smallest_px']:.0f} px"
    return f"{right}: sum {row['sum']}{smallest}"


def open_image(image: object) -> None:
    """Go to an image; a callback."""
    st.session_state[IMAGE] = str(image)


def step_image(results: Results, step: str) -> None:
    """Go to the next easier, the next harder or a random image; a callback."""
    images = list(results.images.index)
    place = images.index(st.session_state[IMAGE]) if st.session_state.get(IMAGE) in images else 0
    steps = {"next": place + 1, "previous": place - 1, "random": random.randrange(len(images))}
    st.session_state[IMAGE] = images[min(max(steps[step], 0), len(images) - 1)]


def show_stage(service: StudyService, results: Results, image: str, gaze: str) -> None:
    """Draw the viewer, with the gaze that is asked for over the image."""
    entry = register_file(service.stimulus_file(results.study, image), frozen=True)
    data = {
        "bus": BUS,
        "panes": [{"title": "Image", **entry.pane}],
        "image": {"width": entry.width, "height": entry.height},
        "link": None,
        "navigate": True,
        "heat": find_heat(service, results, image, gaze),
        **truth_data(results, image),
    }
    show_viewer(data, key="results_viewer", on_navigate=lambda step: step_image(results, step))


def show_truth(results: Results, image: str) -> None:
    """Draw the switch for the answer, and the list of digits."""
    height, width = results.sizes[image]
    size = {"width": width, "height": height}
    show_answers({"bus": BUS, "image": size, **truth_data(results, image)}, key="results_answers")


def truth_data(results: Results, image: str) -> dict[str, Any]:
    """Return what is known to be in an image, for the viewer and the list of digits."""
    truth = results.truth[image]
    digits = [
        {
            "id": place,
            "label": digit["label"],
            "box": [digit["col"], digit["row"], digit["side_px"], digit["side_px"]],
            "ink": [digit["col"], digit["row"], digit["side_px"], digit["side_px"]],
            "side": digit["side_px"],
        }
        for place, digit in enumerate(truth["digits"] or [])
    ]
    return {"label": truth["label"], "digits": digits, "shapes": [], "figures": []}


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
    rows = look_rows(results, image)
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
