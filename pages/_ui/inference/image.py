"""Inference's image: a generated one under the noise lab's sliders, a file's, or a study's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from pages._ui.inference.pair import PAIR, is_pair, show_pair_controls
from pages._ui.shared.address import FILE_NAMES
from pages._ui.shared.folders import choose_from_folder, step_image
from pages._ui.shared.image_files import choose_file, choose_source, show_file_notes
from pages._ui.shared.known import file_notes, file_truth
from pages._ui.shared.panes import viewer_data
from pages._ui.shared.results import Results, find_gaze, heat_data, load_results, truth_data
from pages._ui.shared.scene_controls import (
    one_state,
    show_generated,
    show_scene_controls,
    step_scene,
)
from pages._ui.shared.studies import get_service
from pages._ui.shared.study_choice import (
    OPTIONAL_STOPPING,
    choose_image,
    choose_study,
    is_masked,
    study_link,
)
from pages._ui.shared.systems import preset_of
from umnist_core.datasets.large_scale.ref import AnyRef, DigitRef, any_ref
from umnist_core.digits import load_glyphs
from umnist_core.errors import UmnistError
from umnist_core.labeling.service import StudyService
from umnist_core.server.files import FileEntry, register_file
from umnist_core.server.inference.dwell import register_dwell

BUS = "inference"
SOURCES = {"generated": "Generated", "file": "File", "folder": "Data set", "study": "Study"}


@dataclass(frozen=True)
class Picture:
    """An image to predict, with what is known of it.

    Attributes
    ----------
    viewer
        ``ViewerData`` in ``data.js``, the truth included.
    truth
        The right answers by task, of images that were not generated here.
    preset
        Of the image's kind, where such are generated here; else None.
    kind
        Which data system the image is of, by its reader; empty of any other.
    called
        What the image's data set calls the right class, by task.
    people
        Where people looked (``WatchData.people`` in ``watch.js``); None for images of no study.
    scene
        Which generated image it is, if it is one; of a study once that is closed.
    answered
        Right answers of people to it, and all of them; None for images of no study.
    """

    viewer: dict[str, Any]
    truth: Mapping[str, list[int]] = field(default_factory=dict)
    preset: str | None = None
    kind: str = ""
    called: Mapping[str, str] = field(default_factory=dict)
    people: dict[str, Any] | None = None
    scene: AnyRef | None = None
    answered: tuple[int, int] | None = None

    @property
    def pane(self) -> dict[str, Any]:
        """The image as the viewer and the prediction know it."""
        pane: dict[str, Any] = self.viewer["panes"][0]
        return pane

    @property
    def second(self) -> dict[str, Any] | None:
        """Another image that is shown beside it; None as a rule."""
        panes: list[dict[str, Any]] = self.viewer["panes"]
        return panes[1] if len(panes) > 1 else None


def choose_picture() -> Picture | None:
    """Draw the widgets that choose an image; None while none is chosen.

    Raises
    ------
    UmnistError
        If the image cannot be planned or opened.
    """
    source = choose_source(SOURCES)
    if source == "study":
        return _choose_from_study()
    if source == "generated":
        return _choose_scene()
    sample = choose_file() if source == "file" else choose_from_folder(show_generated)
    if sample is None:
        return None
    entry = register_file(sample.path, page=sample.page)
    known, problem = file_truth(sample, entry.header)
    show_file_notes(entry.header, sample.title, file_notes(sample, entry.header))
    if problem:
        st.warning(problem)
    viewer = _file_viewer(entry, sample.title, sample.link) | known
    return Picture(
        viewer, sample.truth, preset=preset_of(sample.kind), kind=sample.kind, called=sample.called
    )


def step_picture(step: str) -> None:
    """Go to the next, the previous or a random image; a callback."""
    if st.session_state.get("source") == "folder":
        step_image(step)
    else:
        step_scene(step)


def _choose_scene() -> Picture:
    if is_two := is_pair():
        state = show_pair_controls(BUS, "inference_controls")
    else:
        show_scene_controls(BUS, "inference_controls")
        state = one_state()
    viewer = viewer_data(state, load_glyphs(), BUS)
    pair = {PAIR: "1" if is_two else None}
    viewer["link"] = {**dict.fromkeys(FILE_NAMES), **viewer["link"], **pair}
    if not is_two:
        viewer["panes"][0]["title"] = "Image"
    truth = state.a.truth if isinstance(state.a, DigitRef) else {}
    return Picture(viewer, truth, preset=state.a.preset, scene=state.a)


def _choose_from_study() -> Picture | None:
    service = get_service()
    study = choose_study(service)
    if study is None:
        return None
    if is_masked(study):
        st.info(OPTIONAL_STOPPING)
        return None
    if not study.spec.has_truth:
        st.info(
            "This study has images without truth, so a model's answer cannot be told right or "
            "wrong. Choose another study, or open the folder of its labels."
        )
        return None
    results = load_results(service, study)
    image = choose_image(results)
    entry = register_file(service.stimulus_file(results.study, image), frozen=True)
    link = {**dict.fromkeys(FILE_NAMES), "source": "study", **study_link(results.study, image)}
    viewer = _file_viewer(entry, "Image", link)
    known = truth_data(results, image)
    return Picture(
        viewer | known,
        {"sum": [int(known["label"])]},
        people=_people(service, results, image),
        scene=_scene_of(results, image) if study.status == "closed" else None,
        answered=_answered(results, image),
    )


def _scene_of(results: Results, image: str) -> AnyRef | None:
    """Return which scene an image of a study is; None of files, and of what is drawn no more."""
    source = results.truth[image]["source"]
    if not source or "preset" not in source:
        return None
    sample = {name: source[name] for name in ("seed", "split", "index")}
    try:
        return any_ref(source["preset"], source["parameters"], **sample)
    except UmnistError:
        return None


def _answered(results: Results, image: str) -> tuple[int, int] | None:
    right, answers = (int(results.images[name][image]) for name in ("correct", "labels"))
    return (right, answers) if answers else None


def _people(service: StudyService, results: Results, image: str) -> dict[str, Any] | None:
    """Return where people looked, which the server then compares attention with."""
    gaze = find_gaze(service, results, image, "all")
    if gaze is None:
        return None
    return {
        "title": "Where people looked",
        "answers": gaze.answers,
        "dwell": register_dwell(gaze.grid),
        "heat": heat_data(gaze.grid, results.sizes[image], gaze.answers),
    }


def _file_viewer(
    entry: FileEntry, title: str, link: dict[str, str | None] | None
) -> dict[str, Any]:
    return {
        "bus": BUS,
        "panes": [{"title": title, **entry.pane}],
        "image": {"width": entry.width, "height": entry.height},
        "subject": entry.id,
        "link": link,
        "navigate": "folder" in (link or {}),
        "digits": [],
        "shapes": [],
        "label": None,
    }
