"""Megapixel MNIST in its original layout: read, written, and never trusted."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.megapixel import megapixel_tasks
from tests.segment_glyphs import segment_glyphs
from umnist_core.datasets import pickled as pickled_module
from umnist_core.datasets.megapixel_sparse import open_megapixel_split, write_megapixel_split
from umnist_core.errors import DamagedFileError, MissingFileError, NotFoundError
from umnist_core.rendering import render
from umnist_core.scenes import MegapixelTasks, plan_scene

SIZE = 40


def original_record(pixels: np.ndarray, digits: list[int]) -> dict[str, Any]:
    """Return a record as the original code stores one: float32 values, NumPy's own labels."""
    flat = (pixels.astype(np.float32) / 255).ravel()
    places = np.where(flat != 0)
    return {
        "input": (places, flat[places]),
        "majority": digits[0],
        "max": np.max(np.array(digits)),
        "top": np.uint8(digits[1]),
        "multi": np.eye(10)[digits].sum(0).clip(0, 1),
    }


def write_original(folder: Path, records: Any, parameters: Any = None) -> None:
    """Write a split as the original code does."""
    np.save(folder / "train.npy", records, allow_pickle=True)
    text = {"n_train": 1, "width": SIZE, "height": SIZE} if parameters is None else parameters
    (folder / "parameters.json").write_text(json.dumps(text))


@pytest.fixture
def pixels() -> np.ndarray:
    """Return an image with every grey value."""
    image = np.random.default_rng(3).integers(0, 256, (SIZE, SIZE), dtype=np.uint8)
    image[:20] = 0
    return image


def test_original_file_is_read_pixel_for_pixel(tmp_path: Path, pixels: np.ndarray) -> None:
    """Grey values and the four labels come back as they were."""
    write_original(tmp_path, [original_record(pixels, [3, 7, 3, 3, 9]) for _ in range(2)])
    split = open_megapixel_split(tmp_path, "train")
    assert len(split.images) == 2
    np.testing.assert_array_equal(split.read_image(1), pixels)
    assert split.images[1].tasks == MegapixelTasks(majority=3, max=9, top=7, multi=(3, 7, 9))


def test_what_is_written_is_what_the_original_code_reads(tmp_path: Path) -> None:
    """A scene goes into the file and comes out of NumPy's own loader, and of ours."""
    glyphs = segment_glyphs()
    scenes = [plan_scene("megapixel", 1, index=index, glyphs=glyphs) for index in range(3)]
    images = [render(scene, glyphs) for scene in scenes]
    write_megapixel_split(
        tmp_path,
        "test",
        ((image, megapixel_tasks(scene)) for image, scene in zip(images, scenes, strict=True)),
        {"n_test": 3, "seed": 1},
    )
    loaded = np.load(tmp_path / "test.npy", allow_pickle=True)
    flat = np.zeros(1500 * 1500, np.float32)
    flat[loaded[2]["input"][0]] = loaded[2]["input"][1]
    np.testing.assert_array_equal(np.rint(flat * 255).reshape(1500, 1500), images[2])
    assert loaded[2]["majority"] == megapixel_tasks(scenes[2]).majority
    split = open_megapixel_split(tmp_path, "test")
    np.testing.assert_array_equal(split.read_image(2), images[2])
    assert [image.tasks for image in split.images] == [scene.tasks for scene in scenes]


class _Bomb:
    """What a hostile file holds: unpickling it would write a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.write_text, (self.target, "boom"))


def test_file_that_asks_to_run_something_is_refused_before_it_runs(tmp_path: Path) -> None:
    """A pickle can name any function; none but NumPy's own is looked up."""
    target = tmp_path / "boom.txt"
    write_original(tmp_path, [_Bomb(target)])
    with pytest.raises(DamagedFileError, match="asks to run"):
        open_megapixel_split(tmp_path, "train")
    assert not target.exists()
    assert pickle.loads(pickle.dumps(_Bomb(target))) == 4  # the bomb is live
    assert target.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"input": ((np.array([SIZE * SIZE]),), np.array([1.0]))},
        {"input": ((np.array([-1]),), np.array([1.0]))},
        {"input": ((np.array([1, 2]),), np.array([1.0]))},
        {"input": ((np.array([1]),), np.array([np.nan]))},
        {"input": ((np.array([1]),), np.array([255.0]))},
        {"input": "pixels"},
        {"majority": 12},
        {"top": None},
        {"multi": np.ones(9)},
    ],
)
def test_record_that_is_no_image_is_named_by_its_number(
    tmp_path: Path, pixels: np.ndarray, change: dict[str, Any]
) -> None:
    """A place outside the image, a value that is no grey, a label that is no class."""
    good = original_record(pixels, [3, 7, 3, 3, 9])
    write_original(tmp_path, [good, {**good, **change}])
    with pytest.raises(DamagedFileError, match="image 1"):
        open_megapixel_split(tmp_path, "train")


@pytest.mark.parametrize(
    "content",
    [b"", b"\x93NUMPY", b"not numpy at all", pickle.dumps([1, 2]), b"\x93NUMPY\x01\x00\xff\xff{"],
)
def test_file_that_is_no_such_array_is_refused_in_one_sentence(
    tmp_path: Path, content: bytes
) -> None:
    """Empty, truncated, text, a bare pickle, a header without an end."""
    write_original(tmp_path, [])
    (tmp_path / "train.npy").write_bytes(content)
    with pytest.raises(
        DamagedFileError, match=r"train\.npy: expected the pickled records"
    ) as caught:
        open_megapixel_split(tmp_path, "train")
    assert "\n" not in str(caught.value)


def _object_array(count: int, pickled: bytes) -> bytes:
    """Return a NumPy file that says that it has some objects, with a pickle of anything."""
    header = f"{{'descr': '|O', 'fortran_order': False, 'shape': ({count},), }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + pickled


_ENCODED_AGAIN = b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R0"


@pytest.mark.parametrize(
    ("pickled", "sentence"),
    [
        (b"]" * 5000 + b".", "parts"),
        (b"]q\x00" + b"(h\x00h\x00h\x00h\x00l" * 2000 + b".", "parts"),
        (b"]r\xff\xff\xff\x7f.", "keeps more than it has"),
        (b"X\x00\x20\x00\x00" + b"a" * 8192 + b"q\x00" + _ENCODED_AGAIN * 90 + b".", "again"),
        (b"cnumpy\nndarray\n(M\xff\xffM\xff\xfft\x85R.", "numbers"),
        (
            b"cnumpy._core.multiarray\nscalar\n(cnumpy\ndtype\nX\x02\x00\x00\x00V9\x85RC\x00tR.",
            "V9",
        ),
    ],
)
def test_pickle_that_makes_much_of_little_is_refused(
    tmp_path: Path, pickled: bytes, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists in lists, lists of one list, far places to keep things, texts encoded again, shapes."""
    monkeypatch.setattr(pickled_module, "OBJECTS_MAX", 1000)
    write_original(tmp_path, [])
    (tmp_path / "train.npy").write_bytes(_object_array(1, b"\x80\x04" + pickled))
    with pytest.raises(DamagedFileError, match=sentence):
        open_megapixel_split(tmp_path, "train")


def test_array_that_is_mentioned_again_and_again_is_refused(tmp_path: Path) -> None:
    """In the file it stands once; in memory it would stand once for each image."""
    pixels = np.full((SIZE, SIZE), 9, np.uint8)
    write_original(tmp_path, [original_record(pixels, [1, 2, 3, 4, 5])] * 100)
    with pytest.raises(DamagedFileError, match="again and again"):
        open_megapixel_split(tmp_path, "train")


@pytest.mark.parametrize(
    ("length", "header"), [(2**31 - 1, b"{"), (10_000, b"(" * 10_000), (5000, b"-" * 5000)]
)
def test_header_that_is_large_or_nested_is_refused(
    tmp_path: Path, length: int, header: bytes
) -> None:
    """It is a Python expression of some hundred bytes, and is read as one."""
    write_original(tmp_path, [])
    data = b"\x93NUMPY\x02\x00" + length.to_bytes(4, "little") + header
    (tmp_path / "train.npy").write_bytes(data)
    with pytest.raises(DamagedFileError):
        open_megapixel_split(tmp_path, "train")


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol_of_pickles_is_read(tmp_path: Path, protocol: int) -> None:
    """Whatever Python and NumPy wrote the file."""
    pixels = np.random.default_rng(protocol).integers(0, 256, (SIZE, SIZE), dtype=np.uint8)
    records = np.empty(2, object)
    records[:] = [original_record(pixels, [3, 7, 3, 3, 9]) for _ in range(2)]
    write_original(tmp_path, [])
    data = _object_array(2, pickle.dumps(records, protocol))
    (tmp_path / "train.npy").write_bytes(data)
    split = open_megapixel_split(tmp_path, "train")
    np.testing.assert_array_equal(split.read_image(0), pixels)


def test_plain_array_and_truncated_pickle_are_refused(tmp_path: Path, pixels: np.ndarray) -> None:
    """An array of numbers is no such data set, nor is half of one."""
    write_original(tmp_path, np.zeros((3, 3)))
    with pytest.raises(DamagedFileError, match="float64"):
        open_megapixel_split(tmp_path, "train")
    write_original(tmp_path, [original_record(pixels, [1, 2, 3, 4, 5])])
    data = (tmp_path / "train.npy").read_bytes()
    (tmp_path / "train.npy").write_bytes(data[: len(data) // 2])
    with pytest.raises(DamagedFileError):
        open_megapixel_split(tmp_path, "train")


@pytest.mark.parametrize(
    "parameters", [[], {"width": 10}, {"width": "10", "height": 10}, {"width": 0, "height": 10}]
)
def test_parameters_without_a_size_are_refused(tmp_path: Path, parameters: Any) -> None:
    """The size of the images stands nowhere else."""
    write_original(tmp_path, [], parameters)
    with pytest.raises(DamagedFileError, match=r"parameters\.json"):
        open_megapixel_split(tmp_path, "train")


def test_missing_file_and_number_are_named(tmp_path: Path, pixels: np.ndarray) -> None:
    """What was expected where, and what there is."""
    with pytest.raises(MissingFileError, match=r"no parameters\.json"):
        open_megapixel_split(tmp_path, "train")
    write_original(tmp_path, [original_record(pixels, [1, 2, 3, 4, 5])])
    with pytest.raises(MissingFileError, match=r"no test\.npy"):
        open_megapixel_split(tmp_path, "test")
    with pytest.raises(NotFoundError, match="images 0 to 0"):
        open_megapixel_split(tmp_path, "train").read_image(1)
