"""The figures of a card are read in every form that a card has them in."""

from __future__ import annotations

from typing import Any

import pytest

from umnist_core.models.card_figures import (
    BY_CHANCE,
    FEWEST,
    Breakdown,
    CardFigures,
    Share,
    is_at_chance,
    read_figures,
)
from umnist_core.models.cards import Card, find_shipped_checkpoints, load_card
from umnist_core.scoring import wilson

NOTHING = CardFigures((), (), "")


def _counted(label: str, right: int, count: int) -> Share:
    found = wilson(right, count)
    return Share(label, found.estimate, found.low, found.high, count)


@pytest.mark.parametrize("name", sorted(find_shipped_checkpoints()))
def test_shipped_card_has_figures_with_intervals_and_says_on_what(name: str) -> None:
    """No shipped figure goes without its interval and the images that it was measured on."""
    card = load_card(find_shipped_checkpoints()[name])
    found = read_figures(card.figures)
    assert found.accuracy
    for share in found.accuracy:
        assert share.low is not None
        assert share.high is not None
        assert 0 <= share.low <= share.share <= share.high <= 1
        assert share.count > 0
    assert found.measured


def test_card_by_hand_keeps_its_own_interval_and_counts_its_groups() -> None:
    """The interval is that of the card; shares of breakdowns get Wilson's."""
    figures = {
        "images": 250,
        "accuracy": {"sum": 0.928, "interval": [0.8891, 0.954], "method": "Wilson, 95 %"},
        "by smallest digit": {"14 px": {"right": 18, "images": 23}, "28 px": {"right": 0}},
        "digits by side": {"14 px": {"digits": 23, "found": 22, "read right": 20}},
        "measured on": "the test split",
    }
    found = read_figures(figures)
    assert found.accuracy == (Share("sum", 0.928, 0.8891, 0.954, 250),)
    assert [breakdown.shares for breakdown in found.breakdowns] == [
        (_counted("14 px", 18, 23),),
        (_counted("14 px", 20, 23),),
    ]
    assert found.measured == "the test split"


def test_one_interval_for_several_tasks_is_nobodys() -> None:
    """It is worked out anew from the counts; an interval for each task is taken."""
    figures: dict[str, Any] = {"images": 100, "accuracy": {"max": 0.5, "top": 0.25}}
    figures["accuracy"]["interval"] = [0.4, 0.6]
    assert read_figures(figures).accuracy == (_counted("max", 50, 100), _counted("top", 25, 100))
    figures["accuracy"]["interval"] = {"max": [0.4, 0.6]}
    assert read_figures(figures).accuracy[0] == Share("max", 0.5, 0.4, 0.6, 100)


def test_figures_of_a_run_are_those_of_its_validation_images() -> None:
    """And it is said that the best epoch was chosen on them."""
    figures = {"epochs": 3, "validation": {"images": 40, "loss": 0.1, "correct": {"sum": 30}}}
    found = read_figures(figures)
    assert found.accuracy == (_counted("sum", 30, 40),)
    assert "best epoch was chosen" in found.measured


def test_figures_of_evaluation_come_with_their_tables() -> None:
    """Open ends say so, and empty rows are left out."""
    figures = {
        "data": {"preset": "released", "seed": 5, "split": "test"},
        "tasks": {
            "sum": {
                "accuracy": {"images": 10, "correct": 7},
                "by_smallest_side_px": [
                    {"from": 14.0, "below": 28.0, "images": 4, "correct": 2},
                    {"from": 448.0, "below": None, "images": 6, "correct": 5},
                    {"from": 28.0, "below": 56.0, "images": 0, "correct": 0},
                ],
            }
        },
        "digits": {"by_side_px": [{"from": 14.0, "below": 28.0, "digits": 9, "right": 8}]},
    }
    found = read_figures(figures)
    assert found.accuracy == (_counted("sum", 7, 10),)
    assert found.breakdowns == (
        Breakdown(
            "Sums right, by the image's smallest digit",
            (_counted("14 to 28 px", 2, 4), _counted("448 px and more", 5, 6)),
        ),
        Breakdown("Digits found and read right, by their side", (_counted("14 to 28 px", 8, 9),)),
    )
    assert found.measured == "preset released, seed 5, split test"


@pytest.mark.parametrize(
    "figures",
    [
        {},
        {"accuracy": 3},
        {"accuracy": {"sum": "much"}},
        {"accuracy": {"sum": float("nan")}},
        {"tasks": ["sum"]},
        {"tasks": {"sum": {"accuracy": {"images": 0}}}},
        {"validation": ["sum"]},
        {"validation": {"correct": {"sum": 3}}},
        {"by smallest digit": [1]},
    ],
)
def test_figures_of_no_known_form_are_left_out(figures: dict[str, Any]) -> None:
    """A card of one's own may hold anything; the page still opens."""
    assert read_figures(figures) == NOTHING


def test_breakdown_that_tells_nothing_is_left_out() -> None:
    """Shares of few entries go, and so does a table of one kind alone."""
    many, few = _counted("14 px", 18, 23), _counted("28 px", 1, FEWEST - 1)
    rows = (Breakdown("a", (many, few, many)), Breakdown("b", (many, few)), Breakdown("c", (many,)))
    found = CardFigures((), rows, "")
    assert found.telling == (Breakdown("a", (many, many)),)


def _measured(task: str, right: int, count: int) -> Card:
    return Card("resnet50", figures={"images": count, "accuracy": {task: right / count}})


def test_checkpoint_is_at_chance_where_its_interval_has_what_guessing_reaches() -> None:
    """Of 300 sums 10 are chance and 30 are not; what was never measured is not judged."""
    assert is_at_chance(_measured("sum", 10, 300))
    assert not is_at_chance(_measured("sum", 30, 300))
    assert is_at_chance(_measured("needle", 55, 100))
    assert not is_at_chance(_measured("other", 0, 100))
    assert not is_at_chance(Card("resnet50"))


def test_one_task_above_chance_is_enough() -> None:
    """A model of several tasks has learned something if it has learned one."""
    low, high = BY_CHANCE["max"], 0.9
    figures = {"images": 200, "accuracy": {"max": low, "top": high}}
    assert not is_at_chance(Card("ips", figures=figures))
