"""The figures of docs/needle-results.md, which are those of docs/needle-accuracy.json.

As a program this draws the figure and writes the tables again. Files that `umnist evaluate --out`
wrote may be named: they are put into the JSON first. The name of such a file is that of the network
and of the images, ``NETWORK@SOURCE-CANVAS.json``, with one of `SOURCES`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from umnist_core.scoring import wilson
from umnist_core.training.scale_figure import Axis, Curve, CurvePoint, draw_curves

DOCS = Path(__file__).resolve().parents[2] / "docs"
FIGURES, FIGURE = DOCS / "needle-accuracy.json", DOCS / "needle-accuracy.svg"
PAGE = DOCS / "needle-results.md"

CANVASES_PX = (64, 128, 256, 512, 1024)

SOURCES = {
    "scenes": "fresh scenes of umnist, test digits",
    "original": "written by the released generator",
}
"""Where images are from -> in words."""

STAGES_PX = {"ips": (64, 128, 256, 512), "needle-cnn": (64, 128, 256)}
"""Model -> canvases of the stages of its compact recipe."""

KINDS = {"ips": "IPS", "needle-cnn": "CNN"}
"""Model -> its name in tables."""

AXIS = Axis("Accuracy on Needle MNIST", "side of the canvas, px", CANVASES_PX)
LEAST = 0.4
"""Accuracy at the foot of the figure; chance is a half."""

Measured = Mapping[str, Any]

_NAME = re.compile(r"(?P<network>[\w-]+)@(?P<source>[a-z]+)-(?P<canvas>\d+)")
_TABLES = re.compile(r"(?<=<!-- tables -->\n).*?(?=<!-- end of tables -->)", re.DOTALL)


def load_measured() -> list[dict[str, Any]]:
    """Return what was measured, a row for each network, source and canvas."""
    found: list[dict[str, Any]] = json.loads(FIGURES.read_text())
    return found


def read_summary(path: Path) -> dict[str, Any]:
    """Return the row of a file that `umnist evaluate --out` wrote."""
    name = _NAME.fullmatch(path.stem)
    if name is None or name["source"] not in SOURCES:
        raise SystemExit(f"Expected NETWORK@SOURCE-CANVAS.json, got {path.name}; rename it.")
    text = json.loads(path.read_text())
    if text["data"].get("stand_in"):
        raise SystemExit(
            f"{path.name} is of the stand-in digits; set UMNIST_DIGITS, and repeat it."
        )
    tables = text["tasks"]["needle"]
    halves = {("without", "with")[row["digits"]]: row for row in tables["by_digits"]}
    return {
        "network": name["network"],
        "model": text["model"],
        "sha256": text["sha256"],
        "source": name["source"],
        "canvas_px": int(name["canvas"]),
        "images": tables["accuracy"]["images"],
        "correct": tables["accuracy"]["correct"],
        "halves": {
            half: {one: row[one] for one in ("images", "correct")} for half, row in halves.items()
        },
        "attention": {one: text["attention"].get(one) for one in ("mass", "chance", "pointing")},
        "data": text["data"],
        "hardware": text["hardware"],
    }


def joined(
    before: Iterable[dict[str, Any]], more: Iterable[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return rows with others, which take the place of those of the same network and images."""

    def key(row: Measured) -> tuple[str, str, int]:
        return row["network"], row["source"], row["canvas_px"]

    rows = {key(row): row for row in (*before, *more)}
    return [rows[one] for one in sorted(rows)]


def find(rows: Sequence[Measured], network: str, source: str, canvas_px: int) -> Measured | None:
    """Return the row of a network on images; None where it was not measured."""
    return next(
        (
            row
            for row in rows
            if (row["network"], row["source"], row["canvas_px"]) == (network, source, canvas_px)
        ),
        None,
    )


def stage_name(model: str, stage_px: int) -> str:
    """Return the name of the network that a stage of a compact recipe leaves."""
    return f"{model}-needle-compact-{stage_px}" if model == "ips" else f"{model}-compact-{stage_px}"


def last_name(model: str) -> str:
    """Return the name of the network that all stages leave."""
    return stage_name(model, STAGES_PX[model][-1])


def tables(rows: Sequence[Measured]) -> str:
    """Return all tables, in percent."""
    return "\n".join([*_by_source(rows), "", *_by_stage(rows), "", *_by_half(rows)]) + "\n"


def _by_source(rows: Sequence[Measured]) -> list[str]:
    heads = [
        f"{title}, {SOURCES[source]}"
        for title in KINDS.values()
        for source in ("scenes", "original")
    ]
    lines = [f"| Canvas, px | {' | '.join(heads)} |", "|---" * (1 + len(heads)) + "|"]
    for canvas_px in CANVASES_PX:
        cells = [
            _cell(find(rows, last_name(model), source, canvas_px))
            for model in KINDS
            for source in ("scenes", "original")
        ]
        lines.append(f"| {canvas_px} | {' | '.join(cells)} |")
    return lines


def _by_stage(rows: Sequence[Measured]) -> list[str]:
    stages = [
        (f"{title} after {one} px", stage_name(model, one))
        for model, title in KINDS.items()
        for one in STAGES_PX[model][:-1]
        if any(row["network"] == stage_name(model, one) for row in rows)
    ]
    lines = [f"| Canvas, px | {' | '.join(head for head, _ in stages)} |"]
    lines.append("|---" * (1 + len(stages)) + "|")
    for canvas_px in CANVASES_PX:
        cells = [_cell(find(rows, name, "scenes", canvas_px)) for _, name in stages]
        if set(cells) != {"-"}:
            lines.append(f"| {canvas_px} | {' | '.join(cells)} |")
    return lines


def _by_half(rows: Sequence[Measured]) -> list[str]:
    heads = [
        f"{title}, {half} a needle" for title in KINDS.values() for half in ("with", "without")
    ]
    heads += [f"{title} looks at the needle" for title in KINDS.values()]
    lines = [f"| Canvas, px | {' | '.join(heads)} |", "|---" * (1 + len(heads)) + "|"]
    for canvas_px in CANVASES_PX:
        last = [find(rows, last_name(one), "scenes", canvas_px) for one in KINDS]
        cells = [
            "-" if row is None else _cell(row["halves"][half])
            for row in last
            for half in ("with", "without")
        ]
        cells += [_pointing(row) for row in last]
        lines.append(f"| {canvas_px} | {' | '.join(cells)} |")
    return lines


def _pointing(row: Measured | None) -> str:
    share = None if row is None else row["attention"]["pointing"]
    return "-" if share is None else f"{100 * share:.1f}"


def _cell(row: Measured | None) -> str:
    if row is None:
        return "-"
    found = wilson(row["correct"], row["images"])
    middle, low, high = (100 * one for one in (found.estimate, found.low, found.high))
    return f"{middle:.1f} ({low:.1f} to {high:.1f})"


def figure(rows: Sequence[Measured]) -> str:
    """Return the figure: the last network of each kind on both sources, as SVG."""
    curves = []
    for model, title in KINDS.items():
        for source, told in (
            ("scenes", "scenes of umnist"),
            ("original", "the released generator"),
        ):
            network = last_name(model)
            points = [
                CurvePoint(canvas_px, found.estimate, found.low, found.high)
                for canvas_px in CANVASES_PX
                if (row := find(rows, network, source, canvas_px)) is not None
                for found in [wilson(row["correct"], row["images"])]
            ]
            curves.append(Curve(f"compact {title}", told, tuple(points)))
    return draw_curves(curves, AXIS, LEAST)


def written(text: str, rows: Sequence[Measured]) -> str:
    """Return the page with the tables of rows in it."""
    return _TABLES.sub(lambda _found: tables(rows), text)


if __name__ == "__main__":
    before = load_measured() if FIGURES.is_file() else []
    measured = joined(before, [read_summary(Path(word)) for word in sys.argv[1:]])
    FIGURES.write_text(json.dumps(measured, indent=1) + "\n")
    FIGURE.write_text(figure(measured))
    if PAGE.is_file():
        PAGE.write_text(written(PAGE.read_text(), measured))
