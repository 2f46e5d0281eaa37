"""``umnist predict``: what it says and writes, as a user runs it."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from tests.cli.test_render import umnist
from tests.datasets.making import small_recipe
from tests.inference.images import save_photo
from tests.pyramid.making import write_oriented, write_pages
from umnist_core.datasets.write import write_dataset
from umnist_core.digits import load_glyphs
from umnist_core.scenes import plan_scene
from umnist_core.scoring.intervals import wilson

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--seed", "7", "--index", "3", "--set", "canvas=600", "--set", "factor=1..4"]


def _run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return umnist("predict", "--model", "digit-finder", *arguments, cwd=cwd)


def test_scene_is_answered_with_truth_places_and_a_picture(tmp_path: Path) -> None:
    """JSON holds what the page shows; the picture has colour on the heaviest place."""
    done = _run(*SMALL, "--json", "--attention", "a.png", "--out", "a.csv", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    overrides = {"canvas": "600", "factor": "1..4"}
    scene = plan_scene("released", 7, "train", 3, glyphs=load_glyphs(), overrides=overrides)
    (task,) = told["tasks"]
    assert (task["name"], task["truth"], len(task["probabilities"])) == ("sum", [scene.label], 28)
    weights = [place["weight"] for place in told["strongest"]]
    assert weights == sorted(weights, reverse=True)
    assert 1 <= len(weights) <= 24
    looked = told["looked"]["sum"]
    assert looked["boxes"]["mass"] >= looked["mass"] > looked["chance"] > 0
    assert 1 <= looked["effective_places"] <= told["attention"]["places"]
    picture = cv2.imread(str(tmp_path / "a.png"))
    assert picture is not None
    assert picture.shape == (600, 600, 3)
    x, y, width, height = told["strongest"][0]["box"]
    blue, green, red = picture[int(y + height / 2), int(x + width / 2)].tolist()
    assert red > green > blue
    (row,) = csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text()))
    assert row["said_sum"] == str(task["answer"][0])
    assert row["correct_sum"] == str(task["is_right"])
    assert row["error"] == ""


def test_text_names_answer_digits_places_time_and_memory(tmp_path: Path) -> None:
    """What people read first comes first."""
    done = _run(*SMALL, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    warning, first, *rest = done.stdout.splitlines()
    assert warning == "warning: Expected 4000 x 4000 px, as in training; found 600 x 600 px."
    assert first.startswith("sum: ")
    assert first.endswith("right") or "wrong: it is" in first
    text = "\n".join(rest)
    said = ("digits found:", "strongest of", "times chance; a perfect model", "on CPU")
    for words in (*said, "within digits' boxes", "as spread as over", "peak memory"):
        assert words in text
    assert list(tmp_path.iterdir()) == []


def test_folder_gives_a_row_for_each_image_and_goes_on_past_failures(tmp_path: Path) -> None:
    """An image that fails has its sentence in the row; the code says that one did."""
    folder = tmp_path / "images"
    folder.mkdir()
    save_photo(folder / "a.jpg")
    save_photo(folder / "b.png", 1, 1)
    (folder / "c.png").write_bytes(b"no image")
    save_photo(folder / "d.tif")
    done = _run("images", "--out", "a.csv", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "a.csv: 4 images, 2 of them failed\n")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text())))
    assert [row["id"] for row in rows] == ["a", "b", "c", "d"]
    assert [bool(row["said_sum"]) for row in rows] == [True, False, False, True]
    assert "1 x 1 px" in rows[1]["error"]
    assert "c.png" in rows[2]["error"]
    assert 0 < float(rows[0]["probability_sum"]) <= 1


def test_table_says_what_was_chosen_to_read_each_file(tmp_path: Path) -> None:
    """As the lines of a single image do; nothing of a file that is shown as it is stored."""
    folder = tmp_path / "images"
    folder.mkdir()
    save_photo(folder / "a.png")
    grey = np.random.default_rng(0).integers(0, 256, (80, 60), np.uint8)
    write_oriented(folder / "b.png", grey, 6)
    assert _run("images", "--out", "a.csv", cwd=tmp_path).returncode == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text())))
    assert rows[0]["notes"] == ""
    assert rows[1]["notes"].startswith("Shown turned a quarter clockwise")


def test_folder_without_a_model_tries_no_image(tmp_path: Path) -> None:
    """One sentence, not one a row; nothing is written."""
    folder = tmp_path / "images"
    folder.mkdir()
    save_photo(folder / "a.png")
    done = umnist("predict", "images", "--model", "none-such", "--out", "a.csv", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "'none-such'" in done.stderr
    assert not (tmp_path / "a.csv").exists()


def test_stopped_folder_leaves_nothing_half_written(tmp_path: Path) -> None:
    """Ctrl-C in the middle: no table, and a sentence. There are images enough for minutes."""
    folder = tmp_path / "images"
    folder.mkdir()
    save_photo(folder / "0.png")
    for number in range(1, 500):
        shutil.copy(folder / "0.png", folder / f"{number}.png")
    command = ["predict", "--model", "digit-finder", "images", "--out", "a.csv"]
    process = subprocess.Popen(
        [sys.executable, "-m", "umnist_core.cli", *command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    maps = Path(f"/proc/{process.pid}/maps")
    while "libtorch" not in maps.read_text():  # it has looked at its options, and begins
        assert process.poll() is None
        time.sleep(0.1)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate()
    assert process.returncode == 1
    assert "stopped; nothing half-written was left" in stderr
    assert [path.name for path in tmp_path.iterdir()] == ["images"]


def test_wrong_use_is_refused_with_code_2(tmp_path: Path) -> None:
    """An image or a scene, not both; a folder gives a table; attention is PNG."""
    save_photo(tmp_path / "a.png")
    for arguments, words in (
        (["a.png", "--seed", "3"], "got both"),
        ([".", "--json"], "A folder gives a table"),
        (["a.png", "--attention", "b.jpg"], "ends in .png"),
    ):
        done = _run(*arguments, cwd=tmp_path)
        assert (done.returncode, words in done.stderr) == (2, True), done.stderr


def test_picture_that_cannot_be_written_is_said_and_left_out(tmp_path: Path) -> None:
    """The folder is not there: one sentence, and nothing is made."""
    arguments = ["--set", "canvas=100", "--set", "factor=0.5", "--attention", "no/where.png"]
    done = _run(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert "could not be written" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_colour_photograph_keeps_its_colours_in_the_picture(tmp_path: Path) -> None:
    """Where nothing was looked at the picture is the photograph."""
    save_photo(tmp_path / "a.png")
    done = _run("a.png", "--attention", "b.png", cwd=tmp_path)
    assert done.returncode == 0
    before, after = (cv2.imread(str(tmp_path / name)) for name in ("a.png", "b.png"))
    assert before is not None
    assert after is not None
    assert np.mean((before == after).all(axis=2)) > 0.3


def test_what_was_chosen_of_a_file_is_said(tmp_path: Path) -> None:
    """Page and turning, in text and in JSON; --page belongs to a file."""
    grey = np.random.default_rng(0).integers(0, 256, (200, 300), np.uint8)
    write_pages(tmp_path / "stack.tif", [grey[:50], grey])
    done = _run("stack.tif", "--page", "2", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "image: Page 2 is shown, number 2 of 2." in done.stdout.splitlines()
    write_oriented(tmp_path / "photo.jpg", grey, 6)
    told = json.loads(_run("photo.jpg", "--json", cwd=tmp_path).stdout)
    assert told["image"] == {"width": 200, "height": 300}
    (note,) = told["image_notes"]
    assert "turned a quarter clockwise" in note
    refused = _run("--page", "2", cwd=tmp_path)
    assert (refused.returncode, "give IMAGE too" in refused.stderr) == (2, True)


def test_folder_with_sums_says_accuracy_with_its_interval(tmp_path: Path) -> None:
    """Rows have the truth; an image that cannot be answered counts as wrong."""
    write_dataset(small_recipe(4, image="png"), tmp_path / "set")
    first = min((tmp_path / "set" / "train").iterdir())
    first.write_bytes(b"no image")
    done = _run("set", "--out", "a.csv", cwd=tmp_path)
    assert done.returncode == 1
    rows = list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text())))
    right = sum(row["correct_sum"] == "True" for row in rows)
    for row in rows:
        assert row["error"] or (row["said_sum"] == row["true_sum"]) == (
            row["correct_sum"] == "True"
        )
    interval = wilson(right, 4)
    _, said = done.stdout.splitlines()
    assert said == (
        f"accuracy {25 * right:.1f} % (95 %: {100 * interval.low:.1f} % to "
        f"{100 * interval.high:.1f} %), {right} right of 4 images with a sum, 1 without an answer"
    )
    table = _run("set", cwd=tmp_path)
    assert table.stdout.splitlines()[0].startswith("id,")
    assert "accuracy" not in table.stdout
    assert said in table.stderr


def test_sum_is_not_compared_with_the_label_of_another_task(tmp_path: Path) -> None:
    """Megapixel MNIST's table says the majority."""
    write_dataset(small_recipe(1, preset="megapixel", image="png"), tmp_path / "set")
    done = _run("set", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "true_sum" not in done.stdout
