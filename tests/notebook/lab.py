"""A real JupyterLab in a process of its own, and a notebook that is open in it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Browser, Locator, Page, Route, expect

from umnist_core.bench.ports import free_port

PROJECT = Path(__file__).parents[2]
PATIENCE_S = 120


@dataclass
class RunningLab:
    """Where a JupyterLab is, and where its notebooks lie."""

    origin: str
    base_url: str
    folder: Path

    @property
    def address(self) -> str:
        """Of its first page."""
        return f"{self.origin}{self.base_url}lab"


@contextmanager
def running_lab(folder: Path, base_url: str = "/", *options: str) -> Iterator[RunningLab]:
    """Run ``jupyter lab`` below a path of its host, as a hub does, and yield where it is."""
    port = free_port()
    home = folder / "jupyter"
    notebooks = folder / "notebooks"
    notebooks.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "PYTHONPATH": str(PROJECT),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={port}"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.base_url={base_url}", "--allow-root"),
        *("--IdentityProvider.token=", f"--ServerApp.root_dir={notebooks}"),
        *("--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"),
        *("--LabApp.extension_manager=readonly", *options),
    ]
    log = (folder / "lab.log").open("wb")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    lab = RunningLab(f"http://127.0.0.1:{port}", base_url, notebooks)
    try:
        _wait_for(process, f"{lab.origin}{base_url}api/status", folder / "lab.log")
        yield lab
    finally:
        process.terminate()
        process.wait()
        log.close()


def _wait_for(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


@dataclass
class OpenNotebook:
    """A notebook that is open in a browser."""

    page: Page
    lab: RunningLab
    complaints: list[str]
    strangers: list[str]
    """Addresses of others that were asked for, and refused."""

    @property
    def cells(self) -> Locator:
        """The code cells."""
        return self.page.locator(".jp-CodeCell")

    def run(self, place: int, *, wait: bool = True) -> None:
        """Run one cell, and wait until it is done."""
        self.cells.nth(place).locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        if wait:
            self.wait_for(place)

    def wait_for(self, place: int) -> None:
        """Wait until a cell has run."""
        prompt = self.cells.nth(place).locator(".jp-InputPrompt").first
        expect(prompt).to_have_text(f"[{place + 1}]:", timeout=1000 * PATIENCE_S)

    def output(self, place: int) -> str:
        """Return what a cell printed."""
        return self.cells.nth(place).locator(".jp-OutputArea-output pre").last.inner_text()

    def viewer(self, place: int) -> Locator:
        """Return the viewer of a cell's widget."""
        return self.cells.nth(place).locator(".umnist-viewer")


@contextmanager
def open_notebook(
    browser: Browser, lab: RunningLab, cells: Sequence[str], name: str = "test.ipynb", **context: Any
) -> Iterator[OpenNotebook]:
    """Write a notebook and open it, with every address but JupyterLab's own blocked."""
    notebook: Any = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
        cells=[nbformat.v4.new_code_cell(text) for text in cells],  # type: ignore[no-untyped-call]
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(notebook, lab.folder / name)  # type: ignore[no-untyped-call]
    opened = browser.new_context(viewport={"width": 1400, "height": 900}, **context)
    opened.set_default_timeout(1000 * PATIENCE_S)
    page = opened.new_page()
    found = OpenNotebook(page, lab, [], [])

    def guard(route: Route) -> None:
        address = route.request.url
        if address.startswith((lab.origin, "blob:", "data:")):
            route.continue_()
        else:
            found.strangers.append(address)
            route.abort()

    opened.route("**/*", guard)
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.goto(f"{lab.address}/tree/{name}?reset")
    expect(found.cells).to_have_count(len(cells))
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for()
    yield found
    opened.close()
