"""Claims of accuracy in documents, and what the cards of the shipped checkpoints say of them.

A figure of a model is marked right behind it with the card and the path that it comes from::

    98.8 %<!-- card: digit-finder figures.tasks.sum.accuracy -->
    97.5 %<!-- card: digit-finder measured.peer.tasks.sum.accuracy.low -->
    93.8 %<!-- no card: published -->

A path goes through ``figures``, or through ``measured`` and the name of one of its entries; a
number is a place in a list; a path that ends at a table means its accuracy or share. One that
ends at text, such as ``notes.4``, means that the figure stands there. Shares are printed in
percent, counts with their commas, both as precisely as they stand.

As a program this writes what the cards say in the place of each marked figure.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from umnist_core.models import cards

ROOT = Path(__file__).resolve().parents[2]

SHARES = ("accuracy", "share", "low", "high")
"""Names of what is printed in percent."""

_NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
_CLAIM = re.compile(
    rf"(?<![\d.,])(?P<printed>{_NUMBER})(?P<rest>(?: %)?"
    r"<!-- card: (?P<card>[\w-]+) (?P<path>[\w.-]+) -->)"
)
_MARKED = re.compile(rf"{_NUMBER}(?P<unit>(?: %)?)<!-- (?:no )?card: [^>]+ -->")
_CHAIN = re.compile(rf"(?:(?:{_NUMBER}|✓),? (?:[^\W\d]\w* ){{0,2}})*(?:{_NUMBER}|✓) ?%")
_PUBLISHED = re.compile(r"Published:.*?\.(?= |$)")
_INTERVAL = re.compile(r"95 % interval")
_STYLE = re.compile(r"<style>.*?(?:</style>|$)", re.DOTALL)
_MODEL = re.compile(
    r"\b(?:models?|checkpoints?|finder|additive.pyramid|ips|efficientnet|resnet|mobilenet|r-cnn)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Claim:
    """A marked figure.

    Attributes
    ----------
    printed
        The number as it stands, without its unit.
    card, path
        Name of a shipped checkpoint, and where the figure is on its card.
    """

    printed: str
    card: str
    path: str


def documents() -> list[Path]:
    """Return the files in which accuracy may be claimed."""
    configs = ROOT / "umnist_core" / "training" / "configs"
    return [
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        *sorted((ROOT / "docs").rglob("*.md")),
        *sorted(configs.glob("*/*.toml")),
        *sorted((ROOT / "pages").rglob("*.py")),
    ]


def find_claims(text: str) -> list[Claim]:
    """Return the marked figures of a text."""
    return [
        Claim(found["printed"], found["card"], found["path"]) for found in _CLAIM.finditer(text)
    ]


def find_unmarked(text: str, suffix: str) -> list[str]:
    """Return percent figures that stand beside a model's name and are not marked.

    Parameters
    ----------
    text
        Of a file.
    suffix
        Of its name: a paragraph, an item or a row of Markdown is looked at with its heading, a
        text of Python by itself, and every comment of TOML as if it named a model.
    """
    found = []
    for block in _blocks(text, suffix):
        words = _MARKED.sub(r"✓\g<unit>", " ".join(block.split()))
        if _MODEL.search(words):
            for chain in _CHAIN.findall(_INTERVAL.sub("", words)):
                found += re.findall(_NUMBER, chain)
    return found


def _blocks(text: str, suffix: str) -> Iterator[str]:
    if suffix == ".py":
        nodes = ast.walk(ast.parse(text))
        texts = (one.value for one in nodes if isinstance(one, ast.Constant))
        yield from (_STYLE.sub("", one) for one in texts if isinstance(one, str))
    elif suffix == ".toml":
        comments = [part for line in text.splitlines() for part in line.split("#")[1:]]
        yield "model: " + _PUBLISHED.sub("", " ".join(" ".join(comments).split()))
    else:
        heading = ""
        for block in re.split(r"\n\s*\n|\n(?=[-|] ?)", text):
            heading = block if block.lstrip().startswith("#") else heading
            yield f"{heading}\n{block}"


def read_card(name: str) -> dict[str, Any]:
    """Return what a path may begin with: the figures of a shipped card, and those measured later.

    Raises
    ------
    MissingFileError
        If there is no such checkpoint.
    """
    card = cards.load_card(cards.SHIPPED / f"{name}.safetensors")
    later = {images: one["summary"] for images, one in card.measured.items()}
    return {"figures": card.figures, "measured": later, "notes": card.notes}


def print_as(claim: Claim) -> str:
    """Return how the card prints a claimed figure.

    Raises
    ------
    LookupError
        If the card has no such figure.
    """
    found: Any = read_card(claim.card)
    name = ""
    for name in claim.path.split("."):
        if not isinstance(found, Mapping | list | tuple):
            raise LookupError(f"{claim.card} has no {claim.path}")
        found = found[name] if isinstance(found, Mapping) else found[int(name)]
    if isinstance(found, Mapping):
        name = next(name for name in (*SHARES, "") if name in found or not name)
        found = found[name]
    if isinstance(found, str):
        return _find_in(found, claim)
    value = 100 * found if name in SHARES else found
    return f"{value:,.{_places(claim.printed)}f}"


def _find_in(note: str, claim: Claim) -> str:
    """Return a claimed figure that a note has, in percent or as a share."""
    share = float(claim.printed.replace(",", "")) / 100
    for number in (claim.printed, f"{share:.{_places(claim.printed) + 2}f}"):
        if re.search(rf"(?<![\d.]){re.escape(number)}(?!\d|\.\d)", note):
            return claim.printed
    raise LookupError(f"{claim.card} has no {claim.printed} in {claim.path}; change it by hand")


def _places(number: str) -> int:
    return len(number.partition(".")[2])


def rewrite(text: str) -> str:
    """Return a text with what the cards say in the place of each marked figure."""

    def printed(found: re.Match[str]) -> str:
        claim = Claim(found["printed"], found["card"], found["path"])
        return print_as(claim) + found["rest"]

    return _CLAIM.sub(printed, text)


if __name__ == "__main__":
    for document in documents():
        text = document.read_text()
        if (written := rewrite(text)) != text:
            document.write_text(written)
            print(document.relative_to(ROOT))
