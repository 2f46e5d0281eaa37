"""The tables of docs/sweep-results.md, from the results that come with the package.

As a program this prints them again: ``python -m tests.experiments.sweeps.results_page``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from umnist_core.experiments.sweeps.results import SHIPPED
from umnist_core.experiments.sweeps.tables import axes_of, fold_folder

PAGE = Path(__file__).resolve().parents[3] / "docs" / "sweep-results.md"

Row = dict[str, Any]


def tables() -> list[str]:
    """Return the tables, in the order of the page."""
    return [
        noise_study(),
        noise_parameters(),
        *(thickness("majority"), thickness("multi"), fine_tuned()),
        of_ips("stroke-count-compact", "noise_count", "Curves"),
        of_ips("digit-size-compact", "side", "Side of a digit"),
        ratios(),
        attention(),
        needles(),
    ]


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
    """Return the test images right after a fine-tune, for both ways of drawing."""
    rows = [
        row
        for name in ("thickness-compact", "thickness-fine-compact")
        for row in fold_folder(SHIPPED / name)
        if row["part"] == "test" and row["at"] == "final"
    ]
    points = sorted({(row["thickness_mode"] != "integer", row["thickness"]) for row in rows})
    lines = ["| Strokes | majority | multi |", "|---|---|---|"]
    for is_plain, value in points:
        mode = "continuous" if is_plain else "integer"
        cells = [
            _one(rows, thickness_mode=mode, thickness=value, task=task)
            for task in ("majority", "multi")
        ]
        how = "as it is" if is_plain else "cut to whole px"
        lines.append(f"| {value} px, {how} | " + " | ".join(map(_mean, cells)) + " |")
    return "\n".join(lines)


def of_ips(name: str, axis: str, head: str) -> str:
    """Return the four questions that the shipped IPS answers, over one axis."""
    rows = fold_folder(SHIPPED / name)
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    lines = [f"| {head} | " + " | ".join(tasks) + " |", "|---" * (1 + len(tasks)) + "|"]
    for value in dict.fromkeys(row[axis] for row in rows):
        cells = [_share(_one(rows, **{axis: value, "task": task})) for task in tasks]
        lines.append(f"| {value} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def ratios() -> str:
    """Return the test images right after a fine-tune, over side and training images."""
    rows = fold_folder(SHIPPED / "o2i-compact")
    final = [row for row in rows if row["part"] == "test" and row["at"] == "final"]
    lines = ["| Side of a digit | Training images | majority | multi |", "|---|---|---|---|"]
    for side, count in dict.fromkeys((row["side"], row["training images"]) for row in final):
        cells = [
            _one(final, **{"side": side, "training images": count, "task": task})
            for task in ("majority", "multi")
        ]
        lines.append(f"| {side} | {count} | " + " | ".join(map(_mean, cells)) + " |")
    return "\n".join(lines)


def attention() -> str:
    """Return where attention lies and where patches lie, over the side of a digit."""
    rows = fold_folder(SHIPPED / "attention-o2i-compact")
    places = ("digits", "noise", "blank")
    heads = [f"{how}, {place}" for place in places for how in ("attention", "patches")]
    lines = ["| Side of a digit | " + " | ".join(heads) + " |", "|---" * 7 + "|"]
    for side in dict.fromkeys(row["side"] for row in rows):
        cells = [
            _mean(_one(rows, side=side, task=place, part=part))
            for place in places
            for part in ("attention", "chance")
        ]
        lines.append(f"| {side} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def noise_parameters() -> str:
    """Return sums and digits of both models, a row for each value of each parameter."""
    rows = fold_folder(SHIPPED / "noise-parameters-compact")
    names = ("digit-finder", "additive-pyramid")
    axes = [name for name in axes_of(rows) if name != "checkpoint"]
    heads = [f"{name}, {task}" for name in names for task in ("sum", "digits")]
    lines = ["| Parameter | " + " | ".join(heads) + " |", "|---" * 5 + "|"]
    for axis in axes:
        for value in dict.fromkeys(row[axis] for row in rows if axis in row):
            cells = [
                _one(rows, **{axis: value, "checkpoint": name, "task": task})
                for name in names
                for task in ("sum", "digits found")
            ]
            shares = [f"{row['right']} of {row['images']}" for row in cells]
            lines.append(f"| {axis} {value} | " + " | ".join(shares) + " |")
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


def _mean(row: Row) -> str:
    low, high = row["low"], row["high"]
    ends = "" if low is None else f" ({low:.3f} to {high:.3f})"
    return f"{row['mean']:.3f}{ends}"


def _share(row: Row) -> str:
    low, high = row["low"], row["high"]
    return f"{row['right']} of {row['images']} ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    print("\n\n".join(tables()))
