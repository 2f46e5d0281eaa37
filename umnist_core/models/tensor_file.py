"""Tensors in one file, as safetensors lays them out; nothing is pickled.

Eight bytes say how long the header is, the header is JSON and says of each tensor its type, shape
and place, and the rest are the tensors' bytes. The library reads and writes such files where it is
installed. Where it is not, as in bare images of PyTorch, what is here does, with the same result.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from umnist_core.errors import DamagedFileError
from umnist_core.parsing import parse_json

_LENGTH_BYTES = 8

_ALIGNED_TO = 8
"""The header is filled up with spaces, so that tensors begin at a multiple of this."""

_KINDS = {
    "I64": torch.int64,
    "F64": torch.float64,
    "F32": torch.float32,
    "I32": torch.int32,
    "BF16": torch.bfloat16,
    "F16": torch.float16,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
"""In the order in which the library writes them: larger ones first, so that all are aligned."""

_NAMES = {kind: name for name, kind in _KINDS.items()}


def has_library() -> bool:
    """Return whether safetensors is installed."""
    return find_spec("safetensors") is not None


def load_tensors(data: bytes) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors of a file, on the CPU, and its metadata.

    Raises
    ------
    DamagedFileError
        If it is no whole file of this kind.
    """
    if not has_library():
        return parse_tensors(data)
    import safetensors
    import safetensors.torch

    try:
        tensors = safetensors.torch.load(data)
        header = parse_json(data[_LENGTH_BYTES : _LENGTH_BYTES + _header_bytes(data)])
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise _damaged(str(error).splitlines()[0][:120]) from error
    return tensors, header.get("__metadata__", {})


def dump_tensors(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """Return a file with tensors, of any device, and texts that go along."""
    # A copy each, because safetensors refuses tensors that share memory.
    own = {name: one.detach().cpu().contiguous().clone() for name, one in tensors.items()}
    if not has_library():
        return lay_out_tensors(own, metadata)
    import safetensors.torch

    data: bytes = safetensors.torch.save(own, metadata=dict(metadata))
    return data


def parse_tensors(data: bytes) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Do what `load_tensors` does, without the library."""
    length = _header_bytes(data)
    try:
        header = parse_json(data[_LENGTH_BYTES : _LENGTH_BYTES + length])
        metadata = header.pop("__metadata__", {})
        entries = sorted(header.items(), key=lambda entry: entry[1]["data_offsets"])
        body, end, tensors = data[_LENGTH_BYTES + length :], 0, {}
        for name, entry in entries:
            begin, end = _place(entry, end, len(body))
            kind, shape = _KINDS[entry["dtype"]], [int(side) for side in entry["shape"]]
            # A copy, because the bytes cannot be written to.
            flat = torch.frombuffer(bytearray(body[begin:end]), dtype=kind) if end > begin else None
            tensors[name] = torch.empty(shape, dtype=kind) if flat is None else flat.reshape(shape)
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise _damaged(str(error).splitlines()[0][:120] if str(error) else "no reason") from error
    if end != len(body):
        raise _damaged(f"tensors of {end} bytes in {len(body)}")
    return tensors, metadata


def lay_out_tensors(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """Do what `dump_tensors` does, without the library, with contiguous tensors on the CPU."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    parts, end = [], 0
    kinds = [*_NAMES]
    for name in sorted(tensors, key=lambda one: (kinds.index(tensors[one].dtype), one)):
        one = tensors[name]
        raw = one.reshape(-1).view(torch.uint8).numpy().tobytes() if one.numel() else b""
        place = [end, end + len(raw)]
        header[name] = {
            "dtype": _NAMES[one.dtype],
            "shape": list(one.shape),
            "data_offsets": place,
        }
        parts.append(raw)
        end = place[1]
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _ALIGNED_TO)
    return b"".join([len(text).to_bytes(_LENGTH_BYTES, "little"), text, *parts])


def _header_bytes(data: bytes) -> int:
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    if len(data) < _LENGTH_BYTES or length > len(data) - _LENGTH_BYTES:
        raise _damaged("it ends in its header")
    return length


def _place(entry: dict[str, Any], before: int, most: int) -> tuple[int, int]:
    """Return where a tensor's bytes are, which begin where the ones before end."""
    begin, end = entry["data_offsets"]
    size = math.prod(entry["shape"]) * _KINDS[entry["dtype"]].itemsize
    if min(entry["shape"], default=0) < 0 or begin != before or end != begin + size or end > most:
        raise ValueError(f"a tensor of {size} bytes from {begin} to {end}")
    return begin, end


def _damaged(reason: str) -> DamagedFileError:
    return DamagedFileError(
        f"Expected tensors as safetensors lays them out, found something else ({reason}); get the "
        "file again."
    )
