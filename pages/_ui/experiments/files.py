"""A table and its figure as files, made when somebody asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from umnist_core.experiments.drawing.chart import HeatMap, SeriesChart
from umnist_core.experiments.published.beside import OurFigure
from umnist_core.experiments.published.exports import (
    figure_rows,
    figures_text,
    latex_text,
    parquet_bytes,
    png_file,
    svg_bytes,
)
from umnist_core.experiments.published.tables import PublishedTable

_TITLES = {"csv": "CSV", "parquet": "Parquet", "tex": "LaTeX", "svg": "SVG", "png": "PNG"}


def show_files(
    table: PublishedTable, ours: Sequence[OurFigure], drawn: SeriesChart | HeatMap | None
) -> None:
    """Draw a button for each kind of file."""
    made: dict[str, Callable[[], str | bytes]] = {
        "csv": lambda: figures_text(figure_rows(table, ours)),
        "parquet": lambda: parquet_bytes(figure_rows(table, ours)),
        "tex": lambda: latex_text(table, ours),
    }
    if drawn is not None:
        made |= {"svg": lambda: svg_bytes(drawn), "png": lambda: png_file(drawn)}
    show_buttons(table.key, made)


def show_buttons(name: str, made: Mapping[str, Callable[[], str | bytes]]) -> None:
    """Draw a button for each kind of file.

    Parameters
    ----------
    name
        Of the files, without what they end in.
    made
        Ending -> what makes the file.
    """
    with st.container(key="result_files"):
        for suffix, make in made.items():
            st.download_button(
                _TITLES[suffix],
                make,
                f"{name}.{suffix}",
                key=f"result_file_{suffix}",
                on_click="ignore",
            )
