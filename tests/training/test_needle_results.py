"""What the documents say of Needle MNIST is what was measured, and what a file says is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.training.needle_results import (
    CANVASES_PX,
    FIGURE,
    KINDS,
    PAGE,
    figure,
    find,
    joined,
    last_name,
    load_measured,
    read_summary,
    tables,
    written,
)
from umnist_core.cli import root as umnist
from umnist_core.models.cards import Card
from umnist_core.models.checkpoints import save_checkpoint
from umnist_core.models.registry import create_model
from umnist_core.training.config import config_names


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    """Return what was measured."""
    return load_measured()


def test_page_and_figure_are_of_the_measurements(rows: list[dict[str, Any]]) -> None:
    """`python -m tests.training.needle_results` would write nothing else."""
    text = PAGE.read_text()
    assert tables(rows) in text
    assert written(text, rows) == text
    assert FIGURE.read_text() == figure(rows)


def test_networks_are_those_of_recipes_on_enough_images(rows: list[dict[str, Any]]) -> None:
    """The last ones on every canvas, most on images of the released generator as well."""
    assert {row["network"] for row in rows} <= set(config_names())
    for model in KINDS:
        for canvas_px in CANVASES_PX:
            row = find(rows, last_name(model), "scenes", canvas_px)
            assert row is not None
            assert row["images"] >= 500
            row = find(rows, last_name(model), "original", canvas_px)
            assert row is not None or canvas_px > 256
            assert row is None or row["images"] >= 500
    assert all(0 <= row["correct"] <= row["images"] for row in rows)
    assert len({(row["network"], row["source"], row["canvas_px"]) for row in rows}) == len(rows)


def test_figures_of_halves_add_up(rows: list[dict[str, Any]]) -> None:
    """With a needle and without, where scenes say it."""
    for row in rows:
        if row["source"] == "scenes":
            for one in ("images", "correct"):
                assert sum(half[one] for half in row["halves"].values()) == row[one]


def test_file_of_evaluate_becomes_a_row(tmp_path: Path) -> None:
    """And takes the place of an earlier one of the same network and images."""
    checkpoint = tmp_path / "best.safetensors"
    settings = {"width": 2, "blocks": (1, 1, 1, 1), "stem_stride": 2}
    save_checkpoint(checkpoint, create_model("needle-cnn", settings), Card("needle-cnn"))
    out = tmp_path / "needle-cnn-compact-64@scenes-128.json"
    words = ["evaluate", str(checkpoint), "--preset", "needle", "--set", "canvas=128"]
    run = CliRunner().invoke(umnist, [*words, "--count", "4", "--device", "cpu", "--out", str(out)])
    assert run.exit_code == 0, run.output
    text = json.loads(out.read_text())
    out.write_text(json.dumps(text | {"data": text["data"] | {"stand_in": False}}))
    row = read_summary(out)
    assert (row["network"], row["source"], row["canvas_px"]) == (
        "needle-cnn-compact-64",
        "scenes",
        128,
    )
    assert row["data"]["overrides"] == {"canvas": "128"}
    assert {half: one["images"] for half, one in row["halves"].items()} == {"with": 2, "without": 2}
    assert joined([row | {"images": 0}], [row]) == [row]
    out.write_text(json.dumps(text | {"data": text["data"] | {"stand_in": True}}))
    with pytest.raises(SystemExit, match="of the stand-in digits"):
        read_summary(out)
    other = tmp_path / "needle-cnn-compact-64@elsewhere-128.json"
    other.write_text(json.dumps({}))
    with pytest.raises(SystemExit, match=r"Expected NETWORK@SOURCE-CANVAS\.json"):
        read_summary(other)
