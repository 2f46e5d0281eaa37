"""Contact sheets: small pictures of images, with what is true and what a model said. No torch."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from umnist_core.datasets.large_scale.ref import AnyRef, DigitRef, any_ref
from umnist_core.digits import GlyphSet
from umnist_core.errors import InvalidValueError, NotFoundError
from umnist_core.experiments.settings import render_command
from umnist_core.geometry import Box, reduced_size_px
from umnist_core.inference.open_image import open_image
from umnist_core.inference.requests import DigitImage, SceneImage
from umnist_core.models.card_answers import find_answers
from umnist_core.models.cards import Card
from umnist_core.pyramid import encode_png
from umnist_core.scenes import SceneRef, get_preset
from umnist_core.seeds import sample_rng

SUMS = range(28)
"""The sums of UltraMNIST: 0 to 27."""

MISSES = 20

PICTURE_PX = 240
_MARGIN_PX, _WORDS_PX, _HEAD_PX = 12, 44, 52
_INK, _PAPER, _GROUND = (24, 26, 30), (255, 255, 255), (143, 143, 143)
_WARNING = (160, 60, 0)
_ASKED_FOR_EACH_SUM = 40
"""Images that are planned for each sum at most before one is said not to be there."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One image of a sheet.

    Attributes
    ----------
    ref
        Which image.
    true
        What is right.
    said
        What a model said; empty where none was asked.
    is_right
        Whether that is right; None where none was asked.
    """

    ref: AnyRef
    true: str
    said: str = ""
    is_right: bool | None = None

    @property
    def words(self) -> tuple[str, str]:
        """What stands below its picture: the truth and what was said, and which image it is."""
        verdict = {None: "", True: f", said {self.said}, right", False: f", said {self.said}"}
        place = f"seed {self.ref.seed} {self.ref.split} {self.ref.index}"
        return f"{self.true}{verdict[self.is_right]}", place


def find_sums(ref: SceneRef, glyphs: GlyphSet, sums: Sequence[int] = SUMS) -> list[Cell]:
    """Return the first image of each sum from an index on.

    Parameters
    ----------
    ref
        Where to begin.
    glyphs
        The digits in use.
    sums
        Which sums.

    Raises
    ------
    NotFoundError
        If a sum is not among the images that are looked at.
    InvalidValueError
        If the preset is none of UltraMNIST.
    """
    if get_preset(ref.preset).planner != "ultramnist":
        raise InvalidValueError(
            f"Expected images whose digits are added up, got those of the preset {ref.preset}; "
            "choose a preset of UltraMNIST."
        )
    found: dict[int, Cell] = {}
    for index in range(ref.index, ref.index + _ASKED_FOR_EACH_SUM * len(sums)):
        image = ref.at(index)
        label = image.plan(glyphs).label
        if label in sums and label not in found:
            found[label] = Cell(image, str(label))
        if len(found) == len(sums):
            return [found[one] for one in sums]
    missing = ", ".join(str(one) for one in sums if one not in found)
    raise NotFoundError(
        f"Expected an image of each sum of {sums[0]} to {sums[-1]}, found none of {missing} in "
        f"{_ASKED_FOR_EACH_SUM * len(sums)} images; choose a preset of UltraMNIST with "
        "label=balanced or label=free."
    )


def find_misses(card: Card, name: str, count: int = MISSES, seed: int = 0) -> list[Cell]:
    """Return random images that a model missed when it was measured, by their index.

    Parameters
    ----------
    card
        The model's.
    name
        Of the model, for the refusal.
    count
        How many at most.
    seed
        Of the choice.

    Raises
    ------
    NotFoundError
        If the card lists none that can be drawn again.
    """
    answers = find_answers(card)
    if answers is None or answers.scenes is None or not answers.missed:
        raise NotFoundError(
            f"Expected a card that lists scenes which {name[:80]} missed, found none; measure it "
            "with umnist evaluate, whose table lists every miss."
        )
    scenes, missed = answers.scenes, answers.missed
    first = any_ref(scenes.preset, scenes.overrides, seed=scenes.seed, split=scenes.split, index=0)
    order = np.argsort(sample_rng(seed, "test", 0, "misses").random(len(missed)), kind="stable")
    chosen = sorted((missed[place] for place in order[:count]), key=lambda one: one.index)
    return [Cell(first.at(one.index), str(one.true), str(one.said), False) for one in chosen]


def with_answers(cells: Sequence[Cell], said: Sequence[str]) -> list[Cell]:
    """Return images with what a model said of each; it is right where it is the truth."""
    return [
        replace(cell, said=one, is_right=one == cell.true)
        for cell, one in zip(cells, said, strict=True)
    ]


def columns_of(count: int) -> int:
    """Return how many columns a sheet has: it is somewhat wider than high."""
    return max(1, min(count, int(np.ceil(np.sqrt(1.4 * count)))))


def picture_of(ref: AnyRef) -> NDArray[np.uint8]:
    """Return a small picture of an image, uint8 (rows, columns), at most `PICTURE_PX` a side."""
    image = DigitImage(ref) if isinstance(ref, DigitRef) else SceneImage(ref)
    source, _ = open_image(image)
    longest, reduction = max(source.height, source.width), 1
    while longest > 2 * PICTURE_PX * reduction:
        reduction *= 2
    rows, cols = (reduced_size_px(side, reduction) for side in (source.height, source.width))
    pixels = source.read_region(Box(0, 0, rows, cols), reduction)
    share = PICTURE_PX / max(rows, cols)
    size = (max(1, round(cols * share)), max(1, round(rows * share)))
    how = cv2.INTER_AREA if share < 1 else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(pixels, size, interpolation=how), np.uint8)


def sheet_png(cells: Sequence[Cell], title: str) -> bytes:
    """Return a sheet as PNG.

    Parameters
    ----------
    cells
        The images, in their order.
    title
        What stands above them.
    """
    columns = columns_of(len(cells))
    rows = -(-len(cells) // columns)
    pitch = (PICTURE_PX + _WORDS_PX + _MARGIN_PX, PICTURE_PX + _MARGIN_PX)
    height, width = _HEAD_PX + rows * pitch[0], _MARGIN_PX + columns * pitch[1]
    sheet = np.full((height, width, 3), _PAPER, np.uint8)
    _write(sheet, title, (_MARGIN_PX, 34), 24, _INK)
    for place, cell in enumerate(cells):
        row, column = divmod(place, columns)
        top, left = _HEAD_PX + row * pitch[0], _MARGIN_PX + column * pitch[1]
        picture = picture_of(cell.ref)
        frame = sheet[top : top + PICTURE_PX, left : left + PICTURE_PX]
        frame[:] = _GROUND
        frame[: picture.shape[0], : picture.shape[1]] = picture[:, :, None]
        colour = _WARNING if cell.is_right is False else _INK
        _write(sheet, cell.words[0], (left, top + PICTURE_PX + 19), 17, colour)
        _write(sheet, cell.words[1], (left, top + PICTURE_PX + 38), 13, _INK)
    return encode_png(sheet)


def _write(
    sheet: NDArray[np.uint8],
    words: str,
    place: tuple[int, int],
    size_px: int,
    colour: tuple[int, int, int],
) -> None:
    text = words.encode("ascii", "replace").decode()
    face = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(sheet, text, place, face, size_px / 30, colour, 1, cv2.LINE_AA)


def sheet_html(cells: Sequence[Cell], title: str) -> bytes:
    """Return a sheet as one HTML file that needs nothing else; arguments as of `sheet_png`."""
    return "\n".join(_page(cells, title)).encode()


_STYLE = (
    ":root{color-scheme:light dark;font-family:sans-serif}body{margin:16px}"
    "ul{display:grid;grid-template-columns:repeat(auto-fill,minmax(180px,1fr));gap:12px;padding:0;"
    "list-style:none}img{width:100%;background:#8f8f8f}p{margin:2px 0}"
    ".wrong{color:light-dark(#a03c00,#ffb27a)}code{font-size:11px;overflow-wrap:anywhere}"
)


def _page(cells: Sequence[Cell], title: str) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>"
    yield f"<h1>{html.escape(title)}</h1>\n<ul>"
    for cell in cells:
        picture = base64.b64encode(encode_png(picture_of(cell.ref))).decode()
        told, place = cell.words
        kind = ' class="wrong"' if cell.is_right is False else ""
        command = render_command(cell.ref)
        again = "" if command is None else f"<code>{html.escape(command)}</code>"
        yield (
            f'<li><img alt="Image of {html.escape(cell.true)}" '
            f'src="data:image/png;base64,{picture}">'
            f"<p{kind}><b>{html.escape(told)}</b></p><p>{place}</p>{again}</li>"
        )
    yield "</ul>\n</html>"
