"""JSON, YAML and TOML of anybody's are read, or are a ValueError."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from umnist_core.parsing import YamlError, parse_json, parse_toml, parse_yaml

LONG = "9" * 5000
GOOGOLS = "1" + 400 * "0"


@pytest.mark.parametrize("number", [LONG, f"-{LONG}", GOOGOLS, str(2**64)])
@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_json, '{{"a": [{}]}}'),
        (parse_yaml, "a: [{}]"),
        (parse_yaml, "{}: a"),
        (parse_toml, "a = [{{b = {}}}]"),
    ],
)
def test_number_that_is_too_long_is_refused(
    parse: Callable[[str], Any], text: str, number: str
) -> None:
    """One that no float holds as much as one that Python does not read."""
    with pytest.raises(ValueError, match=r"bits|limit|mapping"):
        parse(text.format(number))


@pytest.mark.parametrize("number", [0, -(2**63), 2**64 - 1, 2**53])
def test_number_of_64_bits_is_read(number: int) -> None:
    """Signed or not."""
    assert parse_json(f"[{number}, 1.5, true]") == [number, 1.5, True]
    assert parse_yaml(f"[{number}, 1.5, true]") == [number, 1.5, True]
    assert parse_toml(f"a = [{number}, 1.5, true]")["a"] == [number, 1.5, True]


@pytest.mark.parametrize("depth", [500, 5000, 100_000])
@pytest.mark.parametrize(
    ("parse", "begin", "end"),
    [
        (parse_json, "[", "]"),
        (parse_json, '{"a":', "}"),
        (parse_yaml, "[", "]"),
        (parse_toml, "a = " + "[", "]"),
    ],
)
def test_deep_nesting_is_read_or_refused(
    parse: Callable[[str], Any], begin: str, end: str, depth: int
) -> None:
    """Never a RecursionError."""
    first, last = begin[:-1] if begin.startswith("a") else "", begin[-1:]
    text = first + (last if first else begin) * depth + ("1" if "{" in begin else "") + end * depth
    try:
        parse(text)
    except ValueError:
        return
    assert depth == 500


def test_anchors_of_yaml_are_refused() -> None:
    """Nine lines of them stand for a billion values."""
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    with pytest.raises(YamlError, match="alias") as caught:
        parse_yaml("\n".join(lines))
    assert caught.value.line == 2
