"""How the results are said in words and figures; no widgets."""

from __future__ import annotations

from math import exp, isnan

from pages._ui.shared.words import NO_FIGURE, percent
from umnist_core.scoring import Interval, StudyReport

REASON_TITLES = {
    "not_looked_at": "Not looked at",
    "misread": "Misread",
    "misadded": "Misadded",
    "misread_or_misadded": "Misread or misadded",
    "unknown": "Unknown",
}
"""Why an answer was wrong, `umnist_core.scoring.REASONS`, for people."""

ADAPTIVE_ACCURACY = (
    "Here sizes of digits followed from each person's answers, which keeps about as many right for "
    "everybody. What tells people and pools apart are their thresholds."
)

REASON_HELP = """\
**Not looked at**: some digit was never 12 px large on screen for 200 ms.
**Misread**: all digits were, and the digits that were reported are not the true ones.
**Misadded**: the digits were reported right and the sum is wrong.
**Misread or misadded**: all digits were on screen, and nobody asked which were seen.
**Unknown**: there is no trace of what was on screen, or the digits' places are not known."""


def interval_text(interval: Interval) -> str:
    """Return an accuracy with its interval: 49.3 % (46.2 to 52.4)."""
    if isnan(interval.estimate):
        return NO_FIGURE
    if isnan(interval.low):
        return f"{percent(interval.estimate)} (no interval)"
    return f"{percent(interval.estimate)} ({100 * interval.low:.1f} to {100 * interval.high:.1f})"


def points_text(interval: Interval) -> str:
    """Return a difference of accuracies with its interval: +2.8 points (-1.6 to +7.2)."""
    if isnan(interval.estimate):
        return NO_FIGURE
    if isnan(interval.low):
        return f"{100 * interval.estimate:+.1f} points (no interval)"
    ends = f"{100 * interval.low:+.1f} to {100 * interval.high:+.1f}"
    return f"{100 * interval.estimate:+.1f} points ({ends})".replace("-", "\N{MINUS SIGN}")


def reported_sentence(report: StudyReport) -> str:
    """Return which interval is to be reported, and why, as one sentence."""
    crossed = [pool.pool for pool in report.pools if pool.is_crossed]
    once = [pool.pool for pool in report.pools if pool.labels and not pool.is_crossed]
    if not crossed and not once:
        return "There is no interval to report yet."
    why = []
    if crossed:
        why.append(
            f"the crossed one, over people and images, for {' and '.join(crossed)}, because "
            "images were answered several times and one that is hard is hard for everyone"
        )
    if once:
        why.append(
            f"Student's t over people for {' and '.join(once)}, because each image was answered "
            "once and one person's answers are alike"
        )
    return f"Report the thick interval: {'; '.join(why)}."


def p_text(p_value: float) -> str:
    """Return a p value as it is written: p = 0.021, p < 0.001."""
    if isnan(p_value):
        return "p is not known"
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def test_sentence(report: StudyReport) -> str:
    """Return what the permutation test says, with how it was done."""
    test = report.difference.test
    if isnan(test.p_value):
        return test.note
    which = "all" if test.exact else "drawn at random"
    return (
        f"{p_text(test.p_value)}, two-sided, by exchanging people between the pools "
        f"({test.assignments:,} assignments, {which})."
    )


def clustering_sentence(report: StudyReport) -> str:
    """Return how alike one person's answers are, and what that costs."""
    clustering = report.clustering
    if isnan(clustering.icc):
        return "How alike one person's answers are could not be measured yet."
    return (
        f"One person's answers are alike with an ICC of {clustering.icc:.3f} "
        f"({clustering.icc_low:.3f} to {clustering.icc_high:.3f}): {clustering.labels:,} labels "
        f"tell as much as {clustering.effective_labels:,.0f} independent ones."
    )


def mixed_sentence(report: StudyReport) -> str:
    """Return what the mixed model says, as one sentence."""
    mixed = report.mixed
    guided = mixed.effect("guided")
    if not mixed.is_converged:
        return mixed.note
    spreads = [
        f"{name} differ with a standard deviation of {sd:.2f}"
        for name, sd in (("people", mixed.person_sd), ("images", mixed.image_sd))
        if not isnan(sd)
    ]
    told = f"In the logistic mixed model {' and '.join(spreads)} logits"
    if guided is not None:
        low, high = exp(guided.low), exp(guided.high)
        told += (
            f", and being guided multiplies the odds of a right answer by "
            f"{guided.odds_ratio:.2f} ({low:.2f} to {high:.2f}; {p_text(guided.p_value)})"
        )
    return f"{told}." + (f" {mixed.note}" if mixed.note else "")
