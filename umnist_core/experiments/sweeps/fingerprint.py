"""The code that a result follows from, as a hash: what only explains it does not count."""

from __future__ import annotations

import ast
import hashlib
import io
import tokenize
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import umnist_core

_PACKAGE = Path(umnist_core.__file__).resolve().parent

DIGITS = 16


@cache
def code_of(rooms: tuple[str, ...]) -> str:
    """Return the hash of the sources of some rooms.

    Parameters
    ----------
    rooms
        Files, folders and patterns below ``umnist_core``, such as ``"scenes"``, ``"seeds.py"`` or
        ``"models/*.py"``. Of a folder every source in it counts, and no test and no data.

    Returns
    -------
    str
        `DIGITS` hexadecimal digits, the same with every version of Python. Comments, docstrings,
        empty lines and blanks at the ends of lines do not change it.
    """
    found = hashlib.sha256()
    for path in sorted(set(_sources(rooms))):
        name = path.relative_to(_PACKAGE).as_posix()
        found.update(f"{name}\n{what_it_does(path.read_text(encoding='utf-8'))}\n".encode())
    return found.hexdigest()[:DIGITS]


def what_it_does(source: str) -> str:
    """Return a program without its comments, docstrings and empty lines."""
    lines = source.splitlines()
    # By their places, not printed from the tree, which another Python would print otherwise.
    for first, last in _docstrings(ast.parse(source)):
        lines[first - 1 : last] = [""] * (last - first + 1)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _docstrings(tree: ast.Module) -> Iterator[tuple[int, int]]:
    """Yield first and last line of every text that stands alone, as docstrings do."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Constant):
            continue
        if isinstance(node.value.value, str) and node.end_lineno is not None:
            yield node.lineno, node.end_lineno


def _sources(rooms: Iterable[str]) -> Iterator[Path]:
    for room in rooms:
        paths = [*_PACKAGE.glob(room)]
        if not paths:
            raise FileNotFoundError(f"umnist_core has no {room}")  # a mistake in a list of ours
        for path in paths:
            yield from [path] if path.is_file() else path.rglob("*.py")
