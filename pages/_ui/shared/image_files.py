"""An image that is a file, and the widgets that choose one, started from the address."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from pages._ui.shared.address import start, start_choice
from pages._ui.shared.own import is_passing, show_own
from pages._ui.shared.scene_files import named_scene
from umnist_core.datasets.boxes import DrawnBox
from umnist_core.datasets.known import Known
from umnist_core.datasets.large_scale.sets import LARGE_SCALE
from umnist_core.datasets.named_scene import NamedScene
from umnist_core.paths import expand_home, shown_name
from umnist_core.pyramid.files import ImageHeader, read_image_header
from umnist_core.pyramid.notes import image_notes
from umnist_core.scenes import Scene, Tasks

PASSING = "A copy of what was dropped, kept for as long as the app runs."


@dataclass(frozen=True)
class ChosenFile:
    """An image file, and what a data set says of it.

    Attributes
    ----------
    path, title
        The file, and its name for people.
    label
        The sum of its digits, its majority, or the number of its class; None where nothing says it.
    link
        What names it in the page's address; None removes a parameter.
    tasks
        Its answers where no sum is asked.
    page
        Counts from 0; in addresses and on the page it counts from 1.
    boxes
        Those that COCO or Pascal VOC have of it, in px of the image as shown.
    known
        What else one of the data systems says of it; None of any other file.
    kind
        Which data system that is, by its reader; empty of any other file.
    classes
        How many classes its label is one of; 0 where it is no class.
    notes
        Sentences to say of the image beside it.
    reduced
        Makes or finds the same image at a lower resolution, by how many times its sides are
        reduced; see `umnist_core.datasets.meth.FACTORS`. None where no pairs are asked for.
    named
        The scene that it is of, where its data set names one, or its own comment one whose pixels
        it has.
    """

    path: Path
    title: str
    label: int | None
    link: dict[str, str | None]
    tasks: Tasks | None = None
    page: int = 0
    boxes: tuple[DrawnBox, ...] = ()
    known: Known | None = None
    kind: str = ""
    classes: int = 0
    notes: tuple[str, ...] = ()
    reduced: Callable[[int], Path] | None = None
    named: NamedScene | None = None

    @property
    def called(self) -> dict[str, str]:
        """What its data set calls the right class, by task."""
        name = None if self.known is None else self.known.class_name
        return {} if name is None else {"class": name}

    @property
    def truth(self) -> dict[str, list[int]]:
        """The right answers, by the name of the task that a model answers."""
        if self.tasks is not None:
            return _task_answers(self.tasks)
        if self.known is not None and self.known.year is not None:
            return {"year": [round(self.known.year)]}
        if self.label is None:
            return {} if self.named is None else _scene_answers(self.named.scene)
        asked = "class" if self.classes else "digit" if self.kind == LARGE_SCALE else "sum"
        return {asked: [self.label]}


def _scene_answers(scene: Scene) -> dict[str, list[int]]:
    if scene.asks_sum:
        return {"sum": [scene.label]}
    return _task_answers(scene.tasks)


def _task_answers(tasks: Tasks) -> dict[str, list[int]]:
    found = tasks.to_dict().items()
    return {name: list(v) if isinstance(v, tuple) else [v] for name, v in found}


def choose_source(titles: Mapping[str, str]) -> str:
    """Draw the choice of where images come from, begun from the address; return its key."""
    start_choice("source", tuple(titles), "generated")
    if st.session_state.source not in titles:  # chosen on a page that has more
        st.session_state.source = "generated"
    source = st.segmented_control(
        "Image",
        list(titles),
        format_func=titles.__getitem__,
        key="source",
        required=True,
        label_visibility="collapsed",
        width="stretch",
    )
    show_own(source or "generated")
    return source or "generated"


def choose_file() -> ChosenFile | None:
    """Draw the widgets that choose a file; None while none is chosen."""
    start("path", st.query_params.get("path", ""))
    path = st.text_input("Path on this machine", key="path", placeholder="~/images/sample.tiff")
    if not path:
        return None
    file = expand_home(path)
    link: dict[str, str | None] = {"source": "file", "path": path}
    notes = (PASSING,) if is_passing(path) else ()
    return at_page(with_comment(ChosenFile(file, shown_name(file.name), None, link, notes=notes)))


def with_comment(sample: ChosenFile) -> ChosenFile:
    """Add the scene that the file's own comment names, if the file has its pixels."""
    named = named_scene(sample.path, sample.title)
    if named is None:
        return sample
    if named.ref is None:
        said = "Its comment names a scene of ours, which has other pixels: nothing is known of it."
        return replace(sample, notes=(*sample.notes, said))
    return replace(sample, named=named)


def at_page(sample: ChosenFile) -> ChosenFile:
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


def show_file_notes(header: ImageHeader, title: str, notes: Iterable[str] = ()) -> None:
    """Say the size of a file's image, all that was chosen to show it, and what else there is."""
    size = f"{title}: {header.width} x {header.height} px."
    sentences = (size, *image_notes(header), *notes)
    # Names of files are no Markdown.
    st.caption(
        "  \n".join(re.sub(r"([\\`*_{}\[\]()#+!$~|<>-])", r"\\\1", one) for one in sentences)
    )
