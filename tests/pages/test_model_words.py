"""What the Models page says of a card in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pages._ui.models.words import card_facts, duration_words
from umnist_core.models.cards import Card


def test_facts_say_what_taught_it_on_what_and_how_long(tmp_path: Path) -> None:
    """Words for people: separators in counts, hours, and that digits are not MNIST's."""
    path = tmp_path / "a.safetensors"
    path.write_bytes(bytes(2_500_000))
    card = Card(
        "digit-finder",
        data={"preset": "released", "split": "train", "count": 28_000, "stand_in": True},
        hardware="a processor",
        seconds=7200,
        commit="0123456789abcdef+",
    )
    facts = dict(card_facts(card, path))
    assert facts["Learns from"] == "boxes and classes of the digits"
    assert facts["Trained on"] == (
        "released scenes, split train; count 28,000; the bundled stand-in digits, not MNIST"
    )
    turns: list[dict[str, Any]] = [
        {"preset": "megapixel", "overrides": {"canvas": "200"}},
        {"preset": "megapixel-bezier"},
    ]
    mixed = Card("ips", data={**turns[0], "turns": turns})
    assert dict(card_facts(mixed, path))["Trained on"] == (
        "megapixel (canvas 200) and megapixel-bezier scenes in turn, split train"
    )
    odd = Card("ips", data={"preset": "megapixel", "turns": 3, "overrides": ["a"]})
    assert dict(card_facts(odd, path))["Trained on"] == "megapixel scenes, split train"
    assert facts["Time and machine"] == "2 hours, on a processor"
    assert facts["File"] == "2.5 MB, commit 012345678 with changes"
    assert [duration_words(one) for one in (30, 600, 9000)] == ["30 s", "10 minutes", "2.5 hours"]
