"""Paths that people give: pipes and devices are refused at once, and debris is no data."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from umnist_core.errors import DamagedFileError, InvalidValueError
from umnist_core.paths import (
    check_file,
    check_name,
    expand_home,
    has_debris,
    is_debris,
    open_file,
    read_file,
    shown_name,
)


def test_regular_file_is_opened(tmp_path: Path) -> None:
    """Also through a link."""
    (tmp_path / "a").write_bytes(b"text")
    (tmp_path / "b").symlink_to("a")
    assert read_file(tmp_path / "b") == b"text"
    assert check_file(tmp_path / "b").st_size == 4


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    """A pipe that nobody writes to, devices, a socket, a folder, nothing, and no name at all."""
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
    names = ("pipe", "socket", "/dev/zero", "/dev/tty", ".", "no", "a\0b", "\ud800", "a" * 300)
    for name in names:
        for refuse in (open_file, check_file):
            with pytest.raises(OSError, match=r"\[Errno"):
                refuse(tmp_path / name)


def test_home_that_is_not_known_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user that there is not; what has a home is expanded, and the rest left alone."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expand_home("~/a") == tmp_path / "a"
    assert expand_home(Path("a~")) == Path("a~")
    with pytest.raises(InvalidValueError, match="no-such-user"):
        expand_home("~no-such-user/a")


@pytest.mark.parametrize(
    "name",
    ["._a.png", ".DS_Store", "Thumbs.db", "THUMBS.DB", "desktop.ini", "lost+found", "__MACOSX"],
)
def test_hidden_files_and_what_systems_leave_are_debris(name: str) -> None:
    """Wherever they lie in an archive."""
    assert is_debris(name)
    assert has_debris(f"a/{name}/b.png")
    assert has_debris(f"./{name}")


@pytest.mark.parametrize("name", ["a.png", "a.thumbs.db.png", "found", "_a", "a/../b", "./a"])
def test_other_names_are_no_debris(name: str) -> None:
    """Dots that stand for folders are none either."""
    assert not has_debris(name)


@pytest.mark.parametrize("name", ["", "a" * 300, "a/" * 3000, "a\0b", "\ud800"])
def test_name_that_no_file_can_have_is_refused(name: str) -> None:
    """Whether something of that name is there cannot even be asked."""
    for refuse in (check_name, expand_home):
        with pytest.raises(InvalidValueError, match="found"):
            refuse(name)


def test_name_that_is_no_text_is_shown() -> None:
    """With backslashes, also in a sentence that names the file."""
    assert shown_name("a\udcff") == "a\\udcff"
    assert str(DamagedFileError("a\udcff is none")) == "a\\udcff is none"
