"""Explore and Inference with the other data systems: what opens, what is drawn, what is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages._ui.explore.stage import FileStage, PictureChoice, open_stage
from pages._ui.shared.image_files import ChosenFile
from pages._ui.shared.known import file_notes, file_truth
from pages._ui.shared.systems import SYSTEMS, preset_of
from tests.datasets.large_scale_files import NAME, write_file
from tests.datasets.making import small_recipe
from tests.datasets.meth.making import ROWS, Row, write_meth, write_photograph
from tests.datasets.signs.making import line, sign, write_set
from umnist_core.datasets import Recipe, open_dataset, open_files
from umnist_core.datasets.needle import write_needle
from umnist_core.datasets.write import write_dataset
from umnist_core.pyramid.files import read_image_header

EXPLORE = Path(__file__).parents[2] / "pages" / "explore.py"
YEARS: tuple[Row, ...] = tuple((file, "1730", split, size) for file, _, split, size in ROWS)


def choose() -> None:
    """Draw what a page draws to choose an image, and keep what was chosen."""
    import streamlit as st

    from pages._ui.shared.folders import choose_from_folder
    from umnist_core.errors import UmnistError

    try:
        st.session_state["chosen"] = choose_from_folder(lambda preset: None)
    except UmnistError as error:
        st.error(str(error))


def open_page(**query: str) -> AppTest:
    """Return the page of `choose` at an address, after its first run."""
    page = AppTest.from_function(choose, default_timeout=120)
    page.query_params.update(query)
    page.run()
    assert not page.exception
    return page


def chosen(**query: str) -> ChosenFile:
    """Return what is chosen at an address."""
    page = open_page(source="folder", **query)
    assert [one.value for one in page.error] == []
    found: ChosenFile = page.session_state["chosen"]
    return found


def truth_of(sample: ChosenFile) -> dict[str, Any]:
    """Return what pages say of an image, of which nothing is wrong."""
    truth, problem = file_truth(sample, read_image_header(sample.path))
    assert problem == ""
    return truth


def test_needle_is_drawn_in_its_cell(tmp_path: Path) -> None:
    """The array opens as a file, its label is said in words, and the patch map is the box."""
    write_needle(tmp_path, canvas=128, count=2)
    sample = chosen(folder=str(tmp_path))
    data = open_dataset(tmp_path)
    np.testing.assert_array_equal(
        np.asarray(Image.open(sample.path).convert("L")), data.read_image(data.ids[0])
    )
    truth = truth_of(sample)
    assert (truth["label"], truth["explained"]) == (1, "a 3 is there")
    (box,) = truth["digits"]
    assert (box["label"], box["side"], box["words"]) == (3, 64, "in these 64 px")
    cell = data.known(data.ids[0]).boxes[0]
    assert box["box"] == (cell.x, cell.y, cell.width, cell.height)
    assert sample.truth == {"needle": [1]}
    assert preset_of(sample.kind) == "needle"
    other = truth_of(chosen(folder=str(tmp_path), image="1"))
    assert (other["label"], other["explained"], other["digits"]) == (0, "no 3 is there", [])


def test_digit_of_large_scale_is_drawn_at_its_scale(tmp_path: Path) -> None:
    """Its square is 28 px times the scale about the middle, and a model is asked for the digit."""
    write_file(tmp_path / NAME)
    sample = chosen(folder=str(tmp_path / NAME))
    truth = truth_of(sample)
    (box,) = truth["digits"]
    assert box["box"] == (28, 28, 56, 56)
    assert truth["figures"] == [{"name": "Scale", "value": "2"}]
    assert sample.truth == {"digit": [truth["label"]]}


def test_every_sign_is_drawn_and_the_filter_names_the_class(tmp_path: Path) -> None:
    """Also signs of other kinds; an image that the filter leaves out is told to be left out."""
    lines = [
        line("a.jpg", sign("50_SIGN"), sign("STOP", "SIDE_ROAD", (40, 30, 10, 20))),
        line("b.jpg", sign("STOP")),
        line("c.jpg"),
    ]
    write_set(tmp_path, lines)
    for path in tmp_path.glob("*.jpg"):
        write_photograph(path, 1280, 960)
    truth = truth_of(chosen(folder=str(tmp_path)))
    assert truth["label"] == "50_SIGN"
    said = [(one["label"], one["words"]) for one in truth["digits"]]
    assert said == [("50_SIGN", "visible, 39 px"), ("STOP", "side road, 30 px")]
    assert truth["digits"][1]["box"] == (10, 20, 30, 10)
    unused = truth_of(chosen(folder=str(tmp_path), image="1"))
    assert unused["label"] == "\N{EN DASH}"
    assert unused["explained"].startswith("not used by")
    empty = truth_of(chosen(folder=str(tmp_path), image="2"))
    assert (empty["label"], empty["digits"]) == ("EMPTY", [])


def test_class_year_and_size_of_meth_are_said(tmp_path: Path) -> None:
    """A class by its name and number, a year as such; another size than the table's is told."""
    write_meth(tmp_path / "MetH-Medium")
    write_meth(tmp_path / "MetH-Period", YEARS)
    sample = chosen(folder=str(tmp_path), set="MetH-Medium", image="1")
    truth = truth_of(sample)
    assert (truth["label"], truth["explained"]) == ("Silk", "class number 1, of 0 to 2")
    assert (sample.truth, sample.called) == ({"class": [1]}, {"class": "Silk"})
    assert file_notes(sample, read_image_header(sample.path)) == ("Split train.",)
    write_photograph(sample.path, 50, 40)
    note = file_notes(sample, read_image_header(sample.path))[-1]
    assert note == "Its table says 31 x 17 px."
    dated = chosen(folder=str(tmp_path), set="MetH-Period")
    assert (dated.truth, dated.called) == ({"year": [1730]}, {})
    year = truth_of(dated)
    assert (year["label"], year["explained"]) == ("1730", "the year")


def test_data_set_is_chosen_among_those_of_a_folder(tmp_path: Path) -> None:
    """The first at first; the link names the chosen one."""
    write_meth(tmp_path / "MetH-Cultures")
    write_meth(tmp_path / "MetH-Medium")
    page = open_page(source="folder", folder=str(tmp_path), system="meth")
    assert page.selectbox(key="set").options == ["MetH-Cultures", "MetH-Medium"]
    page.selectbox(key="set").set_value("MetH-Medium").run()
    sample = page.session_state["chosen"]
    assert (sample.kind, sample.link["set"]) == ("MetH-Medium", "MetH-Medium")


@pytest.mark.parametrize("key", list(SYSTEMS))
def test_missing_files_are_told_where_they_come_from(key: str) -> None:
    """One paragraph with the files that are expected, and the folder where they are found."""
    page = open_page(source="folder", system=key)
    (told,) = (one.value for one in page.info)
    assert SYSTEMS[key].title in told
    assert str(SYSTEMS[key].place) in told
    assert page.session_state["chosen"] is None
    assert bool(page.button) == (SYSTEMS[key].preset is not None)


def test_system_is_found_by_its_name_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the user's data folder; what is there and is another system is said to be that."""
    monkeypatch.setenv("UMNIST_DATA", str(tmp_path))
    write_meth(tmp_path / "datasets" / "MetH" / "MetH-Medium")
    assert chosen(system="meth").kind == "MetH-Medium"
    page = open_page(source="folder", system="signs", folder=str(SYSTEMS["meth"].place))
    assert [one.value for one in page.warning] == [
        "Expected Swedish traffic signs there, found MetH, which is shown."
    ]


def test_wrong_folder_of_a_system_is_one_sentence_and_the_paragraph(tmp_path: Path) -> None:
    """Both what was found and what should be there."""
    page = open_page(source="folder", system="signs", folder=str(tmp_path / "nowhere"))
    assert "nowhere" in page.error[0].value
    assert "annotations.txt" in page.info[0].value


def test_low_resolution_lies_over_what_it_was_made_from(tmp_path: Path) -> None:
    """Ours covers as many px as it has, times the factor; what was shipped covers the whole."""
    pairs: tuple[Row, ...] = (("a.png", "", "test", (61, 47)), ("b.png", "", "test", (61, 47)))
    write_meth(tmp_path / "MetH-SR", pairs)
    write_photograph(tmp_path / "MetH-SR" / "LR" / "x4" / "b.png", 15, 12)
    panes = {}
    for number in (0, 1):
        sample = chosen(folder=str(tmp_path / "MetH-SR"), image=str(number))
        stage = open_stage(sample, PictureChoice("full", None, "area", 4))
        assert isinstance(stage, FileStage)
        panes[number] = stage.viewer_data["panes"][1]
    assert (panes[0]["width"], panes[0]["height"]) == (15, 11)
    assert panes[0]["frame"] == {"width": 60, "height": 44}
    assert panes[0]["title"] == "Reduced x4, made here"
    assert panes[1]["title"] == "Reduced x4, as shipped"
    assert (panes[1]["height"], "frame" in panes[1]) == (12, False)


def test_explore_shows_both_resolutions_and_says_so(tmp_path: Path) -> None:
    """Which one is chosen, at first a quarter, and how it came about is said."""
    write_meth(tmp_path, [("a.png", "", "train", (61, 47))])
    (tmp_path / f"{tmp_path.name}.csv").rename(tmp_path / "MetH-SR.csv")
    page = AppTest.from_file(str(EXPLORE), default_timeout=120)
    page.query_params.update(source="folder", folder=str(tmp_path))
    page.run()
    assert not page.exception
    assert page.selectbox(key="low").value == "4"
    assert page.selectbox(key="low").options[1] == "Reduced x2, made here"
    assert [one.value for one in page.error] == []


@pytest.mark.parametrize("page", ["explore", "inference"])
@pytest.mark.parametrize("key", ["needle", "large-scale", "patchgd"])
def test_images_of_a_missing_system_are_generated_at_a_click(page: str, key: str) -> None:
    """The page then shows such an image, and asks for no files."""
    app = AppTest.from_file(str(EXPLORE.with_name(f"{page}.py")), default_timeout=120)
    app.query_params.update(source="folder", system=key)
    app.run()
    (button,) = (one for one in app.button if "generated here" in one.label)
    button.click().run()
    assert not app.exception
    assert [one.value for one in app.error] == []
    assert app.session_state["source"] == "generated"
    assert app.session_state["lab_state"].a.preset == SYSTEMS[key].preset


def test_file_of_a_data_set_is_asked_for_by_its_folder(tmp_path: Path) -> None:
    """A sentence says so."""
    write_needle(tmp_path, canvas=64, count=1)
    page = open_page(source="folder", folder=str(tmp_path / "train_0.npz"))
    assert "found the file train_0.npz; name the folder" in page.error[0].value


def test_digits_of_a_data_set_of_ours_are_drawn_from_its_truth(tmp_path: Path) -> None:
    """A table of sums alone has no places; the truth beside it has."""
    write_dataset(small_recipe(2, preset="patchgd", overrides={"canvas": "300"}), tmp_path)
    sample = chosen(folder=str(tmp_path), image="1", system="patchgd")
    scene = open_files(tmp_path).truth(open_files(tmp_path).ids[1])
    assert scene is not None
    truth = truth_of(sample)
    assert truth["label"] == sum(one.label for one in scene.digits)
    found = [(one["label"], one["box"][:2], one["side"]) for one in truth["digits"]]
    assert found == [(one.label, (one.col, one.row), one.side_px) for one in scene.digits]


def test_needle_of_ours_is_no_sum(tmp_path: Path) -> None:
    """What is asked of its images is said in words, from the table of labels."""
    write_dataset(Recipe(count=1, preset="needle", overrides={"canvas": "128"}), tmp_path)
    sample = chosen(folder=str(tmp_path))
    truth = truth_of(sample)
    assert (truth["label"], truth["explained"]) == (1, "a 3 is there")
    assert sample.truth == {"needle": [1]}
