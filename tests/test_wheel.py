"""The built wheel, installed where no clone is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.installed import ROOT, Installed, install_wheel


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Install the wheel."""
    return install_wheel(tmp_path_factory.mktemp("wheel"))


def files_of(site: Path) -> set[Path]:
    """Return what is installed, but for what Python compiles."""
    return {path for path in site.rglob("*") if "__pycache__" not in path.parts}


def test_installed_wheel_keeps_studies_in_the_users_folder_and_says_so_once(
    installed: Installed, tmp_path: Path
) -> None:
    """Nothing is written beside the package, and the second command is silent about it."""
    before = files_of(installed.site)
    create = ("study", "create", "Pilot", "--stimuli", "1", "--images-per-annotator", "1")
    small = ("--practice", "0", "--set", "canvas=512", "--set", "factor=0.5..4")
    first = installed.run(tmp_path, *create, *small)
    assert first.returncode == 0, first.stderr
    folder = tmp_path / "data" / "umnist" / "labeling_data"
    assert first.stderr.count(f"Studies are kept in {folder}; set UMNIST_LABELING") == 1
    second = installed.run(tmp_path, "study", "list")
    assert "Pilot" in second.stdout
    assert "Studies are kept" not in second.stderr
    assert (folder / "umnist.sqlite").is_file()
    assert files_of(installed.site) == before
    assert not (installed.site / "labeling_data").exists()


def test_studies_that_an_earlier_version_kept_among_packages_are_pointed_at(
    installed: Installed, tmp_path: Path
) -> None:
    """Who comes from such a version is told where they are."""
    stray = installed.site / "labeling_data"
    stray.mkdir()
    (stray / "umnist.sqlite").touch()
    try:
        listed = installed.run(tmp_path, "study", "list")
    finally:
        (stray / "umnist.sqlite").unlink()
        stray.rmdir()
    assert f"Those of an earlier version are in {stray}: move" in listed.stderr


def test_clone_keeps_its_studies_in_itself() -> None:
    """As ever, in labeling_data."""
    from umnist_core.settings import load_settings

    assert load_settings({}).labeling_dir == ROOT / "labeling_data"


def test_app_and_pages_are_a_folder_of_the_package(installed: Installed, tmp_path: Path) -> None:
    """Nothing called ``app`` or ``pages`` lies among the packages of others."""
    ours = {path.name for path in installed.site.iterdir() if not path.name.startswith("__")}
    assert {name for name in ours if not name.endswith(".dist-info")} == {"umnist_core"}
    found = subprocess.run(
        [installed.python, "-c", "import pages"],
        cwd=tmp_path,
        env=installed.environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "No module named 'pages'" in found.stderr
    app = installed.site / "umnist_core" / "installed_app"
    assert (app / "app.py").read_bytes() == (ROOT / "app.py").read_bytes()
    theirs, here = (
        {path.relative_to(base) for path in (base / "pages").rglob("*.py")} for base in (app, ROOT)
    )
    assert theirs == here
    assert (app / ".streamlit" / "config.toml").is_file()


def test_where_models_are_missing_the_sentence_is_that_of_a_package(
    installed: Installed, tmp_path: Path
) -> None:
    """There is no clone to install from."""
    code = "from umnist_core.models.needs import INSTALL; print(INSTALL)"
    done = subprocess.run(
        [installed.python, "-c", code],
        cwd=tmp_path,
        env=installed.environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "run pip install 'umnist[models]'\n"
