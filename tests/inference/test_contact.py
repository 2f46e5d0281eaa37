"""Contact sheets: by sum, and of what a model missed."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from umnist_core.cli import root
from umnist_core.digits import load_glyphs
from umnist_core.errors import NotFoundError
from umnist_core.inference.contact import (
    PICTURE_PX,
    Cell,
    columns_of,
    find_misses,
    find_sums,
    picture_of,
    sheet_html,
    sheet_png,
)
from umnist_core.models.cards import get_checkpoint, load_card
from umnist_core.rendering import render
from umnist_core.scenes import SceneRef

SMALL = SceneRef.of("released", {"canvas": "480", "factor": "0.5..3"}, seed=7)


def test_sheet_has_the_first_image_of_each_sum() -> None:
    """Each sum from 0 to 27 once, in its order, and no earlier image has it."""
    glyphs = load_glyphs()
    cells = find_sums(SMALL, glyphs)
    labels = [cell.ref.plan(glyphs).label for cell in cells if isinstance(cell.ref, SceneRef)]
    assert labels == list(range(28))
    assert sorted(cell.ref.index for cell in cells) == list(range(28))
    with pytest.raises(NotFoundError, match=r"none of 0, 1, 2"):
        find_sums(SceneRef.of("released", {"canvas": "480", "factor": "1", "label": "20"}), glyphs)


def test_picture_is_the_reduced_image() -> None:
    """An image of twice the size is averaged over two px, as the pyramid has it."""
    glyphs = load_glyphs()
    whole = render(SMALL.plan(glyphs), glyphs)
    averaged = cv2.resize(whole, (PICTURE_PX, PICTURE_PX), interpolation=cv2.INTER_AREA)
    assert np.abs(picture_of(SMALL).astype(int) - averaged.astype(int)).max() <= 1


def test_sheet_holds_every_picture_and_colours_what_was_wrong() -> None:
    """In rows of equal columns; words of a wrong answer are in the colour of a warning."""
    cells = [
        Cell(SMALL.at(0), "4", "4", True),
        Cell(SMALL.at(1), "9", "7", False),
        Cell(SMALL.at(2), "1"),
    ]
    assert [cell.words[0] for cell in cells] == ["4, said 4, right", "9, said 7", "1"]
    sheet = cv2.imdecode(np.frombuffer(sheet_png(cells, "Three"), np.uint8), cv2.IMREAD_COLOR)
    assert sheet is not None
    assert columns_of(3) == 3
    assert sheet.shape[1] > 3 * PICTURE_PX
    rgb = sheet[..., ::-1].reshape(-1, 3)
    assert (rgb == (160, 60, 0)).all(axis=1).any()
    text = sheet_html(cells, "Three <1>").decode()
    assert text.count("<img") == 3
    assert "Three &lt;1&gt;" in text
    assert text.count('class="wrong"') == 1
    assert "umnist render --preset released --seed 7" in text


def test_misses_are_random_ones_of_the_card() -> None:
    """As many as are asked for, of those that the card lists; the seed chooses."""
    card = load_card(get_checkpoint("additive-pyramid"))
    first, again, other = (find_misses(card, "additive-pyramid", 5, seed) for seed in (0, 0, 1))
    assert len(first) == 5
    assert first == again
    assert first != other
    assert all(cell.is_right is False and cell.said != cell.true for cell in first)
    glyphs = load_glyphs()
    if not glyphs.is_stand_in:
        for cell in first:
            assert isinstance(cell.ref, SceneRef)
            assert str(cell.ref.plan(glyphs).label) == cell.true


def test_command_writes_both_kinds_and_refuses_what_cannot_be(tmp_path: Path) -> None:
    """PNG and HTML; misses need a model, and take no other images."""
    options = [part for name, text in SMALL.overrides for part in ("--set", f"{name}={text}")]
    for name, start in (("sums.png", b"\x89PNG"), ("sums.html", b"<!doctype html>")):
        told = CliRunner().invoke(root, ["sheet", *options, "--out", str(tmp_path / name)])
        assert told.exit_code == 0, told.output
        assert "28 images" in told.output
        assert (tmp_path / name).read_bytes().startswith(start)
    out = ["--out", str(tmp_path / "x.png")]
    for more, words in (
        (["--misses", "3"], "give --model too"),
        (["--misses", "3", "--model", "digit-finder", "--index", "2"], "leave out --index"),
        (["--out", "sheet.pdf"], "ends in .png or .html"),
    ):
        refused = CliRunner().invoke(root, ["sheet", *out, *more])
        assert refused.exit_code == 2
        assert words in refused.output
