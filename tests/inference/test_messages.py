"""Frames between the server and a process of models: whole, bounded, and never pickled."""

from __future__ import annotations

import io
import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from umnist_core.attention import AttentionMap
from umnist_core.errors import DamagedFileError, InvalidValueError, TooLargeError
from umnist_core.inference import messages
from umnist_core.inference.messages import (
    Message,
    pack_maps,
    read_message,
    unpack_maps,
    write_message,
)

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def _map(places: int) -> AttentionMap:
    rng = np.random.default_rng(places)
    weights = rng.random((2, 3, places)).astype(np.float32)
    boxes = rng.random((places, 4)).astype(np.float32)
    return AttentionMap(weights, boxes, 40, 50, ("sum", "größte"), "made")


def _written(*sent: Message) -> bytes:
    stream = io.BytesIO()
    for message in sent:
        write_message(stream, message)
    return stream.getvalue()


def _frame(header: bytes, *bodies: bytes) -> bytes:
    start = struct.pack(">4sI", b"UMN1", len(header))
    return start + header + b"".join(struct.pack(">Q", len(body)) + body for body in bodies)


@given(fields=st.dictionaries(st.text(max_size=8).filter(lambda key: key != "arrays"), _JSON))
def test_fields_come_out_as_they_went_in(fields: dict[str, Any]) -> None:
    """One frame after the other, and None at the end of the stream."""
    stream = io.BytesIO(_written(Message(fields), Message({"kind": "next"})))
    assert read_message(stream) == Message(fields)
    second = read_message(stream)
    assert second is not None
    assert second.kind == "next"
    assert read_message(stream) is None


@pytest.mark.parametrize("places", [0, 1, 1000])
def test_maps_come_out_as_they_went_in(places: int) -> None:
    """Bit by bit, with their frame."""
    sent = (_map(places), _map(places + 1))
    message = read_message(io.BytesIO(_written(pack_maps(sent))))
    assert message is not None
    for ours, theirs in zip(sent, unpack_maps(message), strict=True):
        np.testing.assert_array_equal(ours.weights, theirs.weights)
        np.testing.assert_array_equal(ours.boxes, theirs.boxes)
        assert (ours.height, ours.width, ours.tasks) == (theirs.height, theirs.width, theirs.tasks)


def test_stream_that_stops_anywhere_is_an_error() -> None:
    """Unless it stops between two frames."""
    whole = _written(Message({"kind": "done"}, (np.arange(5),)))
    for length in range(1, len(whole)):
        with pytest.raises(DamagedFileError, match="ask again"):
            read_message(io.BytesIO(whole[:length]))


@pytest.mark.parametrize(
    "content",
    [
        b"Warning: a library prints\n",
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack(">4sI", b"UMN1", 2**31),
        _frame(b"{}"),
        _frame(b"[1]"),
        _frame(b"null"),
        _frame(b'{"arrays": -1}'),
        _frame(b'{"arrays": 1e9}'),
        _frame(b'{"arrays": 5000}'),
        _frame(b'{"arrays": "1"}', b"x"),
        _frame(b'{"arrays": 1}', b"no array"),
        _frame(b'{"arrays": 1}', b""),
        _frame(b'{"arrays": 1}') + struct.pack(">Q", 2**62),
        _frame(b"[" * 100_000),
        _frame(b'{"arrays": 0}'[:-1] + b"\xff}"),
    ],
)
def test_foreign_and_oversized_frames_are_refused(content: bytes) -> None:
    """Before anything of the announced size is held."""
    with pytest.raises(DamagedFileError, match="process that runs models"):
        read_message(io.BytesIO(content))


def test_announced_size_is_checked_before_it_is_read() -> None:
    """A stream that goes on for ever would otherwise be read into memory."""
    for content, words in (
        (struct.pack(">4sI", b"UMN1", 2**31), "header of 2147483648 bytes"),
        (_frame(b'{"arrays": 1}') + struct.pack(">Q", 2**31 + 1), "array of 2147483649 bytes"),
    ):
        with pytest.raises(DamagedFileError, match=words):
            read_message(io.BytesIO(content + b"x" * 1000))


def test_pickled_objects_are_neither_sent_nor_taken() -> None:
    """An array of objects would be pickled; nothing here unpickles."""
    objects = np.array([{"a": 1}, None], dtype=object)
    with pytest.raises(InvalidValueError, match="numbers"):
        write_message(io.BytesIO(), Message({}, (objects,)))
    body = io.BytesIO()
    np.save(body, objects, allow_pickle=True)
    with pytest.raises(DamagedFileError, match="cannot be read"):
        read_message(io.BytesIO(_frame(b'{"arrays": 1}', body.getvalue())))


def test_array_of_text_is_refused() -> None:
    """Weights and boxes are numbers."""
    body = io.BytesIO()
    np.save(body, np.array(["text"]))
    with pytest.raises(DamagedFileError, match="is of <U4"):
        read_message(io.BytesIO(_frame(b'{"arrays": 1}', body.getvalue())))


def test_message_that_is_too_large_is_refused_before_it_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing of it reaches the stream."""
    monkeypatch.setattr(messages, "ARRAY_MAX_BYTES", 100)
    stream = io.BytesIO()
    with pytest.raises(TooLargeError, match="choose a smaller image"):
        write_message(stream, Message({}, (np.zeros(1000),)))
    assert stream.getvalue() == b""


@pytest.mark.parametrize("wrong", ["maps", "count", "shape", "field"])
def test_maps_that_are_not_whole_are_refused(wrong: str) -> None:
    """Whatever of them is missing."""
    message = pack_maps([_map(3)])
    fields, arrays = json.loads(json.dumps(message.fields)), message.arrays
    if wrong == "maps":
        fields = {}
    elif wrong == "count":
        arrays = arrays[:1]
    elif wrong == "shape":
        arrays = (arrays[0], arrays[1][:2])
    else:
        del fields["maps"][0]["tasks"]
    with pytest.raises(DamagedFileError, match="maps are not whole"):
        unpack_maps(Message(fields, arrays))
