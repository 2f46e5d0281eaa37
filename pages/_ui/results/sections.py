"""What stands beside the image on Results: figures in sections, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan
from typing import Any

import streamlit as st

from pages._ui.results import breakdowns, figures, thresholds
from pages._ui.results.exclusions import show_exclusions
from pages._ui.results.factors import show_levels
from pages._ui.results.image import open_image, show_answers_given, show_truth
from pages._ui.results.promise import show_plan_section
from pages._ui.results.replay import SECTION, show_replay
from pages._ui.results.replication import show_replication
from pages._ui.results.search import show_search
from pages._ui.results.words import (
    ADAPTIVE_ACCURACY,
    REASON_HELP,
    clustering_sentence,
    interval_text,
    mixed_sentence,
    points_text,
    reported_sentence,
    test_sentence,
)
from pages._ui.shared.charts import DARK, LIGHT, Colours
from pages._ui.shared.results import Results
from pages._ui.shared.words import POOL_TITLES, count, percent
from umnist_core.labeling.records import StudySpec
from umnist_core.labeling.service import StudyService
from umnist_core.scoring import StudyReport


def show_sections(service: StudyService, results: Results, image: str, spec: StudySpec) -> None:
    """Draw the choice of sections, and the chosen one."""
    sections: dict[str, Callable[[Results, str], None]] = {
        **_SECTIONS,
        SECTION: lambda shown, of: show_replay(service, shown, of),
        "Search": lambda shown, _: show_search(service, shown),
    }
    usual = "Accuracy"
    if spec.adaptive is not None:
        usual = thresholds.SECTION
        first = {usual: lambda shown, _: thresholds.show_thresholds(service, shown)}
        sections = {**first, **sections}
    if spec.replicates is not None:
        original = spec.replicates
        sections["Replication"] = lambda shown, _: show_replication(shown, original)
    if st.session_state.get("results_section") not in sections:
        st.session_state["results_section"] = usual
    chosen = st.segmented_control(
        "Figures",
        list(sections),
        required=True,
        key="results_section",
        label_visibility="collapsed",
    )
    if spec.adaptive is not None and chosen == "Accuracy":
        st.caption(ADAPTIVE_ACCURACY)
    sections[chosen or usual](results, image)


def _colours() -> Colours:
    return DARK if st.context.theme.type == "dark" else LIGHT


def _show(title: str, figure: Any, told: str, *, help_: str | None = None) -> None:
    """Draw a chart under its title; a click on a dot that stands for an image opens it."""
    key = "results_chart_" + "".join(c if c.isalnum() else "_" for c in title.lower())

    def open_point() -> None:
        points = st.session_state[key].selection.points
        if points and points[0].get("customdata"):
            data = points[0]["customdata"]
            open_image(data if isinstance(data, str) else data[0])

    leads = title in _LEADS_TO_IMAGES
    st.markdown(f"**{title}**", help=help_)
    st.plotly_chart(
        figure,
        key=key,
        config={"displayModeBar": False},
        alt=f"{title}. {told}",
        on_select=open_point if leads else "ignore",
        selection_mode="points",
    )


_LEADS_TO_IMAGES = ("Each image", "Time for an answer")


def _accuracy(results: Results, image: str) -> None:
    report = results.report
    told = "; ".join(
        f"{POOL_TITLES[pool.pool]}: {interval_text(pool.reported)} from "
        f"{count(pool.labels, 'label')} of {count(pool.annotators, 'person', 'people')}"
        for pool in report.pools
    )
    _show(
        "Accuracy",
        figures.accuracy_figure(report, _colours()),
        told,
        help_="Thick: the interval to report. Thin: Wilson's interval, which assumes that all "
        "answers are independent. Diamond: the paper's figure, also as if independent. All at "
        "95 %.",
    )
    st.markdown("\n".join(f"- {line}" for line in _reported_lines(report)))
    st.caption(reported_sentence(report))
    difference = report.difference
    _show(
        "Guided minus unguided",
        figures.difference_figure(report, _colours()),
        points_text(difference.paired),
        help_="Thick: both pools saw the same images, so their difficulty is taken out. Thin: as "
        "if they had seen other images. Diamond: the paper's difference, as if independent.",
    )
    if isnan(difference.paired.estimate):
        st.markdown(test_sentence(report))
    else:
        st.markdown(f"{points_text(difference.paired)}. {test_sentence(report)}")
    st.markdown(mixed_sentence(report))
    published = report.published_difference
    st.caption(
        f"The paper's difference, {points_text(published.difference)}, has p = "
        f"{published.p_value:.2f} if its answers were independent, and a study of its size finds "
        f"such a difference in {100 * published.power:.0f} % of cases."
    )
    _notes(results)


def _reported_lines(report: StudyReport) -> list[str]:
    return [
        f"{POOL_TITLES[pool.pool]}: {interval_text(pool.reported)}"
        for pool in report.pools
        if pool.labels
    ] or ["No answers yet."]


def _notes(results: Results) -> None:
    if results.report.notes:
        st.caption("\n".join(f"- {note}" for note in results.report.notes))


def _image(results: Results, image: str) -> None:
    show_truth(results, image)
    show_answers_given(results, image)


def _why(results: Results, image: str) -> None:
    why = results.report.why_wrong
    if why.counts["wrong"].max() == 0:
        st.caption(why.sentences[0])
        return
    told = "; ".join(
        f"{row['pool']}: {row['reason'].replace('_', ' ')} {percent(row['share'])}"
        for row in why.counts.to_dict("records")
        if row["labels"]
    )
    _show(
        "Why answers were wrong",
        breakdowns.reasons_figure(why.counts, _colours()),
        told,
        help_=REASON_HELP,
    )
    for sentence in why.sentences:
        st.markdown(sentence)
    if len(why.sensitivity):
        with st.expander("With other thresholds"):
            st.caption("Answers with a digit that counts as not looked at.")
            table = why.sensitivity.rename(
                columns={
                    "legible_px": "From px",
                    "least_ms": "For ms",
                    "wrong_unseen": "Wrong",
                    "wrong": "of wrong",
                    "correct_unseen": "Right",
                    "correct": "of right",
                }
            )
            order = ["From px", "For ms", "Wrong", "of wrong", "Right", "of right"]
            st.dataframe(table[order], hide_index=True)


def _by_image(results: Results, image: str) -> None:
    colours, tables = _colours(), results.report.tables
    _show(
        "Each image",
        breakdowns.images_figure(results.images, colours),
        f"{len(results.images)} images; a click opens one.",
        help_="One dot is an image; a click opens it.",
    )
    for title, name, axis in (
        ("Number of digits", "by_number_of_digits", "Digits in the image"),
        ("Smallest digit", "by_smallest_side", "Side of the smallest digit (px)"),
        ("Sum", "by_truth", "Sum of the digits"),
        ("Ink", "by_ink_share", "Ink of all digits over image (share)"),
    ):
        if len(tables[name]):
            _show(title, breakdowns.breakdown_figure(tables[name], colours, axis), axis)
    show_levels(tables, colours, _show)
    _show(
        "Answers to each sum",
        breakdowns.confusion_figure(tables["confusion"], colours),
        "Share of each answer among those to images of one sum.",
        help_="Rows are the true sums; on the diagonal is what was answered right.",
    )


def _people(results: Results, image: str) -> None:
    colours, tables = _colours(), results.report.tables
    _show(
        "Each person",
        breakdowns.people_figure(tables["by_annotator"], colours),
        f"{len(tables['by_annotator'])} people.",
        help_="With Wilson's interval. Of twenty intervals one misses its truth by chance, and the "
        "best of many is always partly luck.",
    )
    _show(
        "Time for an answer",
        breakdowns.times_figure(results.answers, colours),
        "Active time, in seconds.",
        help_="Active: with input within the last 10 s, the page being visible. A click opens the "
        "image.",
    )
    _times_table(results)
    same = tables["self_consistency"]
    if same["pairs"].sum():
        st.markdown("**Self-consistency**")
        for row in same[same["pairs"] > 0].to_dict("records"):
            low, high = row["low"], row["high"]
            if isnan(low):
                low, high = row["wilson_low"], row["wilson_high"]
            pool = POOL_TITLES.get(row["pool"], "Both")
            st.markdown(
                f"{pool}: {percent(row['agreement'])} ({100 * low:.1f} to {100 * high:.1f}) of "
                f"{count(row['pairs'], 'repeated image')} got the same answer again."
            )
    if len(tables["calibration"]):
        _show(
            "How sure, how right",
            figures.calibration_figure(tables["calibration"], colours),
            "Stated confidence against accuracy.",
        )


def _times_table(results: Results) -> None:
    times = results.report.tables["response_times"]
    own = times[(times["time"] == "active_ms") & (times["labels"] > 0) & (times["pool"] != "all")]
    for row in own.to_dict("records"):
        st.markdown(
            f"{POOL_TITLES[row['pool']]}: median {row['median_ms'] / 1000:.1f} s, half between "
            f"{row['q1_ms'] / 1000:.1f} and {row['q3_ms'] / 1000:.1f} s."
        )


def _power(results: Results, image: str) -> None:
    report = results.report
    st.markdown(clustering_sentence(report))
    if report.power.empty:
        st.caption("Power needs people with several answers each, some of them wrong.")
        return
    if not isnan(report.detectable):
        st.markdown(
            f"With the labels that are here, a difference of **{100 * report.detectable:.1f} "
            "points** is found in four of five studies."
        )
    _show(
        "Labels that a difference takes",
        figures.power_figure(report, _colours()),
        "With a power of 80 % at a level of 5 %.",
        help_="With a power of 80 %, from the clustering measured here.",
    )
    rows = report.power.assign(
        difference=(100 * report.power["difference"]).map("{:.1f} points".format),
        power_now=[
            "" if value is None or isnan(value) else f"{100 * value:.0f} %"
            for value in report.power["power_now"]
        ],
    )
    rows.columns = ["Difference", "Labels a pool", "People a pool", "Power here"]
    st.dataframe(rows, hide_index=True)


_SECTIONS: dict[str, Callable[[Results, str], None]] = {
    "Accuracy": _accuracy,
    "Exclusions": lambda results, image: show_exclusions(results),
    "This image": _image,
    "Why wrong": _why,
    "By image": _by_image,
    "People": _people,
    "Power": _power,
    "Plan": show_plan_section,
}
