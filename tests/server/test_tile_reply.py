"""Finished replies."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from starlette.middleware.gzip import GZipMiddleware

from umnist_core.server.tile_reply import REVALIDATE, content_reply, error_reply


def test_head_carries_no_content_whatever_the_server_does_with_it() -> None:
    """The length stays that of the content; ASGI servers need not drop a body themselves."""
    reply = content_reply(b"tile", "image/png", pin="pin", cache_control=REVALIDATE)
    start, body = reply.messages("HEAD", b"")
    assert body["body"] == b""
    assert (b"content-length", b"4") in start["headers"]
    assert reply.messages("GET", b"")[1]["body"] == b"tile"


def test_error_is_never_taken_for_content_that_the_client_has() -> None:
    """If-None-Match does not turn an error into 304."""
    start, _ = error_reply(404, "Nothing is here.").messages("GET", b"*")
    assert start["status"] == 404


def test_etag_follows_from_the_content_and_what_it_was_made_of() -> None:
    """Equal content of one glyph set has one tag; other content or digits have another."""

    def etag(body: bytes, pin: str) -> bytes:
        return content_reply(body, "image/png", pin=pin, cache_control=REVALIDATE).etag

    assert etag(b"a", "one") == etag(b"a", "one")
    assert len({etag(b"a", "one"), etag(b"b", "one"), etag(b"a", "two")}) == 3


def test_kept_reply_is_the_same_after_it_was_compressed_on_its_way() -> None:
    """Who compresses writes into the messages; the next client gets the reply as it was made."""
    content = b"[0, 1, 2, 3]" * 200
    reply = content_reply(content, "application/json", pin="pin", cache_control=REVALIDATE)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in reply.messages(scope["method"], b""):
            await send(message)

    async def ask(encoding: str) -> httpx.Response:
        transport = httpx.ASGITransport(GZipMiddleware(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get("/", headers={"accept-encoding": encoding})

    for encoding in ("gzip", "gzip", "identity"):
        # In a thread of its own: tests that drove a browser leave an event loop in this one.
        with ThreadPoolExecutor(1) as pool:
            response = pool.submit(asyncio.run, ask(encoding)).result()
        assert response.content == content
        assert response.headers.get("content-encoding", "identity") == encoding
        assert int(response.headers["content-length"]) == response.num_bytes_downloaded
