"""What a card says beside its figures, in words; no widgets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from pages._ui.models.links import IDENTIFIER, paper_address
from pages._ui.models.rows import count_words, memory_words, time_words
from umnist_core.models.card_answers import find_cost
from umnist_core.models.cards import Card
from umnist_core.models.catalogue import CATALOGUE, OWN
from umnist_core.models.weight_counts import count_weights

_TOLD = {
    "labels-only": "labels of whole images alone",
    "unconstrained": "boxes and classes of the digits",
}

_LEFT_OUT = (
    "preset",
    "turns",
    "run",
    "recipe",
    "split_seed",
    "digits_sha256",
    "stand_in",
    "first",
    "layer",
)
"""Of the data: what is said elsewhere, and what only a machine reads."""

VARIANT_TITLES = {
    "plain": "As drawn",
    "as-jpeg": "JPEG, quality 75",
    "quality-30": "JPEG, quality 30",
    "rescaled-3900": "Scaled to 3,900 px",
    "rescaled-2000": "Scaled to 2,000 px",
    "turned-90": "Turned by 90°",
    "turned-180": "Turned by 180°",
    "turned-270": "Turned by 270°",
    "shifted": "Moved by one px",
    "inverted": "Inverted",
    "no-digits": "No digits",
    "photographs": "Photographs",
}
"""Variants of `umnist evaluate` for people; others have the name that they were kept under."""

OTHER_TITLES = {
    "released": "As released, drawn here",
    "released-generator": "By the released generator",
    "digits-1-to-9": "1 to 9 digits",
}
"""Other names that figures of the shipped cards are kept under, for people."""

Fact = tuple[str, str]
"""What it is, and what is said."""


def paper_words(paper: str) -> str:
    """Return whom a model follows."""
    return "our own, after no paper" if paper == OWN else paper


def linked(text: str) -> str:
    """Return a text as HTML in which papers that it names by doi or arXiv number are links."""
    parts, end = [], 0
    for found in IDENTIFIER.finditer(text):
        address = paper_address(found[0]) or ""
        named = found[0].rstrip(".,;)")
        parts.append(escape(text[end : found.start()]))
        parts.append(f'<a href="{escape(address)}" target="_blank">{escape(named)}</a>')
        end = found.start() + len(named)
    return "".join([*parts, escape(text[end:])])


def about_html(model: str, own: str) -> str:
    """Return what kind of model a checkpoint is and whom it follows, as HTML."""
    facts = CATALOGUE.get(model)
    parts = [own] if own else []
    parts += [model] if facts is None else [facts.title, paper_words(facts.paper)]
    return " · ".join(linked(part) for part in parts)


_NEEDED = {
    "--data noised": "“noised” is the folder of images that the released generator writes with the "
    "seeds that the card names (transmuteAI/ultramnist, then umnist reads its files).",
    "--data photos": "“photos” is any folder of photographs.",
}
"""What a command needs that somebody else has to bring."""


def command_words(commands: str) -> str:
    """Return what has to be there before commands can run; empty if nothing has."""
    return " ".join(said for words, said in _NEEDED.items() if words in commands)


def card_facts(card: Card, path: Path) -> Iterator[Fact]:
    """Yield what is known of a checkpoint beside its figures."""
    facts = CATALOGUE.get(card.model)
    tasks = card.config.get("tasks")
    if tasks:
        yield "Answers", ", ".join(str(task).partition(":")[0] for task in tasks)
    elif facts is not None:
        yield "Answers", facts.answers
    if facts is not None:
        yield "Learns from", _TOLD[facts.sees]
    if card.data:
        yield "Trained on", "; ".join(data_words(card.data))
    if made := made_words(card):
        yield "Time and machine", made
    yield "File", file_words(card, path)
    if (cost := find_cost(card)) is not None:
        memory = f", {memory_words(cost.peak_bytes)} at most" if cost.peak_bytes else ""
        on = f", on {cost.hardware}" if cost.hardware else ""
        yield "An answer takes", f"{time_words(cost.seconds)}{memory}{on}"


def data_words(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a checkpoint was trained on, the preset and counts first."""
    turns = data.get("turns")
    parts = turns if isinstance(turns, list) and turns else [data]
    kinds = [_kind_words(one) for one in parts if isinstance(one, Mapping) and one.get("preset")]
    if kinds:
        in_turn = " in turn" if len(kinds) > 1 else ""
        yield f"{' and '.join(kinds)} scenes{in_turn}, split {data.get('split', 'train')}"
    for name, value in data.items():
        is_told = name in _LEFT_OUT or (kinds and name == "split")
        if not is_told and not isinstance(value, dict | list) and value not in ("", None):
            yield f"{name.replace('_', ' ')} {_with_separators(value)}"
    if data.get("stand_in") is True:
        yield "the bundled stand-in digits, not MNIST"


def _kind_words(turn: Mapping[str, Any]) -> str:
    words = _override_words(turn.get("overrides"))
    return f"{turn.get('preset')} ({words})" if words else str(turn.get("preset"))


def _override_words(overrides: Any) -> str:
    if not isinstance(overrides, dict):
        return ""
    return ", ".join(f"{name} {value}" for name, value in overrides.items())


def _with_separators(value: Any) -> str:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 10_000
    return f"{value:,}" if is_count else str(value)


def made_words(card: Card) -> str:
    """Return how long the training took, and on what."""
    parts = [duration_words(card.seconds)] if card.seconds else []
    parts += [card.hardware] if card.hardware else []
    return ", on ".join(parts) if card.seconds else "".join(parts)


def duration_words(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours".replace(".0 ", " ")


def file_words(card: Card, path: Path) -> str:
    """Return the size of the weights, the commit and what they were made with."""
    weights = count_weights(path)
    parts = [f"{count_words(weights)} weights"] if weights else []
    parts.append(f"{path.stat().st_size / 1e6:.1f} MB")
    if card.commit:
        has_changes = card.commit.endswith("+")
        parts.append(f"commit {card.commit[:9]}" + (" with changes" if has_changes else ""))
    if torch := card.versions.get("torch"):
        parts.append(f"torch {torch}")
    return ", ".join(parts)
