"""What the Models page draws beside what is published, and where it leads."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from pages._ui.models.charts import (
    APART,
    answers_figure,
    history_figure,
    measured_rows,
    published_lines,
    system_figure,
)
from pages._ui.models.links import fitting_query, paper_address, scene_query
from pages._ui.models.rows import Checkpoint, cited, system_of, time_words
from pages._ui.models.words import linked
from pages._ui.shared.charts import DARK, LIGHT
from umnist_core.experiments.published.methods import PublishedMethod, published_methods
from umnist_core.models.card_answers import (
    CardAnswers,
    HistoryPoint,
    Missed,
    SceneSet,
    find_answers,
)
from umnist_core.models.cards import Card, find_shipped_checkpoints, load_card
from umnist_core.models.weight_counts import count_weights

SCENES = SceneSet("paper", {"shape_pairs": "2"}, 7, "test", 10)


def shipped() -> list[Checkpoint]:
    """Return what comes with umnist."""
    found = find_shipped_checkpoints().items()
    return [Checkpoint(name, path, load_card(path)) for name, path in found]


def test_published_lines_are_named_where_names_have_room() -> None:
    """People, chance and the best of each model first; every figure is a line."""
    lines = published_lines(published_methods(), "ultramnist")
    named = sorted(line.value for line in lines if line.is_named)
    assert min(b - a for a, b in pairwise(named)) >= APART
    assert {3.6, 49.3, 52.1, 86.2, 93.8, 99.1} <= set(named)
    figures = {one.figures["sum"] for one in published_methods() if "sum" in one.figures}
    assert {line.value for line in lines} == figures


def test_of_two_close_figures_one_alone_is_named() -> None:
    """Names on each other cannot be read; both lines stay."""
    close = [
        PublishedMethod(model, "ultramnist", model, {"sum": value})
        for model, value in (("a", 50.0), ("b", 50.0 + APART / 2), ("c", 80.0))
    ]
    lines = published_lines(close, "ultramnist")
    assert {line.name: line.is_named for line in lines} == {"a": False, "b": True, "c": True}


def test_rows_have_the_origins_images_first_then_ours() -> None:
    """Of several questions or kinds of images each has its row, with what is published of it."""
    rows = measured_rows(shipped(), published_methods(), "ultramnist")
    labels = [row.label for row in rows]
    assert labels.index("digit-finder") + 1 == labels.index("digit-finder, our images")
    assert {row.share.count for row in rows if row.label == "digit-finder"} == {1008}
    of_ips = measured_rows(shipped(), published_methods(), "megapixel")
    assert [row.label for row in of_ips] == ["majority", "max", "top", "multi"]
    assert of_ips[0].published[0][1] == 99.1
    scales = measured_rows(shipped(), published_methods(), "large-scale")
    assert [row.label for row in scales] == [f"scale {one}" for one in ("0.5", 1, 2, 4, 8)]
    assert all(row.published for row in scales)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("system", ["ultramnist", "megapixel", "needle", "large-scale"])
def test_chart_has_a_dot_for_each_row_and_a_mark_for_each_published_figure(
    system: str, colours: object
) -> None:
    """Lines go through all rows where sums are compared; else strokes stand in their rows."""
    rows = measured_rows(shipped(), published_methods(), system)
    lines = published_lines(published_methods(), system)
    figure = system_figure(rows, lines, LIGHT if colours is LIGHT else DARK)
    assert len(figure.data[-1].x) == len(rows)
    assert len(figure.layout.shapes) == len(lines)
    strokes = sum(len(trace.x) for trace in figure.data[:-1])
    assert strokes == sum(len(row.published) for row in rows)


def test_history_has_a_line_for_each_phase_and_answers_a_cell_for_each_pair() -> None:
    """What was never true has no share."""
    points = [HistoryPoint(10, 0.1, "a"), HistoryPoint(20, 0.2, "b"), HistoryPoint(30, 0.4, "b")]
    figure = history_figure(points, LIGHT)
    assert [list(trace.y) for trace in figure.data] == [[10], [20, 40]]
    answers = CardAnswers("sum", {3: {3: 3, 5: 1}}, (Missed(4, 3, 5),), SCENES, "")
    heat = answers_figure(answers, DARK).data[0]
    assert list(heat.x) == [3, 5]
    assert [float(one) for one in heat.z[0]] == [75.0, 25.0]
    assert heat.z[1][0] != heat.z[1][0]


def test_links_name_the_scene_as_every_page_does_and_papers_where_they_are_read() -> None:
    """Overrides go along; what cannot be drawn has no link."""
    query = scene_query(SCENES, 3, "a model")
    assert query == {
        "preset": "paper",
        "seed": "7",
        "split": "test",
        "index": "3",
        "shape_pairs": "2",
        "model": "a model",
    }
    assert scene_query(SceneSet("nowhere", {}, 1, "test", 1), 0, "a") is None
    assert paper_address("He et al. 2016, arXiv 1512.03385") == "https://arxiv.org/abs/1512.03385"
    assert paper_address("umnist") is None
    assert linked("see doi 10.1/x & arXiv 1512.03385.") == (
        'see doi 10.1/x &amp; <a href="https://arxiv.org/abs/1512.03385" target="_blank">'
        "arXiv 1512.03385</a>."
    )
    assert cited("Bergner, Lippert, Mahendran 2023, arXiv 2210.13007") == "Bergner et al. 2023"
    assert cited("Tan and Le 2019, arXiv 1905.11946") == "Tan and Le 2019"
    assert cited("umnist") == ""
    assert [time_words(one) for one in (0.0254, 0.1, 2.03)] == ["25 ms", "0.10 s", "2.03 s"]


@pytest.mark.parametrize("one", shipped(), ids=lambda one: one.name)
def test_every_shipped_model_is_watched_on_an_image_that_it_answered_rightly(
    one: Checkpoint,
) -> None:
    """Of its own kind; and its data system is known."""
    query = fitting_query(one.name, one.card)
    assert query["model"] == one.name
    assert query["preset"] == one.card.data["preset"]
    answers = find_answers(one.card)
    if answers is not None:
        assert int(query["index"]) not in {missed.index for missed in answers.missed}
    assert system_of(one.card) != "other"


def test_model_without_scenes_is_watched_on_its_preset_or_alone() -> None:
    """A card may say nothing, or name a preset that there is none of."""
    assert fitting_query("a", Card("ips", data={"preset": "needle"}))["preset"] == "needle"
    for data in ({}, {"preset": "nowhere"}, {"preset": 3}):
        assert fitting_query("a", Card("ips", data=data)) == {"model": "a"}


def test_weights_are_counted_from_the_header_alone(tmp_path: Path) -> None:
    """What normalisation counts is none; of what is no such file nothing is told."""
    path = tmp_path / "a.safetensors"
    header = (
        b'{"a":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]},'
        b'"b.running_mean":{"dtype":"F32","shape":[4],"data_offsets":[12,28]}}'
    )
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    assert count_weights(path) == 6
    for broken in (b"", b"\xff" * 8, (9).to_bytes(8, "little") + b"{}", bytes(100)):
        path.write_bytes(broken)
        assert count_weights(path) == 0
