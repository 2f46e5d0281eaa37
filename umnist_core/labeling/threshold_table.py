"""Thresholds of an adaptive study: of each person, and the mean of each pool."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pandas as pd

from umnist_core.labeling import codebook
from umnist_core.labeling.adaptive_choice import posterior_of, told_by
from umnist_core.labeling.columns import table_of
from umnist_core.labeling.events import SIMULATED
from umnist_core.labeling.results import FoldedStudy
from umnist_core.scoring.adaptive import MeanThreshold, mean_threshold


def thresholds_of(folded: FoldedStudy) -> pd.DataFrame:
    """Return the thresholds of people, columns ``codebook.TABLES["thresholds"]``.

    A row for each person who has answered an image of an adaptive study; none of another study.
    """
    return table_of(codebook.TABLES["thresholds"], _rows(folded))


def pool_thresholds(
    thresholds: pd.DataFrame, excluded: Collection[str] = ()
) -> dict[str, MeanThreshold]:
    """Return pool -> mean threshold of its people, simulated ones left out unless all are.

    Parameters
    ----------
    thresholds
        Of `thresholds_of`.
    excluded
        Ids of people to leave out.
    """
    thresholds = thresholds[~thresholds["annotator"].isin(list(excluded))]
    kept = thresholds[thresholds["origin"] != SIMULATED]
    rows = kept if len(kept) else thresholds
    return {
        str(pool): mean_threshold(own["threshold_px"].tolist())
        for pool, own in rows.groupby("pool", sort=True)
    }


def track_of(folded: FoldedStudy, annotator: str) -> list[tuple[int, int, bool]]:
    """Return position, size in px and whether it was right, of each answer of a person."""
    state = folded.state
    assert state.spec.adaptive is not None
    levels_px = state.spec.adaptive.levels_px
    told = told_by(state, state.annotators[annotator], _sums(folded))
    return [(one.position, levels_px[one.level], one.is_right) for one in told]


def _sums(folded: FoldedStudy) -> Mapping[str, int]:
    return {name: truth["label"] for name, truth in folded.truth.items()}


def _rows(folded: FoldedStudy) -> Iterator[dict[str, Any]]:
    adaptive = folded.state.spec.adaptive
    if adaptive is None:
        return
    sums = _sums(folded)
    for person in folded.state.annotators.values():
        told = told_by(folded.state, person, sums)
        if not told:
            continue
        found = posterior_of(adaptive, told).threshold()
        yield {
            "study": folded.study,
            "annotator": person.id,
            "pool": person.pool,
            "origin": person.origin,
            "trials": found.trials,
            "right": sum(one.is_right for one in told),
            "threshold_px": found.px,
            "threshold_low_px": found.low,
            "threshold_high_px": found.high,
            "slope": found.slope,
            "note": found.note or None,
        }
