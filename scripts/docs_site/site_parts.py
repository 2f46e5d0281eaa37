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
    """A chart of Mermaid's that is one chain, as boxes with arrows; any other as its text.

    No program of Mermaid's is needed for that, neither when the site is built nor when it is read.
    """

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the chart."""
        chains = [line.strip() for line in self.content[1:]]
        if len(chains) != 1 or "-->" not in chains[0]:
            return [nodes.literal_block("", "\n".join(self.content), language="none")]
        parts = _ARROW.split(chains[0])
        chart = nodes.enumerated_list(classes=["chain"])
        for place, name in enumerate(parts[::2]):
            said = parts[2 * place - 1] if place else None
            before = [nodes.emphasis("", said)] if said else []
            words = nodes.paragraph("", "", *before, nodes.strong("", _words(name)))
            chart += nodes.list_item("", words)
        return [chart]


def _words(box: str) -> str:
    """Return what a box says: ``log[(log)]`` and ``"a b"`` without what makes its shape."""
    shaped = _SHAPED.match(box)
    return shaped[1] if shaped else box


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
