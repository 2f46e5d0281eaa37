"""Labels of images without truth: what each person said, settled image by image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from pages._ui.results.label_data import show_agreement, show_data_set
from pages._ui.results.label_list import choose_image, go_to_open
from pages._ui.results.label_marks import label_marks, letters_of, marks_of
from pages._ui.shared.results import fold_study
from pages._ui.shared.study_choice import IMAGE, step_image, study_link
from pages._ui.shared.viewer import show_viewer
from pages._ui.shared.words import count
from umnist_core.errors import UmnistError
from umnist_core.labeling.labels import ImageLabel, agreement_of, labels_of, marked, sent
from umnist_core.labeling.recorded import SUM_MAX
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.views import Overview
from umnist_core.scoring.consensus import OPEN, LabelAgreement, MarkedBox
from umnist_core.server.files import register_file

BUS = "results"

_SECTION = "labels_section"
_SECTIONS = ("Settle", "Agreement", "Data set")
_GOES_ON = "labels_go_on"
_LAST = "labels_last"
_ERROR = "labels_error"

_FROM = {
    "unanimous": "all say so",
    "majority": "more than half say so",
    "adjudicated": "settled here",
}
"""Where a label is from, in words."""


def show_labels(service: StudyService, one: Overview, stage: Any, panel: Any) -> None:
    """Draw the images with what people said of them, in the places for image and controls."""
    labels = _labels(service, one.study, one.head_hash)
    with panel:
        settled = sum(label.is_settled for label in labels)
        st.progress(settled / len(labels), f"{settled} of {count(len(labels), 'image')} settled")
        chosen = st.segmented_control(
            "Labels",
            _SECTIONS,
            default=_SECTIONS[0],
            required=True,
            key=_SECTION,
            label_visibility="collapsed",
        )
        image, listed = choose_image(labels)
        if chosen == "Agreement":
            show_agreement(labels, _agreement(service, one.study, one.head_hash))
        elif chosen == "Data set":
            show_data_set(service, one, labels)
        else:
            draft = _settle(service, one, labels, image)
        is_label = _choose_boxes(image)
    boxes = draft if chosen == _SECTIONS[0] else None
    marks = label_marks(image) if is_label else marks_of(image, letters_of(labels), boxes)
    with stage:
        _show_stage(service, one, listed, image, marks)


@st.cache_resource(max_entries=4, show_spinner=False)
def _labels(_service: StudyService, study: str, head_hash: str) -> list[ImageLabel]:
    return labels_of(fold_study(_service, study, head_hash))


@st.cache_resource(max_entries=4, show_spinner="Working out agreement")
def _agreement(_service: StudyService, study: str, head_hash: str) -> LabelAgreement:
    return agreement_of(_labels(_service, study, head_hash))


def _choose_boxes(image: ImageLabel) -> bool:
    """Draw the choice of whose boxes are over the image; return whether it is the label's."""
    if image.boxes is None:
        return False
    whose = st.segmented_control(
        "Boxes over the image",
        ("Each person's", "The label's"),
        default="Each person's",
        required=True,
        key="labels_boxes",
    )
    return whose == "The label's"


# -- the image --------------------------------------------------------------------


def _show_stage(
    service: StudyService,
    one: Overview,
    listed: Sequence[ImageLabel],
    image: ImageLabel,
    marks: list[dict[str, Any]],
) -> None:
    entry = register_file(service.stimulus_file(one.study, image.stimulus), frozen=True)
    data = {
        "bus": BUS,
        "panes": [{"title": "Image", **entry.pane}],
        "image": {"width": entry.width, "height": entry.height},
        "link": {**study_link(one.study, image.stimulus), "replay": None},
        "subject": image.stimulus,
        "navigate": True,
        "overlays": {"answer": True, "shapes": False},
        "digits": marks,
        "shapes": [],
    }
    names = [label.stimulus for label in listed]
    show_viewer(data, key="results_viewer", on_navigate=lambda way: step_image(names, way))


# -- settling ---------------------------------------------------------------------


def _settle(
    service: StudyService, one: Overview, labels: Sequence[ImageLabel], image: ImageLabel
) -> Sequence[MarkedBox] | None:
    """Draw what people said and how it may be settled; return boxes that are being written."""
    if message := st.session_state.pop(_ERROR, None):
        st.error(message)
    is_over = one.status == "closed"
    place = list(labels).index(image)

    def act(do: Callable[[], None]) -> None:
        try:
            do()
        except UmnistError as error:
            st.session_state[_ERROR] = str(error)
            return
        st.session_state[_LAST] = image.stimulus
        if st.session_state.get(_GOES_ON, True):
            go_to_open(labels, place)

    st.markdown(_state_words(image))
    _show_said(service, one.study, labels, image, act=act, is_over=is_over)
    if is_over:
        st.caption("This study is closed, so its labels stay as they are.")
        return None
    _show_most(service, one.study, image, act)
    boxes = _decide_otherwise(service, one, image, act)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Next open image",
            key="labels_next",
            on_click=go_to_open,
            args=(labels, place),
            disabled=all(one.is_settled or not one.said for one in labels),
        )
        _show_undo(service, one.study)
    st.checkbox("Go on to the next open image after each decision", value=True, key=_GOES_ON)
    return boxes


def _show_said(
    service: StudyService,
    study: str,
    labels: Sequence[ImageLabel],
    image: ImageLabel,
    *,
    act: Callable[[Callable[[], None]], None],
    is_over: bool,
) -> None:
    letters = letters_of(labels)
    took = () if image.ruling is None else image.ruling.took
    for person, said in image.said.items():
        letter = letters[person]
        with st.container(horizontal=True, vertical_alignment="center"):
            digits = "" if said.boxes is None else f" from {_digits(said.boxes)}"
            taken = ", taken" if person in took else ""
            st.markdown(f"**{letter}** says **{said.answer}**{digits}{taken}", width="stretch")
            st.button(
                f"Take {letter}'s",
                key=f"labels_take_{letter}",
                disabled=is_over,
                on_click=act,
                args=(lambda p=person: service.take_label(study, image.stimulus, p),),
                help=f"Person {person}",
            )


def _show_most(
    service: StudyService,
    study: str,
    image: ImageLabel,
    act: Callable[[Callable[[], None]], None],
) -> None:
    """Offer what most said: of an open image what is known of its boxes, of a settled one all."""
    most = image.consensus
    if image.ruling is not None and most.provenance != OPEN:
        st.button(
            f"Take what most said: {most.answer}",
            key="labels_most",
            on_click=act,
            args=(lambda: service.reopen(study, image.stimulus),),
        )
    elif image.ruling is None and most.provenance == OPEN and most.boxes:
        drawn = sent(most.boxes)
        st.button(
            f"Take what most drew: {_digits(most.boxes)}",
            key="labels_most",
            on_click=act,
            args=(lambda: service.adjudicate(study, image.stimulus, boxes=drawn),),
            help="Digits that more than half drew and named; the others are left out.",
        )


def _state_words(image: ImageLabel) -> str:
    if not image.said and image.ruling is None:
        return "Nobody has labelled this image yet."
    if not image.is_settled:
        return "**Open**: no majority decides it."
    return f"The label is **{image.answer}**: {_FROM[image.provenance]}."


def _digits(boxes: Sequence[MarkedBox]) -> str:
    return " + ".join(str(box.label) for box in boxes) or "no digit"


def _decide_otherwise(
    service: StudyService,
    one: Overview,
    image: ImageLabel,
    act: Callable[[Callable[[], None]], None],
) -> Sequence[MarkedBox] | None:
    key = f"labels_other_{image.stimulus}"
    if not st.toggle("Decide otherwise", key=f"{key}_on"):
        return None
    with st.container(border=True):
        if one.spec.ask_boxes:
            return _decide_boxes(service, one, image, act, key)
        number = st.number_input("Sum", 0, SUM_MAX, image.answer, key=key)
        st.button(
            "Settle with this sum",
            key=f"{key}_save",
            disabled=number is None,
            on_click=act,
            args=(lambda: service.adjudicate(one.study, image.stimulus, int(number or 0)),),
        )
    return None


def _decide_boxes(
    service: StudyService,
    one: Overview,
    image: ImageLabel,
    act: Callable[[Callable[[], None]], None],
    key: str,
) -> Sequence[MarkedBox] | None:
    st.caption("Begins with what most said; px from the upper left corner. Seen over the image.")
    begin = image.boxes if image.boxes is not None else image.consensus.boxes or ()
    columns = ("label", "x", "y", "width", "height")
    table = pd.DataFrame(sent(begin), columns=columns)
    edited = st.data_editor(table, num_rows="dynamic", hide_index=True, key=key)
    rows = edited.dropna().to_dict("records")
    drawn = [{**{str(k): v for k, v in row.items()}, "label": int(row["label"])} for row in rows]
    st.button(
        f"Settle with {count(len(drawn), 'box', 'boxes')}",
        key=f"{key}_save",
        on_click=act,
        args=(lambda: service.adjudicate(one.study, image.stimulus, boxes=drawn),),
    )
    return marked(drawn)


def _show_undo(service: StudyService, study: str) -> None:
    last = st.session_state.get(_LAST)
    if last is None or last not in service.state(study).rulings:
        return

    def undo() -> None:
        try:
            service.reopen(study, last)
        except UmnistError as error:
            st.session_state[_ERROR] = str(error)
            return
        st.session_state[IMAGE] = last
        st.session_state.pop(_LAST)

    st.button("Undo the last decision", key="labels_undo", on_click=undo)
