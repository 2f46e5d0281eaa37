"""Links and fields with whatever anybody writes into them: a page says so, and never fails."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.pages.test_study_pages import open_page, run, texts

LONG = "9" * 5000
NUMBERS = (LONG, f"-{LONG}", "1" + 400 * "0", "1e400", "nan", "\u0663", "", "a\0b")
PAGES = ("explore", "noise_lab", "studies", "results", "inference", "models", "experiments")


@pytest.fixture(autouse=True)
def _lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UMNIST_LABELING", str(tmp_path / "lab"))
    monkeypatch.delenv("UMNIST_DATABASE_URL", raising=False)


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    """Return paths of what is no image: pipes, devices, no names, and homes of nobody."""
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    return [
        str(tmp_path / "pipe.png"),
        str(tmp_path / "zero.png"),
        str(tmp_path / "no"),
        str(tmp_path),
        "~no-such-user/a.png",
        "a\0b",
        "a" * 300,
        "a/" * 3000,
        LONG,
    ]


@pytest.mark.parametrize("page", ["explore", "inference"])
@pytest.mark.parametrize("source", ["file", "folder"])
def test_path_that_is_no_image_is_said(page: str, source: str, paths: list[str]) -> None:
    """At once, and in a sentence of ours."""
    name = {"file": "path", "folder": "folder"}[source]
    shown = open_page(page, source=source)
    for path in paths:
        shown.text_input(key=name).set_value(path)
        run(shown)
        assert shown.error or shown.warning or shown.info, path[:40]


def test_folder_with_pipes_and_names_that_are_no_text_opens(tmp_path: Path) -> None:
    """An image may be called by any bytes, and beside it anything may lie."""
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "b.png")
    (tmp_path / "b.png").rename(tmp_path / "\udcff.png")
    for name in ("._a.png", "notes.json", "val.csv"):
        os.mkfifo(tmp_path / name)
    shown = open_page("explore", source="folder", folder=str(tmp_path))
    assert not shown.error
    shown.number_input(key="image").set_value(0)
    run(shown)


@pytest.mark.parametrize("page", PAGES)
def test_numbers_and_names_of_links_never_fail(page: str) -> None:
    """Whatever a link says, under every name that a page reads, the page is drawn."""
    names = ("seed", "index", "image", "page", "canvas", "shape_pairs", "study", "model", "split")
    for value in NUMBERS:
        shown = open_page(page, **dict.fromkeys(names, value), source="generated", preset=value)
        assert "Traceback" not in texts(shown)
        assert max(map(len, texts(shown).splitlines()), default=0) < 3000
