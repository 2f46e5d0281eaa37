"""The figures of docs/large-scale-results.md, which are those of docs/large-scale-curves.json.

As a program this draws the figure and writes the tables again, after `umnist scales` has put more
into the JSON.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from umnist_core.scenes import number_text
from umnist_core.training.scale_curve import kinds_of, load_curves
from umnist_core.training.scale_figure import curve_figure

DOCS = Path(__file__).resolve().parents[2] / "docs"
CURVES, FIGURE = DOCS / "large-scale-curves.json", DOCS / "large-scale-curves.svg"
PAGE = DOCS / "large-scale-results.md"

TITLES = {
    "fov-avg": "FovAvg",
    "fov-max": "FovMax",
    "large-scale-cnn": "plain CNN",
    "sw-max": "SWMax",
}

_TABLES = re.compile(r"(?<=<!-- tables -->\n).*?(?=<!-- end of tables -->)", re.DOTALL)


def load_kinds() -> list[dict[str, Any]]:
    """Return the kinds of runs that were measured."""
    return kinds_of(load_curves(CURVES))


def tables(kinds: Sequence[dict[str, Any]]) -> str:
    """Return the tables of accuracy over scale and of the compact measures, in percent."""
    titles = [f"{TITLES[one['model']]}, {one['runs']} runs" for one in kinds]
    lines = ["| Scale | " + " | ".join(titles) + " |", "|---" * (len(kinds) + 1) + "|"]
    for place, row in enumerate(kinds[0]["curve"]):
        cells = [_figure(one["curve"][place]) for one in kinds]
        lines.append(f"| {row['scale']:.3f} | " + " | ".join(cells) + " |")
    lines += ["", "| Range | Measure | " + " | ".join(titles) + " |"]
    lines.append("|---" * (len(kinds) + 2) + "|")
    for place, ends in enumerate(kinds[0]["ranges"]):
        for name in ("mean", "worst", "spread"):
            cells = [_figure(one["ranges"][place][name]) for one in kinds]
            told = f"{number_text(ends['from'])} to {number_text(ends['to'])}"
            lines.append(f"| {told} | {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _figure(figure: dict[str, Any]) -> str:
    middle, low, high = (100 * figure[name] for name in ("accuracy", "low", "high"))
    return f"{middle:.1f} ({low:.1f} to {high:.1f})"


def written(text: str, kinds: Sequence[dict[str, Any]]) -> str:
    """Return the page with the tables of kinds in it."""
    return _TABLES.sub(lambda _found: tables(kinds), text)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(), load_kinds()))
    FIGURE.write_text(curve_figure(load_kinds()))
