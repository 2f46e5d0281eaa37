"""Tensors in one file: what stands in for safetensors reads and writes what the library does."""

from __future__ import annotations

import json

import pytest
import safetensors.torch
import torch
from torch import Tensor

from umnist_core.errors import DamagedFileError
from umnist_core.models import tensor_file
from umnist_core.models.cards import find_shipped_checkpoints
from umnist_core.models.tensor_file import (
    dump_tensors,
    lay_out_tensors,
    load_tensors,
    parse_tensors,
)

METADATA = {"umnist": "1", "text": 'quotes " and ü'}


def _tensors() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return {
        "weight": torch.randn(3, 4, 5),
        "half": torch.randn(7).half(),
        "short": torch.randn(2, 3).bfloat16(),
        "count": torch.tensor(17),
        "bytes": torch.arange(5, dtype=torch.uint8),
        "signs": torch.tensor([-3, 3], dtype=torch.int8),
        "flags": torch.tensor([True, False, True]),
        "none": torch.empty(0, 4),
    }


def _is_same(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> bool:
    return found.keys() == wanted.keys() and all(
        found[name].dtype == one.dtype and torch.equal(found[name], one)
        for name, one in wanted.items()
    )


@pytest.mark.parametrize("name", find_shipped_checkpoints())
def test_shipped_checkpoint_is_read_as_by_the_library(name: str) -> None:
    """Every tensor with its bits, and the metadata."""
    data = find_shipped_checkpoints()[name].read_bytes()
    found, metadata = parse_tensors(data)
    assert _is_same(found, safetensors.torch.load(data))
    assert metadata["model"]


def test_file_is_laid_out_so_that_the_library_reads_it() -> None:
    """Every kind of numbers, none at all, and the texts that go along."""
    data = lay_out_tensors(_tensors(), METADATA)
    assert _is_same(safetensors.torch.load(data), _tensors())
    assert load_tensors(data)[1] == METADATA
    # One text alone, since the library writes several in any order.
    one = {"umnist": "1"}
    assert lay_out_tensors(_tensors(), one) == safetensors.torch.save(_tensors(), metadata=one)


def test_file_of_the_library_is_read_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of reading give the same, whichever wrote the file."""
    with_it = dump_tensors(_tensors(), METADATA)
    monkeypatch.setattr(tensor_file, "has_library", lambda: False)
    without = dump_tensors(_tensors(), METADATA)
    for data in (with_it, without):
        found, metadata = load_tensors(data)
        assert _is_same(found, _tensors())
        assert metadata == METADATA


def test_tensors_that_share_memory_or_lie_in_steps_are_written_each_whole() -> None:
    """A view of another, and a transposed one."""
    whole = torch.arange(12.0).reshape(3, 4)
    tensors = {"whole": whole, "turned": whole.T, "part": whole[1:]}
    for data in (dump_tensors(tensors, {}), lay_out_tensors(tensors, {})):
        assert _is_same(parse_tensors(data)[0], tensors)


def _with_header(**changes: object) -> bytes:
    header = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | changes}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(8)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01\x02",
        bytes(8),
        (2**62).to_bytes(8, "little") + b"{}",
        (4).to_bytes(8, "little") + b"null",
        (2).to_bytes(8, "little") + b"[]",
        (2).to_bytes(8, "little") + b"{}" + b"rest",
        _with_header(dtype="F31"),
        _with_header(shape=[3]),
        _with_header(shape=[-1, -2]),
        _with_header(shape=["2"]),
        _with_header(shape=2),
        _with_header(data_offsets=[0, 4]),
        _with_header(data_offsets=[4, 12]),
        _with_header(data_offsets=[0]),
        _with_header()[:-1],
        _with_header() + b"1",
    ],
)
def test_damaged_file_is_refused_with_and_without_the_library(data: bytes) -> None:
    """Whatever is wrong with it, in one sentence and never with a guess."""
    for read in (load_tensors, parse_tensors):
        with pytest.raises(DamagedFileError, match="Expected tensors as safetensors"):
            read(data)
