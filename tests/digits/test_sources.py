"""Which digits are used, and loading them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.digits.conftest import PROJECT
from tests.digits.idx_files import (
    TEST_NAMES,
    TRAIN_NAMES,
    random_digits,
    write_idx,
    write_mnist,
)
from umnist_core.digits import GlyphSet, find_digits, load_glyphs
from umnist_core.errors import DamagedFileError, InvalidValueError, MissingFileError
from umnist_core.settings import Settings, load_settings


def chosen(folder: Path) -> Settings:
    """Return settings in which UMNIST_DIGITS names ``folder``."""
    return load_settings({"UMNIST_DIGITS": str(folder), "UMNIST_DATA": str(folder / "data")})


def damage_sentence(folder: Path, subset: str = "train") -> str:
    """Return the one line with which the digits in ``folder`` are refused."""
    with pytest.raises(DamagedFileError) as caught:
        load_glyphs(subset, chosen(folder))
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("layout", [".", "MNIST/raw"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("separator", ["-", "."])
def test_digits_load_from_every_layout_and_name(
    tmp_path: Path, layout: str, suffix: str, separator: str
) -> None:
    """Flat or as torchvision leaves it, plain or packed, with a dash or a dot."""
    for names, count in ((TRAIN_NAMES, 5), (TEST_NAMES, 4)):
        for name, array in zip(names, random_digits(count), strict=True):
            write_idx(
                tmp_path / layout / f"{name.replace('-idx', separator + 'idx')}{suffix}", array
            )
    train = load_glyphs("train", chosen(tmp_path))
    assert np.array_equal(train.images, random_digits(5)[0])
    assert np.array_equal(train.labels, random_digits(5)[1])
    assert (train.name, train.is_stand_in) == ("mnist-train", False)
    test = load_glyphs("test", chosen(tmp_path))
    assert (test.name, len(test)) == ("mnist-test", 4)


def test_digits_of_the_chosen_folder_come_before_those_of_the_data_folder(tmp_path: Path) -> None:
    """UMNIST_DIGITS wins over what was downloaded."""
    folder = write_mnist(tmp_path / "chosen", train=6)
    write_mnist(tmp_path / "data" / "mnist", train=7)
    both = load_settings({"UMNIST_DIGITS": str(folder), "UMNIST_DATA": str(tmp_path / "data")})
    assert len(load_glyphs(settings=both)) == 6
    assert len(load_glyphs(settings=load_settings({"UMNIST_DATA": str(tmp_path / "data")}))) == 7


def test_digits_of_a_machine_without_mnist_are_the_stand_in(settings: Settings) -> None:
    """Without any file there is a notice, and digits all the same."""
    glyphs = load_glyphs("train", settings)
    assert glyphs.is_stand_in
    assert load_glyphs("test", settings) is glyphs
    status = find_digits(settings)
    assert (status.kind, status.folder, status.is_official) == ("stand-in", None, False)
    assert (status.train_count, status.test_count) == (1797, 1797)
    assert status.sentence == (
        "Stand-in digits: MNIST was not found on this machine. Run `umnist digits fetch` to get it."
    )


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda folder: None, "no such folder"),
        (lambda folder: folder.mkdir(), "none of them"),
        (lambda folder: folder.write_text("digits"), "a file"),
    ],
)
def test_digits_are_never_replaced_when_the_chosen_folder_has_none(
    tmp_path: Path, make: object, found: str
) -> None:
    """A wrong UMNIST_DIGITS is an error, even where downloaded digits are at hand."""
    write_mnist(tmp_path / "data" / "mnist")
    folder = tmp_path / "chosen"
    assert callable(make)
    make(folder)
    settings = load_settings({"UMNIST_DIGITS": str(folder), "UMNIST_DATA": str(tmp_path / "data")})
    for ask in (load_glyphs, find_digits):
        with pytest.raises(MissingFileError, match=f"UMNIST_DIGITS names, .* found {found};"):
            ask(settings=settings)


@pytest.mark.parametrize("where", ["chosen", "data/mnist"])
def test_digits_with_a_partner_missing_are_an_error(tmp_path: Path, where: str) -> None:
    """Images without labels are neither half-loaded nor replaced by the stand-in."""
    folder = write_mnist(tmp_path / where)
    (folder / f"{TRAIN_NAMES[1]}.gz").unlink()
    environment = {"UMNIST_DATA": str(tmp_path / "data")}
    if where == "chosen":
        environment["UMNIST_DIGITS"] = str(folder)
    with pytest.raises(MissingFileError, match=f"Expected {TRAIN_NAMES[1]} or .* found neither"):
        load_glyphs("train", load_settings(environment))


def test_digits_with_another_count_of_labels_are_refused(tmp_path: Path) -> None:
    """Labels of another set would mislabel every digit."""
    write_mnist(tmp_path)
    write_idx(tmp_path / f"{TRAIN_NAMES[1]}.gz", random_digits(29)[1])
    message = damage_sentence(tmp_path)
    assert "expected 30 labels" in message
    assert "found 29" in message
    assert TRAIN_NAMES[0] in message


def test_digits_with_a_label_above_nine_are_refused(tmp_path: Path) -> None:
    """Letters, as in EMNIST, have no sum."""
    write_mnist(tmp_path)
    labels = random_digits(30)[1]
    labels[17] = 10
    write_idx(tmp_path / f"{TRAIN_NAMES[1]}.gz", labels)
    message = damage_sentence(tmp_path)
    assert TRAIN_NAMES[1] in message
    assert "expected labels 0 to 9, found 10 at index 17" in message


def test_digits_of_another_side_are_refused(tmp_path: Path) -> None:
    """USPS-like 16-px digits are not glyphs."""
    write_mnist(tmp_path)
    write_idx(tmp_path / f"{TRAIN_NAMES[0]}.gz", random_digits(30)[0][:, :16, :20])
    assert "expected images of 28 x 28 px, found 16 x 20 px" in damage_sentence(tmp_path)


@pytest.mark.parametrize("wrong", [0, 1])
def test_digits_files_under_each_others_names_are_refused(tmp_path: Path, wrong: int) -> None:
    """A labels file called images is named, and so is the reverse."""
    write_mnist(tmp_path)
    write_idx(tmp_path / f"{TRAIN_NAMES[wrong]}.gz", random_digits(30)[1 - wrong])
    message = damage_sentence(tmp_path)
    assert message.startswith(str(tmp_path / TRAIN_NAMES[wrong]))
    assert ("found no images", "expected labels in one dimension")[wrong] in message


def test_digits_in_a_truncated_file_are_refused_with_its_name(tmp_path: Path) -> None:
    """An interrupted copy is found out, and the status says so as well."""
    write_mnist(tmp_path)
    path = tmp_path / f"{TEST_NAMES[0]}.gz"
    path.write_bytes(path.read_bytes()[:-100])
    assert damage_sentence(tmp_path, "test").startswith(str(path))
    with pytest.raises(DamagedFileError, match=path.name):
        find_digits(chosen(tmp_path))
    assert len(load_glyphs("train", chosen(tmp_path))) == 30


def test_digits_of_an_unknown_subset_are_refused(settings: Settings) -> None:
    """A wrong name lists the right ones."""
    with pytest.raises(InvalidValueError, match="'train' or 'test', found 'valid'"):
        load_glyphs("valid", settings)


def test_digits_are_loaded_once_while_their_files_stay(tmp_path: Path) -> None:
    """The second call gives the very same object, through another path as well."""
    write_mnist(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    glyphs = load_glyphs("train", chosen(tmp_path / "real"))
    assert load_glyphs("train", chosen(tmp_path / "real")) is glyphs
    assert load_glyphs("train", chosen(tmp_path / "link")) is glyphs


def test_digits_are_loaded_again_when_a_file_changes(tmp_path: Path) -> None:
    """New files are not answered with old digits, nor with the old verdict."""
    write_mnist(tmp_path, suffix="")
    before = load_glyphs("train", chosen(tmp_path))
    images_path = tmp_path / TRAIN_NAMES[0]
    write_idx(images_path, random_digits(30, seed=9)[0])
    os.utime(images_path, ns=(0, 1))
    after = load_glyphs("train", chosen(tmp_path))
    assert not np.array_equal(before.images, after.images)
    assert np.array_equal(after.images, random_digits(30, seed=9)[0])


def test_digits_asked_for_by_many_threads_at_once_are_loaded_once(tmp_path: Path) -> None:
    """Threads share one load: all of them get the same object."""
    write_mnist(tmp_path, train=2000)
    start = threading.Barrier(8)

    def ask() -> GlyphSet:
        start.wait()
        return load_glyphs("train", chosen(tmp_path))

    with ThreadPoolExecutor(8) as pool:
        sets = [future.result() for future in [pool.submit(ask) for _ in range(8)]]
    assert len({id(glyphs) for glyphs in sets}) == 1


def test_digits_with_other_bytes_are_reported_as_not_the_original(tmp_path: Path) -> None:
    """A changed set loads, and nobody mistakes it for MNIST."""
    status = find_digits(chosen(write_mnist(tmp_path)))
    assert (status.kind, status.folder) == ("mnist", tmp_path.resolve())
    assert (status.train_count, status.test_count) == (30, 20)
    assert not status.is_official
    assert status.sentence.startswith(
        "Not the original MNIST: 30 training digits and 20 test digits"
    )


def test_digits_of_one_subset_alone_are_reported_as_such(tmp_path: Path) -> None:
    """A folder without the test files still serves the training digits."""
    status = find_digits(chosen(write_mnist(tmp_path, test=0)))
    assert (status.train_count, status.test_count) == (30, 0)
    assert "30 training digits and no test digits" in status.sentence


@pytest.mark.usefixtures("original")
def test_digits_with_the_checksums_of_the_original_are_official(tmp_path: Path) -> None:
    """All files must be the original's: one that is not spoils the verdict."""
    settings = chosen(tmp_path / "original")
    status = find_digits(settings)
    assert status.is_official
    assert status.sentence == "MNIST: 30 training digits and 20 test digits."
    write_idx(tmp_path / "original" / f"{TEST_NAMES[1]}.gz", random_digits(20, seed=8)[1])
    assert not find_digits(settings).is_official


def test_real_mnist_is_official(real_mnist: Path) -> None:
    """The original files are known by their checksums."""
    status = find_digits(chosen(real_mnist))
    assert status.is_official
    assert status.sentence == "MNIST: 60,000 training digits and 10,000 test digits."
    assert np.bincount(load_glyphs("train", chosen(real_mnist)).labels).tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]  # fmt: skip


def test_digits_import_loads_no_heavy_library() -> None:
    """Scenes import this package everywhere, on machines that lack these libraries."""
    code = (
        "import sys, umnist_core.digits; "
        "print([m for m in ('sklearn', 'pooch', 'requests', 'tqdm') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
