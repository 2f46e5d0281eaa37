"""IPS on photographs: its recipes for traffic signs and MetH learn, and say what they took."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from safetensors.torch import load_file

from tests.datasets.meth.making import METH_HEADER, meth_cells, write_photograph, write_table
from tests.datasets.signs.making import published_lines, write_annotations
from tests.training.tiny import stopping_before
from umnist_core.cli import root as umnist
from umnist_core.errors import InvalidValueError
from umnist_core.models.cards import card_path, load_card
from umnist_core.models.ips.model import IPS
from umnist_core.models.registry import create_model
from umnist_core.pyramid import ArraySource
from umnist_core.training.config import (
    DataPart,
    TrainConfig,
    config_from,
    config_names,
    load_config,
)
from umnist_core.training.loop import train
from umnist_core.training.photograph_samples import open_for_run
from umnist_core.training.sign_choice import SignsPart

COUNTS = {"Set1": ((16, 8, 8, 8), 50), "Set2": ((8, 4, 4, 4), 24)}
"""Images of each class, and of all lines."""

SIGNS = [name for name in config_names() if name.startswith("ips-signs")]

TINY: dict[str, Any] = {
    "encoder": "compact",
    "width": 16,
    "key_width": 2,
    "value_width": 2,
    "inner_width": 8,
    "shift_px": 5,
}
SCALE = 10
"""Images and patches are smaller by it."""


@pytest.fixture(scope="module")
def signs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in the original layout, with annotations and images of another shape."""
    root = tmp_path_factory.mktemp("swedish-signs")
    rng = np.random.default_rng(0)
    for name, (counts, total) in COUNTS.items():
        lines = published_lines(counts, total)
        write_annotations(root / name / "annotations.txt", lines)
        folder = root / name / f"{name}Part0"
        folder.mkdir()
        for line in lines:
            pixels = rng.integers(0, 256, (48, 64, 3), np.uint8)
            Image.fromarray(pixels).save(folder / line.partition(":")[0])
    return root


@pytest.fixture(scope="module")
def meth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return MetH-Medium with photographs of several shapes and 23 classes."""
    root = tmp_path_factory.mktemp("meth") / "MetH-Medium"
    rows = [
        (f"{at}.jpg", f"Medium {at % 23}", split, (60 + 7 * (at % 5), 90 - 5 * (at % 4)))
        for at, split in enumerate(["train"] * 24 + ["validation"] * 4 + ["test"] * 3)
    ]
    write_table(root / "MetH-Medium.csv", METH_HEADER, meth_cells(rows))
    for at, (file, _, _, size) in enumerate(rows):
        write_photograph(root / "data" / file, *size, seed=at)
    return root


def _small(name: str, folder: Path, **settings: Any) -> TrainConfig:
    """Return a recipe with a small network, and images and patches of a tenth."""
    text = load_config(Path(name)).to_dict()
    own = text["model"]["settings"]
    sides: dict[str, Any] = {
        key: max(least, round(own[key] / SCALE))
        for key, least in (("patch_px", 5), ("stride_px", 5), ("memory", 2))
    }
    size = (
        {"resized_px": [one // SCALE for one in own["resized_px"]]} if "resized_px" in own else {}
    )
    text["model"] |= {"settings": own | TINY | sides | size | settings, "pretrained": "none"}
    text["data"] |= {"folder": str(folder), "workers": 0}
    batch = 4
    parts = batch if text["run"]["accumulate"] > 1 else 1
    text["run"] |= {
        "epochs": 2,
        "batch_size": batch,
        "accumulate": parts,
        "device": "cpu",
        "save_minutes": 0.0,
    }
    return config_from(text)


@pytest.mark.parametrize("name", SIGNS)
def test_recipe_of_traffic_signs_learns_on_their_layout(
    tmp_path: Path, signs: Path, name: str
) -> None:
    """The counts of its subset, and a card that says it and the seed."""
    config = _small(name, signs, stkim_top=1 if "stkim" in name else 0)
    result = train(config, tmp_path / "run")
    share = config.data.signs.share
    counts = [sum(int(one * share) for one in COUNTS[name][0]) for name in ("Set1", "Set2")]
    card = load_card(card_path(result.last))
    assert [card.data["training_images"], card.data["validation_images"]] == counts
    assert card.data["class_names"] == ["EMPTY", "50_SIGN", "70_SIGN", "80_SIGN"]
    run = card.data["run"]
    assert (run["run"]["seed"], run["data"]["signs"]["share"]) == (0, share)
    assert run["data"]["signs"]["subset"] == ("all" if share == 1 else "first")
    assert len(result.rows) == 2
    assert all(np.isfinite(row["train_loss"]) for row in result.rows)


@pytest.mark.parametrize("name", SIGNS)
def test_recipe_of_traffic_signs_sees_as_many_patches_as_published(name: str) -> None:
    """N of the logs at 100 and 25 px; at 75 px 21 of 21 1/3 columns, as the original cuts them."""
    settings = load_config(Path(name)).model.settings
    model = create_model("ips", settings)
    assert isinstance(model, IPS)
    grid = model.prepare_grid(ArraySource(np.zeros((960, 1280, 3), np.uint8), "nearest"))
    assert grid.count == {100: 192, 75: 336, 50: 768, 25: 3072}[settings["patch_px"]]


@pytest.mark.parametrize(
    "settings",
    [
        {"head_diversity": 0.5, "head_loss": 1.0},
        {"stkim_share": 0.5, "stkim_top": 4},
        {"frozen_encoder": True},
    ],
    ids=["heads", "stkim", "frozen"],
)
def test_run_with_each_setting_goes_on_to_the_same_bits(
    tmp_path: Path, signs: Path, settings: dict[str, Any]
) -> None:
    """Stopped before a step of the second epoch and gone on with, and not stopped."""
    config = _small("ips-signs", signs, memory=4, **settings)
    config = replace(config, data=replace(config.data, count=8))
    with stopping_before(3), pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "stopped")
    ends = [train(config, tmp_path / name).last for name in ("stopped", "straight")]
    weights = [load_file(end) for end in ends]
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(weights[0][name], value) for name, value in weights[1].items())


def test_subsets_are_first_or_random_and_follow_from_their_seed(signs: Path) -> None:
    """The first of each class are the same for every seed; drawn ones are as many, and differ."""
    model = create_model("ips", load_config(Path("ips-signs")).model.settings)

    def ids(**choice: Any) -> list[str]:
        part = DataPart(str(signs), count=0, validation_split="test", signs=SignsPart(**choice))
        samples, train_places, _ = open_for_run(part, model)
        return [samples.get(place).image_id for place in train_places]

    first = ids(subset="first", share=0.5)
    drawn = [ids(subset="random", share=0.5, seed=seed) for seed in (1, 1, 2)]
    assert first == ids(subset="first", share=0.5, seed=9)
    assert [len(one) for one in (first, *drawn)] == [20] * 4
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(ids()) == 40


def test_recipe_of_meth_learns_on_photographs_of_several_shapes(tmp_path: Path, meth: Path) -> None:
    """One image a part, all parts a step; the split of the table validates."""
    config = _small("ips-meth-medium", meth)
    result = train(config, tmp_path / "run")
    card = load_card(card_path(result.last))
    assert (card.data["training_images"], card.data["validation_images"]) == (24, 4)
    assert card.data["kind"] == "MetH-Medium"
    assert np.isfinite(result.rows[-1]["validation_loss"])


def test_commands_train_and_evaluate_ips_on_traffic_signs(tmp_path: Path, signs: Path) -> None:
    """A run that comes with umnist, by its name; then all of the test set that has a class."""
    changes = [
        f"data.folder={signs}",
        "data.workers=0",
        "data.count=8",
        "run.epochs=1",
        "run.batch_size=4",
        "run.device=cpu",
        "model.pretrained=none",
        "model.settings.encoder=compact",
        "model.settings.resized_px=[120, 160]",
        "model.settings.patch_px=40",
        "model.settings.stride_px=40",
    ]
    words = [word for one in changes for word in ("--set", one)]
    run = CliRunner().invoke(umnist, ["train", "ips-signs", *words, "--out", str(tmp_path / "run")])
    assert run.exit_code == 0, run.output
    told = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert told["weights"] == "trained from scratch"
    assert told["config"]["run"]["seed"] == 0
    words = ["evaluate", str(tmp_path / "run" / "best.safetensors"), "--data", str(signs)]
    run = CliRunner().invoke(umnist, [*words, "--split", "test", "--device", "cpu"])
    assert run.exit_code == 0, run.output
    assert "class: " in run.output
    assert "of 20" in run.output


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ({"chosen": "mine"}, "chosen is one of ats, google"),
        ({"subset": "last", "share": 0.5}, "subset one of all, first, random"),
        ({"subset": "first", "share": 1.5}, "above 0 and below 1 of the others; got 1.5 of first"),
        ({"share": 0.5}, "share is 1 of the subset all"),
        ({"subset": "random"}, "got 1 of random"),
    ],
)
def test_wrong_choice_is_refused_in_a_sentence(choice: dict[str, Any], says: str) -> None:
    """What there is, what was asked for, and what to do."""
    with pytest.raises(InvalidValueError, match=says):
        SignsPart(**choice)


def test_choice_of_another_data_set_is_refused(meth: Path, signs: Path) -> None:
    """Its kind is named; and so are classes that the model has not."""
    config = _small("ips-meth-medium", meth)
    data = replace(config.data, signs=SignsPart(subset="first", share=0.5))
    model = create_model("ips", config.model.settings)
    with pytest.raises(InvalidValueError, match="found a data set of the kind 'MetH-Medium'"):
        open_for_run(data, model)
    with pytest.raises(InvalidValueError, match="with the 23 classes of the model, found 4"):
        open_for_run(replace(config.data, folder=str(signs)), model)
