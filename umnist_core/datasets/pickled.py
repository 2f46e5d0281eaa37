"""Pickled NumPy arrays from anywhere, read as data: nothing of theirs runs, and memory is bounded.

Unpickling calls what a file names with what it says. Here only what arrays and numbers are
rebuilt from has a name, and each name leads to a stand-in that keeps what it was given and
touches no memory beyond that; so neither a shape, nor a thousand mentions of one array, makes
anything. Before any of it, the file is looked through for how many objects it would make.
"""

from __future__ import annotations

import math
import pickle
import pickletools
import re
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

OBJECTS_MAX = 4_000_000
"""What a file may make (lists, numbers, texts), each some 60 bytes: about 90,000 images."""

_DTYPE = re.compile(r"[biuf][1248]")
_MOVES_ONLY = frozenset(
    {"MARK", "MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT", "GET", "BINGET", "LONG_BINGET", "FRAME"}
)
"""Steps of a pickle that make no object."""


class Dtype:
    """The kind of an array's items, as it is pickled."""

    def __init__(self, code: object, *_: object) -> None:
        self._code = code
        self._order = "="

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise ValueError("a damaged dtype")
        self._order = state[1]

    @property
    def is_object(self) -> bool:
        """Whether items are pickled one by one."""
        return self._code in ("O", "O8")

    @property
    def numpy(self) -> np.dtype[Any]:
        """NumPy's own."""
        if not isinstance(self._code, str) or not _DTYPE.fullmatch(self._code):
            raise ValueError(f"an array of {self._code!r}"[:80])
        return np.dtype(self._code).newbyteorder(cast(Any, self._order))


class Array:
    """An array, as it is pickled: bytes that are shared with the file's, or a list of objects."""

    def __init__(self, *_: object) -> None:
        self._items: object = b""
        self._dtype = Dtype("u1")
        self.shape: tuple[int, ...] = (0,)

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise ValueError("a damaged array")
        _, shape, dtype, _, items = state
        self._set(shape, dtype, items)

    @classmethod
    def from_buffer(cls, items: object, dtype: object, shape: object, *_: object) -> Array:
        """Rebuild one as NumPy's ``_frombuffer`` does."""
        array = cls()
        array._set(shape, dtype, items)
        return array

    def _set(self, shape: object, dtype: object, items: object) -> None:
        if not isinstance(shape, tuple) or not all(
            type(side) is int and side >= 0 for side in shape
        ):
            raise ValueError("an array without a shape")
        if not isinstance(dtype, Dtype):
            raise ValueError("an array without a dtype")
        self.shape, self._dtype, self._items = shape, dtype, items

    @property
    def objects(self) -> list[Any]:
        """The items of a one-dimensional array of objects."""
        if not self._dtype.is_object or type(self._items) is not list:
            raise ValueError("an array of numbers")
        if self.shape != (len(self._items),):
            raise ValueError(f"{len(self._items)} objects in a shape of {self.shape}")
        return self._items

    def numbers(self) -> NDArray[Any]:
        """Return a one-dimensional array of numbers, whose memory is the file's."""
        dtype = self._dtype.numpy
        if not isinstance(self._items, bytes | bytearray) or len(self.shape) != 1:
            raise ValueError(f"an array of shape {self.shape}")
        if len(self._items) != dtype.itemsize * math.prod(self.shape):
            raise ValueError(f"{len(self._items)} bytes in a shape of {self.shape}")
        return np.frombuffer(self._items, dtype)


def as_numbers(value: object) -> NDArray[Any]:
    """Return a pickled array, or a list of numbers, as a one-dimensional array.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if isinstance(value, Array):
        return value.numbers()
    if not isinstance(value, list | tuple) or not all(
        isinstance(item, int | float) for item in value
    ):
        raise ValueError("no row of numbers")
    return np.array(value)


def load_pickled(file: BinaryIO) -> Any:
    """Read one pickled object of numbers, texts, lists, dictionaries and arrays (`Array`).

    Raises
    ------
    Exception
        Of whatever kind, if it is damaged, asks to run anything, or is too large.
    """
    start = file.tell()
    _look_through(file)
    file.seek(start)
    return _DataUnpickler(file, size=max(1, _size_from(file, start))).load()


def _size_from(file: BinaryIO, start: int) -> int:
    end = file.seek(0, 2)
    file.seek(start)
    return end - start


def _look_through(file: BinaryIO) -> None:
    made = 0
    for step, (opcode, argument, _) in enumerate(pickletools.genops(file)):
        if opcode.name.endswith("PUT") and int(argument or 0) > step:
            raise pickle.UnpicklingError("it keeps more than it has")
        made += opcode.name not in _MOVES_ONLY
        if made > OBJECTS_MAX:
            raise pickle.UnpicklingError(f"it has more than {OBJECTS_MAX:,} parts")


class _DataUnpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO, size: int) -> None:
        super().__init__(file)
        self._encoded_left = 2 * size  # every text is encoded once, to two bytes at most

    def find_class(self, module_name: str, global_name: str) -> Any:
        if (module_name, global_name) == ("_codecs", "encode"):
            return self._encode
        if (module_name, global_name) not in _STAND_INS:
            raise pickle.UnpicklingError(f"it asks to run {module_name}.{global_name}")
        return _STAND_INS[module_name, global_name]

    def _encode(self, text: object, encoding: object = "latin1") -> bytes:
        if not isinstance(text, str) or encoding not in ("latin1", "bytes"):
            raise pickle.UnpicklingError("a damaged text")
        self._encoded_left -= 2 * len(text)
        if self._encoded_left < 0:
            raise pickle.UnpicklingError("it encodes a text again and again")
        return text.encode("latin1")


def _scalar(dtype: object, data: object) -> Any:
    if not isinstance(dtype, Dtype) or not isinstance(data, bytes):
        raise pickle.UnpicklingError("a damaged number")
    kind = dtype.numpy
    if len(data) != kind.itemsize:
        raise pickle.UnpicklingError("a damaged number")
    return np.frombuffer(data, kind)[0].item()


def _rebuilt(*_: object) -> Array:
    return Array()


_PARTS: Mapping[str, Callable[..., Any]] = {
    "multiarray._reconstruct": _rebuilt,
    "multiarray.scalar": _scalar,
    "numeric._frombuffer": Array.from_buffer,
}
_STAND_INS: Mapping[tuple[str, str], Any] = {
    ("numpy", "ndarray"): Array,
    ("numpy", "dtype"): Dtype,
} | {
    (f"numpy.{core}.{name.split('.')[0]}", name.split(".")[1]): stand_in
    for core in ("core", "_core")
    for name, stand_in in _PARTS.items()
}
"""What NumPy's arrays and numbers are rebuilt with, and what does it here."""
