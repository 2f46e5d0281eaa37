"""Explore and the Noise lab with scenes whose digits are grey and added."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

PAGES = Path(__file__).parents[2] / "pages"


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("explore", {"preset": "needle", "canvas": "256"}),
        ("explore", {"preset": "needle", "canvas": "256", "index": "1"}),
        ("explore", {"preset": "patchgd"}),
        ("noise_lab", {"preset": "needle", "canvas": "256", "label": "0"}),
        ("noise_lab", {"preset": "needle", "canvas": "64", "reference": "needle-64"}),
        ("noise_lab", {"preset": "patchgd"}),
    ],
)
def test_page_opens_with_a_needle_and_without(page: str, address: dict[str, str]) -> None:
    """Neither figures nor truth need a digit to be there."""
    app = AppTest.from_file(str(PAGES / f"{page}.py"), default_timeout=120)
    for name, text in address.items():
        app.query_params[name] = text
    app.run()
    assert not app.exception
    assert [one.value for one in app.error] == []
