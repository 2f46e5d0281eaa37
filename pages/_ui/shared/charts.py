"""How charts look: colours, marks, error bars, margins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from umnist_core.scoring.tables import POOLS

CHART_PX = 260


@dataclass(frozen=True)
class Colours:
    """Colours of a theme; the pools' can be told apart by colour-blind eyes and by their marks.

    Attributes
    ----------
    ink, quiet, line
        Of text, of what stands beside it, and of a published figure.
    pools
        Of each pool.
    """

    ink: str
    quiet: str
    line: str
    pools: tuple[str, str]

    def pool(self, pool: str) -> str:
        """Return the colour of a pool."""
        return self.pools[POOLS.index(pool)] if pool in POOLS else self.quiet


LIGHT = Colours("#1f1f1f", "#6b6b6b", "#8a3d8f", ("#b45309", "#0b6b78"))
DARK = Colours("#ececec", "#a8a8a8", "#d79adb", ("#e0a030", "#4fb3c0"))
MARKS = {"unguided": "circle", "guided": "square"}


def error_bars(values: Any, low: Any, high: Any, width_px: float) -> dict[str, Any]:
    """Return plotly's error bars from the ends of intervals, in the unit of the values."""
    return {
        "type": "data",
        "symmetric": False,
        "array": high - values,
        "arrayminus": values - low,
        "thickness": width_px,
        "width": 0,
    }


def lay_out(figure: Any, colours: Colours, *, height: int = CHART_PX, legend: bool = False) -> None:
    """Give a chart its margins and colours."""
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 6, "t": 6, "b": 0},
        showlegend=legend,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "font": {"color": colours.ink}},
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
        font={"size": 12, "color": colours.ink},
    )
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(
            tickfont={"color": colours.ink},
            title={"font": {"color": colours.ink}, "standoff": 6},
            zeroline=False,
            automargin=True,
        )
