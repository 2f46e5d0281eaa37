"""Methods that were published on the data systems: the rows of the page Models.

Their figures are those of `umnist_core.experiments.published.tables`, whose cells they name; what
else is to be known of a method is data beside this file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from umnist_core.experiments.published.tables import Paper, PublishedCell, get_cell, papers

_FILE = Path(__file__).with_name("methods.json")

PUBLISHED, PEOPLE, CHANCE = "published", "people", "chance"
"""What a row of the published figures is of: a method, people, or guessing."""


@dataclass(frozen=True)
class PublishedMethod:
    """A method, and what was published of it.

    Attributes
    ----------
    method
        Its name for people.
    system
        Key of the data system.
    model
        Its name in the catalogue; empty where umnist does not have it.
    figures
        Task -> accuracy in per cent; empty where nothing was published that can be read.
    spread
        Task -> standard deviation over seeds, in points.
    counts
        Task -> how many of how many were right, where that is known.
    provenance, where
        One of `umnist_core.experiments.published.tables.PROVENANCES`, and the place in the
        source; empty without figures.
    paper
        None where there is no publication.
    tier
        `PUBLISHED`, `PEOPLE` or `CHANCE`.
    sees
        As `umnist_core.models.catalogue.ModelFacts`; empty of people and of guessing.
    parameters
        Of the network as umnist builds it; 0 if that is not known.
    memory
        What is published of it, in words.
    commands
        That train it from nothing, one after the other; none where umnist does not have it.
    note
        What to know of the figure.
    """

    method: str
    system: str
    model: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    spread: Mapping[str, float] = field(default_factory=dict)
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    provenance: str = ""
    where: str = ""
    paper: Paper | None = None
    tier: str = PUBLISHED
    sees: str = ""
    parameters: int = 0
    memory: str = ""
    commands: tuple[str, ...] = ()
    note: str = ""


@cache
def published_methods() -> tuple[PublishedMethod, ...]:
    """Return all of them, in the order of their sources."""
    data = json.loads(_FILE.read_text(encoding="utf-8"))
    return tuple(_method(row) for row in data["methods"])


def _method(row: Mapping[str, Any]) -> PublishedMethod:
    told = dict(row)
    runs = [name for name in (told.pop("run", ""), *told.pop("then", ())) if name]
    flags = told.pop("flags", "")
    cells = {task: get_cell(place) for task, place in told.pop("cells", {}).items()}
    spread = {task: one.sd for task, one in cells.items() if one.sd is not None}
    if seeds := told.pop("seeds", ""):
        spread = {task: get_cell(seeds).sd or 0.0 for task in cells}
    counts = {
        task: (one.right, one.of)
        for task, one in cells.items()
        if one.right is not None and one.of is not None
    }
    first = next(iter(cells.values()), None)
    place = {} if first is None else {"provenance": first.provenance, "where": first.where}
    return PublishedMethod(
        **{**place, **told, "note": _filled(told.get("note", ""))}
        | {"paper": papers().get(told.get("paper", ""))},
        figures={task: one.value for task, one in cells.items()},
        spread=spread,
        counts=counts,
        commands=tuple(" ".join(filter(None, ("umnist train", run, flags))) for run in runs),
    )


def _filled(note: str) -> str:
    """Return a note with the figures of the cells that it names in braces."""
    return re.sub(r"\{([^}]+)\}", lambda found: _said(get_cell(found[1])), note)


def _said(cell: PublishedCell) -> str:
    return (
        f"{cell.value:g}"
        if cell.sd is None
        else f"{cell.value:g} \N{PLUS-MINUS SIGN} {cell.sd:.1f}"
    )
