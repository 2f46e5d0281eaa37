"""Explore's controls: which image, and what of it."""

from __future__ import annotations

import random
from pathlib import Path

import streamlit as st

from pages._ui.samples import (
    FILTERS,
    PICTURES,
    FileSample,
    PictureChoice,
    Sample,
    SceneSample,
    explain_tasks,
    overrides_in,
    parse_overrides,
)
from pages._ui.uploads import keep_image, keep_upload
from umnist_core.datasets import ImageFolder, open_image_folder
from umnist_core.datasets.megapixel_sparse import (
    PARAMETER_FILE,
    MegapixelSplit,
    open_megapixel_split,
)
from umnist_core.digits import GlyphSet
from umnist_core.experiments import NAMED_SETTINGS
from umnist_core.scenes import PRESETS, get_preset
from umnist_core.seeds import SPLITS

SOURCES = {"generated": "Generated", "file": "File", "folder": "Folder"}
MAX_INDEX = 10**9
RANDOM_INDEX = 100_000
"""Random samples come from the first this many, so that their numbers stay readable."""

IMAGE_TYPES = ["jpg", "jpeg", "png", "tif", "tiff"]


def _start(name: str, value: object) -> None:
    """Give a widget its first value, from the address where it names one."""
    if name not in st.session_state:
        st.session_state[name] = value


def _start_number(name: str, high: int) -> None:
    if name in st.session_state:
        return
    text = st.query_params.get(name, "0")
    known = text.isascii() and text.isdecimal() and int(text) <= high
    if not known:
        _tell_wrong_link(name, text, f"a whole number from 0 to {high}")
    st.session_state[name] = int(text) if known else 0


def _start_choice(name: str, allowed: tuple[str, ...], default: str) -> None:
    if name in st.session_state:
        return
    asked = st.query_params.get(name, default)
    if asked not in allowed:
        _tell_wrong_link(name, asked, f"one of {', '.join(filter(None, allowed))}")
    st.session_state[name] = asked if asked in allowed else default


def _tell_wrong_link(name: str, found: str, expected: str) -> None:
    st.warning(f"In this link {name} should be {expected}, but is {found!r}; the default is shown.")


def choose_sample() -> Sample | None:
    """Draw the widgets that choose an image; None while none is chosen."""
    _start_choice("source", tuple(SOURCES), "generated")
    source = st.segmented_control(
        "Image",
        list(SOURCES),
        format_func=SOURCES.__getitem__,
        key="source",
        required=True,
        label_visibility="collapsed",
        width="stretch",
    )
    if source == "file":
        return _choose_file()
    if source == "folder":
        return _choose_from_folder()
    return _choose_scene()


def _choose_scene() -> SceneSample:
    _start_choice("preset", tuple(PRESETS), "released")
    _start_choice("split", SPLITS, "train")
    _start_number("seed", MAX_INDEX)
    _start_number("index", MAX_INDEX)
    _start("overrides", overrides_in(st.query_params))
    preset = st.selectbox("Preset", list(PRESETS), format_func=_preset_title, key="preset")
    left, middle, right = st.columns(3)
    seed = left.number_input("Seed", 0, MAX_INDEX, step=1, key="seed")
    index = middle.number_input("Index", 0, MAX_INDEX, step=1, key="index")
    split = right.selectbox("Split", SPLITS, key="split")
    with st.expander("Change the preset", expanded=bool(st.session_state.overrides)):
        text = st.text_input(
            "Parameters",
            key="overrides",
            placeholder="shape_pairs=3 rotation=-10..10",
            help="NAME=VALUE, as many as you like; a value is a number or a range such as 1..3.",
        )
        st.caption("Names: " + ", ".join(get_preset(preset).table))
    return SceneSample(preset, int(seed), split, int(index), parse_overrides(text or "", preset))


def _preset_title(preset: str) -> str:
    """Return what the Noise lab calls a preset too."""
    return NAMED_SETTINGS[preset].title


def _choose_file() -> FileSample | None:
    _start("path", st.query_params.get("path", ""))
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


def _choose_from_folder() -> FileSample | None:
    _start("folder", st.query_params.get("folder", ""))
    _start_number("image", MAX_INDEX)
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
    _start_choice("split", SPLITS, "train")
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
        explain_tasks(tasks),
    )


def choose_picture(sample: Sample | None) -> PictureChoice:
    """Draw the widgets that choose what the panes show."""
    if not isinstance(sample, SceneSample):
        return PictureChoice("full", None, "area")
    _start_choice("picture", tuple(PICTURES), "full")
    _start_choice("beside", ("", *PICTURES), "")
    _start_choice("filter", tuple(FILTERS), "area")
    first = st.selectbox("Show", list(PICTURES), format_func=PICTURES.__getitem__, key="picture")
    second = st.selectbox(
        "Beside it, in step",
        ["", *PICTURES],
        format_func=lambda name: PICTURES.get(name, "Nothing"),
        key="beside",
    )
    pyramid_filter = st.selectbox(
        "Seen from afar, a pixel is the",
        list(FILTERS),
        format_func=FILTERS.__getitem__,
        key="filter",
        help="The mean washes fine noise out to grey; the nearest pixel keeps black and white.",
    )
    return PictureChoice(first, second or None, pyramid_filter)


def step_sample(step: str) -> None:
    """Go to the next, the previous or a random sample; a callback, before widgets are drawn."""
    name = "image" if st.session_state.get("source") == "folder" else "index"
    number = int(st.session_state.get(name, 0))
    high = MAX_INDEX if name == "index" else RANDOM_INDEX
    steps = {"next": number + 1, "previous": number - 1, "random": random.randrange(RANDOM_INDEX)}
    st.session_state[name] = min(max(steps[step], 0), high)


def show_downloads(sample: SceneSample, glyphs: GlyphSet) -> None:
    """Draw the links to the sample's files."""
    files = {
        "PNG": ("png", "The whole image, lossless"),
        "JPEG": ("jpeg", "The whole image, quality 75 as released"),
        "Deep Zoom": ("zip", "Lossless tiles for any Deep Zoom viewer, zipped"),
        "Truth": ("json", "Digits, boxes and ground as JSON; tells the answer"),
    }
    with st.expander("Download"):
        for column, (name, (suffix, tip)) in zip(st.columns(2) * 2, files.items(), strict=True):
            url = sample.url(glyphs, suffix)
            column.link_button(name, url, help=tip, width="stretch")
