"""The psychometric curve of a sweep over a quantity: threshold and slope, with intervals."""

from __future__ import annotations

import streamlit as st

from pages._ui.experiments.rows import rows_html
from umnist_core.experiments.published.beside import SweepFolder
from umnist_core.experiments.published.sweep_charts import Measure, short_axis
from umnist_core.models.card_figures import BY_CHANCE
from umnist_core.scoring.agreement import PsychometricFit, fit_psychometric
from umnist_core.scoring.errors import ScoringInputError

_FEWEST = 4
"""Places on the axis that a curve of two parameters takes."""


def show_threshold(sweep: SweepFolder, measure: Measure, axis: str) -> None:
    """Draw a row for each curve of a sweep whose images are independent; nothing of others."""
    fits = fits_of(sweep, measure, axis)
    if not fits:
        return
    heads = ("Curve", f"Threshold ({short_axis(axis)})", "95 %", "Slope (logits a unit)", "95 %")
    rows = [
        [
            name,
            f"{fit.threshold.estimate:.3g}",
            f"{fit.threshold.low:.3g} to {fit.threshold.high:.3g}",
            f"{fit.slope.estimate:.3g}",
            f"{fit.slope.low:.3g} to {fit.slope.high:.3g}",
        ]
        for name, fit in fits.items()
    ]
    with st.expander("Threshold and slope"):
        st.html(rows_html(heads, rows, "Thresholds"))
        notes = dict.fromkeys(f"{name}: {fit.note}" for name, fit in fits.items() if fit.note)
        st.caption(
            " ".join(
                (
                    "A logistic curve between chance and one less a lapse rate; the threshold is "
                    "half way.",
                    *notes,
                )
            )
        )


def fits_of(sweep: SweepFolder, measure: Measure, axis: str) -> dict[str, PsychometricFit]:
    """Return a fit for each curve over an axis of numbers, of sweeps that evaluate."""
    if sweep.plan.get("kind") != "evaluate":
        return {}
    curves: dict[str, list[tuple[float, int, int]]] = {}
    axes = [name for name in sweep.plan["cells"][0]["labels"] if name != axis]
    for row in sweep.rows:
        if not measure.holds(row) or not row["images"]:
            continue
        try:
            x = float(row[axis])
        except (KeyError, ValueError):
            return {}
        name = ", ".join(str(row.get(one, "")) for one in axes) or sweep.title
        curves.setdefault(name, []).append((x, row["right"], row["images"]))
    guess = BY_CHANCE.get(measure.task, 0.0)
    found = {}
    for name, points in curves.items():
        if len({x for x, _, _ in points}) < _FEWEST:
            continue
        try:
            found[name] = fit_psychometric(*zip(*points, strict=True), guess=guess)
        except ScoringInputError:
            continue  # all right or all wrong: there is no threshold between
    return found
