"""What a new study says of recruiting: ids of links, where people go, what they are paid."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages._ui.studies.words import OUTCOMES
from umnist_core.labeling.recruiting import BONUS_RULES, ENDINGS, SITES, TOUCHES, Recruiting

NOWHERE, ELSEWHERE = "nowhere", "elsewhere"

BONUS_TITLES = {
    "none": "No bonus",
    "each_right": "For each right answer",
    "each_answer": "For each answer",
}

TOUCH_TITLES = {
    "allowed": "Any",
    "required": "A touch screen",
    "refused": "A mouse or touchpad",
}


def show_recruiting() -> dict[str, Any]:
    """Draw the fields; return the settings as `Recruiting.from_dict` reads them, empty for none."""
    values = _ids() | _endings() | _bonus() | _device()
    usual = Recruiting().to_dict()
    return {} if {**usual, **values} == usual else values


def _ids() -> dict[str, Any]:
    site = st.selectbox(
        "People are sent by",
        [NOWHERE, *SITES, ELSEWHERE],
        format_func=lambda one: (
            SITES[one].title
            if one in SITES
            else {NOWHERE: "No site", ELSEWHERE: "Another site"}[one]
        ),
        key="new_site",
        help="Its links say who somebody is there. The same id is the same person, in any browser. "
        "Ids are kept apart from answers, in no export, and are erased with their person.",
    )
    if site == NOWHERE:
        return {}
    known = SITES.get(site)
    names = st.text_input(
        "Parameters of the link that are kept",
        " ".join(known.ids) if known else "",
        key=f"new_ids_{site}",
        placeholder="participant session",
    )
    person = st.text_input(
        "The one that says who somebody is",
        known.person_id if known else "",
        key=f"new_person_id_{site}",
        placeholder="participant",
    )
    required = st.checkbox("An open link needs it", True, key="new_require_id")
    ids = tuple((names or "").replace(",", " ").split())
    return {
        **({"site": site} if known else {}),
        "ids": ids,
        "person_id": (person or "").strip(),
        "require_id": required,
    }


def _endings() -> dict[str, Any]:
    st.markdown("**How a part ends**")
    st.caption(
        "Where people are sent then, and with which code; {code} and parameters of the link in "
        "braces are filled in. Without a code here, each person gets one of their own."
    )
    found: dict[str, dict[str, Any]] = {"redirects": {}, "codes": {}, "pay": {}}
    for outcome in ENDINGS:
        title = OUTCOMES[outcome]
        first, second, third = st.columns([5, 3, 2], vertical_alignment="bottom")
        redirect = first.text_input(
            f"{title}: send to",
            key=f"new_redirect_{outcome}",
            placeholder="https://app.prolific.com/submissions/complete?cc={code}",
        )
        code = second.text_input(f"{title}: code", key=f"new_code_{outcome}", max_chars=64)
        pay = third.number_input(
            f"{title}: pay", 0.0, 1000.0, 0.0, 0.5, format="%.2f", key=f"new_pay_{outcome}"
        )
        given = {"redirects": (redirect or "").strip(), "codes": (code or "").strip()}
        for name, value in {**given, "pay": round(float(pay), 2)}.items():
            if value:
                found[name][outcome] = value
    seconds = st.number_input(
        "Seconds before they are sent on",
        0,
        600,
        10,
        key="new_countdown",
        help="They can stop it, or go at once. 0: only when they choose to.",
    )
    return {**found, "countdown_s": int(seconds)}


def _bonus() -> dict[str, Any]:
    first, second, third, fourth = st.columns([2, 4, 3, 3])
    currency = first.text_input("Currency", key="new_currency", max_chars=3, placeholder="GBP")
    rule = second.selectbox(
        "Bonus",
        BONUS_RULES,
        format_func=BONUS_TITLES.__getitem__,
        key="new_bonus_rule",
        help="Of those whose part has ended; nothing is said of the others' answers.",
    )
    values = {"currency": (currency or "").strip().upper(), "bonus_rule": rule}
    if rule == "none":
        return values
    amount = third.number_input("Each", 0.0, 1000.0, 0.0, 0.01, format="%.2f", key="new_bonus")
    most = fourth.number_input(
        "At most", 0.0, 10_000.0, 0.0, 1.0, format="%.2f", key="new_bonus_max", help="0: no limit."
    )
    return {**values, "bonus": round(float(amount), 2), "bonus_max": round(float(most), 2)}


def _device() -> dict[str, Any]:
    first, second = st.columns(2)
    side_px = first.number_input(
        "Screen's shorter side, px",
        0,
        4000,
        0,
        10,
        key="new_side",
        help="At least so many CSS px, however it is turned; phones have 360 to 430, tablets 744 "
        "or more. 0: any. Whoever has less is asked to use another device.",
    )
    touch = second.selectbox(
        "Used with", TOUCHES, format_func=TOUCH_TITLES.__getitem__, key="new_touch"
    )
    return {"smallest_side_px": int(side_px), "touch": touch}


def recruiting_rows(recruiting: Recruiting | None) -> dict[str, str]:
    """Return what the settings of a study say of recruiting, title -> text."""
    if recruiting is None:
        return {}
    ids = ", ".join(f"`{name}`" for name in recruiting.ids)
    site = SITES[recruiting.site].title if recruiting.site else "another site"
    money = recruiting.currency
    pay = [
        f"{OUTCOMES[name].lower()} {amount:.2f} {money}" for name, amount in recruiting.pay.items()
    ]
    if recruiting.bonus_rule != "none":
        limit = f", at most {recruiting.bonus_max:.2f}" if recruiting.bonus_max else ""
        rule = BONUS_TITLES[recruiting.bonus_rule].lower()
        pay.append(f"{rule} {recruiting.bonus:.2f} {money}{limit}")
    gate = recruiting.gate
    rows = {
        "Ids of links": f"{ids}, of {site}; in no export" if ids else "none",
        "Sent on": "; ".join(
            f"{OUTCOMES[name].lower()}: `{address}`"
            for name, address in recruiting.redirects.items()
        ),
        "Codes": "; ".join(
            f"{OUTCOMES[name].lower()}: `{code}`" for name, code in recruiting.codes.items()
        ),
        "Pay": "; ".join(pay),
        "Device": ""
        if gate is None
        else f"screen's shorter side at least {gate.smallest_side_px} px; used with: "
        f"{TOUCH_TITLES[gate.touch].lower()}",
    }
    return {title: text for title, text in rows.items() if text}
