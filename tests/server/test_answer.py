"""Finished answers."""

from __future__ import annotations

from umnist_core.server.answer import REVALIDATE, content_answer, error_answer


def test_head_carries_no_content_whatever_the_server_does_with_it() -> None:
    """The length stays that of the content; ASGI servers need not drop a body themselves."""
    answer = content_answer(b"tile", "image/png", pin="pin", cache_control=REVALIDATE)
    start, body = answer.messages("HEAD", b"")
    assert body["body"] == b""
    assert (b"content-length", b"4") in start["headers"]
    assert answer.messages("GET", b"")[1]["body"] == b"tile"


def test_error_is_never_taken_for_content_that_the_client_has() -> None:
    """If-None-Match does not turn an error into 304."""
    start, _ = error_answer(404, "Nothing is here.").messages("GET", b"*")
    assert start["status"] == 404


def test_etag_follows_from_the_content_and_what_it_was_made_of() -> None:
    """Equal content of one glyph set has one tag; other content or digits have another."""

    def etag(body: bytes, pin: str) -> bytes:
        return content_answer(body, "image/png", pin=pin, cache_control=REVALIDATE).etag

    assert etag(b"a", "one") == etag(b"a", "one")
    assert len({etag(b"a", "one"), etag(b"b", "one"), etag(b"a", "two")}) == 3
