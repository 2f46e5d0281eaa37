"""Widgets that choose an image from a file or a folder, started from the address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import streamlit as st

from pages._ui.samples import FileSample
from pages._ui.uploads import keep_image, keep_upload
from umnist_core.datasets import ImageFolder, open_image_folder
from umnist_core.datasets.megapixel_sparse import (
    PARAMETER_FILE,
    MegapixelSplit,
    open_megapixel_split,
)
from umnist_core.errors import InvalidValueError
from umnist_core.pyramid.files import ImageHeader, read_image_header
from umnist_core.pyramid.notes import image_notes
from umnist_core.scenes.ref import read_number
from umnist_core.seeds import MAX_SEED, SPLITS

IMAGE_TYPES = ["jpg", "jpeg", "png", "tif", "tiff", "webp"]


def start(name: str, value: object) -> None:
    """Give a widget its first value, from the address where it names one."""
    if name not in st.session_state:
        st.session_state[name] = value


def start_number(name: str) -> None:
    """Give a widget its first seed or index, from the address where it names one."""
    if name in st.session_state:
        return
    text = st.query_params.get(name, "0")
    try:
        st.session_state[name] = read_number(name, text)
    except InvalidValueError:
        _tell_wrong_link(name, text, f"a whole number from 0 to {MAX_SEED}")
        st.session_state[name] = 0


def start_choice(name: str, allowed: tuple[str, ...], default: str) -> None:
    """Give a widget its first choice, from the address where it names an allowed one."""
    if name in st.session_state:
        return
    asked = st.query_params.get(name, default)
    if asked not in allowed:
        _tell_wrong_link(name, asked, f"one of {', '.join(filter(None, allowed))}")
    st.session_state[name] = asked if asked in allowed else default


def _tell_wrong_link(name: str, found: str, expected: str) -> None:
    st.warning(f"In this link {name} should be {expected}, but is {found!r}; the default is shown.")


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


def choose_file() -> FileSample | None:
    """Draw the widgets that choose a file; None while none is chosen."""
    start("path", st.query_params.get("path", ""))
    path = st.text_input("Path on this machine", key="path", placeholder="~/images/sample.tiff")
    uploaded = st.file_uploader("or a file from elsewhere", type=IMAGE_TYPES)
    if uploaded is not None:
        return _at_page(FileSample(keep_upload(uploaded), uploaded.name, None, {"source": "file"}))
    if not path:
        return None
    file = Path(path).expanduser()
    return _at_page(FileSample(file, file.name, None, {"source": "file", "path": path}))


def _at_page(sample: FileSample) -> FileSample:
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
    return open_image_folder(Path(path).expanduser())


def choose_from_folder() -> FileSample | None:
    """Draw the widgets that choose an image of a folder; None while none is chosen."""
    start("folder", st.query_params.get("folder", ""))
    start_number("image")
    path = st.text_input("Folder on this machine", key="folder", placeholder="~/ultra-mnist")
    if not path:
        return None
    if (Path(path).expanduser() / PARAMETER_FILE).is_file():
        return _choose_megapixel(path)
    folder = _open_folder(path)
    last = len(folder.ids) - 1
    st.session_state.image = min(st.session_state.image, last)
    number = int(st.number_input(f"Image, 0 to {last}", 0, last, step=1, key="image"))
    image_id = folder.ids[number]
    link: dict[str, str | None] = {"source": "folder", "folder": path, "image": str(number)}
    label, boxes = folder.find_label(image_id), folder.find_boxes(image_id)
    return _at_page(FileSample(folder.paths[image_id], image_id, label, link, boxes=boxes))


@st.cache_resource(max_entries=1, show_spinner="Reading Megapixel MNIST")
def _open_megapixel(path: str, split: str) -> MegapixelSplit:
    return open_megapixel_split(Path(path).expanduser(), split)


def _choose_megapixel(path: str) -> FileSample:
    start_choice("split", SPLITS, "train")
    split = st.selectbox("Split", SPLITS, key="split")
    images = _open_megapixel(path, split)
    last = len(images.images) - 1
    st.session_state.image = min(st.session_state.image, last)
    number = int(st.number_input(f"Image, 0 to {last}", 0, last, step=1, key="image"))
    tasks = images.images[number].tasks
    link: dict[str, str | None] = {"source": "folder", "folder": path, "split": split}
    return FileSample(
        keep_image(images.read_image(number)),
        f"{split} {number}",
        tasks.majority,
        {**link, "image": str(number)},
        tasks,
    )
