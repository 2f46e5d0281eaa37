"""The charts of Results say what the report says, whatever there is to say."""

from __future__ import annotations

import json
from dataclasses import replace
from math import isnan
from typing import Any

import pytest

from pages._ui.results import breakdowns, figures, words
from pages._ui.shared.charts import DARK, LIGHT, Colours
from pages._ui.shared.results import Results
from pages._ui.shared.words import NO_FIGURE
from tests.pages.driving import make_study, open_lab
from umnist_core.labeling.judging import judge
from umnist_core.labeling.results import (
    FoldedStudy,
    load_answers,
    load_digits,
    load_traces,
    report_of,
)
from umnist_core.scoring.images import image_table

THEMES = (LIGHT, DARK)
TABLES = ("by_number_of_digits", "by_smallest_side", "by_truth", "by_ink_share")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Results]:
    """Return the results of studies with 0, 1 and 12 people."""
    service = open_lab(tmp_path_factory.mktemp("lab"))
    found = {}
    for people in (0, 1, 12):
        study = make_study(service, people, repeats=1, labels_per_image=6)
        answers = load_answers(service, study)
        digits = load_digits(service, study, answers)
        truth = {name: json.loads(text) for name, text in service.log.read_truth(study).items()}
        found[people] = Results(
            study=study,
            answers=answers,
            digits=digits,
            images=image_table(answers, truth),
            report=report_of(answers, digits),
            truth=truth,
            sizes=service.state(study).sizes,
            judgement=judge(FoldedStudy.of(service.log, study), load_traces(service, study)),
        )
    return found


def all_figures(results: Results, colours: Colours) -> list[Any]:
    """Return every chart of the page."""
    report = results.report
    return [
        figures.accuracy_figure(report, colours),
        figures.difference_figure(report, colours),
        breakdowns.reasons_figure(report.why_wrong.counts, colours),
        breakdowns.people_figure(report.tables["by_annotator"], colours),
        breakdowns.times_figure(results.answers, colours),
        breakdowns.images_figure(results.images, colours),
        breakdowns.confusion_figure(report.tables["confusion"], colours),
        figures.calibration_figure(report.tables["calibration"], colours),
        figures.power_figure(report, colours),
        *(breakdowns.breakdown_figure(report.tables[name], colours, name) for name in TABLES),
    ]


@pytest.mark.parametrize("people", [0, 1, 12])
@pytest.mark.parametrize("colours", THEMES)
def test_every_chart_can_be_drawn(made: dict[int, Results], people: int, colours: Colours) -> None:
    """With no, one and many people, in both themes, and as JSON that a browser reads."""
    for figure in all_figures(made[people], colours):
        assert figure.to_json()


def test_accuracy_chart_has_our_intervals_and_the_published_figures(
    made: dict[int, Results],
) -> None:
    """Each row's mark and ends are those of the report, in per cent; the paper's is labelled."""
    report = made[12].report
    figure = figures.accuracy_figure(report, LIGHT)
    rows = {trace.name: trace for trace in figure.data}
    for pool in report.pools:
        title = pool.pool.capitalize()
        for name, interval in (
            (title, pool.reported),
            (f"{title}, as if independent", pool.independent),
        ):
            row = rows[name]
            assert row.x[0] == pytest.approx(100 * interval.estimate)
            assert row.x[0] + row.error_x.array[0] == pytest.approx(100 * interval.high)
            assert row.x[0] - row.error_x.arrayminus[0] == pytest.approx(100 * interval.low)
    assert rows["Unguided, published"].x[0] == pytest.approx(49.3)
    assert rows["Guided, published"].x[0] == pytest.approx(52.1)
    said = {annotation.text for annotation in figure.layout.annotations}
    assert said == {"paper 49.3 %", "paper 52.1 %"}
    low, high = figure.layout.xaxis.range
    for row in figure.data:
        assert low <= row.x[0] - row.error_x.arrayminus[0]
        assert high >= row.x[0] + row.error_x.array[0]


def test_breakdown_chart_takes_wilson_only_where_there_is_no_better(
    made: dict[int, Results],
) -> None:
    """The hover of each point says which interval it has."""
    table = made[12].report.tables["by_truth"]
    figure = breakdowns.breakdown_figure(table, LIGHT, "Sum")
    for trace, pool in zip(figure.data, ("unguided", "guided"), strict=True):
        own = table[table["pool"] == pool]
        for point, low in zip(trace.customdata, own["low"], strict=True):
            assert point[4].startswith("Wilson" if isnan(low) else "t over people")


def test_bins_are_named_by_their_edges(made: dict[int, Results]) -> None:
    """Open ends are said as such."""
    names = breakdowns.row_names(made[12].report.tables["by_smallest_side"])
    assert "below 28" in names
    assert all("inf" not in name for name in names)


def test_reasons_chart_keeps_overlooking_at_nothing(made: dict[int, Results]) -> None:
    """Whoever misses a digit here never had it on screen, and the chart says so for each pool."""
    counts = made[12].report.why_wrong.counts
    unseen = counts[(counts["reason"] == "not_looked_at") & (counts["pool"] != "all")]
    assert (unseen["share"] > 0.9).all()
    figure = breakdowns.reasons_figure(counts, LIGHT)
    for trace, share in zip(figure.data, unseen["share"], strict=True):
        assert trace.y[0] == pytest.approx(100 * share)


def test_charts_that_lead_to_images_name_them(made: dict[int, Results]) -> None:
    """Every dot of the images and of the times knows its image."""
    results = made[12]
    known = set(results.images.index)
    dots = breakdowns.images_figure(results.images, LIGHT).data[0]
    assert {data[0] for data in dots.customdata} <= known
    for box in breakdowns.times_figure(results.answers, LIGHT).data:
        assert set(box.customdata) <= known


def test_hardest_image_comes_first_and_unanswered_ones_last(made: dict[int, Results]) -> None:
    """Images are sorted by the share of right answers; without one they are at the end."""
    shares = made[12].images["accuracy"].dropna().tolist()
    assert shares == sorted(shares)
    assert made[1].images["labels"].tolist()[-1] == 0
    assert made[1].images["labels"].tolist()[0] > 0


def test_words_give_intervals_and_say_when_there_is_none(made: dict[int, Results]) -> None:
    """An accuracy is never said without its interval, or that there is none."""
    twelve, one = made[12].report, made[1].report
    assert " to " in words.interval_text(twelve.pools[0].accuracy)
    assert "points (" in words.points_text(twelve.difference.paired)
    answered = next(pool for pool in one.pools if pool.labels)
    assert words.interval_text(answered.accuracy).endswith("(no interval)")
    assert words.interval_text(made[0].report.pools[0].accuracy) == NO_FIGURE
    assert "exchanging people" in words.test_sentence(twelve)
    assert words.test_sentence(one) == one.difference.test.note
    assert words.p_text(0.00001) == "p < 0.001"
    assert "multiplies the odds of a right answer by" in words.mixed_sentence(twelve)
    assert words.mixed_sentence(one) == one.mixed.note != ""


def test_interval_to_report_is_the_one_that_is_shown(made: dict[int, Results]) -> None:
    """Crossed where images were answered several times: thick in the chart, and said why."""
    report = made[12].report
    assert all(pool.is_crossed for pool in report.pools)
    thick = {one.name: one for one in figures.accuracy_figure(report, LIGHT).data}
    for pool in report.pools:
        row = thick[pool.pool.capitalize()]
        assert row.error_x["array"][0] == pytest.approx(
            100 * (pool.crossed.high - pool.crossed.estimate)
        )
        assert pool.reported == pool.crossed != pool.accuracy
        (note,) = [one for one in report.notes if one.startswith(f"{pool.pool}: images were")]
        shown = words.interval_text(pool.reported).partition("(")[2].rstrip(")")
        assert f"read the crossed interval, {shown} %." in note
    said = words.reported_sentence(report)
    assert "the crossed one, over people and images, for unguided and guided, because" in said
    assert said.count(". ") == 0
    once = replace(report, pools=tuple(replace(one, images=one.labels) for one in report.pools))
    assert "Student's t over people for unguided and guided, because" in words.reported_sentence(
        once
    )
    assert [pool.reported for pool in once.pools] == [pool.accuracy for pool in report.pools]
    assert words.reported_sentence(made[0].report) == "There is no interval to report yet."
