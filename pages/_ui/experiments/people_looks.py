"""Where people and models looked, and how long people took, as tables of a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from pages._ui.experiments.rows import rows_html

Figures = Mapping[str, Any]


def looks_html(figures: Figures) -> str:
    """Return gaze beside attention, the same viewing budget, and times beside margins.

    Parameters
    ----------
    figures
        Of `umnist_core.experiments.people.PeopleReport.to_dict`; parts without rows are left out.
    """
    return "".join((*_gaze(figures["gaze"]), *_budget(figures["viewing_budget"]), *_times(figures)))


def _gaze(found: list[dict[str, Any]]) -> Iterator[str]:
    if not found:
        return
    rows = [
        [one["name"], str(one["images"]), _between(one, "similarity"), _between(one, "correlation")]
        for one in found
    ]
    yield "<h3>Gaze and attention</h3>"
    yield rows_html(("Who", "Images", "Similarity", "Correlation"), rows, "Gaze and attention")
    yield (
        '<p class="umnist-about">What was on screen stands for gaze; people: each with the others.'
        "</p>"
    )


def _budget(found: list[dict[str, Any]]) -> Iterator[str]:
    if not found:
        return
    parts = ("people", "as_seen", "whole")
    rows = [
        [one["model"], str(one["answers"]), *(_percent(one[part]["accuracy"]) for part in parts)]
        for one in found
    ]
    yield "<h3>The same viewing budget</h3>"
    heads = ("Model", "Answers", "People, %", "Model, as they saw it, %", "Model, whole, %")
    yield rows_html(heads, rows, "The same viewing budget")


def _times(figures: Figures) -> Iterator[str]:
    rows = [
        [one["model"], str(one["images"]), _between(one, "spearman", "low", "high")]
        for one in figures["times"]
        if one["points"]
    ]
    if rows:
        yield "<h3>People's times and models' margins</h3>"
        heads = ("Model", "Images", "Rank correlation")
        yield rows_html(heads, rows, "People's times and models' margins")
    notes = dict.fromkeys(one["note"] for one in figures["times"] if one["note"])
    for note in notes:
        yield f'<p class="umnist-about">{escape(note)}</p>'


def _between(row: Mapping[str, Any], name: str, low: str = "", high: str = "") -> str:
    """Return a figure with its interval; nothing where there is none."""
    value = row[name]
    ends = [row.get(low or f"{name}_low"), row.get(high or f"{name}_high")]
    if value is None:
        return ""
    return f"{value:.2f}" + (f" ({ends[0]:.2f} to {ends[1]:.2f})" if None not in ends else "")


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"
