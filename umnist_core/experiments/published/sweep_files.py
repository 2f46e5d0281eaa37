"""The table of a sweep as Parquet and LaTeX; as comma-separated text it is the sweeps' own."""

from __future__ import annotations

import io
from typing import Any

from umnist_core.experiments.published.beside import SweepFolder
from umnist_core.experiments.published.exports import latex_escaped, latex_line
from umnist_core.experiments.published.sweep_charts import measures_of, short_axis
from umnist_core.experiments.sweeps.results import COLUMNS
from umnist_core.experiments.sweeps.tables import axes_of


def sweep_parquet(sweep: SweepFolder) -> bytes:
    """Return all rows of a sweep's table as a Parquet file; axes are texts."""
    import pandas as pd

    frame = pd.DataFrame(sweep.rows, columns=[*axes_of(sweep.rows), *COLUMNS])
    file = io.BytesIO()
    frame.to_parquet(file, index=False)
    return file.getvalue()


def sweep_latex(sweep: SweepFolder) -> str:
    """Return the test accuracies of a sweep as LaTeX, with booktabs."""
    axes = axes_of(sweep.rows)
    measures = [one for one in measures_of(sweep) if one.part == "test"]
    heads = [*map(short_axis, axes), "of", "seeds", "accuracy (%)", r"95 % interval"]
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        rf"\caption{{{latex_escaped(sweep.title)}}}",
        rf"\begin{{tabular}}{{{'l' * (len(axes) + 1)}rrr}}",
        r"\toprule",
        latex_line(heads),
        r"\midrule",
    ]
    for row in sweep.rows:
        measure = next((one for one in measures if one.holds(row)), None)
        if measure is not None and row["mean"] is not None:
            told = [str(row.get(axis, "")) for axis in axes]
            lines.append(latex_line([*told, measure.title, str(row["seeds"]), *_figures(row)]))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"]) + "\n"


def _figures(row: dict[str, Any]) -> list[str]:
    if row["low"] is None:
        return [f"{100 * row['mean']:.1f}", ""]
    return [f"{100 * row['mean']:.1f}", f"{100 * row['low']:.1f} to {100 * row['high']:.1f}"]
