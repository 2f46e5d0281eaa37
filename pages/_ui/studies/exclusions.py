"""The rules of exclusion in the form of a new study: each with its threshold and its reason."""

from __future__ import annotations

import streamlit as st

from umnist_core.labeling.exclusions import ExclusionRules

_LABELS = {
    "too_fast_s": "Median time for an image below (s)",
    "never_close": "Closer than the whole image, times, below",
    "little_seen": "Area seen legibly below (share)",
    "same_answer": "Same sum to at least (share)",
    "same_in_a_row": "Same sum in a row, at least",
    "mostly_hidden": "Page hidden at least (share of the time)",
    "no_view": "Answers without a view at least (share)",
    "small_screen_px": "Shorter side of the screen below (CSS px)",
}


def ask_exclusions() -> dict[str, float | None] | None:
    """Draw the rules, and return the thresholds that are to be fixed; None if none are."""
    is_fixed = st.toggle(
        "Fix rules of exclusion now",
        value=True,
        key="new_exclusions",
        help="They stand in the study's first event, before anybody comes. The results then have a "
        "second reading without the people whom they catch; no rule sees who is right.",
    )
    if not is_fixed:
        return None
    usual = ExclusionRules()
    reasons = {rule.name: rule.reason for rule in usual.every_rule()}
    left, right = st.columns(2)
    found: dict[str, float | None] = {}
    for place, (name, label) in enumerate(_LABELS.items()):
        value = (left, right)[place % 2].number_input(
            label,
            value=None if (value := getattr(usual, name)) is None else float(value),
            placeholder="off",
            key=f"new_exclusion_{name}",
            format="%g",
            help=f"{reasons[name]} Empty: the rule is off.",
        )
        found[name] = value
    return found
