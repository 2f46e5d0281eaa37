"""From a choice on Explore to what its viewer and its answer list show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pages._ui.shared.address import FILE_NAMES
from pages._ui.shared.image_files import ChosenFile
from pages._ui.shared.known import figure_rows, file_notes, file_truth
from pages._ui.shared.tones import tones_link
from umnist_core.datasets.large_scale.ref import ALL_PARAMETER_NAMES, AnyRef, DigitRef
from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.pyramid import WHOLE_MAX_PX, model_size
from umnist_core.pyramid.files import ImageHeader
from umnist_core.rendering import LAYERS, scene_figures
from umnist_core.scenes import Scene, SceneRef
from umnist_core.server.files import FileEntry, register_file
from umnist_core.server.generated import canvas_px, digit_truth, scene_url, subject_of
from umnist_core.server.query import MODEL_VIEWS, VIEW_TITLES
from umnist_core.server.truth import scene_truth

BUS = "explore"

MOST_PANES = 3
"""More would each be too small to see anything in."""


@dataclass(frozen=True)
class PictureChoice:
    """What the panes show: up to three of `VIEW_TITLES`, and how levels are reduced.

    Of a file, ``factor`` is how many times the sides of what stands beside it are reduced.
    """

    first: str
    second: str | None = None
    pyramid_filter: str = "area"
    factor: int | None = None
    third: str | None = None

    @property
    def pictures(self) -> tuple[str, ...]:
        """Those that are shown, in order."""
        return tuple(one for one in (self.first, self.second, self.third) if one)

    @property
    def link(self) -> dict[str, str | None]:
        """As parameters of the page's address."""
        return {
            "picture": None if self.first == "full" else self.first,
            "beside": self.second,
            "third": self.third,
            "filter": None if self.pyramid_filter == "area" else self.pyramid_filter,
        }


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
    entry: FileEntry
    title: str
    notes: tuple[str, ...]
    problem: str

    @property
    def header(self) -> ImageHeader:
        """What the file says of itself."""
        return self.entry.header


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
        return _file_stage(sample, choice)
    return _scene_stage(sample, choice)


def _scene_stage(ref: SceneRef, choice: PictureChoice) -> SceneStage:
    glyphs = load_glyphs()
    scene = ref.plan(glyphs)
    panes = [
        {
            "key": f"{place}-{picture}",
            "title": VIEW_TITLES[picture],
            "dzi": scene_url(ref, glyphs, "dzi", view=picture, filter=choice.pyramid_filter),
            **_pane_size(picture, scene),
        }
        for place, picture in enumerate(choice.pictures)
    ]
    truth = {**scene_truth(scene), "figures": figure_rows(scene_figures(scene, glyphs))}
    viewer = _viewer_data(panes, (scene.width, scene.height), {**scene_link(ref), **choice.link})
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


def _file_stage(sample: ChosenFile, choice: PictureChoice) -> FileStage:
    entry = register_file(sample.path, page=sample.page)
    panes = [_file_pane(sample, entry, *one) for one in enumerate(choice.pictures)]
    link = {**sample.link, **choice.link, "filter": None, **tones_link(entry)}
    if sample.reduced is not None:
        link["low"] = str(choice.factor or 0)
    if sample.reduced is not None and choice.factor is not None:
        panes.append(_reduced_pane(sample, choice.factor))
    viewer = _viewer_data(panes[:MOST_PANES], (entry.width, entry.height), link)
    viewer |= {"navigate": "folder" in sample.link, "subject": entry.id}
    truth, problem = file_truth(sample, entry.header)
    answers = {"bus": BUS, **truth, "image": viewer["image"]}
    return FileStage(
        {**viewer, **truth},
        None if truth["label"] is None else answers,
        entry,
        sample.title,
        file_notes(sample, entry.header),
        problem,
    )


def _file_pane(sample: ChosenFile, entry: FileEntry, place: int, picture: str) -> dict[str, Any]:
    """Return a pane of a file: itself, itself as a model sees it, or a layer of its scene."""
    if picture == "full":
        return {**entry.pane, "key": f"{place}-{entry.id}", "title": sample.title}
    title = VIEW_TITLES[picture]
    if picture in MODEL_VIEWS:
        height, width = model_size(entry.height, entry.width, MODEL_VIEWS[picture])
        url = f"/tiles/file/{entry.id}.dzi?view={picture}"
        key = f"{place}-{entry.id}-{picture}"
        return {"key": key, "title": title, "dzi": url, "width": width, "height": height}
    assert sample.named is not None
    ref = sample.named.ref
    assert ref is not None
    scene = sample.named.scene
    url = scene_url(ref, load_glyphs(), "dzi", view=picture)
    size = {"width": scene.width, "height": scene.height}
    return {"key": f"{place}-{picture}", "title": title, "dzi": url, **size}


def file_pictures(sample: ChosenFile, header: ImageHeader) -> tuple[str, ...]:
    """Return what of `VIEW_TITLES` can be shown of a file."""
    layers = LAYERS if sample.named is not None and sample.named.ref is not None else ()
    longer = max(header.height, header.width)
    if header.height * header.width > WHOLE_MAX_PX:
        longer //= 4  # of such a model reads a level with at least twice its own side
    views = [name for name, side in MODEL_VIEWS.items() if side <= longer]
    return ("full", *(name for name in layers if name != "full"), *views)


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
