"""Factors in the form of a new study."""

from __future__ import annotations

from typing import Any

import streamlit as st

from umnist_core.errors import InvalidValueError
from umnist_core.labeling.factors import CELLS_MAX, cells_of, read_factors

EXAMPLES = "shape_pairs=0,5,20 checkerboard=4,8,16"


def ask_factors(values: dict[str, Any]) -> str:
    """Draw the factors of a new study, and return them as they were typed; empty for none.

    Parameters
    ----------
    values
        Of the form.
    """
    with st.expander("Factors: levels of the noise, crossed"):
        text = st.text_input(
            "Factors",
            key="new_factors",
            placeholder=EXAMPLES,
            help="NAME=LEVEL,LEVEL, as many as you like, of the same parameters as the preset's; "
            "try them in the Noise lab.",
        )
        st.caption(
            "Every combination of levels is a cell with as many images as every other; each person "
            "answers as many of each, in a balanced order. Results have accuracy by level."
        )
        if text and text.strip():
            _say_cells(text, values)
    return text or ""


def _say_cells(text: str, values: dict[str, Any]) -> None:
    try:
        cells = len(cells_of(read_factors(text.split())))
    except InvalidValueError as error:
        st.warning(str(error))
        return
    each, images = values["images_per_annotator"], values["stimuli"]
    told = f"{cells} cells"
    if cells > CELLS_MAX:
        st.warning(f"{told}; at most {CELLS_MAX} can be crossed. Take fewer levels.")
    elif each % cells or images % cells:
        st.warning(
            f"{told}, so images, and images a person, are a multiple of {cells}; now they are "
            f"{images:,} and {each}. {max(cells, images - images % cells):,} and "
            f"{max(cells, each - each % cells)} would do."
        )
    else:
        st.markdown(
            f"{told}: {images // cells:,} images of each, {each // cells} of each for a person."
        )
