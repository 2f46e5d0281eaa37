"""Every figure of a study in one record, as the results page and the export show it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan, nan
from typing import Any

import numpy as np
import pandas as pd

from . import breakdown
from .clustering import Clustering, measure_clustering
from .compare import PERMUTATIONS, Difference, compare_pools
from .effort import effort_table, label_efforts
from .intervals import LEVEL, Interval, annotator_interval, crossed_interval, wilson
from .mixed_logistic import MixedLogistic, fit_mixed_logistic
from .plain import plain_value
from .power import Plan, detectable_difference, power_table
from .published import PublishedFigure, TwoProportions, beside_published, published_comparison
from .reasons import WhyWrong, why_wrong
from .tables import POOLS, check_labels

REPORT_VERSION = 1
"""Raised when a field changes its meaning."""


@dataclass(frozen=True)
class PoolSummary:
    """One pool's accuracy.

    Attributes
    ----------
    pool
        ``"unguided"`` or ``"guided"``.
    labels, annotators, images
        Counted first answers, who gave them, and images that have one.
    accuracy
        t on per-annotator means: for people and images like these if each image was answered
        once.
    crossed
        The same for people and images like these, where images were answered several times.
    independent
        Wilson's interval, which assumes independent answers.
    clustering
        How alike one person's answers are.
    """

    pool: str
    labels: int
    annotators: int
    images: int
    accuracy: Interval
    crossed: Interval
    independent: Interval
    clustering: Clustering

    @property
    def is_crossed(self) -> bool:
        """Whether images were answered several times, so that they are clusters too."""
        return self.images < self.labels

    @property
    def reported(self) -> Interval:
        """The figure to report: `crossed` if images were answered several times, or `accuracy`."""
        return self.crossed if self.is_crossed else self.accuracy


@dataclass(frozen=True)
class WithoutExcluded:
    """The other reading of a study: without the people whom its rules of exclusion catch.

    Attributes
    ----------
    people, labels
        How many were left out, and their counted first answers.
    pools, clustering, difference
        As of `StudyReport`, of those who are left.
    """

    people: int
    labels: int
    pools: tuple[PoolSummary, ...]
    clustering: Clustering
    difference: Difference


@dataclass(frozen=True, eq=False)
class StudyReport:
    """Every figure of a study.

    Attributes
    ----------
    pools
        Unguided, then guided; a pool without answers has NaN.
    clustering
        Of both pools: correlation and labels for each annotator are means of the pools', weighted
        by labels, so that a difference between pools is not taken for one between people. What
        power is planned with.
    difference
        Guided minus unguided.
    mixed
        The logistic mixed model of all answers, people and images crossed, with the effect
        ``guided`` where both pools have answers.
    detectable
        Difference that this study finds with a power of 80 %, with the labels of the smaller
        pool; NaN without answers in both.
    power
        `power.power_table` from the measured clustering.
    published
        The published accuracies beside ours; ``published_difference`` is their comparison.
    why_wrong
        Reasons of wrong answers.
    without_excluded
        The same without the people whom a rule of exclusion catches; None where none is caught
        or nobody was judged. All other figures are of everybody.
    tables
        Name -> breakdown, the functions of `breakdown`, and `effort.effort_table`.
    notes
        Sentences that belong beside the figures.
    level, permutations, version
        What it was computed with.
    """

    pools: tuple[PoolSummary, ...]
    clustering: Clustering
    difference: Difference
    mixed: MixedLogistic
    detectable: float
    power: pd.DataFrame
    published: tuple[PublishedFigure, ...]
    published_difference: TwoProportions
    why_wrong: WhyWrong
    without_excluded: WithoutExcluded | None
    tables: Mapping[str, pd.DataFrame]
    notes: tuple[str, ...]
    level: float
    permutations: int
    version: int = REPORT_VERSION

    def to_dict(self) -> dict[str, Any]:
        """Return the report as what JSON can hold.

        A table becomes a list of rows, confusion one of lists; a number that is not known, or
        an infinite one, becomes None.
        """
        plain: dict[str, Any] = plain_value(self)
        return plain

    def to_json(self) -> str:
        """Return the report as JSON that any parser reads (no NaN)."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)


def report(
    labels: pd.DataFrame,
    digits: pd.DataFrame,
    *,
    rng: np.random.Generator,
    permutations: int = PERMUTATIONS,
    level: float = LEVEL,
) -> StudyReport:
    """Return every figure of a study; with few or no answers, what can be said of them.

    Parameters
    ----------
    labels, digits
        As docs/statistics.md lists them; digits with the columns of `looking.add_looks`.
    rng
        Draws the permutations.

    Raises
    ------
    ScoringInputError
        As `tables.check_labels`.
    """
    whole = check_labels(labels)
    whole = whole.assign(effort=label_efforts(whole, digits))
    first = breakdown.first_answers(whole)
    pools, difference = _reading(first, rng, permutations, level)
    clustering = _of_both(pools)
    plan, smaller = _plan(pools, clustering, difference), min(pool.labels for pool in pools)
    return StudyReport(
        pools=pools,
        clustering=clustering,
        difference=difference,
        mixed=_mixed(first, level),
        detectable=detectable_difference(plan, smaller) if plan and smaller else nan,
        power=power_table(plan, smaller),
        published=tuple(
            beside_published(each.pool, each.accuracy, clustering.icc, level) for each in pools
        ),
        published_difference=published_comparison(level),
        why_wrong=why_wrong(whole, digits, level),
        without_excluded=_without_excluded(first, rng, permutations, level),
        tables=_tables(whole),
        notes=_notes(pools, difference, plan),
        level=level,
        permutations=permutations,
    )


def _reading(
    first: pd.DataFrame, rng: np.random.Generator, permutations: int, level: float
) -> tuple[tuple[PoolSummary, ...], Difference]:
    """Return each pool and their difference, of first answers."""
    pools = tuple(_summary(pool, first[first["pool"] == pool], level) for pool in POOLS)
    difference = compare_pools(
        first["correct"].to_numpy(bool),
        first["annotator"].to_numpy(object),
        first["stimulus"].to_numpy(object),
        first["pool"].to_numpy(object) == "guided",
        rng=rng,
        permutations=permutations,
        level=level,
    )
    return pools, difference


def _without_excluded(
    first: pd.DataFrame, rng: np.random.Generator, permutations: int, level: float
) -> WithoutExcluded | None:
    """Return the reading without excluded people; of a generator that the other has used."""
    if "excluded" not in first or not first["excluded"].to_numpy(bool).any():
        return None
    out = first["excluded"].to_numpy(bool)
    kept = first[~out].reset_index(drop=True)
    pools, difference = _reading(kept, rng, permutations, level)
    people = len(set(first.loc[out, "annotator"]))
    return WithoutExcluded(people, int(out.sum()), pools, _of_both(pools), difference)


def _summary(pool: str, labels: pd.DataFrame, level: float) -> PoolSummary:
    marks = labels["correct"].to_numpy(bool)
    people, images = labels["annotator"].to_numpy(object), labels["stimulus"].to_numpy(object)
    return PoolSummary(
        pool=pool,
        labels=len(marks),
        annotators=len(set(people)),
        images=len(set(images)),
        accuracy=annotator_interval(marks, people, level),
        crossed=crossed_interval(marks, people, images, level),
        independent=wilson(int(marks.sum()), len(marks), level),
        clustering=measure_clustering(marks, people, level),
    )


def _mixed(labels: pd.DataFrame, level: float) -> MixedLogistic:
    guided = labels["pool"].to_numpy(object) == "guided"
    return fit_mixed_logistic(
        labels["correct"].to_numpy(bool),
        labels["annotator"].to_numpy(object),
        labels["stimulus"].to_numpy(object),
        {"guided": guided} if guided.any() and not guided.all() else {},
        level,
    )


def _of_both(pools: tuple[PoolSummary, ...]) -> Clustering:
    """Return the pools' clustering, averaged with their labels as weights."""
    known = [pool.clustering for pool in pools if not isnan(pool.clustering.icc)]
    people, labels = sum(pool.annotators for pool in pools), sum(pool.labels for pool in pools)
    if not known:
        return Clustering(people, labels, nan, nan, nan, nan, nan, nan)
    weights = [each.labels for each in known]
    names = ("labels_per_annotator", "icc", "icc_low", "icc_high", "design_effect")
    means = {
        name: float(np.average([getattr(each, name) for each in known], weights=weights))
        for name in names
    }
    effective = sum(each.effective_labels for each in known)
    return Clustering(people, labels, effective_labels=effective, **means)


def _plan(
    pools: tuple[PoolSummary, ...], clustering: Clustering, difference: Difference
) -> Plan | None:
    """Return what a further study would be planned with; None if too little is known."""
    unguided = pools[0].accuracy.estimate
    if isnan(clustering.icc) or not 0 < unguided < 1:
        return None
    ratio = difference.variance_ratio
    return Plan(
        unguided,
        clustering.icc,
        max(1.0, clustering.labels_per_annotator),
        1.0 if isnan(ratio) else ratio,
    )


def _tables(labels: pd.DataFrame) -> dict[str, pd.DataFrame]:
    by_cell = {}
    if "cell" in labels and labels["cell"].notna().any():  # of a study with factors
        by_cell["by_cell"] = breakdown.accuracy_by(labels, "cell")
        by_cell["by_factor"] = breakdown.accuracy_by_factor(labels)
    sides, ink = breakdown.SMALLEST_SIDE_EDGES_PX, breakdown.INK_SHARE_EDGES
    return {
        "by_number_of_digits": breakdown.accuracy_by(labels, "n_digits"),
        "by_smallest_side": breakdown.accuracy_by_bin(labels, "smallest_side_px", sides),
        **by_cell,
        "by_truth": breakdown.accuracy_by(labels, "truth"),
        "by_ink_share": breakdown.accuracy_by_bin(labels, "ink_share", ink),
        "by_annotator": breakdown.accuracy_by_annotator(labels),
        "response_times": breakdown.response_times(labels),
        "confusion": breakdown.confusion(labels),
        "self_consistency": breakdown.self_consistency(labels),
        "calibration": breakdown.calibration(labels),
        "calibration_summary": breakdown.calibration_summary(labels),
        "effort": effort_table(labels),
    }


def _notes(
    pools: tuple[PoolSummary, ...], difference: Difference, plan: Plan | None
) -> tuple[str, ...]:
    notes = [f"{pool.pool}: {pool.accuracy.note}" for pool in pools if pool.accuracy.note]
    for pool in pools:
        if pool.is_crossed and not isnan(pool.crossed.low):
            notes.append(
                f"{pool.pool}: images were answered several times; for images like these, not "
                f"only these, read the crossed interval, {100 * pool.crossed.low:.1f} to "
                f"{100 * pool.crossed.high:.1f} %."
            )
        if 2 <= pool.annotators < 10:
            notes.append(
                f"{pool.pool}: with {pool.annotators} annotators the interval holds only if their "
                "accuracies are spread about evenly around the mean."
            )
    notes += [f"difference: {note}" for note in (difference.paired.note, difference.test.note)]
    if plan is None:
        notes.append("power: needs annotators of several labels each and some wrong answers.")
    return tuple(note for note in notes if not note.endswith(": "))
