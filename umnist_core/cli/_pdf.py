"""An HTML page as PDF, printed by Chromium."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from umnist_core.bench.browser import CHROMIUM_ARGUMENTS
from umnist_core.errors import MissingFileError, WriteError
from umnist_core.files import write_whole

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TIMEOUT_S = 120


def write_pdf(path: Path, page: str) -> None:
    """Print a page that loads nothing from elsewhere.

    Parameters
    ----------
    path
        The PDF file.
    page
        HTML.

    Raises
    ------
    MissingFileError
        If Chromium is not installed.
    WriteError
        If it prints nothing, or the file cannot be written.
    """
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise MissingFileError(
            "Expected Chromium on the path to print a PDF, found none; install it, or write --html "
            "and print that."
        )
    with TemporaryDirectory(prefix="umnist-") as folder:
        source, target = Path(folder) / "page.html", Path(folder) / "page.pdf"
        source.write_text(page, encoding="utf-8")
        command = [browser, "--headless", *CHROMIUM_ARGUMENTS, f"--user-data-dir={folder}/profile"]
        command += ["--no-pdf-header-footer", f"--print-to-pdf={target}", source.as_uri()]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT_S)
            data = target.read_bytes()
        except (OSError, subprocess.SubprocessError) as error:
            raise WriteError(
                f"Expected {Path(browser).name} to print the report, found that it printed nothing "
                f"({str(error).splitlines()[0][:80]}); write --html and print that."
            ) from error
    write_whole(path, data)
