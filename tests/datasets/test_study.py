"""The noise study: eleven sets, one set of digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tests.datasets.making import SMALL_OPTIONS, umnist
from umnist_core.datasets.inspect import inspect_dataset
from umnist_core.datasets.read import open_dataset
from umnist_core.datasets.study import NOISE_STUDY
from umnist_core.digits import load_glyphs
from umnist_core.rendering import render

COUNT = 6


def test_study_is_one_noise_free_set_and_ten_noised() -> None:
    """1 to 5 shape pairs on 4 cells; 4 to 24 cells with one pair; one set is in both series."""
    settings = {(int(n["shape_pairs"]), int(n["checkerboard"])) for n in NOISE_STUDY.values()}
    pairs = {(pairs, 4) for pairs in range(1, 6)}
    boards = {(1, cells) for cells in (4, 8, 12, 16, 20, 24)}
    assert settings == {(0, 0)} | pairs | boards
    assert len(NOISE_STUDY) == len(settings) == 11


def test_all_sets_of_the_study_have_the_same_digits_and_their_own_noise(tmp_path: Path) -> None:
    """The command a user types, read back set by set."""
    options = ["--study", "noise", "--count", str(COUNT), "--seed", "5", "--image", "png"]
    done = umnist("generate", "study", *options, *SMALL_OPTIONS, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    folder = tmp_path / "study"
    assert sorted(path.name for path in folder.iterdir()) == sorted(NOISE_STUDY)
    tables = {name: pd.read_parquet(folder / name / "truth-train.parquet") for name in NOISE_STUDY}
    clean = tables["noise-free"]
    for name, table in tables.items():
        assert table["id"].tolist() == clean["id"].tolist()
        for mine, its in zip(table["digits"], clean["digits"], strict=True):
            assert list(mine) == list(its)
        pairs, cells = (int(NOISE_STUDY[name][key]) for key in ("shape_pairs", "checkerboard"))
        assert table["circles"].eq(pairs).all()
        assert table["triangles"].eq(pairs).all()
        assert table["checkerboard"].eq(cells).all()
        found = inspect_dataset(folder / name)
        assert (found.kind, found.is_sound) == ("voc", True)


def test_noised_images_are_the_noise_free_ones_on_a_ground(tmp_path: Path) -> None:
    """Ink inverts the ground, so the noise-free pixels take it off again."""
    options = ["--study", "noise", "--count", "2", "--image", "png", *SMALL_OPTIONS]
    umnist("generate", "study", *options, cwd=tmp_path)
    clean = open_dataset(tmp_path / "study" / "noise-free")
    noised = open_dataset(tmp_path / "study" / "shape-pairs-2")
    for name in clean.ids:
        scene = noised.truth(name)
        assert scene is not None
        ground = clean.read_image(name) ^ noised.read_image(name)
        np.testing.assert_array_equal(ground, render(scene, load_glyphs(), layer="background"))
