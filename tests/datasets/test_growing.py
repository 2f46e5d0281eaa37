"""Data sets that grow, with reduced copies, and with a text for people in them."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.datasets.making import hashes, small_recipe, umnist
from umnist_core.datasets import open_dataset, open_image_folder
from umnist_core.datasets.inspect import inspect_dataset
from umnist_core.datasets.read_me import READ_ME, TRUTH_COLUMNS
from umnist_core.datasets.recipe import BATCH
from umnist_core.datasets.samples import Order, write_batch
from umnist_core.datasets.truth import truth_schema
from umnist_core.datasets.write import write_dataset
from umnist_core.errors import ConflictError, InvalidValueError, WriteError

LARGER = {"canvas": "1100", "factor": "0.5..4"}
"""Large enough that small copies go by way of 512 px."""


@pytest.mark.parametrize("layout", ["kaggle", "voc", "coco", "webdataset"])
def test_grown_data_set_is_the_one_that_is_made_at_once(tmp_path: Path, layout: str) -> None:
    """Byte for byte; only what is missing is drawn, in files of their own."""
    write_dataset(small_recipe(6, layout=layout), tmp_path / "a")
    made = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.jpeg")}
    report = write_dataset(small_recipe(11, layout=layout), tmp_path / "a")
    write_dataset(small_recipe(11, layout=layout), tmp_path / "b")
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
    assert report.drawn == (11 if layout == "webdataset" else 5)  # one tar file holds them all
    assert {path: path.stat().st_mtime_ns for path in made} == made


def test_harmed_image_is_restored_while_the_data_set_grows(tmp_path: Path) -> None:
    """What was noted of the first images goes on being compared."""
    write_dataset(small_recipe(6), tmp_path / "a")
    before = hashes(tmp_path / "a")
    first, second = sorted((tmp_path / "a" / "train").iterdir())[:2]
    first.write_bytes(first.read_bytes()[:-400] + bytes(398) + b"\xff\xd9")
    second.unlink()
    assert write_dataset(small_recipe(9), tmp_path / "a").drawn == 3 + 2
    assert (
        hashes(tmp_path / "a").items()
        >= {name: sha for name, sha in before.items() if name.startswith("train/")}.items()
    )


def test_growing_goes_on_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was made until then stays, and the end is the same, byte for byte."""
    write_dataset(small_recipe(5), tmp_path / "a", sides_px=(100,))

    def stopped(order: Order, first: int, last: int, checksums: Sequence[str | None]) -> object:
        if first >= 2 * BATCH:
            raise WriteError("The disc is full.")
        return write_batch(order, first, last, checksums)

    with monkeypatch.context() as patched:
        patched.setattr("umnist_core.datasets.write.write_batch", stopped)
        with pytest.raises(WriteError, match="disc is full"):
            write_dataset(small_recipe(11), tmp_path / "a")
    assert inspect_dataset(tmp_path / "a").expected == {"train": 11}
    assert write_dataset(small_recipe(11), tmp_path / "a").drawn == 11 - 2 * BATCH
    write_dataset(small_recipe(11), tmp_path / "b", sides_px=(100,))
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")


def test_each_split_grows_by_itself(tmp_path: Path) -> None:
    """The other one keeps its images and its command."""
    write_dataset(small_recipe(2), tmp_path / "a")
    write_dataset(small_recipe(3, split="test"), tmp_path / "a")
    write_dataset(small_recipe(4), tmp_path / "a")
    inspected = inspect_dataset(tmp_path / "a")
    assert inspected.expected == inspected.counts == {"train": 4, "test": 3}
    assert [shlex.split(one)[6] for one in inspected.made_by] == ["4", "3"]


def test_copies_are_reduced_as_the_document_says(tmp_path: Path) -> None:
    """In one step down to 512 px, and by way of 512 px to what is smaller."""
    recipe = small_recipe(2, image="png", overrides=LARGER)
    write_dataset(recipe, tmp_path / "a", sides_px=(600, 100))
    for path in sorted((tmp_path / "a" / "train").iterdir()):
        image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert image is not None
        at_512 = cv2.resize(image, (512, 512), interpolation=cv2.INTER_AREA)
        wanted = {
            600: cv2.resize(image, (600, 600), interpolation=cv2.INTER_AREA),
            100: cv2.resize(at_512, (100, 100), interpolation=cv2.INTER_AREA),
        }
        for side_px, pixels in wanted.items():
            copy = tmp_path / "a" / f"side-{side_px}" / "train" / path.name
            np.testing.assert_array_equal(cv2.imread(str(copy), cv2.IMREAD_GRAYSCALE), pixels)


def test_copies_grow_with_their_data_set_and_are_restored(tmp_path: Path) -> None:
    """Whether or not they are asked for again."""
    write_dataset(small_recipe(3), tmp_path / "a", sides_px=(100,))
    write_dataset(small_recipe(5), tmp_path / "a")
    write_dataset(small_recipe(5), tmp_path / "b", sides_px=(100,))
    whole = hashes(tmp_path / "b")
    assert hashes(tmp_path / "a") == whole
    one, other, *_ = sorted((tmp_path / "a" / "side-100" / "train").iterdir())
    one.unlink()
    other.write_bytes(other.read_bytes()[:300])
    assert write_dataset(small_recipe(5), tmp_path / "a").drawn == 0
    assert hashes(tmp_path / "a") == whole


@pytest.mark.parametrize("layout", ["kaggle", "voc", "coco"])
def test_copies_are_a_data_set_by_themselves_and_none_of_the_whole_one(
    tmp_path: Path, layout: str
) -> None:
    """Readers see each image once, with its sum; places of whole images are not drawn in copies."""
    write_dataset(small_recipe(3, layout=layout), tmp_path / "a", sides_px=(100,))
    whole, copies = open_dataset(tmp_path / "a"), open_dataset(tmp_path / "a" / "side-100")
    assert whole.ids == copies.ids
    assert set(open_image_folder(tmp_path / "a").paths) == set(whole.ids)
    for name in whole.ids:
        assert copies.label(name) == whole.label(name)
        assert copies.read_image(name).shape == (100, 100)
        assert copies.truth(name) is None
        assert copies.known(name).boxes == ()
    assert inspect_dataset(tmp_path / "a").sizes == {"512x512": 3}
    assert inspect_dataset(tmp_path / "a" / "side-100").is_sound


@pytest.mark.parametrize(
    ("changes", "side_px", "said"),
    [
        ({"layout": "webdataset"}, 100, "got the format webdataset"),
        ({}, 512, "has a side of 1 to 511 px; got 512"),
        ({}, 0, "got 0"),
    ],
)
def test_copies_that_cannot_be_are_refused_before_anything_is_made(
    tmp_path: Path, changes: dict[str, Any], side_px: int, said: str
) -> None:
    """In a sentence."""
    with pytest.raises(InvalidValueError, match=said):
        write_dataset(small_recipe(1, **changes), tmp_path / "a", sides_px=(side_px,))
    assert not (tmp_path / "a").exists()


def test_folder_of_copies_is_not_written_to_as_a_data_set(tmp_path: Path) -> None:
    """They are no data set of ours to go on with."""
    write_dataset(small_recipe(1), tmp_path / "a", sides_px=(100,))
    with pytest.raises(ConflictError, match="no data set of umnist's"):
        write_dataset(small_recipe(1), tmp_path / "a" / "side-100")


def test_text_for_people_names_every_column_and_what_is_there(tmp_path: Path) -> None:
    """Files, columns, command, licence and what to cite."""
    write_dataset(small_recipe(2), tmp_path / "a", sides_px=(100,))
    text = (tmp_path / "a" / READ_ME).read_text()
    named = [name for names in TRUTH_COLUMNS for name in names.split(", ")]
    assert named == truth_schema().names
    assert all(f"{names}: " in text for names in TRUTH_COLUMNS)
    for word in ("id, digit_sum", "side-100/", "Licence", "10.1038/s41597-024-03587-4"):
        assert word in text
    assert ("NOT MNIST" in text) != ("CC BY-SA 3.0" in text)


def test_command_in_the_text_makes_the_same_data_set(tmp_path: Path) -> None:
    """Copies included."""
    write_dataset(small_recipe(2), tmp_path / "a", sides_px=(100,))
    lines = (tmp_path / "a" / READ_ME).read_text().splitlines()
    (command,) = (line for line in lines if line.startswith("umnist generate"))
    umnist(*shlex.split(command)[1:], cwd=tmp_path).check_returncode()
    assert hashes(tmp_path / "OUT") == hashes(tmp_path / "a")


def test_data_set_without_the_text_is_read_and_gets_it(tmp_path: Path) -> None:
    """As earlier versions wrote them."""
    write_dataset(small_recipe(2), tmp_path / "a")
    shutil.copy(tmp_path / "a" / READ_ME, tmp_path / "kept")
    (tmp_path / "a" / READ_ME).unlink()
    assert inspect_dataset(tmp_path / "a").is_sound
    assert write_dataset(small_recipe(2), tmp_path / "a").drawn == 0
    assert (tmp_path / "a" / READ_ME).read_bytes() == (tmp_path / "kept").read_bytes()
