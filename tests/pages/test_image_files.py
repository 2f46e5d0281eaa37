"""Explore's way to an image of a folder, and what Inference says of a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.datasets.exports import coco_of_twins, cvat_coco
from tests.datasets.making import small_recipe
from tests.pyramid.making import write_oriented, write_pages
from umnist_core.datasets import open_dataset
from umnist_core.datasets.write import write_dataset


def explore_a_folder() -> None:
    """Draw what Explore draws to choose an image of a folder."""
    import streamlit as st

    from pages._ui.shared.folders import choose_from_folder
    from umnist_core.errors import UmnistError

    try:
        sample = choose_from_folder()
    except UmnistError as error:
        st.error(str(error))
    else:
        st.write("" if sample is None else f"{sample.title} is {sample.label}")


def choose_for_inference() -> None:
    """Draw what Inference draws to choose an image."""
    from pages._ui.inference.image import choose_picture

    choose_picture()


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


GREY: NDArray[np.uint8] = np.full((40, 60), 200, np.uint8)


def _turned(path: Path) -> None:
    write_oriented(path, GREY, 6)


def _clear(path: Path) -> None:
    Image.fromarray(np.dstack([GREY] * 4), "RGBA").save(path)


def _two_pages(path: Path) -> None:
    write_pages(path, [GREY, 255 - GREY])


def _plain(path: Path) -> None:
    Image.fromarray(GREY).save(path)


@pytest.mark.parametrize(
    ("name", "write", "said"),
    [
        ("a.jpg", _turned, "a.jpg: 40 x 60 px.\nShown turned a quarter clockwise, as the"),
        ("a.png", _clear, "Transparent parts are drawn on black, since what is drawn is light."),
        ("a.tif", _two_pages, "Page 2 is shown, number 2 of 2."),
    ],
    ids=["turned", "ground", "page"],
)
def test_inference_says_what_is_chosen_to_show_a_file(
    tmp_path: Path, name: str, write: Callable[[Path], None], said: str
) -> None:
    """Turned, on a ground, or one page of several; the model reads what is shown."""
    write(tmp_path / name)
    page = AppTest.from_function(choose_for_inference, default_timeout=120)
    page.query_params.update(source="file", path=str(tmp_path / name), page="2")
    page.run()
    assert not page.exception
    assert said in _captions(page)


def test_inference_says_nothing_of_a_file_that_is_shown_as_it_is(tmp_path: Path) -> None:
    """Its size alone."""
    _plain(tmp_path / "a.png")
    page = AppTest.from_function(choose_for_inference, default_timeout=120)
    page.query_params.update(source="file", path=str(tmp_path / "a.png"))
    assert _captions(page.run()) == "a.png: 60 x 40 px."


def _captions(page: AppTest) -> str:
    lines = [line.strip() for one in page.caption for line in one.value.split("\n")]
    return "\n".join(lines).replace("\\", "")


def test_webdataset_opens_with_its_scenes(tmp_path: Path) -> None:
    """Images in tar files are shown as any others, with what their table of truth says."""
    write_dataset(small_recipe(2, layout="webdataset"), tmp_path / "shards")
    data = open_dataset(tmp_path / "shards")
    page = AppTest.from_function(choose_for_inference, default_timeout=120)
    page.query_params.update(source="folder", folder=str(tmp_path / "shards"), image="1")
    page.run()
    assert not page.exception
    assert f"{data.ids[1]}: 512 x 512 px." in _captions(page)
    assert "has the pixels of its scene" in _captions(page)
