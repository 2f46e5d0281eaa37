"""Accuracy by the levels of a study's factors, as charts of Results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from pages._ui.results.breakdowns import breakdown_figure
from pages._ui.shared.charts import Colours
from umnist_core.scenes.parameters import PARAMETERS


def show_levels(
    tables: Mapping[str, pd.DataFrame], colours: Colours, show: Callable[..., None]
) -> None:
    """Draw a chart for each factor, and one of the cells where factors are crossed.

    Parameters
    ----------
    tables
        Of the report; those of factors are missing where the study has none.
    show
        Draws a chart under its title.
    """
    if "by_factor" not in tables:
        return
    found = tables["by_factor"]
    factors = list(dict.fromkeys(found["factor"]))
    for name in factors:
        table = found[found["factor"] == name].drop(columns="factor").reset_index(drop=True)
        names = [_text(one) for one in table["level"]]
        figure = breakdown_figure(table, colours, _axis(name), names)
        show(f"Factor {name}", figure, f"{table['level'].nunique()} levels")
    cells = tables["by_cell"]
    if len(factors) > 1:
        crossed = [str(one).replace(" ", "<br>") for one in cells["cell"]]
        figure = breakdown_figure(cells, colours, "Cell", crossed)
        show("Cells", figure, f"{len(set(crossed))} cells")


def _text(level: Any) -> str:
    return f"{level:g}" if isinstance(level, int | float) else str(level)


def _axis(name: str) -> str:
    unit = PARAMETERS[name].unit if name in PARAMETERS else ""
    return f"{name} ({unit})" if unit else name
