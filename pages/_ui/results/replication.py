"""How a replication stands to its original: the figures side by side, and the verdict in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages._ui.shared.results import Results
from pages._ui.shared.words import plain
from umnist_core.labeling.original import Original
from umnist_core.scoring.replication import (
    DIFFERENCE,
    Compared,
    StudyFigure,
    compare_studies,
    measure,
    overall_sentence,
    verdict_sentence,
)

HELP = """\
**Expected**: the 95 % prediction interval of Patil, Peng and Leek (2016), where another study of \
the size of this one is to be expected if nothing but chance differs.
**Equivalent**: the 90 % interval of the difference lies within the bounds that were logged when \
this study was made.
A small study is consistent with much, so the two are said apart."""

_NAMES = {"unguided": "Unguided", "guided": "Guided", DIFFERENCE: "Guided minus unguided"}


def show_replication(results: Results, replicates: Mapping[str, Any]) -> None:
    """Draw the comparison with what the original found."""
    original = Original.from_dict(replicates)
    compared = compare_studies(original.figures, measure(results.answers), original.bounds)
    st.markdown(f"**Replication of {plain(original.name)}**", help=HELP)
    st.markdown(overall_sentence(compared))
    if compared:
        head = "| | Original | Here | Expected |\n|:--|--:|--:|--:|\n"
        st.markdown(head + "\n".join(map(_row, compared)))
    for one in compared:
        st.markdown(f"- {verdict_sentence(one)}")
    state = "closed" if original.is_closed else "still open"
    st.caption(
        f"The original, `{original.study}`, was {state} when it was exported; the hash of its last "
        f"event is `{original.head_hash[:16]}…`. What is compared is other people on the same "
        "images."
    )


def _row(one: Compared) -> str:
    is_difference = one.original.name == DIFFERENCE
    expected = "not known"
    if one.verdict != "unknown":
        expected = " to ".join(_number(end, is_difference) for end in one.expected)
    cells = (_cell(one.original), _cell(one.replication), expected)
    return f"| {_NAMES[one.original.name]} | {' | '.join(cells)} |"


def _cell(one: StudyFigure) -> str:
    if not one.labels:
        return "no answers"
    unit = "points" if one.name == DIFFERENCE else "%"
    return f"{_number(one.estimate, one.name == DIFFERENCE)} {unit}"


def _number(share: float, is_signed: bool) -> str:
    sign = "+" if is_signed else ""
    return f"{100 * share:{sign}.1f}".replace("-", "\N{MINUS SIGN}")
