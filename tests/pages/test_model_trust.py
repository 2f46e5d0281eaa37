"""What the Models page makes of confidences and of other images: charts, shares and words."""

from __future__ import annotations

from typing import Any

import pytest

from pages._ui.models.trust import reliability_figure, reliability_words
from pages._ui.models.words import VARIANT_TITLES
from pages._ui.shared.charts import DARK, LIGHT
from umnist_core.models.base import DOUBTS
from umnist_core.models.card_figures import counted, find_reliability, read_measured
from umnist_core.models.cards import Card
from umnist_core.scoring import reliability
from umnist_core.training.variants import VARIANTS

CALIBRATION = {
    "task": "sum",
    "is_calibrated": True,
    **reliability([0.7] * 40 + [0.9] * 40, [1] * 30 + [0] * 10 + [1] * 36 + [0] * 4, 2).to_dict(),
}


def _summary(warned: int, **more: Any) -> dict[str, Any]:
    kinds = {kind: {"warned": warned if kind == "photograph" else 0} for kind in DOUBTS}
    warnings = {"images": 10, "any": {"warned": warned}, "kinds": kinds}
    return {"images": 10, "warnings": warnings, **more}


def _card(**more: Any) -> Card:
    return Card("digit-finder", **more)


def test_reliability_is_that_of_the_figures_before_that_of_images_as_drawn() -> None:
    """Either may have one; a card with neither has none."""
    plain = {"plain": {"command": "umnist", "summary": {"calibration": CALIBRATION}}}
    other = {**CALIBRATION, "ece": 0.5}
    assert find_reliability(_card()) is None
    found = find_reliability(_card(measured=plain))
    assert found is not None
    assert found.error == pytest.approx(0.025)
    both = find_reliability(_card(figures={"calibration": other}, measured=plain))
    assert both is not None
    assert both.error == 0.5


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_diagram_has_a_point_with_its_interval_for_each_bin(colours: Any) -> None:
    """On axes that hold every end, beside the line of confidences that are right."""
    found = find_reliability(_card(figures={"calibration": CALIBRATION}))
    assert found is not None
    line, points = reliability_figure(found, colours).data
    assert list(line.x) == list(line.y)
    assert list(points.x) == pytest.approx([70, 90])
    assert list(points.y) == pytest.approx([75, 90])
    low, high = points.y - points.error_y.arrayminus, points.y + points.error_y.array
    ends = [(100 * one["low"], 100 * one["high"]) for one in CALIBRATION["bins"]]
    assert list(zip(low, high, strict=True)) == [pytest.approx(one) for one in ends]
    figure = reliability_figure(found, colours)
    start, end = figure.layout.yaxis.range
    assert start < min(low)
    assert end > max(high)
    assert figure.layout.xaxis.range == figure.layout.yaxis.range


def test_words_say_the_error_with_what_chance_gives_and_whether_it_was_calibrated() -> None:
    """Numbers have their units, and of how many images they are."""
    found = find_reliability(_card(figures={"calibration": CALIBRATION}))
    assert found is not None
    said = reliability_words(found)
    assert said.startswith("Expected calibration error 2.5 % (")
    assert "80 images, about 40 to a point" in said
    assert "not calibrated" not in said
    plain = find_reliability(
        _card(figures={"calibration": {**CALIBRATION, "is_calibrated": False}})
    )
    assert plain is not None
    assert reliability_words(plain).endswith("they were not calibrated.")


def test_measured_kinds_of_images_come_in_their_order_with_their_commands() -> None:
    """Right answers and warnings as shares; a name of one's own comes last, as it is."""
    tasks = {"sum": {"accuracy": {"images": 10, "correct": 9}}}
    card = _card(
        measured={
            "one to nine": {"command": "umnist c", "summary": _summary(0, tasks=tasks)},
            "photographs": {"command": "umnist b", "summary": _summary(10)},
            "plain": {"command": "umnist a", "summary": {"images": 10, "tasks": tasks}},
        }
    )
    drawn, photographs, own = read_measured(card, VARIANT_TITLES)
    assert [one.title for one in (drawn, photographs, own)] == [
        "As drawn",
        "Photographs",
        "one to nine",
    ]
    assert (drawn.right, drawn.warned, drawn.command) == (counted("sum", 9, 10), None, "umnist a")
    assert [one.images for one in (drawn, photographs, own)] == [10] * 3
    assert (photographs.right, photographs.warned) == (None, counted("", 10, 10))
    assert photographs.kinds == (("photograph", 10),)
    assert (own.warned, own.kinds) == (counted("", 0, 10), ())


def test_every_variant_has_a_title() -> None:
    """In the order of the command, which needs torch where the page does not."""
    assert list(VARIANT_TITLES) == list(VARIANTS)


@pytest.mark.parametrize(
    "measured",
    [
        {"plain": 3},
        {"plain": {"summary": {"tasks": {"sum": {"accuracy": {"images": 10}}}}}},
        {"plain": {"command": 3, "summary": {"warnings": {"images": 10}}}},
        {
            "plain": {
                "command": "umnist",
                "summary": {"tasks": {"sum": {"accuracy": {"images": 0}}}},
            }
        },
        {"plain": {"command": "umnist", "summary": {"warnings": {"images": "many"}}}},
        {"plain": {"command": "umnist", "summary": {"calibration": {"ece": 0.1, "bins": [3]}}}},
        {"plain": {"summary": {"calibration": {"ece": 0.1, "bins": [{"answers": 3}]}}}},
        {"plain": {"summary": {"calibration": {"ece": float("nan"), "bins": []}}}},
    ],
)
def test_figures_of_no_known_form_are_left_out(measured: dict[str, Any]) -> None:
    """A card of one's own may hold anything; the page still opens."""
    card = _card(measured=measured)
    assert read_measured(card, VARIANT_TITLES) == ()
    assert find_reliability(card) is None
