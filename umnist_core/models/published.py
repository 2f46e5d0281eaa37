"""Methods that were published on the data systems, with their figures and where each stands.

The figures are data beside this file; nothing here needs torch. Whoever adds one says whether it is
from a text, a table, a figure or a log, and where a source contradicts itself says that, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("published_methods.json")

PROVENANCES = ("text", "table", "figure", "log")
"""Where a published figure may be read."""

PUBLISHED, PEOPLE, CHANCE = "published", "people", "chance"
"""What a row of the published figures is of: a method, people, or guessing."""


@dataclass(frozen=True)
class Paper:
    """A publication.

    Attributes
    ----------
    authors, year
        As it is cited.
    identifier
        ``"doi …"`` or ``"arXiv …"``; empty where it has none.
    """

    authors: str
    year: int
    identifier: str


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
        One of `PROVENANCES`, and the place in the source; empty without figures.
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
    papers = {
        key: Paper(one["authors"], one["year"], one["id"]) for key, one in data["papers"].items()
    }
    return tuple(_method(row, papers) for row in data["methods"])


def _method(row: Mapping[str, Any], papers: Mapping[str, Paper]) -> PublishedMethod:
    told = dict(row)
    runs = [name for name in (told.pop("run", ""), *told.pop("then", ())) if name]
    flags = told.pop("flags", "")
    commands = tuple(" ".join(filter(None, ("umnist train", run, flags))) for run in runs)
    counts = {task: (right, count) for task, (right, count) in told.pop("counts", {}).items()}
    paper = papers.get(told.pop("paper", ""))
    return PublishedMethod(**told, counts=counts, commands=commands, paper=paper)
