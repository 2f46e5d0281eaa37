"""The built wheel and sdist, installed where no clone is."""

from __future__ import annotations

import subprocess
import tarfile
import zipfile
from pathlib import Path

import cv2
import pytest

from tests.installed import (
    OTHER_PYTHONS,
    ROOT,
    Installed,
    build,
    find_python,
    install,
)
from umnist_core import __version__

MADE = ("umnist_core/server/static/vendor/", "umnist_core/server/site/")
"""What the build makes and git does not track."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    return build("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist."""
    return build("sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Install the wheel."""
    return install(wheel, tmp_path_factory.mktemp("installed"))


def names_in_wheel(wheel: Path) -> dict[str, int]:
    """Return every file of a wheel, but for its record, with its checksum."""
    with zipfile.ZipFile(wheel) as archive:
        return {
            one.filename: one.CRC
            for one in archive.infolist()
            if not one.filename.endswith("/RECORD")
        }


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
    found = installed.run_python(tmp_path, "-c", "import pages")
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
    done = installed.run_python(tmp_path, "-c", code)
    assert done.stdout == "run pip install 'umnist[models]'\n"


def test_sdist_holds_what_is_tracked_and_what_is_made_and_nothing_of_a_lab(sdist: Path) -> None:
    """Studies, secrets, data sets and runs that lie in a clone are nobody else's."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    tracked = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    known = {*tracked.stdout.splitlines(), "PKG-INFO"}
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {name for name in names - known if not name.startswith(MADE)} == set()
    assert {name for name in names if name.startswith("labeling_data")} == set()
    assert {f"{folder}{stamp}" for folder in MADE for stamp in ("built-from.sha256",)} <= names


def test_sdist_is_built_without_a_network_into_the_same_wheel(
    sdist: Path, wheel: Path, tmp_path: Path
) -> None:
    """It carries what npm and Sphinx made."""
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    (tmp_path / "out").mkdir()
    assert names_in_wheel(build("wheel", tmp_path / "out", source)) == names_in_wheel(wheel)


def test_sdist_is_installed_and_runs(sdist: Path, tmp_path: Path) -> None:
    """As pip builds it on the way."""
    found = install(sdist, tmp_path)
    assert found.run(tmp_path, "--version").stdout == f"umnist, version {__version__}\n"
    drawn = found.run(tmp_path, "render", "--set", "canvas=600", "--set", "factor=1..4", "a.png")
    assert drawn.returncode == 0, drawn.stderr
    image = cv2.imread(str(tmp_path / "a.png"))
    assert image is not None
    assert image.shape[:2] == (600, 600)
    assert (found.site / "umnist_core" / "server" / "site" / "guide" / "show.html").is_file()
    assert (found.site / "umnist_core" / "installed_app" / "app.py").is_file()


@pytest.mark.parametrize("version", OTHER_PYTHONS)
def test_wheel_is_installed_and_understood_by_other_pythons(
    wheel: Path, tmp_path: Path, version: str
) -> None:
    """All of it compiles; what runs without compiled packages runs."""
    python = find_python(version)
    if python is None:
        pytest.skip(f"There is no Python {version} on this machine.")
    found = install(wheel, tmp_path, python)
    compiled = found.run_python(tmp_path, "-W", "error", "-m", "compileall", "-q", str(found.site))
    assert compiled.returncode == 0, compiled.stdout
    assert found.run(tmp_path, "--version").stdout == f"umnist, version {__version__}\n"
    assert "Run human-baseline studies." in found.run(tmp_path, "--help").stdout
    misspelt = found.run(tmp_path, "rendr")
    assert misspelt.returncode == 2
    assert "Did you mean 'render'?" in misspelt.stderr
