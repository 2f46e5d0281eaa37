"""From a choice on Explore to what its viewer and its answer list show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pages._ui.shared.image_files import ChosenFile
from pages._ui.shared.known import figure_rows, file_notes, file_truth
from umnist_core.datasets.large_scale.ref import ALL_PARAMETER_NAMES, AnyRef, DigitRef
from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.pyramid.files import ImageHeader
from umnist_core.rendering import scene_figures
from umnist_core.scenes import Scene, SceneRef
from umnist_core.server.files import register_file
from umnist_core.server.generated import canvas_px, digit_truth, scene_url, subject_of
from umnist_core.server.query import VIEW_TITLES
from umnist_core.server.truth import scene_truth

BUS = "explore"

FILE_NAMES = ("source", "path", "folder", "system", "set", "image", "page", "low")
"""Parameters of the page's address that name a file, and what stands beside it."""


@dataclass(frozen=True)
class PictureChoice:
    """What the panes show: one or two of `VIEW_TITLES`, and how levels are reduced.

    Of a file, ``factor`` is how many times the sides of what stands beside it are reduced.
    """

    first: str
    second: str | None
    pyramid_filter: str
    factor: int | None = None


def scene_link(ref: AnyRef) -> dict[str, str | None]:
    """Return a scene as parameters of the page's address; None removes one."""
    unset = dict.fromkeys((*ALL_PARAMETER_NAMES, *FILE_NAMES))
    return {**unset, **ref.to_query()}


@dataclass(frozen=True)
class SceneStage:
    """A generated image on the stage."""

    ref: AnyRef
    glyphs: GlyphSet
    viewer_data: dict[str, Any]
    answers_data: dict[str, Any]


@dataclass(frozen=True)
class FileStage:
    """An image file on the stage."""

    viewer_data: dict[str, Any]
    answers_data: dict[str, Any] | None
    header: ImageHeader
    title: str
    notes: tuple[str, ...]
    problem: str


def open_stage(sample: AnyRef | ChosenFile, choice: PictureChoice) -> SceneStage | FileStage:
    """Return what is shown.

    Raises
    ------
    UmnistError
        If the image cannot be planned or opened.
    """
    if isinstance(sample, DigitRef):
        return _digit_stage(sample)
    if isinstance(sample, ChosenFile):
        return _file_stage(sample, choice.factor)
    return _scene_stage(sample, choice)


def _scene_stage(ref: SceneRef, choice: PictureChoice) -> SceneStage:
    glyphs = load_glyphs()
    scene = ref.plan(glyphs)
    pictures = [choice.first] if choice.second is None else [choice.first, choice.second]
    panes = [
        {
            "key": f"{place}-{picture}",
            "title": VIEW_TITLES[picture],
            "dzi": scene_url(ref, glyphs, "dzi", view=picture, filter=choice.pyramid_filter),
            **_pane_size(picture, scene),
        }
        for place, picture in enumerate(pictures)
    ]
    link = {
        "picture": None if choice.first == "full" else choice.first,
        "beside": choice.second,
        "filter": None if choice.pyramid_filter == "area" else choice.pyramid_filter,
    }
    truth = {**scene_truth(scene), "figures": figure_rows(scene_figures(scene, glyphs))}
    viewer = _viewer_data(panes, (scene.width, scene.height), {**scene_link(ref), **link})
    viewer["subject"] = subject_of(ref)
    return SceneStage(
        ref, glyphs, {**viewer, **truth}, {"bus": BUS, **truth, "image": viewer["image"]}
    )


def _digit_stage(ref: DigitRef) -> SceneStage:
    glyphs, side = load_glyphs(), canvas_px(ref)
    url = scene_url(ref, glyphs, "dzi")
    pane = {"key": "0-full", "title": "Image", "dzi": url, "width": side, "height": side}
    truth = digit_truth(ref)
    viewer = _viewer_data([pane], (side, side), scene_link(ref)) | {"subject": subject_of(ref)}
    answers = {"bus": BUS, **truth, "image": viewer["image"]}
    return SceneStage(ref, glyphs, {**viewer, **truth}, answers)


def _file_stage(sample: ChosenFile, factor: int | None) -> FileStage:
    entry = register_file(sample.path, page=sample.page)
    panes = [{"title": sample.title, **entry.pane}]
    link = dict(sample.link)
    if sample.reduced is not None:
        link["low"] = str(factor or 0)
    if sample.reduced is not None and factor is not None:
        panes.append(_reduced_pane(sample, factor))
    viewer = _viewer_data(panes, (entry.width, entry.height), link)
    viewer |= {"navigate": "folder" in sample.link, "subject": entry.id}
    truth, problem = file_truth(sample, entry.header)
    answers = {"bus": BUS, **truth, "image": viewer["image"]}
    return FileStage(
        {**viewer, **truth},
        None if truth["label"] is None else answers,
        entry.header,
        sample.title,
        file_notes(sample, entry.header),
        problem,
    )


def _reduced_pane(sample: ChosenFile, factor: int) -> dict[str, Any]:
    """Return the pane of an image's reduced copy, which lies over the whole of the image.

    What was reduced here lacks the columns and rows that were left over, so it covers less.
    """
    assert sample.reduced is not None
    entry = register_file(sample.reduced(factor))
    pane = {"title": f"Reduced x{factor}, {shipped_words(sample, factor)}", **entry.pane}
    if not is_shipped(sample, factor):
        pane["frame"] = {"width": entry.width * factor, "height": entry.height * factor}
    return pane


def is_shipped(sample: ChosenFile, factor: int) -> bool:
    """Return whether a reduced copy of an image came with its data set."""
    return sample.known is not None and factor in sample.known.smaller


def shipped_words(sample: ChosenFile, factor: int) -> str:
    """Return where a reduced copy of an image comes from."""
    return "as shipped" if is_shipped(sample, factor) else "made here"


def _viewer_data(
    panes: list[dict[str, Any]], size: tuple[int, int], link: dict[str, str | None]
) -> dict[str, Any]:
    return {
        "bus": BUS,
        "panes": panes,
        "image": {"width": size[0], "height": size[1]},
        "link": link,
        "navigate": True,
    }


def _pane_size(picture: str, scene: Scene) -> dict[str, int]:
    if picture.startswith("model-"):
        side = min(int(picture.removeprefix("model-")), scene.width)
        return {"width": side, "height": side}
    return {"width": scene.width, "height": scene.height}
