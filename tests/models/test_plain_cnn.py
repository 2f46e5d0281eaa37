"""The plain CNN: places that add up, lessons that tell sums alone, and a curve that is kept."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.errors import DamagedFileError, InvalidValueError
from umnist_core.models.base import LABELS_ONLY
from umnist_core.models.own.sums import sum_log_probabilities
from umnist_core.models.own.trust import assuming_digits
from umnist_core.models.plain_cnn import (
    PlainCnn,
    PlainCnnConfig,
    likeliest_places,
)
from umnist_core.pyramid import ArraySource
from umnist_core.pyramid.sources import HeldScene, seen_by_model
from umnist_core.scenes import plan_scene
from umnist_core.training.own.plain import (
    CURVE_FILE,
    LARGE,
    Batches,
    LearningCurve,
    PlainLesson,
    PlainTraining,
    draw_lesson,
    draw_reduced,
    lesson_batches,
    lesson_loss,
    read_curve,
)

EASY = PlainLesson(LARGE, 64, 6, 4, 1, 1)
HARDER = PlainLesson({"canvas": "2000", "factor": "3..9"}, 96, 3, 2, earlier=0.5)
SMALL = PlainTraining(lessons=(EASY, HARDER), curve_images=4, curve_steps=2)


@lru_cache
def glyphs() -> GlyphSet:
    """Return the digits of the training subset."""
    return load_glyphs("train")


def model_of(**settings: Any) -> PlainCnn:
    """Return a small model, the same each time."""
    torch.manual_seed(0)
    return PlainCnn(PlainCnnConfig(**{"side_px": 64, "width": 4, **settings})).eval()


def test_places_that_are_surely_digits_add_up() -> None:
    """A 3, a 4 and a 5 among hundreds of places that hold nothing are 12."""
    logits = torch.zeros(1, 300, 11)
    logits[:, :, 10] = 30
    for place, digit in ((7, 3), (150, 4), (299, 5)):
        logits[0, place, digit] = 60
    chances = likeliest_places(logits, 16)
    assert chances.shape == (1, 16, 11)
    assert int(sum_log_probabilities(chances).argmax()) == 12
    assert likeliest_places(logits[:, :5], 16).shape == (1, 5, 11)


@torch.no_grad()
def test_one_pass_over_the_whole_image_answers() -> None:
    """Of any image at least as large as its input; chances of sums add up to 1."""
    model = model_of()
    assert model.sees == LABELS_ONLY
    pixels = np.random.default_rng(0).integers(0, 256, (300, 200), np.uint8)
    batch = model.collate([model.prepare(ArraySource(pixels))])
    output = model(batch)
    assert output.logits["sum"].shape == (1, 28)
    assert float(output.logits["sum"].exp().sum()) == pytest.approx(1, abs=1e-4)
    with pytest.raises(InvalidValueError, match="64 px or more"):
        model.prepare(ArraySource(pixels[:60, :60]))


@torch.no_grad()
def test_number_of_digits_may_be_assumed_for_some_answers() -> None:
    """With one digit no sum above 9 is likely; afterwards it is as before."""
    model = model_of()
    batch = model.collate([model.prepare(ArraySource(np.zeros((64, 64), np.uint8)))])
    before = model(batch).logits["sum"]
    with assuming_digits(model, (1, 1)):
        one = model(batch).logits["sum"].exp()
    assert float(one[0, :10].sum()) > 0.9
    assert torch.equal(model(batch).logits["sum"], before)


def test_scene_is_drawn_small_as_it_is_reduced_for_the_model() -> None:
    """But for edges, where some of the pixels are looked at instead of all."""
    for index in range(2):
        scene = plan_scene("released-clean", 4, "train", index, glyphs=glyphs())
        drawn = draw_reduced(scene, glyphs(), 256).astype(int)
        reduced = seen_by_model(HeldScene(scene, glyphs()), 256)
        difference = abs(drawn - reduced)
        assert difference.mean() < 2
        assert (difference > 64).mean() < 0.002


def test_lessons_tell_sums_and_nothing_else() -> None:
    """Of each image its pixels and one number."""
    images, labels = draw_lesson(HARDER, 5, range(2), glyphs())
    assert images.shape == (2, 96, 96)
    for index in range(2):
        scene = plan_scene(
            "released-clean", 5, "train", index, glyphs=glyphs(), overrides=HARDER.overrides
        )
        assert labels[index] == scene.label


def test_of_some_images_the_digits_are_taken_away_and_the_noise_stays() -> None:
    """Where an image may have none; so the net learns whether there is a digit."""
    noisy = PlainLesson({**HARDER.overrides, "digits": "1"}, 96, 3, 2, 0, 2)
    seen, labels = draw_lesson(noisy, 5, range(6), glyphs())
    always, others = draw_lesson(replace(noisy, fewest=1), 5, range(6), glyphs())
    for index in range(6):
        scene = plan_scene(
            "released-clean", 5, "train", index, glyphs=glyphs(), overrides=noisy.overrides
        )
        if index in (0, 3):
            ground = draw_reduced(replace(scene, digits=()), glyphs(), 96)
            assert labels[index] == 0
            assert (seen[index] == ground).all()
            assert len(np.unique(ground)) > 1
        else:
            assert labels[index] == others[index]
            assert (seen[index] == always[index]).all()


def test_training_on_sums_lowers_the_loss() -> None:
    """A few steps on the same images with one digit each, told nothing but its value."""
    images, labels = (torch.from_numpy(one) for one in draw_lesson(EASY, 6, range(16), glyphs()))
    model = model_of(width=8).train()
    optimizer = torch.optim.AdamW(model.parameters(), 5e-3)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = lesson_loss(model, images, labels, EASY)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]


def test_batches_follow_from_their_number_alone(tmp_path: Path) -> None:
    """Whoever draws them, and wherever a run goes on; some are of earlier lessons."""
    curve = LearningCurve(
        model_of(), replace(SMALL, curve_steps=0), glyphs(), tmp_path / CURVE_FILE
    )
    batches = Batches((EASY, HARDER), 3, glyphs())
    rng = np.random.default_rng()
    ahead = lesson_batches(batches, 1, curve, ("lesson-2", 24))
    here = lesson_batches(batches, 0, curve, ("lesson-2", 24))
    drawn = [ahead(step, rng) for step in range(3)]
    for step in (1, 2, 0):
        images, labels, lesson = here(step, rng)
        assert torch.equal(images, drawn[step][0])
        assert torch.equal(labels, drawn[step][1])
        assert lesson == drawn[step][2]
    every = [Batches((EASY, replace(HARDER, steps=40)), 3, glyphs())[step] for step in range(12)]
    assert {one[2].side_px for one in every} == {64, 96}
    assert {len(one[0]) for one in every} == {2}


def test_curve_of_accuracy_over_images_is_kept_and_gone_on_with(tmp_path: Path) -> None:
    """A point every so many steps; what is measured again replaces what was."""
    path = tmp_path / CURVE_FILE
    model = model_of().train()
    curve = LearningCurve(model, SMALL, glyphs(), path)
    for step in range(5):
        curve.measure("lesson-1", step, 4 * step)
    assert [one["images"] for one in read_curve(path)] == [0, 8, 16]
    assert model.training
    LearningCurve(model, SMALL, glyphs(), path).measure("lesson-1", 2, 8)
    points = read_curve(path)
    assert [one["images"] for one in points] == [0, 8]
    assert all(0 <= one["accuracy"] <= 1 and one["phase"] == "lesson-1" for one in points)
    path.write_text('{"no": "curve"}')
    with pytest.raises(DamagedFileError, match="no curve of accuracy"):
        read_curve(path)


@pytest.mark.parametrize(
    "settings",
    [{"side_px": 100}, {"side_px": 32}, {"places": 4}, {"width": 0}, {"blocks": (1, 1)}],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any]) -> None:
    """Sides that cannot be halved so often, fewer places than digits, or none at all."""
    with pytest.raises(InvalidValueError):
        PlainCnnConfig(**settings)


@pytest.mark.parametrize(
    "change", [{"steps": 0}, {"batch": 0}, {"earlier": 1.5}, {"rate": 0.0}, {"fewest": 6}]
)
def test_lessons_that_cannot_be_are_refused(change: dict[str, Any]) -> None:
    """Without steps, images or a learning rate."""
    with pytest.raises(InvalidValueError):
        replace(EASY, **change)
