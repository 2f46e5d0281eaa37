"""What a comparison of people and models says, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isnan
from typing import Any

from umnist_core.experiments.people.breakdowns import PEOPLE

Figures = Mapping[str, Any]

_WIDE = 1.0
"""Half of what kappa can be; an interval as wide says neither together nor apart."""


def sentences(found: Figures) -> Iterator[str]:
    """Yield the sentences, the plainest figures first.

    Parameters
    ----------
    found
        Figures as `umnist_core.experiments.people.compare` collects them.
    """
    whole = {row["group"]: row for row in found["accuracy"] if row["by"] == "all"}
    persons = sum(row["kind"] == "person" for row in found["raters"])
    if people := whole.get(PEOPLE):
        yield (
            f"{persons} {'person' if persons == 1 else 'people'} gave {people['answers']} answers "
            f"to {found['images']} images; {share(people)} of these are right."
        )
    for name, row in whole.items():
        if name != PEOPLE:
            yield f"{name} is right about {share(row)} of the same images."
    yield from _effects(found)
    yield from _consistency(found)
    for row in found["viewing_budget"]:
        yield (
            f"Given only what people had on screen, {row['model']} is right in "
            f"{share(row['as_seen'])} of {row['answers']} answers, people in "
            f"{share(row['people'])}, and with the whole images {row['model']} in "
            f"{share(row['whole'])}."
        )


def _effects(found: Figures) -> Iterator[str]:
    for row in (found["mixed"] or {}).get("effects", ()):
        better = "better than" if row["log_odds"] > 0 else "worse than"
        sure = "" if row["low"] > 0 or row["high"] < 0 else ", which chance alone may give"
        yield (
            f"On the scale that takes out who answered and how hard the images are, {row['model']} "
            f"is {better} the mean person by {abs(row['log_odds']):.2f} logits "
            f"({row['low']:.2f} to {row['high']:.2f}){sure}."
        )


def _consistency(found: Figures) -> Iterator[str]:
    for row in found["consistency"]["groups"]:
        if isnan(row["kappa"]):
            continue
        who = {
            "person-person": "Two people",
            "person-model": f"{row['model']} and a person",
            "model-model": "Two models",
        }[row["kind"]]
        if row["null_low"] == row["null_high"]:  # whatever the order, the agreement is the same
            both = who if row["model"] else who.lower()
            yield (
                f"Whether {both} err on the same images cannot be told: one of them is always "
                "right, or always wrong."
            )
            continue
        if row["high"] - row["low"] >= _WIDE:
            yield (
                f"{who} have too few images or errors in common to tell whether they err on the "
                f"same images: kappa {between(row, 'kappa')}."
            )
            continue
        verdict = "err on the same images about as often as independent errors would"
        if row["kappa"] > row["null_high"] and row["low"] > 0:
            verdict = "err on the same images more often than independent errors would"
        elif row["kappa"] < row["null_low"] and row["high"] < 0:
            verdict = "err on the same images less often than independent errors would"
        yield f"{who} {verdict}: kappa {between(row, 'kappa')}."


def share(row: Figures) -> str:
    """Return an accuracy with its interval, in percent."""
    said = f"{100 * row['accuracy']:.1f} %"
    low, high = row["low"], row["high"]
    if low is None or high is None or isnan(low) or isnan(high):
        return said
    return f"{said} ({100 * low:.1f} to {100 * high:.1f} %)"


def between(row: Figures, name: str) -> str:
    """Return a figure with its interval."""
    return f"{row[name]:.2f} ({row['low']:.2f} to {row['high']:.2f})"
