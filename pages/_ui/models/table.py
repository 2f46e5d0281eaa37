"""The table of all models: our own component, since Streamlit's own cannot be read out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from pages._ui.models.rows import system_title
from pages._ui.shared.systems import SYSTEMS
from pages._ui.shared.viewer import our_component

ALL = "all"

_table = our_component("umnist_models_table", "showModelTable")


def choose_system(rows: Iterable[Mapping[str, Any]]) -> str:
    """Let a data system be chosen; `ALL` is all of them."""
    there = {row["system"] for row in rows}
    keys = [ALL, *(key for key in SYSTEMS if key in there), *sorted(there - set(SYSTEMS))]
    chosen = st.segmented_control(
        "Data system",
        keys,
        default=ALL,
        format_func=lambda key: "All" if key == ALL else system_title(key),
        key="models_system",
        label_visibility="collapsed",
    )
    return chosen or ALL


def show_table(rows: Iterable[Mapping[str, Any]], system: str) -> None:
    """Draw the rows of a data system, or all."""
    shown = [dict(row) for row in rows if system in (ALL, row["system"])]
    order = [*SYSTEMS]
    for row in shown:
        row["order"] = order.index(row["system"]) if row["system"] in order else len(order)
    _table(key="models_table", data={"rows": shown, "isOne": system != ALL})
