"""A real JupyterLab in a process of its own, and a notebook that is open in a browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import umnist_core
from umnist_core.bench.ports import free_port
from umnist_core.errors import MissingFileError, NetworkError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route

PATIENCE_MS = 60_000

_SETTINGS = {
    # So that all cells are in the page, wherever it is scrolled to.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}


@dataclass(frozen=True)
class RunningLab:
    """Where a JupyterLab is, and where its notebooks lie.

    Attributes
    ----------
    origin, base_url
        Its address: the host, and the path below it, with a slash at both ends.
    folder
        Of the notebooks.
    """

    origin: str
    base_url: str
    folder: Path


@contextmanager
def running_lab(folder: Path, base_url: str = "/") -> Iterator[RunningLab]:
    """Run ``jupyter lab`` below a path of its host, as a hub does, and yield where it is.

    Parameters
    ----------
    folder
        For its settings and for notebooks.
    base_url
        With a slash at both ends.

    Raises
    ------
    MissingFileError
        If JupyterLab is not installed.
    NetworkError
        If it does not start.
    """
    if find_spec("jupyterlab") is None:
        raise MissingFileError(
            "Expected JupyterLab, found none; install it with `pip install 'umnist[dev]'`."
        )
    port, notebooks, log_path = free_port(), folder / "notebooks", folder / "lab.log"
    notebooks.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={port}", "--allow-root"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.base_url={base_url}"),
        *("--IdentityProvider.token=", f"--ServerApp.root_dir={notebooks}"),
        *("--LabApp.extension_manager=readonly", "--ServerApp.port_retries=0"),
    ]
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, env=_environment(folder), stdout=log, stderr=log)
        origin = f"http://127.0.0.1:{port}"
        try:
            _wait_for(process, f"{origin}{base_url}api/status", log_path)
            yield RunningLab(origin, base_url, notebooks)
        finally:
            process.terminate()
            process.wait()


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment in which nobody's own settings of Jupyter count."""
    home = folder / "jupyter"
    settings = home / "config" / "labconfig"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "default_setting_overrides.json").write_text(json.dumps(_SETTINGS))
    return {
        **os.environ,
        "PYTHONPATH": str(Path(umnist_core.__file__).parents[1]),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
    }


def _wait_for(process: subprocess.Popen[bytes], address: str, log_path: Path) -> None:
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise NetworkError(f"JupyterLab did not start; it said: {log_path.read_text()[-500:]}")


@dataclass
class OpenNotebook:
    """A notebook that is open in a browser.

    Attributes
    ----------
    page
        Its page.
    complaints
        Errors of scripts.
    strangers
        Addresses of others than JupyterLab that were asked for, and refused.
    """

    page: Page
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    @property
    def cells(self) -> Locator:
        """The code cells."""
        return self.page.locator(".jp-CodeCell")

    def run(self, place: int, *, is_waited_for: bool = True) -> None:
        """Run a cell, and wait until it is done unless told otherwise."""
        cell = self.cells.nth(place)
        cell.locator(".jp-InputArea .cm-content").click()
        cell.locator(".cm-focused").wait_for()
        self.page.keyboard.press("Control+Enter")
        if is_waited_for:
            self.wait_for(place)

    def wait_for(self, place: int) -> None:
        """Wait until a cell has run that is the only one to run."""
        self.page.wait_for_function(
            """(place) => {
                const cell = document.querySelectorAll(".jp-CodeCell")[place];
                const text = cell?.querySelector(".jp-InputPrompt")?.textContent ?? "";
                return /\\[\\d+\\]/.test(text);
            }""",
            arg=place,
            timeout=PATIENCE_MS,
        )

    def output(self, place: int) -> str:
        """Return what a cell printed last."""
        return self.cells.nth(place).locator(".jp-OutputArea-output pre").last.inner_text().strip()


@contextmanager
def open_notebook(
    browser: Browser,
    lab: RunningLab,
    cells: Sequence[str],
    name: str = "notebook.ipynb",
    **more: Any,
) -> Iterator[OpenNotebook]:
    """Write a notebook and open it, with every address but JupyterLab's own blocked.

    Parameters
    ----------
    browser
        A browser of Playwright.
    lab
        Where it is opened.
    cells
        Code of its cells.
    name
        Of its file.
    more
        What Playwright takes for a new context.
    """
    write_notebook(lab.folder / name, cells)
    context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}, **more})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    opened = OpenNotebook(page)

    def guard(route: Route) -> None:
        if route.request.url.startswith((lab.origin, "blob:", "data:")):
            route.continue_()
        else:
            opened.strangers.append(route.request.url)
            route.abort()

    context.route("**/*", guard)
    page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    page.goto(f"{lab.origin}{lab.base_url}lab/tree/{name}?reset")
    page.locator(".jp-CodeCell").nth(len(cells) - 1).wait_for()
    page.get_by_text("| Idle").first.wait_for()  # connected: what is run before may be lost
    page.keyboard.press("Control+b")  # the folders beside it, away
    page.locator(".jp-FileBrowser").first.wait_for(state="hidden")
    yield opened
    context.close()


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    """Write a notebook with cells of code."""
    blank: dict[str, Any] = {"cell_type": "code", "execution_count": None}
    blank |= {"metadata": {}, "outputs": []}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    told = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel},
        "cells": [
            {**blank, "id": f"cell-{place}", "source": text} for place, text in enumerate(cells)
        ],
    }
    path.write_text(json.dumps(told), encoding="utf-8")
