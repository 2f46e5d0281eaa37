"""Runs on photographs in MetH's layout: they train, resume, validate, and are evaluated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from tests.datasets.meth.making import Row, write_mame, write_meth
from tests.training.tiny import stopping_before
from umnist_core.cli.evaluate import evaluate_command
from umnist_core.cli.predict import predict_command
from umnist_core.errors import InvalidValueError
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.training.config import DataPart, TrainConfig, config_from
from umnist_core.training.data import ModelInputs, iter_batches
from umnist_core.training.evaluate import evaluate
from umnist_core.training.like_shapes import ShapeOrder
from umnist_core.training.loop import build_model, train
from umnist_core.training.numbers import number_lines, number_tables
from umnist_core.training.order import EpochDraws
from umnist_core.training.photograph_samples import open_for, open_for_run
from umnist_core.training.pictures import picture_rng

SPLITS = ("train", "train", "validation", "test")
SHAPES = ((64, 40), (40, 64), (66, 42), (44, 64), (60, 40))
ROWS: tuple[Row, ...] = tuple(
    (f"{at}.png", "Silk" if at % 3 else "Gold", SPLITS[at % 4], SHAPES[at % 5]) for at in range(20)
)
YEARS: tuple[Row, ...] = tuple(
    (file, str(1500 + 21 * at), split, size) for at, (file, _, split, size) in enumerate(ROWS)
)

SMALL: dict[str, dict[str, Any]] = {
    "vgg16": {"width": 8, "hidden": 16, "resized_px": 40, "crop_px": 32},
    "vgg16-gap": {"width": 8},
    "vgg16-spp": {"width": 8, "hidden": 16},
}


def _folder(root: Path, answers: str) -> Path:
    name, rows = ("MetH-Medium", ROWS) if answers == "class" else ("MetH-Period", YEARS)
    return root / name if (root / name).is_dir() else write_meth(root / name, rows)


def _config(root: Path, name: str = "vgg16", answers: str = "class", **more: Any) -> TrainConfig:
    settings = {"answers": answers, "classes": 2, **SMALL[name], **more.pop("settings", {})}
    data = {"folder": str(_folder(root, answers)), "count": 0, "validation_split": "val"}
    return config_from(
        {
            "model": {"name": name, "settings": settings},
            "data": {**data, "workers": 0, **more.pop("data", {})},
            "schedule": {"name": "constant"},
            "run": {"epochs": 2, "batch_size": 4, "device": "cpu", "select": "loss", **more},
        }
    )


def _weights(path: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(path)[0].state_dict()


@pytest.mark.parametrize("answers", ["class", "year"])
@pytest.mark.parametrize("name", SMALL)
def test_model_of_photographs_trains_and_goes_on_to_the_same_bits(
    name: str, answers: str, tmp_path: Path
) -> None:
    """Stopped within the second epoch; a year has a loss and no accuracy, shapes their padding."""
    config = _config(tmp_path, name, answers, save_minutes=0.0)
    whole = train(config, tmp_path / "whole", shows_progress=False)
    with pytest.raises(KeyboardInterrupt), stopping_before(3):
        train(config, tmp_path / "cut", shows_progress=False)
    train(config, tmp_path / "cut", shows_progress=False)
    expected, found = _weights(whole.last), _weights(tmp_path / "cut/last.safetensors")
    assert all(torch.equal(found[key], value) for key, value in expected.items())
    row = whole.rows[-1]
    assert ("validation_class" in row) == (answers == "class")
    assert ("padding" in row) == (name != "vgg16")
    assert 0 <= row.get("padding", 0) < 0.35


def test_run_learns_from_colour(tmp_path: Path) -> None:
    """Photographs whose class is their colour, which no grey value tells."""
    from PIL import Image

    folder = write_meth(tmp_path / "MetH-Medium", ROWS)
    for file, label, _, (width, height) in ROWS:
        red_or_green = (150, 0, 0) if label == "Silk" else (0, 76, 0)  # luminance 45 of both
        Image.new("RGB", (width, height), red_or_green).save(folder / "data" / file)
    config = _config(tmp_path, "vgg16-gap", epochs=12, seed=1)
    result = train(config, tmp_path / "run", shows_progress=False)
    assert max(row["validation_class"] for row in result.rows) == 1.0


def test_validation_images_are_those_of_the_named_split(tmp_path: Path) -> None:
    """All of them, behind the training images; without a name a share of the split."""
    config = _config(tmp_path)
    model, _ = build_model(config.model, 0)
    samples, training, validation = open_for_run(config.data, model)
    assert (len(training), len(validation)) == (10, 5)
    names = [samples.get(place).image_id for place in validation]
    assert names == [file.removesuffix(".png") for file, _, split, _ in ROWS if "val" in split]
    share = _config(tmp_path, data={"validation_split": "", "validation_share": 0.2})
    samples, training, validation = open_for_run(share.data, model)
    assert (len(samples), len(training), len(validation)) == (10, 8, 2)


def test_crops_of_a_run_are_those_of_the_data_sets_own_loader() -> None:
    """One generator for an image and an epoch, wherever it is read."""
    draws, other = EpochDraws(3, 5)(7), picture_rng(3, 7, 5)
    assert other is not None
    assert draws.random() == other.random()


def test_like_shapes_fill_every_step_with_one_shape(tmp_path: Path) -> None:
    """Tall images with tall ones; each at most once an epoch, and other batches the next."""
    config = _config(tmp_path, "vgg16-gap")
    model, _ = build_model(config.model, 0)
    samples, training, _ = open_for_run(config.data, model)
    shapes = ShapeOrder.find(samples, model)
    assert shapes is not None
    orders = [shapes.order(training, 2, 0, epoch) for epoch in range(6)]
    assert all(len(set(order)) == 10 for order in orders)
    assert len({tuple(order) for order in orders}) > 1
    for order in orders:
        for first, second in zip(order[::2], order[1::2], strict=True):
            tall = [shapes.sizes[one][0] > shapes.sizes[one][1] for one in (first, second)]
            assert tall[0] == tall[1]
    # One batch has an image less; its step would reach into the next one's shape.
    assert [len(shapes.order(training, 3, 0, epoch)) for epoch in range(4)] == [9] * 4
    squared, _ = build_model(_config(tmp_path).model, 0)
    assert ShapeOrder.find(samples, squared) is None


def test_processes_read_what_this_one_reads(tmp_path: Path) -> None:
    """Started afresh, with a reader that has no weights."""
    config = _config(tmp_path)
    model, _ = build_model(config.model, 0)
    samples, training, _ = open_for_run(config.data, model)
    inputs = ModelInputs(samples, model.copy_reader(), rng_at=EpochDraws(0, 0))
    read = [
        [batch.pixels for batch, _ in iter_batches(inputs, [training[:2]], workers)]
        for workers in (0, 1)
    ]
    assert torch.equal(read[0][0], read[1][0])


# -- evaluation -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a run of whole photographs on years, one of squares on classes, and their data."""
    root = tmp_path_factory.mktemp("runs")
    train(_config(root, "vgg16-gap", "year", epochs=1), root / "year", shows_progress=False)
    train(_config(root, "vgg16", "class", epochs=1), root / "class", shows_progress=False)
    return root


def test_years_are_evaluated_by_bins_of_fifty(runs: Path) -> None:
    """The mean squared error is a mean over images, in all and of each bin; padding is told."""
    out, answers = runs / "year.json", runs / "year.csv"
    arguments = [str(runs / "year/best.safetensors"), "--data", str(runs / "MetH-Period")]
    told = CliRunner().invoke(
        evaluate_command, [*arguments, "--out", str(out), "--answers", str(answers)]
    )
    assert told.exit_code == 0, told.output
    figures = json.loads(out.read_text())
    tables = figures["numbers"]["year"]
    assert (tables["all"]["images"], len(tables["by_bin"])) == (5, 5)
    errors = [row["mse"] * row["images"] for row in tables["by_bin"]]
    assert tables["all"]["mse"] == pytest.approx(sum(errors) / 5)
    assert next(row["bin"] for row in tables["by_bin"]) == "1550-1599"
    assert figures["tasks"] == {}
    assert 0 < figures["padding"] < 1
    assert "mean squared error" in told.output
    assert "padding: " in told.output
    assert "over 64, as MetH's published code divides it" in told.output
    first = answers.read_text().splitlines()[1].split(",")
    assert (first[0], first[3], first[4]) == ("3", "", "")  # neither right nor wrong, nor sure


def test_errors_of_years_are_those_by_hand() -> None:
    """One error of 3 and one of -4, of which the root is no mean."""
    rows = [{"true_year": 1500.0, "said_year": 1503.0}, {"true_year": 1900.0, "said_year": 1896.0}]
    tables = number_tables(rows, "year")
    assert tables["all"] == {
        "images": 2,
        "mse": 12.5,
        "rmse": pytest.approx(12.5**0.5),
        "mean_absolute": 3.5,
        "mean": -0.5,
    }
    assert [row["bin"] for row in tables["by_bin"]] == ["1500-1549", "1850-1900"]
    assert tables["mse_over_64"] == 12.5 / 64  # as 173.7 may be of 11,117
    assert "root 3.5" in next(number_lines("year", tables))
    assert list(number_lines("year", number_tables([], "year"))) == [
        "year: no truth to compare with"
    ]


def test_classes_are_evaluated_in_the_order_of_the_folder(runs: Path) -> None:
    """Those of the model against those of the table."""
    model, _ = load_checkpoint(runs / "class/best.safetensors")
    folder = str(runs / "MetH-Medium")
    samples = open_for(DataPart(folder=folder, split="test", count=0), model)
    found = evaluate(model, samples, batch_size=2)
    expected = [0 if label == "Gold" else 1 for _, label, split, _ in ROWS if split == "test"]
    assert [row["true_class"] for row in found.rows] == expected
    assert samples.describe()["class_names"] == ["Gold", "Silk"]


def test_whole_photographs_keep_their_order_in_answers(runs: Path) -> None:
    """Though batches are of like shape."""
    model, _ = load_checkpoint(runs / "year/best.safetensors")
    folder = str(runs / "MetH-Period")
    samples = open_for(DataPart(folder=folder, split="train", count=0), model)
    found = evaluate(model, samples, batch_size=3, with_attention=False)
    assert [row["id"] for row in found.rows] == [samples.get(at).image_id for at in range(10)]
    truth = [float(year) for _, year, split, _ in YEARS if split == "train"]
    assert [row["true_year"] for row in found.rows] == truth


def test_year_of_one_photograph_is_predicted(runs: Path, tmp_path: Path) -> None:
    """A number without a chance that it is right, and a map over the photograph."""
    image = runs / "MetH-Period/data/0.png"
    arguments = [str(image), "--model", str(runs / "year/best.safetensors"), "--device", "cpu"]
    picture, table = tmp_path / "where.png", tmp_path / "row.csv"
    told = CliRunner().invoke(
        predict_command, [*arguments, "--attention", str(picture), "--out", str(table)]
    )
    assert told.exit_code == 0, told.output
    assert told.output.splitlines()[0].startswith("year: ")
    assert "confidence" not in told.output
    assert picture.is_file()
    as_json = json.loads(CliRunner().invoke(predict_command, [*arguments, "--json"]).output)
    assert as_json["confidence"] is None
    assert as_json["tasks"][0]["probabilities"] == []


# -- what does not go -------------------------------------------------------------------


def test_data_set_with_other_classes_is_refused(tmp_path: Path) -> None:
    """MetH-Cultures given to a model of MetH-Medium, or years to one of classes."""
    config = _config(tmp_path, settings={"classes": 23})
    with pytest.raises(InvalidValueError, match="the 23 classes of the model, found 2"):
        train(config, tmp_path / "run", shows_progress=False)
    period = _config(tmp_path, data={"folder": str(_folder(tmp_path, "year"))})
    with pytest.raises(InvalidValueError, match="the 2 classes of the model, found 0"):
        train(period, tmp_path / "run", shows_progress=False)


def test_scenes_of_digits_are_refused(tmp_path: Path, runs: Path) -> None:
    """A model of photographs needs a folder of them."""
    told = CliRunner().invoke(
        evaluate_command, [str(runs / "class/best.safetensors"), "--count", "2", "--device", "cpu"]
    )
    assert isinstance(told.exception, InvalidValueError)
    assert "Expected a photograph for the task 'class'" in str(told.exception)
    config = _config(tmp_path, data={"folder": "", "validation_split": "", "count": 20})
    with pytest.raises(InvalidValueError, match="Expected a folder of photographs"):
        train(config, tmp_path / "run", shows_progress=False)


def test_best_year_is_not_chosen_by_accuracy(tmp_path: Path) -> None:
    """There is none."""
    config = _config(tmp_path, answers="year", select="accuracy")
    with pytest.raises(InvalidValueError, match=r"run\.select = 'loss'"):
        train(config, tmp_path / "run", shows_progress=False)


@pytest.mark.parametrize("data", [{"folder": "", "count": 20}, {"validation_split": "train"}])
def test_split_that_cannot_validate_is_refused(data: dict[str, Any], tmp_path: Path) -> None:
    """Of no folder, or the one that trains."""
    with pytest.raises(InvalidValueError, match=r"another split of data\.folder"):
        _config(tmp_path, data=data)


def test_mame_is_read_by_the_same_models(tmp_path: Path) -> None:
    """Its validation split is called val in its own table."""
    folder = write_mame(tmp_path / "mame", ROWS)
    config = _config(tmp_path, data={"folder": str(folder)})
    model, _ = build_model(config.model, 0)
    samples, training, validation = open_for_run(config.data, model)
    assert (len(training), len(validation)) == (10, 5)
    prepared, targets = ModelInputs(samples, model)[0]
    assert prepared.pixels.shape == (3, 32, 32)
    assert targets["class"].dtype == torch.int64
    assert np.isin(int(targets["class"]), (0, 1))
