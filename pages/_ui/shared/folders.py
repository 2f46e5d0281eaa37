"""Widgets that choose an image of a data set: by its name, its folder or its table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st

from pages._ui.shared.address import start, start_choice, start_number
from pages._ui.shared.image_files import ChosenFile, at_page, with_comment
from pages._ui.shared.own import show_strip
from pages._ui.shared.scene_files import named_scene
from pages._ui.shared.scenes import stepped
from pages._ui.shared.systems import ANY, SYSTEMS
from pages._ui.shared.uploads import keep_bytes, keep_image
from umnist_core.datasets import (
    DatasetReader,
    FileReader,
    ImageFolder,
    open_files,
    open_image_folder,
)
from umnist_core.datasets.inner import list_inner
from umnist_core.datasets.manifest import MANIFEST
from umnist_core.datasets.megapixel_sparse import (
    PARAMETER_FILE,
    MegapixelSplit,
    open_megapixel_split,
)
from umnist_core.datasets.meth import MethReader, read_pair
from umnist_core.datasets.meth.table import PAIR
from umnist_core.datasets.read import is_in_shards, open_system
from umnist_core.errors import MissingFileError, TooLargeError, UmnistError
from umnist_core.paths import expand_home, shown_name
from umnist_core.seeds import SPLITS

Link = dict[str, str | None]

COUNT = "image_count"
"""Key of how many images there are to step through."""

PAIR_MAX_PX = 150_000_000
"""Larger images are not reduced here: all of their pixels are held while that is done."""

_OPENED_S = 300
"""How long a data set that was opened is not looked at again."""


@dataclass(frozen=True)
class Opened:
    """A data set, or the data sets of a folder that is none.

    Attributes
    ----------
    data
        The data set; None where one of ``inner`` is to be chosen.
    inner
        Data sets in the folder, by their paths below it.
    notes
        What is to be known of the data set as a whole.
    scenes
        Says what is in its images, where `umnist generate` wrote it; else None.
    """

    data: DatasetReader | ImageFolder | None
    inner: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    scenes: FileReader | None = None


@st.cache_resource(ttl=_OPENED_S, max_entries=4, show_spinner="Reading the data set")
def _open(path: str) -> Opened:
    root = expand_home(path)
    if inner := list_inner(root):
        return Opened(None, tuple(one.relative_to(root).as_posix() for one in inner))
    if (system := open_system(root)) is not None:
        return Opened(system, notes=system.notes)
    if root.is_file():
        raise MissingFileError(
            f"Expected a folder, a table or a file of MNIST Large Scale, found the file {root.name}"
            "; name the folder that it lies in, or choose File to open an image alone."
        )
    if is_in_shards(root):
        return Opened(open_files(root))
    folder = open_image_folder(root)
    return Opened(folder, scenes=open_files(root) if (root / MANIFEST).is_file() else None)


def choose_from_folder(on_generated: Callable[[str], None] | None = None) -> ChosenFile | None:
    """Draw the widgets that choose an image of a data set; None while none is chosen.

    Parameters
    ----------
    on_generated
        Shows images of a preset that are generated here, for data sets that have one and whose
        files are not there; called before the rerun.

    Raises
    ------
    UmnistError
        If the data set or the image cannot be opened; what a system's files are is then said.
    """
    start_choice("system", (ANY, *SYSTEMS), ANY)
    start("folder", st.query_params.get("folder", ""))
    start_number("image")
    key = st.selectbox("Data set", (ANY, *SYSTEMS), format_func=_title, key="system")
    system = SYSTEMS.get(key)
    text = st.text_input(
        "Folder or table on this machine",
        key="folder",
        placeholder="~/ultra-mnist" if system is None else f"~/{system.folder}",
    )
    place = text or (str(system.place) if system is not None and system.place.exists() else "")
    link: Link = {"source": "folder", "folder": text, "system": None if system is None else key}
    try:
        chosen = _choose(place, link) if place else None
    except UmnistError:
        _show_where(key, on_generated)
        raise
    if not place:
        _show_where(key, on_generated)
    return chosen


def step_image(step: str) -> None:
    """Go to the next, the previous or a random image of a data set; a callback."""
    last = max(st.session_state.get(COUNT, 1) - 1, 0)
    st.session_state["image"] = stepped(int(st.session_state.get("image", 0)), step, last)


def _title(key: str) -> str:
    return SYSTEMS[key].title if key in SYSTEMS else "Any folder of images"


def _show_where(key: str, on_generated: Callable[[str], None] | None) -> None:
    """Say where the files of a system come from and where they are looked for."""
    system = SYSTEMS.get(key)
    if system is None:
        return
    st.info(f"**Not here: {system.title}.** {system.where}")
    if system.preset is not None and on_generated is not None:
        st.button(
            "Show images of its kind, generated here",
            on_click=on_generated,
            args=(system.preset,),
            width="stretch",
        )


def _choose(place: str, link: Link) -> ChosenFile | None:
    if (expand_home(place) / PARAMETER_FILE).is_file():
        return _choose_megapixel(place, link)
    opened = _open(place)
    if opened.data is None:
        names = opened.inner
        start_choice("set", names, names[0])
        if st.session_state.set not in names:  # chosen in another folder
            st.session_state.set = names[0]
        name = st.selectbox(f"Data set of the folder, one of {len(names)}", names, key="set")
        return _choose(str(expand_home(place) / name), {**link, "set": name})
    number = _choose_number(len(opened.data.ids))
    show_strip(place, tuple(map(shown_name, opened.data.ids)), partial(_find_file, opened.data))
    image_id = opened.data.ids[number]
    link = {"set": None, **link, "image": str(number)}
    _show_notes(link.get("system") or ANY, opened)
    if isinstance(opened.data, DatasetReader):
        return at_page(_of_system(opened.data, image_id, link))
    folder = opened.data
    label = folder.find_label(image_id)
    path, title = folder.paths[image_id], shown_name(image_id)
    scene = None if opened.scenes is None else opened.scenes.truth(image_id)
    chosen = ChosenFile(
        path,
        title,
        label,
        link,
        tasks=folder.tasks.get(image_id),
        boxes=folder.find_boxes(image_id),
        named=None if scene is None else named_scene(path, title, scene),
    )
    return at_page(chosen if label is not None or chosen.named else with_comment(chosen))


def _choose_number(count: int) -> int:
    st.session_state[COUNT] = count
    st.session_state.image = min(st.session_state.image, count - 1)
    return int(st.number_input(f"Image, 0 to {count - 1}", 0, count - 1, step=1, key="image"))


def _show_notes(key: str, opened: Opened) -> None:
    """Say what is to be known of a data set, and that it is another one than was asked for."""
    kind = getattr(opened.data, "kind", "")
    system = SYSTEMS.get(key)
    found = next((one for one in SYSTEMS.values() if one.kinds and one.has(kind)), None)
    if system is not None and system.kinds and found is not system:
        what = "a folder of images" if found is None else found.title
        st.warning(f"Expected {system.title} there, found {what}, which is shown.")
    if opened.notes:
        with st.expander("About this data set"):
            st.text("\n".join(opened.notes))


# -- one image ------------------------------------------------------------------------


def _of_system(reader: DatasetReader, image_id: str, link: Link) -> ChosenFile:
    """Return an image of one of the data systems with all that is known of it."""
    known = reader.known(image_id)
    split = reader.get_split(image_id)
    path = reader.find_path(image_id) or _keep(reader, str(reader.root), image_id)
    scene = reader.truth(image_id)
    is_pair = isinstance(reader, MethReader) and reader.table.task == PAIR
    return ChosenFile(
        path,
        shown_name(image_id),
        known.label,
        link,
        tasks=reader.tasks(image_id),
        boxes=known.boxes,
        known=known,
        kind=reader.kind,
        classes=len(reader.class_names),
        notes=() if split is None else (f"Split {split}.",),
        reduced=partial(_reduce, reader, str(reader.root), image_id) if is_pair else None,
        named=None if scene is None else named_scene(path, shown_name(image_id), scene),
    )


def _find_file(data: DatasetReader | ImageFolder, number: int) -> Path:
    """Return the file of an image by its number, in a thread that is none of Streamlit's."""
    image_id = data.ids[number]
    if isinstance(data, ImageFolder):
        return data.paths[image_id]
    return data.find_path(image_id) or _kept(data, image_id)


@st.cache_data(ttl=_OPENED_S, max_entries=64, show_spinner="Reading the image")
def _keep(_reader: DatasetReader, _root: str, image_id: str) -> Path:
    """Return a file of an image that is none, as those of arrays."""
    return _kept(_reader, image_id)


def _kept(reader: DatasetReader, image_id: str) -> Path:
    if isinstance(reader, FileReader):
        name = reader.get_identity(image_id).path
        return keep_bytes(reader.read_bytes(image_id), Path(name).suffix.lower())
    return keep_image(reader.read_image(image_id))


@st.cache_data(ttl=_OPENED_S, max_entries=64, show_spinner="Reducing the image")
def _reduce(_reader: DatasetReader, root: str, image_id: str, factor: int) -> Path:
    """Return a copy of an image reduced by a factor: the one that was shipped, else one of ours."""
    shipped = _reader.known(image_id).smaller
    if factor in shipped:
        return shipped[factor]
    height, width = _reader.read_size(image_id)
    if height * width > PAIR_MAX_PX:
        raise TooLargeError(
            f"{image_id} has {width} x {height} px; images of more than {PAIR_MAX_PX // 10**6} "
            "million px are not reduced here, so choose one that was shipped, or nothing beside it."
        )
    return keep_image(read_pair(_reader, image_id, factor).low)


# -- Megapixel MNIST --------------------------------------------------------------------


@st.cache_resource(max_entries=1, show_spinner="Reading Megapixel MNIST")
def _open_megapixel(path: str, split: str) -> MegapixelSplit:
    return open_megapixel_split(expand_home(path), split)


def _choose_megapixel(path: str, link: Link) -> ChosenFile:
    start_choice("split", SPLITS, "train")
    split = st.selectbox("Split", SPLITS, key="split")
    images = _open_megapixel(path, split)
    number = _choose_number(len(images.images))
    names = tuple(f"{split} {number}" for number in range(len(images.images)))
    show_strip(f"{path} {split}", names, lambda one: keep_image(images.read_image(one)))
    tasks = images.images[number].tasks
    return ChosenFile(
        keep_image(images.read_image(number)),
        f"{split} {number}",
        tasks.majority,
        {**link, "split": split, "image": str(number)},
        tasks,
    )
