"""Figures of people against models as charts; nothing here draws a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from umnist_core.experiments.drawing.chart import (
    OURS,
    PUBLISHED,
    ChartPoint,
    ChartSeries,
    HeatMap,
    SeriesChart,
)

Figures = Mapping[str, Any]

_RATERS_MOST = 24
"""More would not be told apart in a matrix."""


def accuracy_chart(figures: Figures) -> SeriesChart | None:
    """Return the accuracy of every rater with its interval, the best first."""
    raters = sorted(figures["raters"], key=lambda one: -(one["accuracy"] or 0.0))
    raters = [one for one in raters if one["accuracy"] is not None]
    if not raters:
        return None
    series = []
    for kind, mark, title in (("person", PUBLISHED, "People"), ("model", OURS, "Models")):
        points = tuple(
            ChartPoint(
                one["name"],
                100 * one["accuracy"],
                _percent(one["low"]),
                _percent(one["high"]),
                f"{one['name']}: {100 * one['accuracy']:.1f} %, "
                f"{one['correct']} of {one['answered']}",
            )
            for one in raters
            if one["kind"] == kind
        )
        if points:
            series.append(ChartSeries(title, mark, points))
    names = tuple(one["name"] for one in raters)
    return SeriesChart("Accuracy on the same images", "", "Right (%)", tuple(series), names=names)


def breakdowns_of(figures: Figures) -> list[str]:
    """Return what accuracy is broken down by."""
    return list(dict.fromkeys(one["by"] for one in figures["accuracy"] if one["by"] != "all"))


def breakdown_chart(figures: Figures, by: str) -> SeriesChart | None:
    """Return accuracy by a quantity, a series for people and for each model."""
    rows = [one for one in figures["accuracy"] if one["by"] == by and one["accuracy"] is not None]
    if not rows:
        return None
    groups: dict[str, list[ChartPoint]] = {}
    for one in rows:
        groups.setdefault(one["group"], []).append(
            ChartPoint(
                _name(one),
                100 * one["accuracy"],
                _percent(one["low"]),
                _percent(one["high"]),
                f"{one['group']}, {_name(one)}: {100 * one['accuracy']:.1f} %, "
                f"{one['correct']} of {one['answers']}",
            )
        )
    series = tuple(
        ChartSeries(name, PUBLISHED if name == "people" else OURS, tuple(points))
        for name, points in groups.items()
    )
    names = tuple(dict.fromkeys(_name(one) for one in rows))
    title = by.replace("_", " ")
    return SeriesChart(f"Accuracy by {title}", title, "Right (%)", series, names=names)


def _name(row: Mapping[str, Any]) -> str:
    if row.get("from") is None:
        return str(row["value"])
    below = row.get("below")
    return f"{row['from']:g} and more" if below is None else f"{row['from']:g} to {below:g}"


def consistency_heat(figures: Figures) -> HeatMap | None:
    """Return kappa of each pair of raters as a matrix; None with fewer than two."""
    names = [one["name"] for one in figures["raters"]]
    # Models last, so that they stand together.
    names = names if len(names) <= _RATERS_MOST else names[-_RATERS_MOST:]
    if len(names) < 2:
        return None
    found = {}
    for one in figures["consistency"]["pairs"]:
        found[(one["a"], one["b"])] = found[(one["b"], one["a"])] = one["kappa"]
    return HeatMap(
        "Error consistency of each pair",
        "",
        "",
        "kappa",
        tuple(names),
        tuple(names),
        tuple(tuple(found.get((a, b)) for b in names) for a in names),
    )


def reason_chart(figures: Figures) -> SeriesChart | None:
    """Return why answers were wrong, of people and of each model, as shares of wrong answers."""
    rows = [
        one for one in figures["reasons"] if one["kind"] != "person" and one["share"] is not None
    ]
    if not rows:
        return None
    groups: dict[str, list[ChartPoint]] = {}
    for one in rows:
        reason = str(one["reason"]).replace("_", " ")
        groups.setdefault(one["name"], []).append(
            ChartPoint(
                reason,
                100 * one["share"],
                _percent(one["low"]),
                _percent(one["high"]),
                f"{one['name']}, {reason}: {one['answers']} of {one['wrong']} wrong answers",
            )
        )
    series = tuple(
        ChartSeries(name, PUBLISHED if name == "people" else OURS, tuple(points))
        for name, points in groups.items()
    )
    names = tuple(dict.fromkeys(str(one["reason"]).replace("_", " ") for one in rows))
    return SeriesChart("Why answers were wrong", "", "Of wrong answers (%)", series, names=names)


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
