"""The site of docs/: strict, whole, and readable without a network."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.test_docs import commands
from umnist_core.cli import root as umnist

ROOT = Path(__file__).resolve().parents[1]
GUIDES = sorted((ROOT / "docs" / "guide").glob("*.md"))


class Addresses(HTMLParser):
    """What a page loads, what it links to, and its own anchors."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the addresses of a tag."""
        values = {name: value for name, value in attrs if value}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "link" and values.get("rel") not in ("next", "prev", "index", "search"):
            self.loads.append(values.get("href", ""))
        elif "src" in values:
            self.loads.append(values["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build all of it, without running notebooks, which have tests of their own."""
    folder = tmp_path_factory.mktemp("site")
    code = (
        "import sys; sys.path.insert(0, 'scripts'); from pathlib import Path; import site_build; "
        f"site_build.build_site(Path({str(ROOT)!r}), Path({str(folder)!r}), '-t', 'full', "
        "'-D', 'nb_execution_mode=off')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Addresses]:
    """Return all pages and what is in them."""
    return {page: Addresses(page) for page in site.rglob("*.html")}


def missing(site: Path, pages: dict[Path, Addresses]) -> Iterator[str]:
    """Yield every link within the site that leads nowhere."""
    for page, found in pages.items():
        for link in found.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            others = pages.get(target)
            if not target.is_file() or (
                parts.fragment and others and unquote(parts.fragment) not in others.anchors
            ):
                yield f"{page.relative_to(site)}: {link}"


def test_every_link_within_the_site_leads_to_its_page_and_place(
    site: Path, pages: dict[Path, Addresses]
) -> None:
    """Of texts, contents, indices and docstrings alike."""
    assert len(pages) > 60
    assert list(missing(site, pages)) == []


def test_no_page_loads_anything_from_elsewhere(pages: dict[Path, Addresses]) -> None:
    """It is read from the disk, with the network off."""
    loads = {address for found in pages.values() for address in found.loads}
    assert {one for one in loads if urlsplit(one).netloc} == set()


def test_style_sheets_load_nothing_from_elsewhere(site: Path) -> None:
    """Fonts and pictures come with them."""
    named = re.compile(r"(?:url\(|@import )[\"']?(?:https?:)?//[^)\"']+")
    sheets = site.rglob("*.css")
    assert [found for sheet in sheets for found in named.findall(sheet.read_text())] == []


def test_every_command_and_what_its_help_says_are_on_the_site(
    site: Path, pages: dict[Path, Addresses]
) -> None:
    """They are written from the commands themselves."""
    page = site / "reference" / "commands.html"
    assert {name.replace(" ", "-") for name in commands(umnist, "umnist")} <= pages[page].anchors
    assert "--images-per-annotator" in page.read_text()


def test_docstrings_are_on_the_site_and_lead_to_each_other(
    site: Path, pages: dict[Path, Addresses]
) -> None:
    """Also those of what a package takes from its modules."""
    found = pages[site / "reference" / "python" / "scenes.html"]
    assert {"umnist_core.scenes.Scene", "umnist_core.digits.load_glyphs"} <= found.anchors
    assert "#umnist_core.digits.GlyphSet" in found.links


def test_everything_can_be_searched(site: Path) -> None:
    """The index has texts, commands and docstrings."""
    index = (site / "searchindex.js").read_text()
    for name in ("guide/show", "reference/commands", "reference/python/scenes", "statistics"):
        assert f'"{name}"' in index


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_page_for_a_kind_of_user_begins_with_what_to_type(guide: Path) -> None:
    """Nobody who answers types a command; everybody else begins with one."""
    first = guide.read_text().split("\n\n")[1]
    assert first.startswith("```\n" if guide.stem != "annotate" else "Open the link")
