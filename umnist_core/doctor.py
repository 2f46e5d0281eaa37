"""What this machine has for umnist, what it lacks, and what to do about it.

Nothing is made or changed by looking: a folder that is not there yet is judged by the one that it
would be made in.
"""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from umnist_core import __version__
from umnist_core.digits import find_digits
from umnist_core.errors import UmnistError
from umnist_core.inference.devices import CPU, find_devices
from umnist_core.models.cards import find_own_checkpoints, find_shipped_checkpoints
from umnist_core.models.needs import INSTALL, needs_sentence
from umnist_core.settings import Settings, is_clone, load_settings

SMALL_GIB = 2
"""Of free room; a study of people's answers needs little, a data set of 1,000 images about 1."""

_BASE = ("streamlit", "numpy", "pandas", "pillow", "opencv-python-headless", "pyvips", "plotly")
_COMPILED = ("cv2", "pyvips")
"""What needs libraries of the system, or brings its own."""
_MODELS = ("torch", "torchvision")


class State(StrEnum):
    """How it stands with one thing."""

    GOOD = "good"
    LACKS = "lacks"
    """Something can be done here without it, and other things cannot."""
    BROKEN = "broken"
    """What umnist needs does not work."""


@dataclass(frozen=True)
class Check:
    """One thing of this machine.

    Attributes
    ----------
    about
        What it is, in a word or two.
    state
        How it stands with it.
    found
        What was found.
    remedy
        What to do, a sentence; empty where nothing is to be done.
    """

    about: str
    state: State
    found: str
    remedy: str = ""


def examine(settings: Settings | None = None) -> list[Check]:
    """Look at this machine; takes seconds where there may be a GPU.

    Parameters
    ----------
    settings
        Those of the environment when None.
    """
    settings = settings or load_settings()
    return [
        _umnist(),
        _machine(),
        *_packages(),
        _digits(settings),
        *_models(settings),
        _folder("User's data", settings.data_dir, "UMNIST_DATA"),
        _folder("Studies", settings.labeling_dir, "UMNIST_LABELING"),
        _store(settings),
        _browser(),
    ]


def _umnist() -> Check:
    where = "in the clone" if is_clone() else "installed"
    return Check("umnist", State.GOOD, f"{__version__}, {where} at {Path(__file__).parent}")


def _machine() -> Check:
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    memory = _memory_gib()
    found = f"{platform.system()} {platform.machine()}, {cores} core{'' if cores == 1 else 's'}"
    found += f", {memory:.0f} GiB of memory" if memory else ""
    python = f"Python {platform.python_version()}"
    return Check("Machine", State.GOOD, f"{found}, {python}")


def _memory_gib() -> float | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, OSError, ValueError):  # Windows has none of it
        return None


def _packages() -> Iterator[Check]:
    found = {name: _version(name) for name in _BASE}
    there = ", ".join(f"{name} {text}" for name, text in found.items() if text)
    missing = [name for name, text in found.items() if text is None]
    # Any build of OpenCV will do.
    if "opencv-python-headless" in missing and _version("opencv-python"):
        missing.remove("opencv-python-headless")
    broken = "; ".join(said for name in _COMPILED if (said := _imports(name)))
    if missing or broken:
        found_out = "; ".join(part for part in (_not_found(missing), broken) if part)
        yield Check("Packages", State.BROKEN, found_out, "Install umnist again with pip.")
    else:
        yield Check("Packages", State.GOOD, there)


def _not_found(names: list[str]) -> str:
    return f"{', '.join(names)} not found" if names else ""


def _imports(package: str) -> str:
    """Return why a package that is there cannot be used; empty if it can."""
    try:
        importlib.import_module(package)
    except Exception as error:  # whatever a library that the system lacks makes of it
        return f"{package} cannot be used: {_first_line(error)}"
    return ""


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _digits(settings: Settings) -> Check:
    try:
        status = find_digits(settings)
    except UmnistError as error:
        return Check("Digits", State.BROKEN, str(error))
    if status.kind == "mnist":
        return Check("Digits", State.GOOD, f"{status.sentence} They are in {status.folder}.")
    return Check("Digits", State.LACKS, status.sentence)


def _models(settings: Settings) -> Iterator[Check]:
    if sentence := needs_sentence():
        yield Check("Models", State.LACKS, sentence.partition(";")[0] + ".", _as_sentence())
        return
    versions = ", ".join(f"{name} {_version(name)}" for name in _MODELS)
    shipped, own = find_shipped_checkpoints(), find_own_checkpoints(settings.checkpoints_dir)
    yield Check(
        "Models",
        State.GOOD,
        f"{versions}; checkpoints: {len(shipped)} came with umnist, {len(own)} in "
        f"{settings.checkpoints_dir}",
    )
    gpus = [one for one in find_devices() if one.key != CPU]
    if gpus:
        yield Check("GPU", State.GOOD, ", ".join(f"{one.key}: {one.title}" for one in gpus))
    else:
        yield Check("GPU", State.LACKS, "none that PyTorch can use; models run on the processor")


def _as_sentence() -> str:
    return f"{INSTALL[0].upper()}{INSTALL[1:]}"


def _folder(about: str, folder: Path, variable: str) -> Check:
    at = folder
    while not at.exists() and at != at.parent:
        at = at.parent
    remedy = f"Set {variable} to another folder."
    if not at.is_dir() or not os.access(at, os.W_OK | os.X_OK):
        return Check(about, State.BROKEN, f"{folder} cannot be written", remedy)
    free = shutil.disk_usage(at).free / 2**30
    found = f"{folder}{'' if at == folder else ', not made yet'}, {free:.1f} GiB free"
    if free < SMALL_GIB:
        return Check(about, State.LACKS, found, f"Make room there. {remedy}")
    return Check(about, State.GOOD, found)


def _store(settings: Settings) -> Check:
    from umnist_core.labeling.sql.engine import describe, make_engine, parse_url

    try:
        url = parse_url(settings.database_url)
        if url.get_backend_name() == "sqlite":
            file = Path(url.database or "")
            if not file.is_file():
                return Check("Store", State.GOOD, f"{file}, made with the first study")
            return Check("Store", State.GOOD, f"{file}, {file.stat().st_size / 2**20:.1f} MiB")
        with make_engine(url).connect():
            return Check("Store", State.GOOD, f"{describe(url)} answers")
    except UmnistError as error:
        return Check("Store", State.BROKEN, str(error))
    except Exception as error:  # SQLAlchemy's and every driver's own
        remedy = "See that it runs, or correct UMNIST_DATABASE_URL."
        return Check("Store", State.BROKEN, f"{describe(url)}: {_first_line(error)}", remedy)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _browser() -> Check:
    names = ("chromium", "chromium-browser", "google-chrome", "firefox")
    if found := next((path for name in names if (path := shutil.which(name))), None):
        return Check("Browser", State.GOOD, f"{found}; any browser of the last two years will do")
    return Check(
        "Browser",
        State.LACKS,
        "none on the path of commands",
        "Open the app's address in a browser of this machine, or of another through "
        "ssh -L 8501:127.0.0.1:8501.",
    )
