"""Pages' boundary in a real app: a fault of ours is one sentence, wherever it is raised."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PROJECT
from tests.pages.driving import wait_for
from umnist_core.bench.ports import free_port
from umnist_core.incidents import LOG_NAME

APP = """
from pathlib import Path
import app as ours
from streamlit import App
app = App(Path(__file__).parent / "page.py", on_script_error=ours.app._on_script_error)
"""

PAGE = """
import streamlit as st
from umnist_core.errors import InvalidValueError

def fail():
    raise KeyError("in a callback")

@st.fragment
def part():
    raise ZeroDivisionError("in a fragment")

st.button("Press", on_click=fail)
of = st.query_params.get("of")
if of == "ours":
    raise InvalidValueError("Expected something else.")
if of == "part":
    part()
if of == "page":
    raise RecursionError("in a page")
"""


@pytest.fixture(scope="module")
def broken_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Run an app with faults behind our boundary; yield its address and its log of incidents."""
    folder = tmp_path_factory.mktemp("broken")
    (folder / "broken_app.py").write_text(APP)
    (folder / "page.py").write_text(PAGE)
    port = free_port()
    paths = os.pathsep.join((str(folder), str(PROJECT)))
    with subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "broken_app:app", "--port", str(port)],
        cwd=PROJECT,
        env=os.environ | {"PYTHONPATH": paths, "UMNIST_DATA": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:

        def answers() -> bool:
            assert process.poll() is None, "uvicorn ended by itself."
            try:
                return httpx.get(f"http://127.0.0.1:{port}", timeout=60).status_code == 200
            except httpx.TransportError:
                return False

        wait_for(answers)
        yield f"http://127.0.0.1:{port}", folder / LOG_NAME
        process.terminate()


def test_fault_of_a_page_is_one_sentence_with_a_number(
    page: Page, broken_app: tuple[str, Path]
) -> None:
    """Of a page, a part of one and a button: no traceback, and the number is in the log."""
    address, log = broken_app
    for of, reason in (("page", "in a page"), ("part", "in a fragment"), ("", "in a callback")):
        page.goto(f"{address}?of={of}")
        if not of:
            page.get_by_role("button", name="Press").click()
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text(reason)
        assert "Traceback" not in page.inner_text("body")
        found = re.search(r"incident (\d{8})\.", alert.inner_text())
        assert found is not None
        assert f"Incident {found[1]}: a page" in log.read_text()


def test_error_of_ours_is_shown_on_a_page_as_it_stands(
    page: Page, broken_app: tuple[str, Path]
) -> None:
    """It says what to do already, and needs no number."""
    page.goto(f"{broken_app[0]}?of=ours")
    expect(page.get_by_role("alert")).to_have_text("Expected something else.")
