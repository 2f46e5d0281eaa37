"""Finished HTTP replies: made once, kept, and sent again without further work."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

IMMUTABLE = "public, max-age=31536000, immutable"
"""For addresses that name everything that their content follows from."""

REVALIDATE = "no-cache"
"""For addresses whose content may change: kept, but asked about each time (by its ETag)."""

Message = dict[str, Any]
"""One ASGI message."""


@dataclass(frozen=True, slots=True)
class TileReply:
    """A finished reply.

    Attributes
    ----------
    start
        ASGI message with the status and the headers.
    not_modified
        The same for a client that has the content already, status 304; None for errors.
    body
        The content.
    etag
        Strong entity tag, with its quotes; empty for errors.
    """

    start: Message
    not_modified: Message | None
    body: bytes
    etag: bytes

    @property
    def status(self) -> int:
        """HTTP status."""
        return int(self.start["status"])

    @property
    def held_bytes(self) -> int:
        """About the memory of the reply, in bytes, for caches to count."""
        return len(self.body) + 2048

    def messages(self, method: str, if_none_match: bytes) -> tuple[Message, Message]:
        """Return the two ASGI messages that answer a request, for the receiver to keep.

        What is between us and the client may write into them, such as one that compresses.

        Parameters
        ----------
        method
            ``"GET"`` or ``"HEAD"``; the latter gets no content.
        if_none_match
            The header of that name; empty when there is none.
        """
        start, body = self.start, self.body
        if if_none_match and self.not_modified is not None and self._is_named_in(if_none_match):
            start, body = self.not_modified, b""
        elif method == "HEAD":
            body = b""
        own = {**start, "headers": list(start["headers"])}
        return own, {"type": "http.response.body", "body": body}

    def _is_named_in(self, if_none_match: bytes) -> bool:
        tags = (tag.strip().removeprefix(b"W/") for tag in if_none_match.split(b","))
        return any(tag in (self.etag, b"*") for tag in tags)


def content_reply(
    body: bytes, media_type: str, *, pin: str, cache_control: str, file_name: str = ""
) -> TileReply:
    """Return a reply with content.

    Parameters
    ----------
    body, media_type
        The content and its MIME type.
    pin
        What the content was made from (glyph set or file), part of the ETag.
    cache_control
        `IMMUTABLE` or `REVALIDATE`.
    file_name
        When given, browsers save the content under this name instead of showing it;
        letters, digits, dots, dashes and underscores only.
    """
    etag = f'"{pin}-{hashlib.blake2b(body, digest_size=8).hexdigest()}"'.encode()
    kept = [(b"etag", etag), (b"cache-control", cache_control.encode())]
    headers = [
        (b"content-type", media_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        *kept,
    ]
    if file_name:
        headers.append((b"content-disposition", f'attachment; filename="{file_name}"'.encode()))
    return TileReply(_start(200, headers), _start(304, kept), body, etag)


def error_reply(status: int, sentence: str, *more_headers: tuple[bytes, bytes]) -> TileReply:
    """Return a reply that says in one sentence, as plain text, what was wrong."""
    body = sentence.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),  # the sentence may quote the request
        (b"cache-control", b"no-store"),
        *more_headers,
    ]
    return TileReply(_start(status, headers), None, body, b"")


def _start(status: int, headers: list[tuple[bytes, bytes]]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}
