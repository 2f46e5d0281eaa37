"""The tables of docs/sweep-results.md, from the results that come with the package.

As a program this prints them again: ``python -m tests.experiments.sweeps.results_page``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from umnist_core.experiments.sweeps.results import SHIPPED
from umnist_core.experiments.sweeps.tables import fold_folder

PAGE = Path(__file__).resolve().parents[3] / "docs" / "sweep-results.md"

Row = dict[str, Any]


def tables() -> list[str]:
    """Return the tables, in the order of the page."""
    return [noise_study(), thickness("majority"), thickness("multi"), fine_tuned(), needles()]


def noise_study() -> str:
    """Return figure 6: sums and digits of both models over the grounds."""
    rows = fold_folder(SHIPPED / "fig6-compact")
    grounds = list(dict.fromkeys(row["noise"] for row in rows))
    columns = [
        (name, task)
        for name in ("digit-finder", "additive-pyramid")
        for task in ("sum", "digits found")
    ]
    lines = ["| Ground | " + " | ".join(f"{name}, {task}" for name, task in columns) + " |"]
    lines.append("|---" * (1 + len(columns)) + "|")
    for ground in grounds:
        cells = [
            _share(_one(rows, noise=ground, checkpoint=name, task=task)) for name, task in columns
        ]
        lines.append(f"| {ground} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def thickness(task: str) -> str:
    """Return a question over the thickness of strokes, both ways of drawing, and the published."""
    rows = fold_folder(SHIPPED / "thickness-unchanged-compact")
    values = list(dict.fromkeys(row["thickness"] for row in rows))
    lines = [f"| Thickness, px | {task}, cut to whole px | {task}, as it is |", "|---|---|---|"]
    for value in values:
        cells = [
            _share(_one(rows, thickness=value, thickness_mode=mode, task=task))
            for mode in ("integer", "continuous")
        ]
        lines.append(f"| {value} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def fine_tuned() -> str:
    """Return the test images right after a fine-tune, of those cells that were run."""
    rows = fold_folder(SHIPPED / "thickness-compact")
    final = [row for row in rows if row["part"] == "test" and row["at"] == "final"]
    points = dict.fromkeys((row["thickness_mode"], row["thickness"]) for row in final)
    lines = ["| Strokes | Seeds | majority | multi |", "|---|---|---|---|"]
    for mode, value in points:
        cells = [
            _one(final, thickness_mode=mode, thickness=value, task=task)
            for task in ("majority", "multi")
        ]
        shares = [f"{row['mean']:.3f} ({row['right']} of {row['images']})" for row in cells]
        cut = "cut to whole px" if mode == "integer" else "as it is"
        lines.append(f"| {value} px, {cut} | {cells[0]['seeds']} | " + " | ".join(shares) + " |")
    return "\n".join(lines)


def needles() -> str:
    """Return whether there is a needle, over canvases."""
    rows = fold_folder(SHIPPED / "needle-o2i-compact")
    lines = ["| Canvas, px | right |", "|---|---|"]
    lines += [f"| {row['canvas']} | {_share(row)} |" for row in rows]
    return "\n".join(lines)


def _one(rows: Sequence[Row], **wanted: str) -> Row:
    (found,) = (row for row in rows if wanted.items() <= row.items())
    return found


def _share(row: Row) -> str:
    low, high = row["low"], row["high"]
    return f"{row['right']} of {row['images']} ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    print("\n\n".join(tables()))
