"""What the panes show: of a generated image, and of a file as far as there is as much of it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages._ui.explore.stage import PictureChoice, file_pictures
from pages._ui.shared.address import start_choice
from pages._ui.shared.image_files import ChosenFile
from umnist_core.pyramid.files import read_image_header
from umnist_core.server.query import VIEW_TITLES


def choose_panes(names: Sequence[str], title: str = "Full image") -> PictureChoice:
    """Draw the choice of what up to three panes show, begun from the address.

    Parameters
    ----------
    names
        Of `VIEW_TITLES`, those that there are.
    title
        What the first of them is called.
    """

    def called(name: str) -> str:
        if not name:
            return "Nothing"
        return title if name == names[0] else VIEW_TITLES[name]

    def choose(label: str, key: str, options: Sequence[str]) -> str:
        start_choice(key, ("", *VIEW_TITLES), options[0])
        if st.session_state[key] not in options:  # chosen of another image
            st.session_state[key] = options[0]
        return str(st.selectbox(label, options, format_func=called, key=key))

    first = choose("Show", "picture", names)
    second = choose("Beside it, in step", "beside", ("", *names))
    third = choose("And a third, in step", "third", ("", *names)) if second else ""
    return PictureChoice(first, second or None, third=third or None)


def choose_file_panes(sample: ChosenFile, factor: int | None) -> PictureChoice:
    """Draw the choice of what is shown of a file; ``factor`` is of what stands beside it anyway.

    Raises
    ------
    UmnistError
        If it cannot be opened.
    """
    names = file_pictures(sample, read_image_header(sample.path, page=sample.page))
    if len(names) == 1:
        return PictureChoice(names[0], factor=factor)
    choice = choose_panes(names, "The file")
    return PictureChoice(choice.first, choice.second, factor=factor, third=choice.third)
