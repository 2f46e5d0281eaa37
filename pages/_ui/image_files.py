"""Widgets that choose an image from a file or a folder, started from the address."""

from __future__ import annotations

from collections.abc import Mapping
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
from umnist_core.seeds import SPLITS

MAX_INDEX = 10**9

IMAGE_TYPES = ["jpg", "jpeg", "png", "tif", "tiff"]


def start(name: str, value: object) -> None:
    """Give a widget its first value, from the address where it names one."""
    if name not in st.session_state:
        st.session_state[name] = value


def start_number(name: str, high: int) -> None:
    """Give a widget its first whole number, from the address where it names one."""
    if name in st.session_state:
        return
    text = st.query_params.get(name, "0")
    known = text.isascii() and text.isdecimal() and int(text) <= high
    if not known:
        _tell_wrong_link(name, text, f"a whole number from 0 to {high}")
    st.session_state[name] = int(text) if known else 0


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
        return FileSample(keep_upload(uploaded), uploaded.name, None, {"source": "file"})
    if not path:
        return None
    file = Path(path).expanduser()
    return FileSample(file, file.name, None, {"source": "file", "path": path})


@st.cache_data(ttl=60, show_spinner="Reading the folder")
def _open_folder(path: str) -> ImageFolder:
    return open_image_folder(Path(path).expanduser())


def choose_from_folder() -> FileSample | None:
    """Draw the widgets that choose an image of a folder; None while none is chosen."""
    start("folder", st.query_params.get("folder", ""))
    start_number("image", MAX_INDEX)
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
    return FileSample(folder.paths[image_id], image_id, folder.labels.get(image_id), link)


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
