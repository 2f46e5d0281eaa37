"""What is not measured yet stands in the documents: every figure, and no other."""

from __future__ import annotations

import json
import re
from pathlib import Path

from umnist_core.bench.gpu.figures import FIGURES, TRAINED
from umnist_core.bench.gpu.parts import PARTS
from umnist_core.bench.gpu.small_state import LOST
from umnist_core.models.catalogue import CATALOGUE

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = (ROOT / "docs" / "gpu.md").read_text()
MEASURED = ROOT / "benchmarks" / "gpu-check.json"
"""Where a report of a card is kept once there is one."""


def _rows(heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its head."""
    _, _, below = DOCUMENT.partition(f"\n## {heading}\n")
    lines = below.partition("\n## ")[0].splitlines()
    table = [line for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def _measured() -> set[str]:
    """Return the figures that a report has of everything that they are of."""
    if not MEASURED.is_file():
        return set()
    report = json.loads(MEASURED.read_text())
    assert report["head"]["is_rehearsal"] is False
    return {
        name
        for name, figure in report["figures"].items()
        if all(value["value"] is not None for value in figure["values"].values())
    }


def test_what_is_not_measured_yet_is_listed() -> None:
    """Each figure by its name and in the same words, in the order in which it is measured."""
    listed = [(name.strip("`"), meaning) for name, meaning, _, _ in _rows("Not measured yet")]
    measured = _measured()
    assert listed == [
        (figure.name, figure.meaning) for figure in FIGURES if figure.name not in measured
    ]


def test_units_and_aims_are_those_of_the_figures() -> None:
    """A number of an aim in the documents is one that the table goes by, and the reverse."""
    rows = {name.strip("`"): (unit, aim) for name, _, unit, aim in _rows("Not measured yet")}
    for figure in FIGURES:
        if figure.name not in rows:
            continue
        unit, aim = rows[figure.name]
        assert unit == figure.unit
        aims = {one for key in figure.keys if (one := figure.aim_of(key)) is not None}
        numbers = {one.least if one.most is None else one.most for one in aims}
        written = {float(number) for number in re.findall(r"\d+(?:\.\d+)?", aim)}
        assert numbers <= written, figure.name
        assert bool(aim) == bool(aims), figure.name


def test_every_part_and_way_is_explained() -> None:
    """In their order, with the shares of the time that they have."""
    parts = [(name.strip("`"), share) for name, share, _ in _rows("The parts")]
    assert [name for name, _ in parts] == [part.name for part in PARTS]
    shares = [float(re.findall(r"\d+", share)[0]) / 100 for _, share in parts[:-1]]
    assert shares == [part.share for part in PARTS[:-1]]
    ways = [way.strip("`") for way, _, _ in _rows("Going on at another time")]
    assert ways == [*LOST]


def test_figures_are_of_everything_that_there_is() -> None:
    """Names are declared once, each part has some, and a new model is compared without a word."""
    names = [figure.name for figure in FIGURES]
    assert len({*names}) == len(names)
    assert {figure.part for figure in FIGURES} == {part.name for part in PARTS}
    keys = {figure.name: figure.keys for figure in FIGURES}
    assert {key.partition("/")[0] for key in keys["agree.logits"]} == CATALOGUE.keys()
    assert {*TRAINED} <= CATALOGUE.keys()
