"""Claims of accuracy: each is what a card says, and none stands unmarked."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.models import claims
from tests.models.claims import ROOT, documents, find_claims, find_unmarked, rewrite
from umnist_core.errors import MissingFileError
from umnist_core.models import cards

CARD = {
    "figures": {
        "images": 1000,
        "tasks": {"sum": {"accuracy": {"images": 1000, "accuracy": 0.98765, "low": 0.9746}}},
        "digits": {"all": {"share": 0.9}, "by_side_px": [{"share": 0.5}, {"share": 0.25}]},
    },
    "measured": {"peer": {"tasks": {"sum": {"accuracy": {"accuracy": 0.5}}}}},
    "notes": ("none", "with curves it reaches 0.989 and 82.3 %"),
}


@pytest.fixture
def one_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a card whose figures do not change."""
    monkeypatch.setattr(claims, "read_card", lambda name: {"finder": CARD}[name])


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_claim_is_what_the_card_says(document: Path) -> None:
    """Read again and printed as precisely: `python -m tests.models.claims` writes what differs."""
    text = document.read_text()
    assert text == rewrite(text)
    marks = re.findall(r"<!--\s*card\b", text)
    assert len(marks) == len(find_claims(text)), "a mark stands behind no figure"


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_figure_of_a_model_stands_unmarked(document: Path) -> None:
    """Each percent figure beside a model's name says which card it is from, or why from none."""
    assert find_unmarked(document.read_text(), document.suffix) == []


def test_models_of_our_own_are_claimed_somewhere() -> None:
    """The marks are found at all."""
    found = [claim for path in documents() for claim in find_claims(path.read_text())]
    assert {"digit-finder", "additive-pyramid", "ips-megapixel"} <= {one.card for one in found}


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("figures.tasks.sum.accuracy.accuracy", "12.3 %", "98.8 %"),
        ("figures.tasks.sum.accuracy", "1 %", "99 %"),
        ("figures.tasks.sum.accuracy.low", "97.99", "97.46"),
        ("figures.tasks.sum.accuracy.images", "999", "1,000"),
        ("figures.images", "12,000", "1,000"),
        ("figures.digits.all", "1.0 %", "90.0 %"),
        ("figures.digits.by_side_px.1", "1.0 %", "25.0 %"),
        ("measured.peer.tasks.sum.accuracy", "1.0 %", "50.0 %"),
        ("notes.1", "98.9", "98.9"),
        ("notes.1", "82.3 %", "82.3 %"),
    ],
)
def test_figure_is_printed_as_precisely_as_it_stands(
    one_card: None, path: str, before: str, after: str
) -> None:
    """Shares in percent, counts with commas; text around them stays."""
    mark = f"<!-- card: finder {path} -->"
    assert rewrite(f"It reads {before}{mark} of it.") == f"It reads {after}{mark} of it."


@pytest.mark.parametrize("path", ["figures.tasks.max", "figures.images.low", "measured.ours", "no"])
def test_path_to_nowhere_is_an_error(one_card: None, path: str) -> None:
    """A card that no longer has the figure is no reason to believe the document."""
    with pytest.raises(LookupError):
        rewrite(f"98.8 %<!-- card: finder {path} -->")


def test_number_that_a_note_does_not_have_is_no_claim_of_it(one_card: None) -> None:
    """Neither as a share nor in percent, nor as a part of another number."""
    for number in ("98.8", "2.3", "8.9"):
        with pytest.raises(LookupError, match="by hand"):
            rewrite(f"{number} %<!-- card: finder notes.1 -->")


def test_card_that_is_not_there_is_an_error() -> None:
    """A checkpoint that is no longer shipped makes no claims."""
    with pytest.raises(MissingFileError):
        rewrite("98.8 %<!-- card: gone figures.tasks.sum.accuracy -->")


@pytest.mark.parametrize(
    ("text", "suffix", "found"),
    [
        ("The digit finder reads 98.8 % of the sums.", ".md", ["98.8"]),
        ("## Digit finder\n\nIt reads 98.8% of them.", ".md", ["98.8"]),
        ("- finder\n- 3 %\n", ".md", []),
        ("| finder | 3 % |\n| people | 4 % |", ".md", ["3"]),
        ("IPS: majority 99.3, max 94.8,\ntop 92 and multi 85.2 %.", ".md", "99.3 94.8 92 85.2"),
        ("IPS: max 94.8, top 92.2 %<!-- card: x y -->", ".md", ["94.8"]),
        ("the model: 3.6 %<!-- no card: chance -->", ".md", []),
        ("the model with its 95 % interval", ".md", []),
        ("People reach 52.1 % of them.", ".md", []),
        ("# Published: 43.9 %, of a GPU. A re-run got\n# 12.3 %.\nname = 1", ".toml", ["12.3"]),
        ('"""Say it."""\nst.write(f"{name}: the finder reads 98.8 % of {n}")', ".py", ["98.8"]),
        ('"<style>.model { width: 98%; }</style>"\n# model 3 %', ".py", []),
    ],
)
def test_unmarked_figures_are_found_beside_models_alone(
    text: str, suffix: str, found: list[str] | str
) -> None:
    """In lists, tables, headings, comments and texts; others' figures and intervals are left."""
    assert find_unmarked(text, suffix) == (found.split() if isinstance(found, str) else found)


def test_cards_later_figures_are_read_by_the_name_of_what_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``measured.peer`` is the summary that was kept under that name."""
    (card,) = cards.SHIPPED.glob("digit-finder.json")
    data = json.loads(card.read_text())
    data["measured"] = {"peer": {"command": "umnist evaluate", "summary": {"images": 112}}}
    (tmp_path / "finder.json").write_text(json.dumps(data))
    (tmp_path / "finder.safetensors").write_bytes(b"")
    monkeypatch.setattr(cards, "SHIPPED", tmp_path)
    text = "1<!-- card: finder measured.peer.images -->"
    assert rewrite(text) == f"112{text[1:]}"
