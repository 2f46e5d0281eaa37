"""Widgets that choose an image from a file or a folder, started from the address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from pages._ui.shared.address import start, start_choice, start_number
from pages._ui.shared.scenes import explain_tasks
from pages._ui.shared.uploads import keep_image, keep_upload
from umnist_core.datasets import ImageFolder, open_image_folder
from umnist_core.datasets.boxes import DrawnBox
from umnist_core.datasets.megapixel_sparse import (
    PARAMETER_FILE,
    MegapixelSplit,
    open_megapixel_split,
)
from umnist_core.paths import expand_home, shown_name
from umnist_core.pyramid.files import ImageHeader, read_image_header
from umnist_core.pyramid.notes import image_notes
from umnist_core.scenes import Tasks
from umnist_core.seeds import SPLITS

IMAGE_TYPES = ["jpg", "jpeg", "png", "tif", "tiff", "webp"]


@dataclass(frozen=True)
class ChosenFile:
    """An image file, and the sum of its digits or its tasks where a table gives them.

    ``boxes`` are those that COCO or Pascal VOC have of it, in px of the image as shown.
    ``page`` counts from 0; in addresses and on the page it counts from 1.
    """

    path: Path
    title: str
    label: int | None
    link: dict[str, str | None]
    tasks: Tasks | None = None
    page: int = 0
    boxes: tuple[DrawnBox, ...] = ()

    @property
    def explained(self) -> str | None:
        """The label in words, where it is no sum."""
        return None if self.tasks is None else explain_tasks(self.tasks)

    @property
    def truth(self) -> dict[str, list[int]]:
        """The right answers, by the name of the task that a model answers."""
        if self.tasks is not None:
            found = self.tasks.to_dict().items()
            return {name: list(v) if isinstance(v, tuple) else [v] for name, v in found}
        return {} if self.label is None else {"sum": [self.label]}


def choose_source(titles: Mapping[str, str]) -> str:
    """Draw the choice of where images come from, begun from the address; return its key."""
    start_choice("source", tuple(titles), "generated")
    source = st.segmented_control(
        "Image",
        list(titles),
        format_func=titles.__getitem__,
        key="source",
        required=True,
        label_visibility="collapsed",
        width="stretch",
    )
    return source or "generated"


def choose_file() -> ChosenFile | None:
    """Draw the widgets that choose a file; None while none is chosen."""
    start("path", st.query_params.get("path", ""))
    path = st.text_input("Path on this machine", key="path", placeholder="~/images/sample.tiff")
    uploaded = st.file_uploader("or a file from elsewhere", type=IMAGE_TYPES)
    if uploaded is not None:
        return _at_page(ChosenFile(keep_upload(uploaded), uploaded.name, None, {"source": "file"}))
    if not path:
        return None
    file = expand_home(path)
    return _at_page(ChosenFile(file, shown_name(file.name), None, {"source": "file", "path": path}))


def _at_page(sample: ChosenFile) -> ChosenFile:
    """Draw the choice of a page where the file has several, begun from the address."""
    pages = read_image_header(sample.path).pages
    link: dict[str, str | None] = {**sample.link, "page": None}
    if len(pages) == 1:
        return replace(sample, link=link)
    names = tuple(str(page + 1) for page in pages)
    start_choice("page", names, names[0])
    if st.session_state.page not in names:  # chosen for another file
        st.session_state.page = names[0]
    name = st.selectbox(f"Page, one of {len(pages)}", names, key="page")
    link["page"] = None if name == names[0] else name
    return replace(sample, link=link, page=int(name) - 1)


def show_file_notes(header: ImageHeader, title: str) -> None:
    """Say the size of a file's image, and all that was chosen to show it."""
    sentences = (f"{title}: {header.width} x {header.height} px.", *image_notes(header))
    # Names of files are no Markdown.
    st.caption(
        "  \n".join(re.sub(r"([\\`*_{}\[\]()#+!$~|<>-])", r"\\\1", one) for one in sentences)
    )


@st.cache_data(ttl=60, show_spinner="Reading the folder")
def _open_folder(path: str) -> ImageFolder:
    return open_image_folder(expand_home(path))


def choose_from_folder() -> ChosenFile | None:
    """Draw the widgets that choose an image of a folder; None while none is chosen."""
    start("folder", st.query_params.get("folder", ""))
    start_number("image")
    path = st.text_input("Folder on this machine", key="folder", placeholder="~/ultra-mnist")
    if not path:
        return None
    if (expand_home(path) / PARAMETER_FILE).is_file():
        return _choose_megapixel(path)
    folder = _open_folder(path)
    last = len(folder.ids) - 1
    st.session_state.image = min(st.session_state.image, last)
    number = int(st.number_input(f"Image, 0 to {last}", 0, last, step=1, key="image"))
    image_id = folder.ids[number]
    link: dict[str, str | None] = {"source": "folder", "folder": path, "image": str(number)}
    label, boxes = folder.find_label(image_id), folder.find_boxes(image_id)
    return _at_page(
        ChosenFile(folder.paths[image_id], shown_name(image_id), label, link, boxes=boxes)
    )


@st.cache_resource(max_entries=1, show_spinner="Reading Megapixel MNIST")
def _open_megapixel(path: str, split: str) -> MegapixelSplit:
    return open_megapixel_split(expand_home(path), split)


def _choose_megapixel(path: str) -> ChosenFile:
    start_choice("split", SPLITS, "train")
    split = st.selectbox("Split", SPLITS, key="split")
    images = _open_megapixel(path, split)
    last = len(images.images) - 1
    st.session_state.image = min(st.session_state.image, last)
    number = int(st.number_input(f"Image, 0 to {last}", 0, last, step=1, key="image"))
    tasks = images.images[number].tasks
    link: dict[str, str | None] = {"source": "folder", "folder": path, "split": split}
    return ChosenFile(
        keep_image(images.read_image(number)),
        f"{split} {number}",
        tasks.majority,
        {**link, "image": str(number)},
        tasks,
    )
