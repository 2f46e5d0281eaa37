"""The question mark of each page."""

from __future__ import annotations

from pathlib import Path

from pages._ui.shared.help import MANUAL

ROOT = Path(__file__).resolve().parents[2]


def test_every_page_has_a_page_of_the_documents() -> None:
    """Its question mark leads to one that is there, and begins with what to type or to do."""
    pages = {path.stem for path in (ROOT / "pages").glob("[!_]*.py")}
    assert MANUAL.keys() == pages
    assert [name for name in MANUAL.values() if not (ROOT / "docs" / f"{name}.md").is_file()] == []
