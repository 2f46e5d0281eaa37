"""The Python of docs/meth.md and docs/signs.md runs as it stands, on data in their layouts."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.datasets.meth.making import (
    METH_HEADER,
    ROWS,
    Row,
    meth_cells,
    write_images,
    write_meth,
    write_photograph,
    write_table,
)
from tests.datasets.signs.making import line, sign, write_set
from umnist_core.datasets.meth.layout import LOW_PATTERNS, low_path
from umnist_core.datasets.signs.grammar import SIGN_NAMES, TYPES, VISIBILITIES
from umnist_core.datasets.signs.published import COUNTS, RAW_COUNTS

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAIRS: tuple[Row, ...] = (("1.png", "", "train", (240, 256)), ("2.png", "", "test", (240, 200)))


def _write(root: Path) -> None:
    """Write what the examples open."""
    write_meth(root / "MetH-Medium", ROWS)
    write_table(root / "MetH-SR" / "MetH-SR.csv", METH_HEADER, meth_cells(PAIRS))
    write_images(root / "MetH-SR" / "data", PAIRS)
    assert "LR/x{factor}/{name}" in LOW_PATTERNS
    write_photograph(low_path(root / "MetH-SR", "LR/x{factor}/{name}", "2.png", 4), 60, 50)
    write_set(root / "signs" / "Set1", [line("a.jpg", sign("80_SIGN")), line("b.jpg")])


@pytest.mark.parametrize("name", ["meth.md", "signs.md"])
def test_examples_run(tmp_path: Path, name: str) -> None:
    """Each block by itself, as somebody would copy it."""
    _write(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / name).read_text(), re.DOTALL)
    assert blocks
    # One process for all of them: what they import takes longer than what they do.
    code = "\n".join(f"exec({block!r}, {{}})" for block in blocks)
    command = [sys.executable, "-W", "error", "-c", code]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_document_has_the_counts_that_are_tested() -> None:
    """And every word of the grammar."""
    text = (DOCS / "signs.md").read_text()
    for number, raw in RAW_COUNTS.items():
        counts = COUNTS[number, 1.0]
        row = f"| Set{number}, of {raw} lines | {' | '.join(map(str, counts))} | {sum(counts)} |"
        assert row in text
    for share in (0.5, 0.25):
        both = zip(COUNTS[1, share], COUNTS[2, share], strict=True)
        cells = " | ".join(f"{one}, {other}" for one, other in both)
        totals = f"{sum(COUNTS[1, share])}, {sum(COUNTS[2, share])}"
        assert f"| {share:.0%} of Set1, Set2 | {cells} | {totals} |".replace("%", " %") in text
    words = [*VISIBILITIES, *TYPES, *(one for one in SIGN_NAMES if not one[0].isdigit())]
    assert [word for word in words if f"`{word}`" not in text] == []
