"""The table of all models: what stands in its rows; no widgets.

A row is JSON for ``static/models/table.js``, whose ``Row`` explains every entry. Sums are of
images; where a model answers several questions, the first one's share is that of the row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pages._ui.models.links import paper_address
from pages._ui.shared.systems import SYSTEMS
from pages._ui.shared.words import percent
from umnist_core.datasets.large_scale.ref import ALL_PRESETS
from umnist_core.experiments.published.methods import CHANCE, PEOPLE, PUBLISHED, PublishedMethod
from umnist_core.models.card_answers import find_cost
from umnist_core.models.card_figures import Share, counted, is_at_chance, read_figures
from umnist_core.models.cards import Card
from umnist_core.models.catalogue import CATALOGUE, OWN
from umnist_core.models.weight_counts import count_weights

HERE, NOT_LEARNED, RECIPE = "here", "not-learned", "recipe"

TIERS = {
    HERE: "Measured here",
    NOT_LEARNED: "Not learned",
    PUBLISHED: "Published",
    PEOPLE: "Published, people",
    CHANCE: "Chance",
    RECIPE: "Recipe alone",
}
"""Where a row's figure is from, or that there is none."""

SEEN = {"labels-only": "labels alone", "unconstrained": "boxes and classes"}

ELSEWHERE = "other"
"""Key of the data system of what belongs to none."""

_YEAR = re.compile(r"\b(?:19|20)\d\d\b(?!\.)")

_SYSTEM_OF_MODEL = {"espcn": "meth", "vgg16-gap": "meth", "vgg16-spp": "meth"}
"""Models without a published figure, for which no preset says what they are for."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint with its name, its file and its card."""

    name: str
    path: Path
    card: Card


def system_of(card: Card) -> str:
    """Return the key of the data system that a checkpoint learned from."""
    preset, kind = card.data.get("preset"), card.data.get("kind")
    if isinstance(preset, str) and preset in ALL_PRESETS:
        planner = ALL_PRESETS[preset].planner
        return planner if planner in SYSTEMS else "patchgd"
    if isinstance(kind, str):
        named = (key for key, one in SYSTEMS.items() if one.kinds and one.has(kind))
        return next(named, ELSEWHERE)
    return ELSEWHERE


def system_title(key: str) -> str:
    """Return the name of a data system for people."""
    return SYSTEMS[key].title if key in SYSTEMS else "Other images"


def table_rows(
    checkpoints: Iterable[Checkpoint],
    methods: Iterable[PublishedMethod],
    runs: dict[str, tuple[str, ...]],
) -> list[dict[str, Any]]:
    """Return the rows: checkpoints, published methods, then models with neither.

    Parameters
    ----------
    checkpoints
        Those here.
    methods
        As `umnist_core.experiments.published.methods.published_methods` gives them.
    runs
        As `umnist_core.training.runs.find_runs` gives them.
    """
    known, published = list(checkpoints), list(methods)
    rows = [_of_checkpoint(one) for one in known]
    rows += [_of_method(place, one) for place, one in enumerate(published)]
    told = {one.card.model for one in known} | {one.model for one in published}
    rows += [_of_recipe(name, runs.get(name, ())) for name in CATALOGUE if name not in told]
    return rows


def _of_checkpoint(one: Checkpoint) -> dict[str, Any]:
    facts = CATALOGUE.get(one.card.model)
    figures = read_figures(one.card.figures)
    cost = find_cost(one.card)
    paper = "" if facts is None or facts.paper == OWN else facts.paper
    return {
        **_blank(),
        "key": one.name,
        "name": one.name,
        "about": _about(one, facts.title if facts is not None else one.card.model),
        "card": one.name,
        "system": system_of(one.card),
        "systemTitle": system_title(system_of(one.card)),
        "tier": NOT_LEARNED if is_at_chance(one.card) else HERE,
        "tierTitle": TIERS[NOT_LEARNED if is_at_chance(one.card) else HERE],
        **_share(figures.accuracy[:1]),
        "more": _more(figures.accuracy),
        "sees": "" if facts is None else SEEN[facts.sees],
        **_size(count_weights(one.path), one.path.stat().st_size),
        "seconds": None if cost is None else cost.seconds,
        "time": "" if cost is None else time_words(cost.seconds),
        "memory": None if cost is None or not cost.peak_bytes else cost.peak_bytes,
        "memoryTitle": memory_words(cost.peak_bytes) if cost and cost.peak_bytes else "",
        "paper": cited(paper) or "our own",
        "address": paper_address(paper),
        "year": _year(paper),
    }


def _about(one: Checkpoint, title: str) -> str:
    """Return what kind of model it is, unless its name says so."""
    return "" if title.lower().replace(" ", "-") == one.name else title


def _of_method(place: int, one: PublishedMethod) -> dict[str, Any]:
    shares = list(_published_shares(one))
    paper = one.paper
    return {
        **_blank(),
        "key": f"published-{place}",
        "name": one.method,
        "system": one.system,
        "systemTitle": system_title(one.system),
        "tier": one.tier,
        "tierTitle": TIERS[one.tier],
        **_share(shares[:1]),
        "spread": next(iter(one.spread.values()), None),
        "more": _more(shares),
        "sees": SEEN.get(one.sees, ""),
        **_size(one.parameters, 0),
        "memoryTitle": one.memory,
        "paper": "" if paper is None else f"{paper.authors} {paper.year}",
        "address": None if paper is None else paper_address(paper.identifier),
        "year": None if paper is None else paper.year,
        "source": source_words(one),
        "note": one.note,
        "commands": list(one.commands),
    }


def _of_recipe(name: str, runs: tuple[str, ...]) -> dict[str, Any]:
    facts = CATALOGUE[name]
    of_sums = "ultramnist" if facts.answers.startswith("the sum") else ELSEWHERE
    system = _SYSTEM_OF_MODEL.get(name, of_sums)
    return {
        **_blank(),
        "key": f"recipe-{name}",
        "name": facts.title,
        "system": system,
        "systemTitle": system_title(system),
        "tier": RECIPE,
        "tierTitle": TIERS[RECIPE],
        "sees": SEEN[facts.sees],
        "paper": cited(facts.paper) or "our own",
        "address": paper_address(facts.paper),
        "year": _year(facts.paper),
        "source": "No figure of it is published on these images, and it was not trained here.",
        "note": facts.idea,
        "commands": [f"umnist train {run}" for run in runs[:1]],
    }


def _blank() -> dict[str, Any]:
    texts = ("about", "card", "more", "sees", "size", "time", "memoryTitle", "source", "note")
    numbers = ("share", "low", "high", "spread", "parameters", "seconds", "memory", "year")
    rest: dict[str, Any] = {"said": "", "of": "", "address": None, "paper": "", "commands": []}
    return dict.fromkeys(texts, "") | dict.fromkeys(numbers) | rest


def _published_shares(one: PublishedMethod) -> Iterator[Share]:
    for task, value in one.figures.items():
        right_of = one.counts.get(task)
        yield Share(task, value / 100) if right_of is None else counted(task, *right_of)


def _share(shares: Iterable[Share]) -> dict[str, Any]:
    """Return share and interval of the first question in per cent, and in words."""
    for one in shares:
        low, high = one.low, one.high
        is_known = low is not None and high is not None
        return {
            "share": 100 * one.share,
            "low": 100 * low if low is not None else None,
            "high": 100 * high if high is not None else None,
            "said": percent(one.share),
            "of": f"{100 * (low or 0):.1f} to {100 * (high or 0):.1f}" if is_known else "",
        }
    return {}


def _more(shares: Iterable[Share]) -> str:
    """Return the shares of all questions, where there are several."""
    told = [f"{one.label} {100 * one.share:.1f}" for one in shares]
    return " · ".join(told) if len(told) > 1 else ""


def _size(parameters: int, size_bytes: int) -> dict[str, Any]:
    parts = [count_words(parameters)] if parameters else []
    parts += [f"{size_bytes / 1e6:.1f} MB"] if size_bytes else []
    return {"parameters": parameters or None, "size": ", ".join(parts)}


def cited(paper: str) -> str:
    """Return a paper as it is cited in a row: authors and year; empty of our own."""
    found = _YEAR.search(paper)
    if found is None:
        return ""
    authors = paper[: found.start()].strip()
    first, comma, _ = authors.partition(",")
    return f"{first} et al. {found[0]}" if comma else f"{authors} {found[0]}"


def _year(paper: str) -> int | None:
    found = _YEAR.search(paper)
    return None if found is None else int(found[0])


def source_words(one: PublishedMethod) -> str:
    """Return where a published figure stands."""
    if not one.provenance:
        return "Nothing published of it could be read."
    of = f", {one.paper.authors} {one.paper.year}" if one.paper is not None else ""
    how = "in" if one.provenance in one.where else _IN[one.provenance]
    return f"Published {how} {one.where}{of}."


_IN = {"text": "in the text:", "table": "in a table:", "figure": "as a figure:", "log": "in a log:"}


def count_words(number: int) -> str:
    """Return a count of weights as people say it."""
    if number < 1_000_000:
        return f"{number / 1000:.0f} k"
    return f"{number / 1e6:.1f} M" if number < 99_950_000 else f"{number / 1e6:.0f} M"


def time_words(seconds: float) -> str:
    """Return the time of an answer."""
    return f"{seconds:.2f} s" if seconds >= 0.0995 else f"{1000 * seconds:.0f} ms"


def memory_words(size_bytes: int) -> str:
    """Return a peak of memory."""
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"
