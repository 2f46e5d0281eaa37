"""Explore's way to an image of a folder."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from tests.datasets.exports import coco_of_twins, cvat_coco


def explore_a_folder() -> None:
    """Draw what Explore draws to choose an image of a folder."""
    import streamlit as st

    from pages._ui.shared.image_files import choose_from_folder
    from umnist_core.errors import UmnistError

    try:
        sample = choose_from_folder()
    except UmnistError as error:
        st.error(str(error))
    else:
        st.write("" if sample is None else f"{sample.title} is {sample.label}")


def test_explore_opens_exports_and_refuses_what_is_repeated(tmp_path: Path) -> None:
    """The chosen image has its own sum; a name that two images have is refused with both."""
    cvat_coco(tmp_path / "a", {"train": {"x.png": (1, 2, 3)}, "test": {"x.png": (9, 9, 9)}})
    coco_of_twins(tmp_path / "b")
    page = AppTest.from_function(explore_a_folder, default_timeout=120).run()
    page.text_input(key="folder").set_value(str(tmp_path / "a")).run()
    assert page.markdown[0].value == "x is 6"
    page.number_input(key="image").set_value(1).run()
    assert page.markdown[0].value == "test/x is 27"
    page.text_input(key="folder").set_value(str(tmp_path / "b")).run()
    assert "train/twin.png and test/twin.png" in page.error[0].value
