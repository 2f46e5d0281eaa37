"""What stands behind a cell: sources, contradictions, and of ours machine, command and misses."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from pages._ui.experiments.links import SHOWN, images_html
from umnist_core.experiments.published.beside import TIERS, OurFigure, Rerun
from umnist_core.experiments.published.grid import (
    GridCell,
    GridRow,
    cell_words,
    facts_of,
    figure_words,
    provenance_words,
    tier_of,
)
from umnist_core.experiments.published.sweep_charts import images_behind

_MISSED_SHOWN = 20


def show_behind(chosen: tuple[GridRow, GridCell] | None, reruns: Sequence[Rerun] = ()) -> None:
    """Draw the panel beside the figure.

    Parameters
    ----------
    chosen
        The row and the cell; None where the table has nothing at all.
    reruns
        Sweep files that fill the table.
    """
    if chosen is None:
        st.html("<h2>Nothing is published here</h2>")
        st.html(
            '<p class="umnist-about">The documents have no figure that can be read, and nothing of '
            "ours is here yet.</p>"
        )
        _show_reruns(reruns)
        return
    row, cell = chosen
    unit = cell.column.unit
    st.html(f"<h2>{escape(row.title)}: {escape(cell.column.title.lower())}</h2>")
    for one in cell.published:
        st.html(_figure(cell_words(one, unit), f"published; {provenance_words(one)}"))
    if not cell.published:
        st.html('<p class="umnist-about">Nothing is published here.</p>')
    for one in cell.others:
        st.html(_figure(cell_words(one, unit), f"{TIERS[tier_of(one)]}; {provenance_words(one)}"))
    for against in cell.contradictions:
        st.html(f'<p class="umnist-warned"><b>{escape(against.id)}</b> {escape(against.says)}</p>')
    if row.note:
        st.html(f'<p class="umnist-about">{escape(row.note)}</p>')
    for number, own in enumerate(cell.ours):
        _show_ours(own, cell, number)
    if not cell.ours:
        st.html('<p class="umnist-about">Ours: not run yet.</p>')
    _show_reruns(reruns)


def _show_reruns(reruns: Sequence[Rerun]) -> None:
    """Say which sweeps fill the table, on what machine, and how long each takes."""
    if not reruns:
        return
    with st.expander("Run it yourself"):
        for one in reruns:
            needs = f" It needs {one.needs}." if one.needs else ""
            st.caption(f"{one.title} ({one.size}).{needs}")
            st.code("\n".join(one.commands), language=None, wrap_lines=True)


def _figure(text: str, about: str, kind: str = "") -> str:
    return (
        f'<p class="umnist-figure-of {kind}"><b>{escape(text)}</b>'
        f"<small>{escape(about)}</small></p>"
    )


def _show_ours(own: OurFigure, cell: GridCell, number: int) -> None:
    st.html(_figure(figure_words(own, cell.column.unit), own.name, "ours"))
    facts = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(said)}</dd>" for name, said in facts_of(own)
    )
    st.html(f'<dl class="umnist-behind">{facts}</dl>')
    if own.command:
        st.code(own.command, language=None, wrap_lines=True)
    images = images_behind(own, cell.column.task)
    if images:
        missed = sum(one.is_missed for one in images)
        title = f"Missed {missed:,} of {len(images):,} images; the first {min(SHOWN, len(images))}"
        with st.expander(title, expanded=number == 0):
            st.html(images_html(images))
    elif own.entry is not None and own.entry.missed:
        with st.expander(f"Missed {len(own.entry.missed):,} images"):
            told = [
                f"{one.get('id')}: {one.get('said')} for {one.get('true')}"
                for one in own.entry.missed[:_MISSED_SHOWN]
            ]
            st.text("\n".join(told))
