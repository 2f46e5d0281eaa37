"""How far answers that are numbers lie from the truth: years, in all and by bins of fifty.

The mean squared error is a mean over images, in years squared. The published code of MetH divides
the sum of its batches' means by the number of images, which is that over the batch of 64 (but for
its last batch), and calls it the same; 173.7 may be such a figure. See docs/meth.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from umnist_core.datasets.years import year_bin

METH_BATCH = 64
"""Images of a batch in the test of MetH's published code."""

Row = dict[str, Any]


def number_tables(rows: Sequence[Row], task: str) -> Row:
    """Return the errors of answers, in all and by the true year's bin.

    Parameters
    ----------
    rows
        Of `umnist_core.training.evaluate.Evaluation`; those without a truth do not count.
    task
        One that asks for a number.

    Returns
    -------
    dict
        ``all``, and ``by_bin``, a list in ascending order of bins with the same and ``bin``; see
        `number_errors`. And ``mse_over_64``, as MetH's code has it; None without any truth.
    """
    known = [row for row in rows if row[f"true_{task}"] is not None]
    bins: dict[str, list[Row]] = {}
    for row in sorted(known, key=lambda row: float(row[f"true_{task}"])):
        bins.setdefault(year_bin(row[f"true_{task}"]), []).append(row)
    of_all = number_errors(known, task)
    return {
        "all": of_all,
        "mse_over_64": of_all["mse"] / METH_BATCH if known else None,
        "by_bin": [{"bin": name, **number_errors(own, task)} for name, own in bins.items()],
    }


def number_errors(rows: Sequence[Row], task: str) -> Row:
    """Return how far answers lie from the truth.

    Returns
    -------
    dict
        ``images``; and, None without any, ``mse``, their mean squared error, ``rmse``, its root,
        ``mean_absolute``, and ``mean``, above 0 where answers are too large.
    """
    errors = [row[f"said_{task}"] - row[f"true_{task}"] for row in rows]
    if not errors:
        return dict.fromkeys(("mse", "rmse", "mean_absolute", "mean"), None) | {"images": 0}
    mse = math.fsum(error**2 for error in errors) / len(errors)
    return {
        "images": len(errors),
        "mse": mse,
        "rmse": math.sqrt(mse),
        "mean_absolute": math.fsum(map(abs, errors)) / len(errors),
        "mean": math.fsum(errors) / len(errors),
    }


def number_lines(task: str, tables: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is printed of such tables."""
    yield f"{task}: {_words(tables['all'])}"
    if tables["mse_over_64"] is not None:
        yield (
            f"  over {METH_BATCH}, as MetH's published code divides it: {tables['mse_over_64']:.1f}"
        )
    for row in tables["by_bin"]:
        yield f"  {row['bin']}: {_words(row)}"


def _words(row: Mapping[str, Any]) -> str:
    if not row["images"]:
        return "no truth to compare with"
    return (
        f"mean squared error {row['mse']:.1f} (root {row['rmse']:.1f}), mean absolute error "
        f"{row['mean_absolute']:.1f}, mean error {row['mean']:+.1f}, {row['images']} images"
    )
