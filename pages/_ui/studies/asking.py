"""What a new study asks beside images: composed here question by question, and previewed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from umnist_core.errors import UmnistError
from umnist_core.labeling.asking import ETHICS_FIELDS, QUESTION_KINDS, Asking, Question

KIND_TITLES = {
    "choice": "One of several",
    "many": "Any of several",
    "number": "A number",
    "scale": "A scale",
    "text": "Words",
}
"""Kind of a question, `umnist_core.labeling.asking.QUESTION_KINDS`, in words."""

PARTS = {
    "before": ("Questions before the images", "About you"),
    "after": ("Questions after the images", "Looking back"),
}
"""Where questions are: its title here, and the title that their page begins with."""

_ROWS = "new_asked_{}"
_NEXT = "new_asked_next"


def ask_questions(asks: Mapping[str, Any]) -> Asking | None:
    """Draw what composes it; return what is asked, None where it cannot be yet.

    Parameters
    ----------
    asks
        ``ask_digits`` and ``ask_confidence`` of the form.
    """
    data: dict[str, Any] = {}
    for part, (title, page_title) in PARTS.items():
        with st.expander(title):
            data |= _compose_page(part, page_title)
    with st.expander("Check that the instructions are understood"):
        data |= _compose_gate()
    with st.expander("Breaks, debriefing, ethics"):
        data |= _others(asks)
    try:
        return Asking.from_dict(data)
    except UmnistError as error:
        st.error(str(error))
        return None


def _compose_page(part: str, page_title: str) -> dict[str, Any]:
    rows = _rows(part)
    questions = []
    if rows:
        page_title = st.text_input("Title of the page", page_title, key=f"new_{part}_title") or ""
    for place, row in enumerate(rows):
        with st.container(border=True):
            questions.append(_compose_question(row))
            _moves(part, place, len(rows))
    st.button("Add a question", key=f"new_{part}_add", on_click=_add, args=(part,))
    if not questions:
        return {}
    if st.toggle("Preview", key=f"new_{part}_preview"):
        _preview(page_title, questions)
    return {part: [{"title": page_title, "questions": questions}]}


def _compose_question(row: int) -> dict[str, Any]:
    first, second = st.columns([2, 1])
    text = first.text_input("Question", key=f"new_q{row}_text", max_chars=500) or ""
    kind = second.selectbox(
        "Answer", QUESTION_KINDS, format_func=KIND_TITLES.__getitem__, key=f"new_q{row}_kind"
    )
    name = first.text_input(
        "Name in tables", f"q{row}", key=f"new_q{row}_name", help="Small letters, figures, _."
    )
    required = second.checkbox("Required", key=f"new_q{row}_required")
    found: dict[str, Any] = {"name": name or "", "kind": kind, "text": text}
    found |= {"required": True} if required else {}
    return found | _details(row, kind)


def _details(row: int, kind: str) -> dict[str, Any]:
    if kind in ("choice", "many"):
        lines = st.text_area("Options, one a line", key=f"new_q{row}_options", height=100) or ""
        return {"options": _lines(lines)}
    if kind == "text":
        return {}
    first, second = st.columns(2)
    if kind == "number":
        bounds = {
            "low": first.number_input("Smallest", value=None, key=f"new_q{row}_low"),
            "high": second.number_input("Largest", value=None, key=f"new_q{row}_high"),
        }
        whole = st.checkbox("Whole numbers alone", True, key=f"new_q{row}_whole")
        return {"whole": whole, **{name: one for name, one in bounds.items() if one is not None}}
    return {
        "low": int(first.number_input("From", value=1, step=1, key=f"new_q{row}_from")),
        "high": int(second.number_input("To", value=7, step=1, key=f"new_q{row}_to")),
        "low_label": first.text_input("Which means", key=f"new_q{row}_first") or "",
        "high_label": second.text_input("Which means", key=f"new_q{row}_last") or "",
    }


def _compose_gate() -> dict[str, Any]:
    st.caption(
        "Asked behind the instructions. Whoever has a wrong answer reads them again; after the "
        "last try the part is over, with the outcome screened out."
    )
    rows = _rows("gate")
    questions = []
    for place, row in enumerate(rows):
        with st.container(border=True):
            text = st.text_input("Question", key=f"new_g{row}_text", max_chars=500) or ""
            lines = st.text_area("Answers, one a line", key=f"new_g{row}_options", height=100)
            options = _lines(lines or "")
            # Drawn without options, it would stay without a choice when there are some.
            key = f"new_g{row}_right"
            right = st.selectbox("The right one", options, key=key) if options else ""
            questions.append({"text": text, "options": options, "right": right or ""})
            _moves("gate", place, len(rows))
    st.button("Add a question", key="new_gate_add", on_click=_add, args=("gate",))
    if not questions:
        return {}
    tries = st.number_input("Tries", 1, 10, 2, key="new_gate_tries")
    return {"gate": {"questions": questions, "tries": int(tries)}}


def _others(asks: Mapping[str, Any]) -> dict[str, Any]:
    first, second = st.columns(2)
    every = first.number_input(
        "Images between breaks", 0, 1000, 0, key="new_break_every", help="0: no breaks."
    )
    seconds = second.number_input(
        "Seconds of a break, at least", 0, 3600, 0, key="new_break_seconds", disabled=not every
    )
    found: dict[str, Any] = {"break_every": int(every), "break_seconds": int(seconds) * bool(every)}
    found["debriefing"] = (
        st.text_area("Debriefing", key="new_debriefing", help="Read when one's part is over.") or ""
    )
    st.caption("These stand below the consent, and are part of it.")
    for name, title in ETHICS_FIELDS.items():
        found[name] = st.text_input(title, max_chars=500, key=f"new_{name}") or ""
    for name, title in (("digits", "Digits seen"), ("confidence", "How sure")):
        if asks[f"ask_{name}"]:
            found[f"require_{name}"] = st.checkbox(
                f"{title}: an answer needs it", key=f"new_require_{name}"
            )
    if asks["ask_digits"] or asks["ask_confidence"]:
        found["practise_asked"] = st.checkbox("Ask for them in practice too", key="new_practise")
    return found


def _preview(title: str, questions: list[dict[str, Any]]) -> None:
    """Draw a page about as people see it; nothing of it is kept."""
    with st.container(border=True):
        st.markdown(f"**{title}**")
        for place, data in enumerate(questions):
            try:
                one = Question(**{**data, "options": tuple(data.get("options", ()))})
            except UmnistError as error:
                st.caption(str(error))
                continue
            _preview_question(one, f"new_preview_{place}_{one.name}")


def _preview_question(one: Question, key: str) -> None:
    label = f"{one.text} ({'required' if one.required else 'optional'})"
    match one.kind:
        case "choice":
            st.radio(label, one.options, index=None, key=key)
        case "many":
            st.pills(label, one.options, selection_mode="multi", key=key)
        case "scale":
            st.radio(label, list(one.steps), index=None, horizontal=True, key=key)
            ends = (one.low_label, one.high_label)
            st.caption(" to ".join(end for end in ends if end))
        case "number":
            st.number_input(label, value=None, key=key, help=one.said_range)
        case _:
            st.text_area(label, key=key)


# -- rows -------------------------------------------------------------------------


def _rows(part: str) -> list[int]:
    rows: list[int] = st.session_state.setdefault(_ROWS.format(part), [])
    return rows


def _add(part: str) -> None:
    number = st.session_state.get(_NEXT, 1)
    st.session_state[_NEXT] = number + 1
    _rows(part).append(number)


def _moves(part: str, place: int, count: int) -> None:
    """Draw what moves a question up or down, or takes it away."""
    row = _rows(part)[place]
    with st.container(horizontal=True):
        for words, step in (("Up", -1), ("Down", 1)):
            st.button(
                words,
                key=f"new_{part}{row}_{words}",
                disabled=not 0 <= place + step < count,
                on_click=_move,
                args=(part, place, step),
            )
        st.button("Remove", key=f"new_{part}{row}_remove", on_click=_remove, args=(part, place))


def _move(part: str, place: int, step: int) -> None:
    rows = _rows(part)
    rows[place], rows[place + step] = rows[place + step], rows[place]


def _remove(part: str, place: int) -> None:
    del _rows(part)[place]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
