"""The hash of the code that matters."""

from __future__ import annotations

from pathlib import Path

import pytest

from umnist_core.experiments.sweeps import fingerprint
from umnist_core.experiments.sweeps.fingerprint import code_of, what_it_does

PROGRAM = '''"""What it is for."""
import math  # for pi

TEXT = """kept # as it is"""


def area(radius: float) -> float:
    """Return the area.

    Of a circle.
    """
    # By the formula.

    return math.pi * radius**2
'''


def test_what_only_explains_does_not_count() -> None:
    """Comments, docstrings and empty lines are left out, and all else stays."""
    assert what_it_does(PROGRAM) == (
        'import math\nTEXT = """kept # as it is"""\n'
        "def area(radius: float) -> float:\n    return math.pi * radius**2"
    )


def test_hash_changes_with_a_number_and_not_with_a_comment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a room as of a file; a room that is not there is a mistake of the list."""
    monkeypatch.setattr(fingerprint, "_PACKAGE", tmp_path)
    (tmp_path / "room").mkdir()
    source = tmp_path / "room" / "circle.py"

    def found(text: str) -> str:
        code_of.cache_clear()
        source.write_text(text)
        assert code_of(("room",)) == code_of(("room/*.py",)) == code_of(("room/circle.py",))
        return code_of(("room",))

    try:
        before = found(PROGRAM)
        assert found(PROGRAM.replace("By the formula", "Of Archimedes")) == before
        assert found(PROGRAM.replace("**2", "**3")) != before
        with pytest.raises(FileNotFoundError, match="no hall"):
            code_of(("hall",))
    finally:
        code_of.cache_clear()
