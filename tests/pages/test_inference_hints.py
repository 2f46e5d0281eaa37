"""What is said of a model beside an image of a kind that it never saw."""

from __future__ import annotations

from pages._ui.inference.choice import find_hints
from umnist_core.models.cards import Card


def test_model_beside_images_that_it_never_saw_has_a_hint() -> None:
    """Of scenes of another planner, and of scenes at all if it learned from single digits."""
    cards = {
        "sums": Card("additive-pyramid", data={"preset": "released"}),
        "tasks": Card("ips", data={"preset": "megapixel"}),
        "digits": Card("fov-max", data={"preset": "large-scale"}),
        "unknown": Card("ips"),
    }
    hints = find_hints(cards, "paper")
    assert hints.keys() == {"tasks", "digits"}
    assert "Megapixel" in hints["tasks"]
    assert "112 px" in hints["digits"]
    assert find_hints(cards, None) == {}
