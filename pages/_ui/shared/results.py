"""A study's answers, truth and figures as pages need them; computed once.

What is computed is a function of the study's last event, so every session may have it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from umnist_core.attention.colours import last_colour
from umnist_core.attention.tiles import LARGEST, as_colours
from umnist_core.labeling.judging import Judgement, judge, with_judgement
from umnist_core.labeling.replay import load_parts
from umnist_core.labeling.results import (
    FoldedStudy,
    answers_of,
    digits_of,
    load_traces,
    report_of,
)
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.views import Overview
from umnist_core.pyramid.encode import encode_png
from umnist_core.scoring import StudyReport
from umnist_core.scoring.images import image_table, mean_heat

TOP_QUANTILE = 0.99
"""Share of the cells that the colours are spread over; the rest has the last colour. If they are
much alike, colours are spread further (`umnist_core.attention.colours.last_colour`)."""

GAZES = {
    "all": "Everyone",
    "unguided": "Unguided",
    "guided": "Guided",
    "wrong": "Wrong answers",
    "none": "Nobody",
}
"""Whose gaze lies over the image, and its name for people."""


@dataclass(frozen=True, eq=False)
class Results:
    """What came out of a study.

    Attributes
    ----------
    answers
        One row for each answer that counts, `umnist_core.labeling.results.load_answers`.
    digits
        One row for each digit of each of them, with how it was looked at.
    images
        A row for each image, the hardest first (`image_table`).
    report
        Every figure.
    truth
        Image -> what is in it.
    sizes
        Image -> (height, width), px.
    judgement
        Whom the rules of exclusion catch.
    """

    study: str
    answers: pd.DataFrame = field(repr=False)
    digits: pd.DataFrame = field(repr=False)
    images: pd.DataFrame = field(repr=False)
    report: StudyReport = field(repr=False)
    truth: Mapping[str, Mapping[str, Any]] = field(repr=False)
    sizes: Mapping[str, tuple[int, int]] = field(repr=False)
    judgement: Judgement = field(repr=False)


def load_results(service: StudyService, one: Overview) -> Results:
    """Return what came out of a study, as of its last event.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    folded, plain = _answers(service, one.study, one.head_hash)
    answers, digits, judgement = _digits(service, one.study, one.head_hash, folded, plain)
    truth = folded.truth
    return Results(
        study=one.study,
        answers=answers,
        digits=digits,
        images=_images(one.study, one.head_hash, answers, truth),
        report=_report(one.study, one.head_hash, answers, digits),
        truth=truth,
        sizes={name: folded.state.sizes[name] for name in folded.state.stimuli},
        judgement=judgement,
    )


@st.cache_resource(max_entries=4, show_spinner=False)
def fold_study(_service: StudyService, study: str, head_hash: str) -> FoldedStudy:
    """Return a study with all its events, as of its last one.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    return FoldedStudy.of(_service.log, study)


# In steps, so that people see how far it is: thousands of traces take seconds.


@st.cache_resource(max_entries=4, show_spinner="Step 1 of 3: reading the answers")
def _answers(
    _service: StudyService, study: str, head_hash: str
) -> tuple[FoldedStudy, pd.DataFrame]:
    folded = fold_study(_service, study, head_hash)
    return folded, answers_of(folded)


@st.cache_resource(max_entries=4, show_spinner="Step 2 of 3: what was on whose screen")
def _digits(
    _service: StudyService,
    study: str,
    head_hash: str,
    _folded: FoldedStudy,
    _answers: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame, Judgement]:
    traces = load_traces(_service, study)
    digits = digits_of(_folded.truth, _answers, traces)
    judgement = judge(_folded, traces)
    return with_judgement(_answers, digits, judgement), digits, judgement


@st.cache_resource(max_entries=4, show_spinner="Step 3 of 3: working out the figures")
def _report(
    study: str, head_hash: str, _answers: pd.DataFrame, _digits: pd.DataFrame
) -> StudyReport:
    return report_of(_answers, _digits)


@st.cache_resource(max_entries=4, show_spinner=False)
def _images(
    study: str, head_hash: str, _answers: pd.DataFrame, _truth: Mapping[str, Any]
) -> pd.DataFrame:
    return image_table(_answers, _truth)


# -- gaze ---------------------------------------------------------------------------


def answers_to(results: Results, image: str, gaze: str = "all") -> pd.DataFrame:
    """Return the first answers to an image, of those whose gaze is asked for."""
    rows = results.answers
    rows = rows[(rows["stimulus"] == image) & (rows["kind"] == "label")]
    if gaze in ("unguided", "guided"):
        return rows[rows["pool"] == gaze]
    return rows[~rows["correct"].astype(bool)] if gaze == "wrong" else rows


@dataclass(frozen=True, eq=False)
class Gaze:
    """Where people looked at an image.

    Attributes
    ----------
    grid
        float64 (rows, columns), mean time on each cell, ms.
    answers
        How many it is the mean of.
    """

    grid: NDArray[np.float64]
    answers: int


def find_gaze(service: StudyService, results: Results, image: str, gaze: str) -> Gaze | None:
    """Return where those people looked whose gaze is asked for, one of `GAZES`.

    None where nobody's gaze is asked for, or nobody has looked.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    if gaze == "none":
        return None
    events = answers_to(results, image, gaze)["seqs"]
    keys = tuple(tuple(int(seq) for seq in seqs) for seqs in events)
    return _gaze(service, results.study, keys, results.sizes[image])


@st.cache_resource(max_entries=64, show_spinner=False)
def _gaze(
    _service: StudyService, study: str, keys: tuple[tuple[int, ...], ...], size: tuple[int, int]
) -> Gaze | None:
    traces = [parts for seqs in keys if (parts := load_parts(_service, study, seqs))]
    grid = mean_heat(traces, size)
    return None if grid is None else Gaze(grid, len(traces))


def heat_data(grid: NDArray[np.float64], size: tuple[int, int], people: int) -> dict[str, Any]:
    """Return a grid of ms as the viewer takes it."""
    most = float(grid.max())
    image = as_colours(np.round(grid / most * LARGEST).astype(np.uint16))
    each = "1 answer" if people == 1 else f"mean of {people:,} answers"
    return {
        "src": f"data:image/png;base64,{base64.b64encode(encode_png(image)).decode()}",
        "title": f"Time on screen of each {round(size[0] / grid.shape[0])} px, {each}",
        "unit": "ms",
        "max": most,
        "top": last_colour(float(np.quantile(grid, TOP_QUANTILE)) or most, float(grid.mean())),
        "opacity": 0.6,
    }


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
