"""Reading IDX files."""

from __future__ import annotations

import gzip
import hashlib
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tests.digits.idx_files import idx_bytes, random_digits, write_idx
from umnist_core.digits.idx import read_idx, unpacked_md5
from umnist_core.errors import DamagedFileError, MissingFileError

MIB = 1 << 20


def header(*sizes: int, kind: int = 8) -> bytes:
    """Return an IDX header that announces ``sizes``."""
    return bytes([0, 0, kind, len(sizes)]) + b"".join(size.to_bytes(4, "big") for size in sizes)


def refusal(path: Path) -> str:
    """Return the message with which ``path`` is refused; it is one line and names the file."""
    with pytest.raises(DamagedFileError) as caught:
        read_idx(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: expected ")
    assert "found " in message
    assert "umnist digits fetch" in message
    return message


@pytest.mark.parametrize("shape", [(7,), (3, 5), (2, 28, 28)])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_file_reads_back_what_was_written(
    tmp_path: Path, shape: tuple[int, ...], suffix: str
) -> None:
    """Labels and images come back equal, in shape and order, packed or not."""
    array = np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)
    read = read_idx(write_idx(tmp_path / f"digits{suffix}", array))
    assert read.dtype == np.uint8
    assert np.array_equal(read, array)


def test_idx_packing_is_told_by_content_and_not_by_name(tmp_path: Path) -> None:
    """A plain file called .gz and a packed one without .gz both load."""
    array = random_digits(3)[0]
    (tmp_path / "plain.gz").write_bytes(idx_bytes(array))
    (tmp_path / "packed").write_bytes(gzip.compress(idx_bytes(array)))
    assert np.array_equal(read_idx(tmp_path / "plain.gz"), array)
    assert np.array_equal(read_idx(tmp_path / "packed"), array)


@pytest.mark.parametrize("packed", [False, True])
def test_idx_file_cut_anywhere_is_refused(tmp_path: Path, packed: bool) -> None:
    """However many bytes are missing at the end, nothing is loaded."""
    data = idx_bytes(random_digits(40)[1])
    data = gzip.compress(data) if packed else data
    path = tmp_path / "labels"
    for length in range(len(data)):
        path.write_bytes(data[:length])
        refusal(path)


def test_idx_gzip_file_with_any_wrong_byte_is_refused_or_reads_the_same(tmp_path: Path) -> None:
    """A changed byte is found out, unless it is one that means nothing, such as the date."""
    array = random_digits(40)[1]
    data = gzip.compress(idx_bytes(array), mtime=0)
    path = tmp_path / "labels.gz"
    refused = 0
    for position in range(len(data)):
        path.write_bytes(data[:position] + bytes([data[position] ^ 0x41]) + data[position + 1 :])
        try:
            assert np.array_equal(read_idx(path), array)
        except DamagedFileError:
            refused += 1
    assert refused >= len(data) - 10  # a gzip header has ten bytes


@pytest.mark.parametrize("packed", [False, True])
def test_idx_file_with_trailing_bytes_is_refused(tmp_path: Path, packed: bool) -> None:
    """One byte more than announced is one too many."""
    data = idx_bytes(random_digits(4)[1]) + b"\0"
    path = tmp_path / "labels"
    path.write_bytes(gzip.compress(data) if packed else data)
    assert "expected 4 bytes of elements (4), found more" in refusal(path)


def test_idx_gzip_file_with_bytes_after_it_is_refused(tmp_path: Path) -> None:
    """What is appended to the packed data is noticed, too."""
    path = tmp_path / "labels.gz"
    path.write_bytes(gzip.compress(idx_bytes(random_digits(4)[1])) + b"more")
    assert "damage" in refusal(path)


@pytest.mark.parametrize(
    ("content", "expected", "found"),
    [
        (b"", "magic number", "no bytes"),
        (b"<!DOCTYPE html>", "magic number", "3c 21 44 4f"),
        (header(4, kind=0x0D) + b"\0" * 16, "element type 0x08", "element type 0x0d"),
        (bytes([0, 0, 8, 0]), "1 to 3 dimensions", "found 0"),
        (header(1, 1, 1, 1) + b"\0", "1 to 3 dimensions", "found 4"),
        (header(5)[:6], "a header of 8 bytes", "only 6 bytes"),
        (header(0, 28, 28), "1 to 1,073,741,824 elements", "0 x 28 x 28"),
        (header(2**32 - 1, 2**32 - 1, 2**32 - 1), "elements", "4294967295 x 4294967295"),
        (header(60_000, 28, 28) + b"\0" * 9, "60000 x 28 x 28 elements", "only 25 bytes"),
        (header(20) + b"\0" * 9, "expected 20 bytes of elements (20)", "only 9"),
    ],
)
def test_idx_refusal_says_what_was_expected_and_found(
    tmp_path: Path, content: bytes, expected: str, found: str
) -> None:
    """Each kind of damage has its own words."""
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    message = refusal(path)
    assert expected in message
    assert found in message


def test_idx_bomb_is_refused_without_being_unpacked(tmp_path: Path) -> None:
    """A packed file unpacks to no more than its header announces."""
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(header(28) + bytes(64 * MIB)))
    tracemalloc.start()
    try:
        refusal(path)
        assert tracemalloc.get_traced_memory()[1] < MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("packed", [False, True])
def test_idx_dimensions_no_file_of_that_size_can_hold_are_refused_unallocated(
    tmp_path: Path, packed: bool
) -> None:
    """A header alone cannot make the reader ask for a gigabyte."""
    data = header(1 << 20, 28, 28) + bytes(100)
    path = tmp_path / "images"
    path.write_bytes(gzip.compress(data) if packed else data)
    tracemalloc.start()
    try:
        refusal(path)
        assert tracemalloc.get_traced_memory()[1] < MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["absent", "."])
def test_idx_path_that_is_no_file_is_reported_missing(tmp_path: Path, name: str) -> None:
    """A path to nothing, or to a folder, gives a sentence and not a bare system error."""
    with pytest.raises(MissingFileError, match="expected a readable file"):
        read_idx(tmp_path / name)


def test_unpacked_md5_is_that_of_the_plain_file(tmp_path: Path) -> None:
    """The checksum does not depend on how the file was packed."""
    array = random_digits(5)[0]
    expected = hashlib.md5(idx_bytes(array)).hexdigest()
    assert unpacked_md5(read_idx(write_idx(tmp_path / "images.gz", array))) == expected
    assert unpacked_md5(read_idx(write_idx(tmp_path / "images", array))) == expected
