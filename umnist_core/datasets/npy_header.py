"""What a file or a member in NumPy's own format says of its array, before any of it is read."""

from __future__ import annotations

import io
from typing import IO, Any, NamedTuple

import numpy as np

HEADER_MAX_BYTES = 10_000
"""Of the header of an array, which is some 100 bytes long."""


class NpyHeader(NamedTuple):
    """What an array is.

    Attributes
    ----------
    shape, dtype
        As NumPy has them.
    is_fortran
        Whether its columns lie one after the other, and not its rows.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    is_fortran: bool


def read_npy_header(file: IO[bytes]) -> NpyHeader:
    """Read the header of an array, and leave the file behind it.

    Raises
    ------
    ValueError
        If there is none, or one of more than `HEADER_MAX_BYTES`.
    """
    begin = file.read(np.lib.format.MAGIC_LEN)
    version = np.lib.format.read_magic(io.BytesIO(begin))
    length = file.read(2 if version == (1, 0) else 4)
    if int.from_bytes(length, "little") > HEADER_MAX_BYTES:
        raise ValueError(f"a header of {int.from_bytes(length, 'little')} bytes")
    header = io.BytesIO(length + file.read(int.from_bytes(length, "little")))
    read = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    try:
        shape, is_fortran, dtype = read(header)
    # A header is a text of Python's, and a damaged one may raise nearly anything.
    except Exception as error:
        raise ValueError(f"a header that is none: {' '.join(str(error).split())[:200]}") from error
    return NpyHeader(shape, dtype, is_fortran)
