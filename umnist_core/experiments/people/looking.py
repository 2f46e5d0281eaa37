"""Where people and models looked, how long they took, and what a model makes of what people saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from umnist_core.attention.dwell import Agreement, compare_grids
from umnist_core.experiments.people.breakdowns import PEOPLE
from umnist_core.experiments.people.pairing import Paired
from umnist_core.scoring import Trace, crossed_interval, heat, wilson
from umnist_core.scoring.agreement import rank_correlation, time_scores
from umnist_core.scoring.correct import is_correct
from umnist_core.scoring.images import HEAT_CELL_PX, LEAST_CELLS, MOST_CELLS
from umnist_core.scoring.intervals import (
    CROSSED,
    annotator_variance,
    shared_image_variance,
    t_interval,
)

LEAST_TIMES = 8
"""Images that a correlation with times needs."""

Row = dict[str, Any]
Grid = NDArray[np.float64]


def gaze_grid(traces: Sequence[Trace], size: tuple[int, int]) -> Grid | None:
    """Return where people looked at an image, as shares of 1; None where nobody did.

    Parameters
    ----------
    traces
        Of those whose gaze is asked for.
    size
        Height and width of the image, px.
    """
    cells = (int(np.clip(round(side / HEAT_CELL_PX), LEAST_CELLS, MOST_CELLS)) for side in size)
    grid = (next(cells), next(cells))
    total = np.zeros(grid)
    for parts in traces:
        total += heat(parts, size, grid)
    return total / total.sum() if total.sum() > 0 else None


# -- gaze -----------------------------------------------------------------------------


def gaze_rows(paired: Paired, rng: np.random.Generator) -> Iterator[Row]:
    """Yield how alike gaze is: each person's with the others', and each model's with people's."""
    between = dict(_between_people(paired))
    if between:
        yield _gaze_row(PEOPLE, between, rng)
    for model, answers in paired.models.items():
        found = {
            image: Agreement(one.similarity, nan if one.correlation is None else one.correlation)
            for image, one in answers.items()
            if one.similarity is not None
        }
        if found:
            yield _gaze_row(model, found, rng)


def _between_people(paired: Paired) -> Iterator[tuple[str, Agreement]]:
    for image, one in paired.images.items():
        own = paired.answers[paired.answers["stimulus"] == image]
        keys = [key for key in own["label_key"] if key in paired.people.traces]
        if one.size is None or len(keys) < 2:
            continue
        grids = [gaze_grid([paired.people.traces[key]], one.size) for key in keys]
        known = [grid for grid in grids if grid is not None]
        if len(known) < 2:
            continue
        whole = np.sum(known, axis=0)
        found = [compare_grids(grid, (whole - grid) / (whole - grid).sum()) for grid in known]
        yield (
            image,
            Agreement(
                float(np.mean([each.similarity for each in found])),
                float(np.mean([each.correlation for each in found])),
            ),
        )


def _gaze_row(name: str, by_image: Mapping[str, Agreement], rng: np.random.Generator) -> Row:
    row: Row = {"name": name, "images": len(by_image)}
    for figure in ("similarity", "correlation"):
        values = np.array([getattr(one, figure) for one in by_image.values()])
        mean, low, high = _mean(values[~np.isnan(values)], rng)
        row |= {figure: mean, f"{figure}_low": low, f"{figure}_high": high}
    row["by_image"] = [
        {"image": image, "similarity": one.similarity, "correlation": one.correlation}
        for image, one in by_image.items()
    ]
    return row


def _mean(values: Grid, rng: np.random.Generator) -> tuple[float, float, float]:
    """Return a mean over images with the ends that images drawn anew give."""
    if len(values) < 2:
        return (float(values.mean()) if len(values) else nan), nan, nan
    drawn = values[rng.integers(len(values), size=(1000, len(values)))].mean(axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(values.mean()), float(low), float(high)


# -- times ----------------------------------------------------------------------------


def time_rows(paired: Paired, rng: np.random.Generator) -> Iterator[Row]:
    """Yield how people's times go with each model's margin, over images."""
    answers = paired.answers
    column = next((name for name in ("active_ms", "response_ms") if name in answers), None)
    if column is None:
        return
    times = answers[column].to_numpy(float)
    scores = time_scores(times, answers["annotator"].to_numpy(object))
    table = answers.assign(score=scores, seconds=times / 1000)
    by_image = table.groupby("stimulus")
    score, seconds = by_image["score"].mean(), by_image["seconds"].median()
    for model, own in paired.models.items():
        margin_of = {
            image: one.margin
            for image, one in own.items()
            if one.margin is not None and not np.isnan(score.get(image, nan))
        }
        if not margin_of:
            continue
        known, margins = list(margin_of), list(margin_of.values())
        found = rank_correlation(margins, [score[image] for image in known], rng=rng)
        yield {
            "model": model,
            "images": found.images,
            "answers": int(table["score"].notna().sum()),
            "spearman": found.estimate,
            "low": found.low,
            "high": found.high,
            "note": "Too few images for a correlation." if found.images < LEAST_TIMES else "",
            "points": [
                [margin, float(seconds[image]), image]
                for margin, image in zip(margins, known, strict=True)
            ],
        }


# -- the same viewing budget ----------------------------------------------------------


def budget_rows(paired: Paired) -> Iterator[Row]:
    """Yield people, a model on what they saw, and the model on the whole, for the same answers."""
    pairs = zip(paired.answers["annotator"], paired.answers["stimulus"], strict=True)
    marks = dict(zip(pairs, paired.answers["correct"].astype(bool), strict=True))
    for model, seen in paired.through_people.items():
        known = [key for key in seen if key in marks and key[1] in paired.models[model]]
        if not known:
            continue
        own = [marks[key] for key in known]
        through = [is_correct(seen[key].said, paired.images[key[1]].truth) for key in known]
        whole = [paired.is_right(model, image) for _, image in known]
        difference, p_value = _difference(through, own, known)
        yield {
            "model": model,
            "answers": len(known),
            "people": _share(own, known),
            "whole": _share(whole, known),
            "as_seen": _share(through, known),
            "difference": difference,
            "p_value": p_value,
        }


def _difference(
    first: Sequence[bool], second: Sequence[bool], keys: Sequence[tuple[str, str]]
) -> tuple[Row, float]:
    """Return the difference of two shares for the same answers, and how often chance gives it.

    Student's t, people and images crossed, as `umnist_core.scoring.crossed_interval` has it.
    """
    apart = np.array(first, dtype=float) - np.array(second, dtype=float)
    people, images = zip(*keys, strict=True)
    variance, count = annotator_variance(apart, people)
    mean = float(apart.mean())
    if count < 2 or not variance > 0:
        return {"estimate": mean, "low": nan, "high": nan}, nan
    shared = shared_image_variance((apart - mean) / len(apart), people, images)
    whole = max(variance, variance + shared)
    one = t_interval(mean, whole, count - 1, CROSSED, lowest=-1.0)
    p_value = 2 * float(special.stdtr(count - 1, -abs(mean) / one.standard_error))
    return {"estimate": mean, "low": one.low, "high": one.high}, p_value


def _share(marks: Sequence[bool], keys: Sequence[tuple[str, str]]) -> Row:
    people, images = zip(*keys, strict=True)
    found = crossed_interval(marks, people, images)
    if not found.is_known:
        found = wilson(sum(marks), len(marks))
    return {"accuracy": found.estimate, "low": found.low, "high": found.high}
