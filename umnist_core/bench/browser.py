"""The real app in a process of its own, and a real browser, for measurements."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import umnist_core
from umnist_core.bench.ports import free_port
from umnist_core.errors import MissingFileError, NetworkError

if TYPE_CHECKING:
    from playwright.sync_api import Page

START_TIMEOUT_S = 60

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def running_app() -> Iterator[str]:
    """Run `umnist app` on a free port, and yield its address.

    Raises
    ------
    NetworkError
        If it does not start.
    """
    port = free_port()
    command = [sys.executable, "-m", "umnist_core.cli", "app", "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(Path(umnist_core.__file__).parents[1])}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    origin = f"http://127.0.0.1:{port}"
    try:
        _wait_for_app(process, f"{origin}/health")
        yield origin
    finally:
        process.terminate()
        process.wait()


def _wait_for_app(process: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise NetworkError("The app did not start; run `umnist app` to see why.")


@contextmanager
def browser_page() -> Iterator[Page]:
    """Yield an empty page of a headless Chromium, 1400 x 900.

    Raises
    ------
    MissingFileError
        If Playwright or Chromium is not installed.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise MissingFileError(
            "Expected Playwright, found none; install it with `pip install umnist[dev]`."
        ) from error
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise MissingFileError(
            "Expected Chromium on the path, found none; on Debian: apt-get install chromium."
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        yield browser.new_page(viewport={"width": 1400, "height": 900})
        browser.close()


def timing_script(begin: str, end: str) -> str:
    """Return a script that times, in the page's own clock, from one event to another's frame.

    Parameters
    ----------
    begin, end
        Names of events, which may come from inside components. The newest ``begin`` counts.

    Returns
    -------
    str
        For `Page.evaluate`; ``window.benchTimes`` then holds the times, in ms.
    """
    return f"""() => {{
  window.benchTimes = [];
  let begun = null;
  document.addEventListener("{begin}", (event) => (begun = event.timeStamp), {{ capture: true }});
  document.addEventListener("{end}", () => {{
    if (begun === null) return;
    const since = begun;
    begun = null;
    // The event comes within a frame; a message is delivered when the frame is over.
    const {{ port1, port2 }} = new MessageChannel();
    port1.onmessage = () => benchTimes.push(performance.now() - since);
    port2.postMessage(null);
  }});
}}"""
