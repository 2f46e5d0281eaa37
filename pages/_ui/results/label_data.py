"""How far people agree on labels, and the data set that is made of them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from math import isnan
from pathlib import Path

import pandas as pd
import streamlit as st

from pages._ui.results.label_marks import letters_of
from pages._ui.shared.offers import offer_file
from pages._ui.shared.words import count, percent
from umnist_core.labeling.label_files import export_labels
from umnist_core.labeling.labels import ImageLabel, provenance_counts
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.views import Overview
from umnist_core.scoring.consensus import ADJUDICATED, MAJORITY, OPEN, UNANIMOUS, LabelAgreement
from umnist_core.scoring.krippendorff import Alpha

_FROM = {
    UNANIMOUS: "all say the same",
    MAJORITY: "more than half say so",
    ADJUDICATED: "settled here",
    OPEN: "open, and left out",
}
"""Where a label is from, in words."""

_RELIABLE, _TENTATIVE = 0.8, 0.667
"""His own bounds of what may be built on, and of what may be built on with care."""

_FORMATS = {"csv": "CSV of sums", "coco": "COCO", "voc": "Pascal VOC"}


def show_agreement(labels: Sequence[ImageLabel], found: LabelAgreement) -> None:
    """Draw how far people agree."""
    letters = letters_of(labels)
    for one in found.alphas:
        st.markdown(f"Krippendorff's alpha, {one.metric}: {_alpha(one)}")
    if words := _alpha_words(found.alphas[0]):
        st.markdown(words)
    if not isnan(found.mean_iou):
        st.markdown(f"Mean overlap (IoU) of boxes of one digit: **{found.mean_iou:.2f}**")
    rows = [
        {
            "": letters[one.person],
            "Person": one.person,
            "Images": one.images,
            "Says what others say": "" if isnan(one.share) else percent(one.share),
        }
        for one in found.people
    ]
    if rows:
        st.dataframe(pd.DataFrame(rows), hide_index=True)
    st.caption(
        "1 is agreement throughout, 0 what chance gives; in brackets the 95 % interval over "
        "images. Decisions that were made here are no part of it."
    )


def _alpha(one: Alpha) -> str:
    if isnan(one.estimate):
        return one.note
    ends = "" if isnan(one.low) else f" ({one.low:.2f} to {one.high:.2f})"
    return f"**{one.estimate:.2f}**{ends}"


def _alpha_words(one: Alpha) -> str:
    """Return what an alpha means for who builds on the labels; empty where there is none."""
    if isnan(one.estimate):
        return ""
    if one.estimate >= _RELIABLE:
        return "People agree well enough that one person's labels would do nearly as well."
    if one.estimate >= _TENTATIVE:
        return "People agree roughly: one person's labels alone would be wrong now and then."
    return (
        "People disagree a good deal: one person's labels alone would not do. Ask more people of "
        "each image, or look at what they disagree on."
    )


def show_data_set(service: StudyService, one: Overview, labels: Sequence[ImageLabel]) -> None:
    """Draw what the labels come to, and the choice of a format to save them in."""
    counts = provenance_counts(labels)
    st.markdown("\n".join(f"- {counts[name]} {words}" for name, words in _FROM.items()))
    formats = list(_FORMATS) if one.spec.ask_boxes else ["csv"]
    kind = st.segmented_control(
        "Format",
        formats,
        format_func=_FORMATS.__getitem__,
        default=formats[-1] if len(formats) == 1 else "coco",
        required=True,
        key="labels_format",
    )
    st.caption(
        "One zip with the images, their labels, and where each label is from. Open images are "
        "left out, and stand in the table of provenance. From a terminal: `umnist study labels`."
    )

    def make(target: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "labels"
            export_labels(service, one.study, made, kind or "csv", is_linked=True)
            shutil.make_archive(str(target.with_suffix("")), "zip", made)

    images = count(sum(label.is_settled for label in labels), "image")
    name = f"umnist-{one.study}-{kind}.zip"
    key = f"labels-{kind}-{one.study}"
    offer_file(key, "the data set", name, make, saved=images, made_of=one.head_hash)
