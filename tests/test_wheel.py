"""The built wheel, installed where no clone is."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and install it, without what it depends on."""
    folder = tmp_path_factory.mktemp("wheel")
    build = f"from hatchling.build import build_wheel; print(build_wheel({str(folder)!r}))"
    built = subprocess.run(
        [sys.executable, "-c", build], cwd=ROOT, capture_output=True, text=True, check=True
    )
    wheel = folder / built.stdout.split()[-1]
    site = folder / "site-packages"
    with zipfile.ZipFile(wheel) as archive:  # what pip does with a wheel of Python alone
        archive.extractall(site)
    return site


def run_installed(site: Path, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command of the installed package as a user with a home of their own."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("UMNIST_")}
    environment = {**kept, "PYTHONPATH": str(site), "HOME": str(home), "TMPDIR": str(home)}
    environment["XDG_DATA_HOME"] = str(home / "data")
    code = f"import umnist_core.cli as cli; assert {str(site)!r} in cli.__file__; cli.main()"
    return subprocess.run(
        [sys.executable, "-P", "-c", code, *words],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def files_of(site: Path) -> set[Path]:
    """Return what is installed, but for what Python compiles."""
    return {path for path in site.rglob("*") if "__pycache__" not in path.parts}


def test_installed_wheel_keeps_studies_in_the_users_folder_and_says_so_once(
    site: Path, tmp_path: Path
) -> None:
    """Nothing is written beside the package, and the second command is silent about it."""
    before = files_of(site)
    create = ("study", "create", "Pilot", "--stimuli", "1", "--images-per-annotator", "1")
    small = ("--practice", "0", "--set", "canvas=512", "--set", "factor=0.5..4")
    first = run_installed(site, tmp_path, *create, *small)
    assert first.returncode == 0, first.stderr
    folder = tmp_path / "data" / "umnist" / "labeling_data"
    assert first.stderr.count(f"Studies are kept in {folder}; set UMNIST_LABELING") == 1
    second = run_installed(site, tmp_path, "study", "list")
    assert "Pilot" in second.stdout
    assert "Studies are kept" not in second.stderr
    assert (folder / "umnist.sqlite").is_file()
    assert files_of(site) == before
    assert not (site / "labeling_data").exists()


def test_studies_that_an_earlier_version_kept_among_packages_are_pointed_at(
    site: Path, tmp_path: Path
) -> None:
    """Who comes from such a version is told where they are."""
    stray = site / "labeling_data"
    stray.mkdir()
    (stray / "umnist.sqlite").touch()
    try:
        listed = run_installed(site, tmp_path, "study", "list")
    finally:
        (stray / "umnist.sqlite").unlink()
        stray.rmdir()
    assert f"Those of an earlier version are in {stray}: move" in listed.stderr


def test_clone_keeps_its_studies_in_itself() -> None:
    """As ever, in labeling_data."""
    from umnist_core.settings import load_settings

    assert load_settings({}).labeling_dir == ROOT / "labeling_data"
