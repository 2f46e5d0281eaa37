"""Folders that hold several data sets: which of them there are to choose from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.datasets.exports import write_image
from tests.datasets.large_scale_files import NAME, write_file
from tests.datasets.making import small_recipe
from tests.datasets.meth.making import METH_HEADER, ROWS, meth_cells, write_meth, write_table
from tests.datasets.signs.making import line, sign, write_set
from umnist_core.datasets import open_dataset
from umnist_core.datasets.inner import list_inner
from umnist_core.datasets.write import write_dataset


def _names(root: Path) -> list[str]:
    return [one.relative_to(root).as_posix() for one in list_inner(root)]


def test_data_sets_of_a_folder_are_listed_by_name(tmp_path: Path) -> None:
    """Of every system, and ours; folders of images alone are none, and each listed one opens."""
    write_meth(tmp_path / "MetH-Medium")
    write_meth(tmp_path / "MetH-Cultures")
    write_set(tmp_path / "signs" / "Set1", [line("a.jpg", sign())])
    (tmp_path / "scales").mkdir()
    write_file(tmp_path / "scales" / NAME)
    write_dataset(small_recipe(1), tmp_path / "ours")
    write_image(tmp_path / "photos" / "a.png")
    assert _names(tmp_path) == ["MetH-Cultures", "MetH-Medium", "ours", "scales", "signs"]
    for one in list_inner(tmp_path):
        assert open_dataset(one).ids


def test_tables_of_one_folder_are_data_sets_each(tmp_path: Path) -> None:
    """Archives unpacked into one folder; each opens by its table."""
    for name in ("MetH-Medium", "MetH-Cultures"):
        write_table(tmp_path / f"{name}.csv", METH_HEADER, meth_cells(ROWS))
        for number, row in enumerate(ROWS):
            write_image(tmp_path / name / "data" / row[0], ink=number)
    assert _names(tmp_path) == ["MetH-Cultures.csv", "MetH-Medium.csv"]
    assert [open_dataset(one).kind for one in list_inner(tmp_path)] == [
        "MetH-Cultures",
        "MetH-Medium",
    ]


@pytest.mark.parametrize("kind", ["meth", "signs", "ours", "images", "nothing"])
def test_data_set_itself_lists_none(tmp_path: Path, kind: str) -> None:
    """Sets of signs are one data set, and folders of images or what is no folder have none."""
    root = tmp_path / "here"
    if kind == "meth":
        write_meth(root)
    elif kind == "signs":
        write_set(root / "Set1", [line("a.jpg", sign())])
        write_set(root / "Set2", [line("b.jpg", sign())])
    elif kind == "ours":
        write_dataset(small_recipe(1), root)
    elif kind == "images":
        write_image(root / "a" / "x.png")
    assert _names(root) == []
