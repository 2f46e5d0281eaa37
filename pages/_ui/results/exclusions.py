"""Both readings of a study, with and without excluded people, and effort apart from error."""

from __future__ import annotations

from math import isnan

import pandas as pd
import streamlit as st

from pages._ui.results.words import interval_text, points_text
from pages._ui.shared.results import Results
from pages._ui.shared.words import NO_FIGURE, POOL_TITLES, count, percent
from umnist_core.labeling.judging import FIXED_BEFORE, Judgement
from umnist_core.scoring import Clustering, Difference, StudyReport
from umnist_core.scoring.study_report import PoolSummary

EFFORT_TITLES = {
    "seen": "Every digit was legible",
    "guessed": "Right, a digit never legible",
    "missed": "Wrong by digits never legible",
    "mixed": "Wrong otherwise, a digit never legible",
}
"""Effort of an answer, `umnist_core.scoring.effort.EFFORTS`, for people."""


def show_exclusions(results: Results) -> None:
    """Draw both readings, who is excluded and why, and effort."""
    judgement = results.judgement
    st.markdown(f"**With and without excluded people**\n\n{chosen_sentence(judgement)}")
    # A table of Markdown, whose cells break: both readings have to be in sight at once.
    rows = readings(results.report).itertuples(index=False, name=None)
    cells = "\n".join(f"| {name} | {one} | {other} |" for name, one, other in rows)
    st.markdown(f"| | Everybody | Without excluded |\n|:--|:--|:--|\n{cells}")
    if judgement.excluded:
        st.markdown("**Who is excluded**")
        st.dataframe(excluded_rows(judgement), hide_index=True, key="results_excluded")
    with st.expander("The rules"):
        st.markdown("\n".join(f"- {sentence}" for sentence in judgement.rules.sentences))
    _show_effort(results.report)


def chosen_sentence(judgement: Judgement) -> str:
    """Return whether the rules were fixed before anybody came, and how many they catch."""
    people = len(judgement.people)
    caught = count(len(judgement.excluded), "person", "people")
    which = f"They catch {caught} of {people}; the other figures of this page are of everybody."
    if judgement.chosen == FIXED_BEFORE:
        return f"The rules were fixed in the study's first event, before anybody came. {which}"
    return (
        "The study fixed no rules. These are the defaults, **chosen after** it was made: the "
        f"reading without the people whom they catch is exploratory. {which}"
    )


def readings(report: StudyReport) -> pd.DataFrame:
    """Return accuracy, difference and ICC of everybody and without excluded people."""
    other = report.without_excluded
    everybody = _reading(report.pools, report.difference, report.clustering)
    without = (
        dict.fromkeys(everybody, "the same")
        if other is None
        else _reading(other.pools, other.difference, other.clustering)
    )
    rows = [(name, everybody[name], without[name]) for name in everybody]
    return pd.DataFrame(rows, columns=["Figure", "Everybody", "Without excluded"])


def _reading(
    pools: tuple[PoolSummary, ...], difference: Difference, clustering: Clustering
) -> dict[str, str]:
    found = {
        f"People, {pool.pool}": f"{pool.annotators} ({count(pool.labels, 'label')})"
        for pool in pools
    }
    found |= {POOL_TITLES[pool.pool]: interval_text(pool.reported) for pool in pools}
    icc = (
        NO_FIGURE
        if isnan(clustering.icc)
        else f"{clustering.icc:.3f} ({clustering.icc_low:.3f} to {clustering.icc_high:.3f})"
    )
    icc = icc.replace("-", "\N{MINUS SIGN}")
    return {**found, "Guided minus unguided": points_text(difference.paired), "ICC": icc}


def excluded_rows(judgement: Judgement) -> pd.DataFrame:
    """Return who is excluded, by which rule, with the figure that it saw."""
    rows = [
        (name, flag.rule.title, f"{flag.value:.3g}", f"{flag.rule.threshold:g}")
        for name, one in judgement.people.items()
        for flag in one.flags
    ]
    return pd.DataFrame(rows, columns=["Person", "Rule", "Found", "Threshold"])


def _show_effort(report: StudyReport) -> None:
    table = report.tables["effort"]
    own = table[(table["pool"] == "all") & (table["labels"] > 0)]
    if own.empty:
        return
    st.markdown(
        "**Effort apart from error**",
        help="A digit that never was 12 px large on the person's screen for 200 ms could not be "
        "read there. What lacks such digits says how far somebody searched, not how well they "
        "read; what has them all the same was guessed or known.",
    )
    rows = [
        (EFFORT_TITLES[row["effort"]], row["labels"], percent(row["share"]), row["correct"])
        for row in own.to_dict("records")
    ]
    columns = ["Answers", "Number", "Share", "Right"]
    st.dataframe(pd.DataFrame(rows, columns=columns), hide_index=True, key="results_effort")
