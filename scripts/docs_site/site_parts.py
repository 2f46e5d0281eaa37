"""What pages of the site are made with: flow charts as text in boxes, and files beside docs/."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive

_ARROW = re.compile(r"\s*--(?:\s*([^->]+?)\s*--)?>\s*")
_SHAPED = re.compile(r'\w+(?:\[\(?"?|\("?)(.+?)"?\)?\]?$')
_OF_THE_CLONE = {"../CONTRIBUTING.md": "/contributing.md", "../CHANGELOG.md": "/changes.md"}


class Mermaid(Directive):  # type: ignore[misc]
    """A chart of Mermaid's: each line with arrows is a chain of boxes.

    No program of Mermaid's is needed for that, neither when the site is built nor when it is read.
    """

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the chart."""
        lines = [_ARROW.split(line.strip()) for line in self.content if "-->" in line]
        words: dict[str, str] = {}  # a box says only where it first stands what it says
        for box in (box for line in lines for box in line[::2]):
            words.setdefault(_name(box), _words(box))
        return [_chain(line, words) for line in lines]


def _chain(parts: list[str], words: dict[str, str]) -> nodes.Node:
    """Return boxes in a row; between two of them stands what is told of the arrow, or None."""
    chart = nodes.enumerated_list(classes=["chain"])
    for place, box in enumerate(parts[::2]):
        said = parts[2 * place - 1] if place else None
        before = [nodes.emphasis("", said)] if said else []
        box_words = nodes.strong("", words[_name(box)])
        chart += nodes.list_item("", nodes.paragraph("", "", *before, box_words))
    return chart


def _name(box: str) -> str:
    return re.split(r"[\[(]", box)[0].strip('"')


def _words(box: str) -> str:
    """Return what a box says: ``log[(log)]`` and ``"a b"`` without what makes its shape."""
    shaped = _SHAPED.match(box)
    return shaped[1] if shaped else box.strip('"')


def link_within_the_site(app: Any, docname: str, source: list[str]) -> None:
    """Have links to texts beside docs/ lead to the pages that show them here."""
    for target, page in _OF_THE_CLONE.items():
        source[0] = source[0].replace(f"]({target}", f"]({page}")
    if docname == "index":
        lines = source[0].splitlines(keepends=True)
        source[0] = "".join(line for line in lines if not line.startswith(app.config.site_lacks))


def link_from_beside(app: Any, path: Any, docname: str, content: list[str]) -> None:
    """Have links of a text beside docs/ lead to where the site has what they mean."""
    content[0] = content[0].replace("](docs/", "](/")
    for target, page in _OF_THE_CLONE.items():
        content[0] = content[0].replace(f"]({target.removeprefix('../')}", f"]({page}")


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx."""
    app.add_directive("mermaid", Mermaid)
    app.add_config_value("site_lacks", (), "env", (tuple,), "Entries that index.md is without.")
    app.connect("source-read", link_within_the_site)
    app.connect("include-read", link_from_beside)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
