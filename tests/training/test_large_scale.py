"""Training on MNIST Large Scale: which digits, at which scale, and that its models learn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from tests.models.small import ALL, SMALL
from tests.training.tiny import stopping_before
from umnist_core.cli.evaluate import evaluate_command
from umnist_core.datasets.large_scale import rescale_digits
from umnist_core.digits import load_glyphs
from umnist_core.errors import InvalidValueError
from umnist_core.models.cards import Card
from umnist_core.models.catalogue import CATALOGUE
from umnist_core.models.checkpoints import load_checkpoint, save_checkpoint
from umnist_core.models.registry import create_model
from umnist_core.scenes import Span
from umnist_core.training.config import DataPart, config_from, load_config
from umnist_core.training.data import LargeScaleSamples, open_samples
from umnist_core.training.evaluate import evaluate
from umnist_core.training.loop import train

MODELS = tuple(name for name in ALL if CATALOGUE[name].answers == "the one digit")

ONE = Span(1, 1)


def _part(**fields: Any) -> DataPart:
    all_fields: dict[str, Any] = {"preset": "large-scale", "count": 8} | fields
    return DataPart(**all_fields)


def test_images_are_the_first_digits_of_their_part_of_mnist() -> None:
    """Training: from the first; validation: the last sixth of the training digits; test: others."""
    train_glyphs, test_glyphs = load_glyphs("train"), load_glyphs("test")
    last = len(train_glyphs) * 5 // 6
    for split, glyphs, first in (
        ("train", train_glyphs, 0),
        ("val", train_glyphs, last),
        ("test", test_glyphs, 0),
    ):
        samples = open_samples(_part(split=split))
        assert len(samples) == 8
        for place in (0, 7):
            sample = samples.get(place)
            assert sample.label == glyphs.labels[first + place]
            assert sample.scene is None
            pixels = sample.source.read_whole()
            values = rescale_digits(glyphs.images[first + place][None], 1.0)[0]
            assert np.abs(pixels / 255 * np.ptp((-0.7629, 0.7610)) - 0.7629 - values).max() < 0.004


def test_scale_is_that_of_the_configuration() -> None:
    """One for all digits; the background stays black and ink white."""
    for text in ("0.5", "2.828", "8"):
        (pixels,) = LargeScaleSamples(_part(overrides={"scale": text}).scales, "test", 8).draw([3])
        glyph = load_glyphs("test").images[3]
        expected = rescale_digits(glyph[None], float(text))[0]
        assert np.corrcoef(pixels.ravel(), expected.ravel())[0, 1] > 0.9999
        assert pixels.max() > 128
    small = LargeScaleSamples(Span(0.5, 0.5), "test", 8).draw([3])[0]
    assert small[0, 0] == 0


def test_mixed_set_draws_a_scale_for_each_digit() -> None:
    """In the range, all doublings alike, the same whenever asked, another with another seed."""
    mixed = open_samples(_part(count=600, overrides={"scale": "1..4"}))
    assert isinstance(mixed, LargeScaleSamples)
    scales = np.array([mixed.scale_of(place) for place in range(600)])
    assert scales.min() >= 1
    assert scales.max() <= 4
    assert abs(np.log2(scales).mean() - 1) < 0.1
    assert mixed.scale_of(17) == scales[17]
    other = LargeScaleSamples(Span(1, 4), "train", 600, seed=1)
    assert other.scale_of(17) != scales[17]
    assert np.array_equal(mixed.get(17).source.read_whole(), mixed.draw([16, 17])[1])


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"overrides": {"scale": "9"}}, "scale"),
        ({"overrides": {"scale": "0.4..1"}}, "scale"),
        ({"overrides": {"scale": "large"}}, "scale"),
        ({"overrides": {"canvas": "64"}}, "canvas"),
        ({"layer": "noise_free"}, "layer"),
        ({"split": "else"}, "split"),
        ({"count": 10_000_000}, "digits"),
    ],
)
def test_data_that_there_are_not_are_refused(fields: dict[str, Any], sentence: str) -> None:
    """In a sentence that names the setting."""
    with pytest.raises(InvalidValueError, match=sentence):
        open_samples(_part(**fields))


def _config(name: str, **run: Any) -> Any:
    return config_from(
        {
            "model": {"name": name, "settings": SMALL[name]},
            "data": {"preset": "large-scale", "count": 40, "workers": 0, "validation_share": 0.2},
            "run": {"epochs": 1, "batch_size": 8, "device": "cpu", "save_minutes": 0.0} | run,
        }
    )


@pytest.mark.parametrize("name", MODELS)
def test_model_trains_goes_on_after_a_stop_and_is_evaluated(name: str, tmp_path: Path) -> None:
    """A run that was stopped amid an epoch ends with the bits of one that was not."""
    whole = train(_config(name), tmp_path / "whole", shows_progress=False)
    with pytest.raises(KeyboardInterrupt), stopping_before(3):
        train(_config(name), tmp_path / "parts", shows_progress=False)
    parts = train(_config(name), tmp_path / "parts", shows_progress=False)
    model, card = load_checkpoint(whole.best)
    other = load_checkpoint(parts.best)[0].state_dict()
    assert all(torch.equal(value, other[key]) for key, value in model.state_dict().items())
    assert card.data["overrides"] == {"scale": "1"}
    assert card.data["training_images"] == 32
    found = evaluate(model, LargeScaleSamples(ONE, "test", 4), batch_size=4)
    assert all(0 <= row["said_digit"] <= 9 for row in found.rows)
    assert found.summary()["tasks"]["digit"]["accuracy"]["images"] == 4


def test_command_evaluates_at_a_scale(tmp_path: Path) -> None:
    """The same preset and override as of training; a scale that there is not is refused."""
    torch.manual_seed(0)
    path, out = tmp_path / "own.safetensors", tmp_path / "figures.json"
    save_checkpoint(path, create_model("fov-max", SMALL["fov-max"]), Card("fov-max"))
    words = [str(path), "--preset", "large-scale", "--count", "3", "--device", "cpu"]
    words += ["--out", str(out), "--set"]
    result = CliRunner().invoke(evaluate_command, [*words, "scale=2.828"])
    assert result.exit_code == 0, result.output
    figures = json.loads(out.read_text())
    assert figures["data"]["overrides"] == {"scale": "2.828"}
    assert figures["tasks"]["digit"]["accuracy"]["images"] == 3
    refused = CliRunner().invoke(evaluate_command, [*words, "scale=9"])
    assert isinstance(refused.exception, InvalidValueError)


@pytest.mark.parametrize("name", MODELS)
def test_shipped_configuration_trains_at_scale_one(name: str) -> None:
    """On the first 5,000 digits; the other training sets are a change away."""
    config = load_config(Path(f"{name}-scale-1"))
    assert config.model.name == name
    assert (config.data.count, config.data.scales) == (5000, ONE)
    mixed = load_config(Path(f"{name}-scale-1"), ["data.overrides.scale=1..4"])
    assert mixed.data.scales == Span(1, 4)
