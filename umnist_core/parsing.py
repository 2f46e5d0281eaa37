"""JSON, YAML and TOML of anybody's: whatever comes is read, or is a `ValueError`.

Python's own readers also raise `RecursionError` for what is nested deeply, and give whole numbers
of any length, which then overflow somewhere else.
"""

from __future__ import annotations

import json
import tomllib
from functools import cache
from typing import Any

MAX_BITS = 64
"""Of a whole number; no count, seed, id or size needs more."""


def parse_json(text: str | bytes) -> Any:
    """Return what JSON says.

    Raises
    ------
    ValueError
        If it is none, is nested too deeply, or has a whole number of more than 64 bits.
    """
    try:
        return json.loads(text, parse_int=_whole)
    except RecursionError as error:
        raise _too_deep() from error


def parse_toml(text: str) -> dict[str, Any]:
    """Return what TOML says; errors as of `parse_json`."""
    try:
        found = tomllib.loads(text)
    except RecursionError as error:
        raise _too_deep() from error
    _check_numbers(found)
    return found


def parse_yaml(text: str | bytes) -> Any:
    """Return what YAML says; errors as of `parse_json`, and for anchors.

    Anchors are refused because a few lines of them stand for more than any memory holds.

    Raises
    ------
    ValueError
        As of `parse_json`. It has ``line``, counted from 1, where that is known.
    """
    import yaml

    try:
        found = yaml.load(text, _loader())
    except RecursionError as error:
        raise _too_deep() from error
    except yaml.YAMLError as error:
        raise YamlError(error) from error
    _check_numbers(found)
    return found


class YamlError(ValueError):
    """What is wrong with a YAML text.

    Parameters
    ----------
    error
        Of PyYAML.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(" ".join(str(error).split()))
        mark = getattr(error, "problem_mark", None)
        self.line: int | None = None if mark is None else mark.line + 1


@cache
def _loader() -> type[Any]:
    import yaml

    class Loader(yaml.SafeLoader):
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
                raise yaml.composer.ComposerError(None, None, "an alias of an anchor", mark)
            return super().compose_node(parent, index)

    return Loader


def _whole(text: str) -> int:
    if len(text) > MAX_BITS // 3:
        raise _too_long()
    return _checked(int(text))


def _check_numbers(found: Any) -> None:
    waiting = [found]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple | set):
            waiting += one
        elif isinstance(one, int):
            _checked(one)


def _checked(number: int) -> int:
    if number.bit_length() > MAX_BITS:
        raise _too_long()
    return number


def _too_long() -> ValueError:
    return ValueError(f"a whole number of more than {MAX_BITS} bits")


def _too_deep() -> ValueError:
    return ValueError("parts nested too deeply")
