"""What goes between the server and a process of models: frames of JSON and arrays.

A frame is a magic word, the length of its header, the header (a JSON object) and one ``.npy`` for
each array that the header counts. Nothing is pickled, and both ends check every length before
they believe it, so a damaged or foreign stream ends in an error and never in a guess.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from umnist_core.attention import AttentionMap
from umnist_core.errors import DamagedFileError, InvalidValueError, TooLargeError

_MAGIC = b"UMN1"
_START = struct.Struct(">4sI")
_LENGTH = struct.Struct(">Q")

HEADER_MAX_BYTES = 16 * 2**20
ARRAY_MAX_BYTES = 2 * 2**30
ARRAYS_MAX = 4096
_KINDS = "fiu"


@dataclass(frozen=True)
class Message:
    """One frame.

    Attributes
    ----------
    fields
        The JSON object; ``"kind"`` says what it is about.
    arrays
        Numbers that go along, of any shape.
    """

    fields: dict[str, Any]
    arrays: tuple[NDArray[Any], ...] = ()

    @property
    def kind(self) -> str:
        """What the message is about; empty if it does not say."""
        return str(self.fields.get("kind", ""))


def write_message(stream: BinaryIO, message: Message) -> None:
    """Write a frame and send it off.

    Raises
    ------
    TooLargeError
        If it is larger than a frame may be; nothing is written then.
    OSError
        If the other end is gone.
    """
    bodies = [_to_npy(array) for array in message.arrays]
    header = json.dumps({**message.fields, "arrays": len(bodies)}).encode()
    largest = max((len(body) for body in bodies), default=0)
    if len(header) > HEADER_MAX_BYTES or len(bodies) > ARRAYS_MAX or largest > ARRAY_MAX_BYTES:
        raise TooLargeError(
            f"Expected a message of at most {HEADER_MAX_BYTES} bytes with {ARRAYS_MAX} arrays of "
            f"{ARRAY_MAX_BYTES} bytes, found {len(header)}, {len(bodies)} and {largest}; choose a "
            "smaller image."
        )
    parts = [_START.pack(_MAGIC, len(header)), header]
    for body in bodies:
        parts += [_LENGTH.pack(len(body)), body]
    stream.write(b"".join(parts))
    stream.flush()


def read_message(stream: BinaryIO) -> Message | None:
    """Read the next frame; None where the stream ends between two frames.

    Raises
    ------
    DamagedFileError
        If what comes is no frame, or stops in the middle of one.
    """
    start = stream.read(_START.size)
    if not start:
        return None
    if len(start) < _START.size:
        raise _damaged("it stops in the middle")
    magic, length = _START.unpack(start)
    if magic != _MAGIC or length > HEADER_MAX_BYTES:
        raise _damaged(f"it starts with {magic!r} and a header of {length} bytes")
    try:
        fields = json.loads(_read(stream, length))
        count = fields.pop("arrays")
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError) as error:
        raise _damaged("its header is no JSON object that counts its arrays") from error
    if not isinstance(count, int) or not 0 <= count <= ARRAYS_MAX:
        raise _damaged(f"it announces {str(count)[:20]} arrays")
    return Message(fields, tuple(_read_array(stream) for _ in range(count)))


def pack_maps(maps: Sequence[AttentionMap]) -> Message:
    """Return maps as a message: two arrays each, and what the arrays do not say."""
    fields = [
        {"height": one.height, "width": one.width, "tasks": list(one.tasks), "kind": one.kind}
        for one in maps
    ]
    arrays = tuple(array for one in maps for array in (one.weights, one.boxes))
    return Message({"maps": fields}, arrays)


def unpack_maps(message: Message) -> tuple[AttentionMap, ...]:
    """Return the maps that `pack_maps` packed.

    Raises
    ------
    DamagedFileError
        If the message holds no such maps.
    """
    try:
        fields = message.fields["maps"]
        pairs = list(zip(message.arrays[::2], message.arrays[1::2], strict=True))
        return tuple(
            AttentionMap(
                weights.astype(np.float32, copy=False),
                boxes.astype(np.float32, copy=False),
                int(one["height"]),
                int(one["width"]),
                tuple(map(str, one["tasks"])),
                str(one["kind"]),
            )
            for one, (weights, boxes) in zip(fields, pairs, strict=True)
        )
    except (KeyError, ValueError, TypeError, InvalidValueError) as error:
        raise _damaged("its maps are not whole") from error


def _to_npy(array: NDArray[Any]) -> bytes:
    if array.dtype.kind not in _KINDS:
        raise InvalidValueError(f"Expected an array of numbers, found {array.dtype}; send numbers.")
    body = io.BytesIO()
    np.save(body, array, allow_pickle=False)
    return body.getvalue()


def _read_array(stream: BinaryIO) -> NDArray[Any]:
    (length,) = _LENGTH.unpack(_read(stream, _LENGTH.size))
    if length > ARRAY_MAX_BYTES:
        raise _damaged(f"it announces an array of {length} bytes")
    try:
        body = io.BytesIO(_read(stream, length))
        array: NDArray[Any] = np.lib.format.read_array(body, allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError) as error:
        raise _damaged("an array of it cannot be read") from error
    if array.dtype.kind not in _KINDS:
        raise _damaged(f"an array of it is of {array.dtype}")
    return array


def _read(stream: BinaryIO, length: int) -> bytes:
    content = stream.read(length)
    if len(content) < length:
        raise _damaged("it stops in the middle")
    return content


def _damaged(what: str) -> DamagedFileError:
    return DamagedFileError(
        f"Expected a message of the process that runs models, found another ({what}); ask again."
    )
