"""MetH-SR from training to a table: what is shipped comes first, and bicubic stands beside."""

from __future__ import annotations

import csv
import json
import math
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from tests.datasets.meth.making import METH_HEADER, Row, photograph, write_meth, write_photograph
from tests.training.tiny import stopping_before
from umnist_core.cli.evaluate import evaluate_command
from umnist_core.cli.predict import predict_command
from umnist_core.cli.upscale import upscale_command
from umnist_core.datasets.meth.pairs import reduce_image
from umnist_core.errors import InvalidValueError
from umnist_core.models.cards import Card, load_card
from umnist_core.models.checkpoints import load_checkpoint, save_checkpoint
from umnist_core.models.papers.espcn import enlarge_whole
from umnist_core.models.registry import create_model
from umnist_core.training.config import TrainConfig, config_from
from umnist_core.training.enlarging import run_enlarging, summarise
from umnist_core.training.fidelity import measure_fidelity
from umnist_core.training.loop import train

ROWS: tuple[Row, ...] = tuple(
    (f"{at}.png", "", "test" if at > 5 else "train", (50 + at, 61 - at)) for at in range(9)
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write MetH-SR with one reduced copy, black, so that none else is taken for it."""
    root = write_meth(tmp_path_factory.mktemp("sr") / "MetH-SR", ROWS, header=METH_HEADER)
    (root / "LR/x2").mkdir(parents=True)
    height, width = 54 // 2, 57 // 2
    Image.fromarray(np.zeros((height, width, 3), np.uint8)).save(root / "LR/x2/7.png")
    return root


def _config(folder: Path, **run: object) -> TrainConfig:
    return config_from(
        {
            "model": {"name": "espcn", "settings": {"factor": 2, "patch_px": 16}},
            "data": {"folder": str(folder), "count": 0, "validation_share": 0.2, "workers": 0},
            "schedule": {"name": "constant"},
            "run": {"batch_size": 5, "device": "cpu", "select": "loss", "epochs": 2, **run},
        }
    )


def test_network_trains_and_goes_on_to_the_same_bits(folder: Path, tmp_path: Path) -> None:
    """Stopped within the second epoch."""
    config = _config(folder, batch_size=2, save_minutes=0.0)
    whole = train(config, tmp_path / "whole", shows_progress=False)
    with pytest.raises(KeyboardInterrupt), stopping_before(3):
        train(config, tmp_path / "cut", shows_progress=False)
    train(config, tmp_path / "cut", shows_progress=False)
    expected = load_checkpoint(whole.last)[0].state_dict()
    found = load_checkpoint(tmp_path / "cut/last.safetensors")[0].state_dict()
    assert all(torch.equal(found[key], value) for key, value in expected.items())


def test_network_learns_what_bicubic_lacks(tmp_path: Path) -> None:
    """The edges of blocks, which bicubic blurs: on images that it has not seen, too."""
    folder = write_meth(tmp_path / "MetH-SR", ROWS)
    rng = np.random.default_rng(0)
    for file, _, _, (width, height) in ROWS:
        blocks = rng.integers(0, 256, (20, 20, 3), np.uint8)
        image = np.kron(blocks, np.ones((4, 4, 1), np.uint8))[:height, :width]
        Image.fromarray(image).save(folder / "data" / file)
    config = _config(folder, epochs=40)
    rows = train(config, tmp_path / "run", shows_progress=False).rows
    assert rows[-1]["validation_loss"] < 0.8 * rows[0]["validation_loss"]
    assert "validation_upscaled" not in rows[-1]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep a network that has not learned, which is bicubic."""
    path = tmp_path_factory.mktemp("net") / "net.safetensors"
    save_checkpoint(path, create_model("espcn", {"factor": 2}), Card("espcn"))
    return path


def test_evaluation_is_of_the_test_images_by_a_named_convention(
    folder: Path, checkpoint: Path, tmp_path: Path
) -> None:
    """Each as measured by hand; the shipped copy is taken, and counted."""
    out, answers = tmp_path / "out.json", tmp_path / "rows.csv"
    told = CliRunner().invoke(
        evaluate_command,
        [
            *(str(checkpoint), "--data", str(folder), "--device", "cpu"),
            *("--out", str(out), "--answers", str(answers), "--onto-card"),
        ],
    )
    assert told.exit_code == 0, told.output
    figures = json.loads(out.read_text())
    assert (figures["images"], figures["shipped"], figures["reduced_here"]) == (3, 1, 2)
    rows = {row["id"]: row for row in csv.DictReader(StringIO(answers.read_text()))}
    for at in (6, 8):
        pair = reduce_image(photograph(50 + at, 61 - at, at), 2)
        by_hand = measure_fidelity(enlarge_whole(pair.low, 2, None), pair.high, border_px=2)
        for way in ("bicubic", "model"):
            assert float(rows[str(at)][f"psnr_{way}_Y"]) == pytest.approx(by_hand["Y"].psnr)
            assert float(rows[str(at)][f"ssim_{way}_RGB"]) == pytest.approx(by_hand["RGB"].ssim)
    assert (rows["7"]["is_shipped"], rows["6"]["is_shipped"]) == ("True", "False")
    black = measure_fidelity(np.zeros((54, 56, 3), np.uint8), photograph(57, 54, 7), border_px=2)
    assert float(rows["7"]["psnr_bicubic_RGB"]) == pytest.approx(black["RGB"].psnr)
    mean = sum(float(row["psnr_model_Y"]) for row in rows.values()) / 3
    assert figures["figures"]["psnr_model_Y"] == pytest.approx(mean)
    command = load_card(checkpoint).measured["plain"]["command"]
    assert command == "umnist evaluate net.safetensors --data MetH-SR --split test"
    for words in ("a = -0.5", "2 px cut off", "BT.601", "1 reduced as shipped, 2 here", "bicubic:"):
        assert words in told.output


def test_bicubic_needs_no_checkpoint(folder: Path, tmp_path: Path) -> None:
    """Its name says the factor; a pattern says where reduced copies lie."""
    pattern = ["--low-files", "LR/x{factor}/{name}"]
    told = CliRunner().invoke(
        evaluate_command, ["bicubic-x2", "--data", str(folder), "--count", "2", *pattern]
    )
    assert told.exit_code == 0, told.output
    assert "2 images, x2: 1 reduced as shipped" in told.output
    assert "model:" not in told.output


def test_photograph_is_enlarged_to_a_file(checkpoint: Path, tmp_path: Path) -> None:
    """By a checkpoint and by bicubic, which are the same before it has learned."""
    image = write_photograph(tmp_path / "small.png", 21, 13)
    pictures = []
    for name in (str(checkpoint), "bicubic-x2"):
        out = tmp_path / "large.png"
        told = CliRunner().invoke(
            upscale_command, [str(image), "--model", name, "--out", str(out), "--device", "cpu"]
        )
        assert told.exit_code == 0, told.output
        assert "42 x 26 px, x2" in told.output
        pictures.append(np.asarray(Image.open(out)))
    assert np.array_equal(pictures[0], pictures[1])
    assert pictures[0].shape == (26, 42, 3)


def test_image_that_comes_out_without_error_is_counted_apart() -> None:
    """Its PSNR is infinite, and would make the mean so."""
    row = {"id": "a", "is_shipped": True, "psnr_bicubic_Y": 30.0, "ssim_bicubic_Y": 0.9}
    same = row | {"psnr_bicubic_Y": math.inf, "ssim_bicubic_Y": 1.0}
    figures = summarise([row, same], 4)
    assert figures["figures"] == {"psnr_bicubic_Y": 30.0, "ssim_bicubic_Y": pytest.approx(0.95)}
    assert figures["equal"] == {"psnr_bicubic_Y": 1, "ssim_bicubic_Y": 0}
    assert figures["reduced"] == "as shipped"


def test_what_is_asked_of_the_wrong_model_is_said(
    folder: Path, checkpoint: Path, tmp_path: Path
) -> None:
    """No data, an option of digits, a prediction, a model that answers."""
    runner, name = CliRunner(), str(checkpoint)
    for arguments, words in (
        ([name], "Expected --data with photographs"),
        ([name, "--data", str(folder), "--variant", "inverted"], "--variant is for models of"),
        (["bicubic-x2", "--data", str(folder), "--onto-card"], "which has no card"),
        (["bicubic-x2", "--data", str(folder), "--submission", "a.csv"], "--submission is for"),
    ):
        told = runner.invoke(evaluate_command, arguments)
        assert isinstance(told.exception, InvalidValueError)
        assert words in str(told.exception)
    image = str(write_photograph(tmp_path / "a.png", 40, 40))
    told = runner.invoke(predict_command, [image, "--model", name, "--device", "cpu"])
    assert isinstance(told.exception, InvalidValueError)
    assert "umnist upscale" in str(told.exception)
    other = tmp_path / "other.safetensors"
    save_checkpoint(other, create_model("large-scale-cnn"), Card("large-scale-cnn"))
    told = runner.invoke(
        upscale_command, [image, "--model", str(other), "--out", str(tmp_path / "b.png")]
    )
    assert isinstance(told.exception, InvalidValueError)
    assert "a checkpoint of espcn or one of bicubic-x2" in str(told.exception)
    assert runner.invoke(upscale_command, [image, "--model", name, "--out", "b.jpg"]).exit_code == 2


def test_low_files_are_of_meth(checkpoint: Path, tmp_path: Path) -> None:
    """No other data set ships any."""
    for at in range(2):
        write_photograph(tmp_path / f"photos/{at}.png", 40, 40)
    options = {"data": tmp_path / "photos", "low_files": "x{factor}/{name}", "variant": "plain"}
    options["onto_card"] = False
    with pytest.raises(InvalidValueError, match="--low-files is of MetH"):
        list(run_enlarging("bicubic-x2", options))
