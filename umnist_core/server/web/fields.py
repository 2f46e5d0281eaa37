"""What came with a request: its body, the fields of a JSON object, and those of a query."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from umnist_core.errors import InvalidValueError

BODY_PATIENCE_S = 30.0
"""A body that has not come whole by then holds a connection for nothing."""

ID = r"[0-9A-Za-z_-]{1,64}"
"""An id, as this server makes them."""

_QUERY_FIELDS_MAX = 64


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Read a body, and not one byte more than is allowed.

    Raises
    ------
    HTTPException
        413, if it has more bytes, or says so; the rest is not read. 408, if it does not come, so
        that an answer over a slow network is kept and sent again, not taken for refused.
    """
    sentence = f"At most {max_bytes} bytes may be sent at once, and more came; send less."
    too_large = HTTPException(413, sentence, {"connection": "close"})
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > max_bytes:
        raise too_large
    chunks = bytearray()
    try:
        async with asyncio.timeout(BODY_PATIENCE_S):
            async for chunk in request.stream():
                chunks += chunk
                if len(chunks) > max_bytes:
                    raise too_large
    except TimeoutError as error:
        sentence = f"The body did not come whole within {BODY_PATIENCE_S:g} s; send it again."
        raise HTTPException(408, sentence, {"connection": "close"}) from error
    return bytes(chunks)


async def read_object(request: Request, max_bytes: int) -> dict[str, Any]:
    """Read a body that is a JSON object.

    Raises
    ------
    HTTPException
        415, if it does not say that it is JSON, which a form of another site cannot; 413 and
        408, as `read_body`.
    InvalidValueError
        If it is no JSON object in UTF-8, holds what JSON does not have (NaN, half a character)
        or is nested too deep.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, f"Expected application/json, found {kind[:60]!r}; send JSON.")
    body = await read_body(request, max_bytes)
    try:
        value: object = json.loads(body.decode(), parse_constant=_refuse_constant)
        if "\\u" in body.decode():
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair has no UTF-8
    except (ValueError, RecursionError) as error:
        raise InvalidValueError(
            "Expected the body as JSON in UTF-8, found something else; reload the page."
        ) from error
    if not isinstance(value, dict):
        raise InvalidValueError(
            f"Expected the body as a JSON object, found {type(value).__name__}; reload the page."
        )
    return value


def get_text(name: str, fields: Mapping[str, object], pattern: str = ID) -> str:
    """Return a field that is a text of a form.

    Raises
    ------
    InvalidValueError
        If it is missing or anything else.
    """
    value = fields.get(name)
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise InvalidValueError(
            f"Expected {name} as a text of the right form, got {str(value)[:80]!r}; reload the "
            "page."
        )
    return value


def get_whole(name: str, fields: Mapping[str, object], most: int) -> int:
    """Return a field of JSON that is a whole number from 0 to ``most``.

    Raises
    ------
    InvalidValueError
        If it is missing or anything else.
    """
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise InvalidValueError(
            f"{name} is a whole number from 0 to {most}; got {str(value)[:40]!r}; reload the page."
        )
    return value


def parse_whole(name: str, text: str) -> int:
    """Read a whole number of at most 18 digits.

    Raises
    ------
    InvalidValueError
        If the text is anything else.
    """
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise InvalidValueError(
            f"{name} is a whole number of 0 or more, at most 18 digits; got {text[:40]!r}."
        )
    return int(text)


def parse_query(text: str, allowed: tuple[str, ...]) -> dict[str, str]:
    """Read a query whose names are known, each given once at most.

    Raises
    ------
    InvalidValueError
        If it is anything else.
    """
    try:
        pairs = parse_qsl(
            text,
            keep_blank_values=True,
            strict_parsing=bool(text),
            errors="strict",
            max_num_fields=_QUERY_FIELDS_MAX,
        )
    except ValueError as error:
        raise InvalidValueError(
            "Expected parameters of the form name=value joined by &, found something else; check "
            "the address."
        ) from error
    fields = dict(pairs)
    for name, _ in pairs:
        if name not in allowed:
            raise InvalidValueError(
                f"There is no parameter {name[:40]!r}; the parameters are {', '.join(allowed)}."
            )
    if len(fields) < len(pairs):
        raise InvalidValueError("Every parameter may be given once; one was given twice.")
    return fields


def one_of(name: str, fields: Mapping[str, str], allowed: tuple[str, ...]) -> str:
    """Return a field of a query that is one of some words, the first of them if it is not given.

    Raises
    ------
    InvalidValueError
        If it is any other.
    """
    value = fields.get(name, allowed[0])
    if value not in allowed:
        raise InvalidValueError(f"{name} is one of {', '.join(allowed)}; got {value[:40]!r}.")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"JSON has no {name}")
