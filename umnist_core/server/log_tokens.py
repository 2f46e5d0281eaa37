"""Keeping invite tokens out of every log of this process.

Whoever has a token is that person, and the address of a link has it. So no record of any
logger may hold such an address: neither a line of ours about a request that failed, nor the
access log of the server that runs the application, nor the text of an error.
"""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from typing import Any

_SLASH = r"(?:/|%(?:25)*2F)+"
"""As it is, doubled, or encoded any number of times, as proxies do."""

_TOKEN = re.compile(
    # With what follows it: a link may carry who somebody is at the site that sent them.
    rf"({_SLASH}join{_SLASH})[0-9A-Za-z_.~%-]+(?:[?=&][^\s\"'<>]*)?",
    re.IGNORECASE,
)
_KEPT = r"\1..."

_formatter = logging.Formatter()


def without_tokens(text: str) -> str:
    """Return a text with three dots for the token of every link in it."""
    return _TOKEN.sub(_KEPT, text)


def keep_tokens_out_of_logs() -> None:
    """Have every record that this process logs from now on say three dots for a token.

    Records are changed as they are made, since a filter of a logger is not asked about those
    of the loggers below it, and handlers may be added at any time.
    """
    made = logging.getLogRecordFactory()
    if getattr(made, "keeps_tokens_out", False):
        return

    def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
        return _cleaned(made(*args, **kwargs))

    make.keeps_tokens_out = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(make)


def _cleaned(record: logging.LogRecord) -> logging.LogRecord:
    record.msg = _clean(record.msg)
    if isinstance(record.args, tuple):
        record.args = tuple(map(_clean, record.args))
    elif isinstance(record.args, dict):
        record.args = {name: _clean(value) for name, value in record.args.items()}
    with suppress(TypeError, ValueError):  # args that do not fit are told when it is written
        message = record.getMessage()
        if without_tokens(message) != message:  # put together of parts
            record.msg, record.args = without_tokens(message), ()
    if record.exc_info and record.exc_info[0] is not None:
        # What a formatter would write; it takes a text that is there already.
        text = _formatter.formatException(record.exc_info)
        if _TOKEN.search(text):
            record.exc_text = without_tokens(text)
            record.exc_info = None
    return record


def _clean(value: object) -> object:
    """Return what is logged, as a text without tokens if it would show one, else as it is."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return without_tokens(text) if _TOKEN.search(text) else value
