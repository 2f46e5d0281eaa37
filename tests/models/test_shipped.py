"""Checkpoints that come with umnist: small, described, and as good as a handful of images shows."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import safetensors.torch
import torch

from umnist_core.datasets import Recipe
from umnist_core.digits import load_glyphs
from umnist_core.models.cards import find_shipped_checkpoints, load_card
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.models.own.trust import assuming_digits
from umnist_core.scenes import Span
from umnist_core.training.data import LargeScaleSamples, SceneSamples
from umnist_core.training.evaluate import Evaluation, evaluate

MOST_BYTES = 10_000_000
SHIPPED = find_shipped_checkpoints()
EXPECTED = {
    "additive-pyramid",
    "digit-finder",
    "fov-max",
    "ips-megapixel",
    "ips-needle",
    "plain-cnn",
}


def answers(name: str, preset: str, count: int) -> Evaluation:
    """Let a shipped checkpoint answer for fresh images with MNIST test digits."""
    if load_glyphs("test").is_stand_in:
        pytest.skip("MNIST is not on this machine.")
    model, _ = load_checkpoint(SHIPPED[name])
    samples = SceneSamples(Recipe(count, preset, 8_675_309, "test"))
    return evaluate(model, samples, batch_size=4, with_attention=False)


def test_those_that_the_documents_promise_are_there() -> None:
    """IPS, also for needles, the finder, the labels-only model, a plain CNN, and FovMax."""
    assert set(SHIPPED) == EXPECTED


@pytest.mark.parametrize("path", SHIPPED.values(), ids=SHIPPED.keys())
def test_each_is_small_and_in_half_precision(path: Path) -> None:
    """At most 10 MB; matrices and kernels have 16 bits."""
    assert path.stat().st_size <= MOST_BYTES
    tensors = safetensors.torch.load(path.read_bytes())
    assert {one.dtype for one in tensors.values() if one.ndim > 1} == {torch.float16}


@pytest.mark.parametrize("path", SHIPPED.values(), ids=SHIPPED.keys())
def test_each_says_how_it_came_about(path: Path) -> None:
    """Data with seeds, commit, hardware, time, the command, and honest notes."""
    card = load_card(path)
    assert card.command
    assert "seed" in str(card.data)
    assert card.commit
    assert card.hardware
    assert card.seconds > 0
    assert card.notes
    assert "compact" in " ".join(card.notes).lower()


@pytest.mark.parametrize("path", SHIPPED.values(), ids=SHIPPED.keys())
def test_what_was_measured_later_has_its_command_and_no_path(path: Path) -> None:
    """Each on a number of images, with no time and no folder of the machine it was measured on."""
    for kept in load_card(path).measured.values():
        assert kept["command"]
        assert not any(word.startswith("/") for word in shlex.split(kept["command"]))
        assert kept["summary"]["images"] > 0
        assert "seconds_per_image" not in kept["summary"]


@torch.no_grad()
@pytest.mark.parametrize(("name", "least"), [("digit-finder", 10), ("additive-pyramid", 9)])
def test_models_of_our_own_sum_most_images_of_the_benchmark(name: str, least: int) -> None:
    """Of 12 images of 4000 px with digits that they never learned from."""
    found = answers(name, "released", 12).summary()["tasks"]["sum"]["accuracy"]
    assert found["correct"] >= least


@torch.no_grad()
def test_ips_answers_the_four_tasks() -> None:
    """Chance is .11, .27, .10 and next to nothing; it gets most of 24 images right."""
    found = answers("ips-megapixel", "megapixel", 24).summary()["tasks"]
    shares = {task: table["accuracy"]["correct"] for task, table in found.items()}
    assert set(shares) == {"majority", "max", "top", "multi"}
    assert shares["majority"] >= 21
    assert shares["max"] >= 19
    assert shares["top"] >= 17
    assert shares["multi"] >= 11


@torch.no_grad()
def test_plain_cnn_answers_at_256_px_and_reads_large_digits() -> None:
    """One of 28 sums for each image; of 30 large digits on a plain ground it reads most."""
    model, card = load_checkpoint(SHIPPED["plain-cnn"])
    assert card.config["side_px"] == 256
    rows = answers("plain-cnn", "released", 2).rows
    assert all(0 <= row["said_sum"] <= 27 for row in rows)
    assert not model.training
    easy = {"digits": "1", "label": "free", "factor": "16..32", "checkerboard": "0"}
    easy |= {"circles": "0", "triangles": "0"}
    samples = SceneSamples(Recipe(30, "released", 8_675_309, "test", easy))
    with assuming_digits(model, (1, 1)):
        rows = evaluate(model, samples, batch_size=10, with_attention=False).rows
    assert sum(row["correct_sum"] for row in rows) >= 21


@torch.no_grad()
@pytest.mark.parametrize("scale", [0.5, 1.0, 4.0])
def test_fovmax_reads_digits_of_every_scale(scale: float) -> None:
    """It learned from digits of scale 1; of 60 it reads at least 50 at any scale up to 4."""
    samples = LargeScaleSamples(Span(scale, scale), "test", 60)
    if samples.glyphs.is_stand_in:
        pytest.skip("MNIST is not on this machine.")
    model, _ = load_checkpoint(SHIPPED["fov-max"])
    rows = evaluate(model, samples, batch_size=20, with_attention=False).rows
    assert sum(row["correct_digit"] for row in rows) >= 50


@torch.no_grad()
@pytest.mark.parametrize(("canvas_px", "least"), [(128, 50), (512, 17)])
def test_ips_says_whether_there_is_a_needle(canvas_px: int, least: int) -> None:
    """One network for every canvas, far above the half that chance gives, of 60 and 20 images."""
    recipe = Recipe(
        60 if canvas_px < 512 else 20, "needle", 8_675_309, "test", {"canvas": str(canvas_px)}
    )
    samples = SceneSamples(recipe)
    if samples.glyphs.is_stand_in:
        pytest.skip("MNIST is not on this machine.")
    model, _ = load_checkpoint(SHIPPED["ips-needle"])
    rows = evaluate(model, samples, batch_size=20, with_attention=False).rows
    assert sum(row["correct_needle"] for row in rows) >= least
