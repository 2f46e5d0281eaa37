"""The language in which a study speaks to its people, in the form that makes it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from umnist_core.errors import InvalidValueError
from umnist_core.labeling.language import (
    ENGLISH,
    SHIPPED,
    Language,
    english_note,
    language_text,
    read_language,
    settings_of,
    shipped,
)
from umnist_core.labeling.records import POOLS

_OWN = "own"
_TEXTS = {
    "new_consent": "text.consent",
    **{f"new_instructions_{pool}": f"text.instructions.{pool}" for pool in POOLS},
}
"""Fields of the form that have a text of each language to begin with."""


def ask_language() -> dict[str, Any]:
    """Ask for the language and return its settings; texts that nobody has edited follow it.

    Empty while there is no file of one that is whole: no study is to be made then.
    """
    chosen = st.selectbox(
        "Language",
        [*SHIPPED, _OWN],
        format_func=lambda tag: "From a file of your own" if tag == _OWN else shipped(tag).name,
        key="new_language",
        help="Of all that people read on their pages, but for the study's own texts.",
    )
    if chosen != _OWN:
        _follow(shipped(chosen))
        return {"language": chosen}
    language = _own()
    _follow(language or shipped(ENGLISH))
    return settings_of(language) if language else {}


def _own() -> Language | None:
    """Ask for a file; return its language, None while there is none that is whole."""
    given = st.file_uploader("File of a language", type="json", key="new_language_file")
    st.download_button(
        "Download English as a file to translate",
        language_text(shipped(ENGLISH)),
        "language.json",
        "application/json",
        key="new_language_template",
        help="`umnist study language-template nl` writes one with the plural forms of a language.",
    )
    if given is None:
        st.caption("The study can be made once the file is here and lacks nothing.")
        return None
    try:
        language = read_language(given.getvalue().decode(errors="replace"), given.name)
    except InvalidValueError as error:
        st.error(str(error))
        return None
    if note := english_note(language):
        st.warning(note)
    return language


def _follow(language: Language) -> None:
    """Let texts that are as another language has them be those of this one."""
    state = st.session_state
    before: Language = state.get("new_language_before", language)
    for field, key in _TEXTS.items():
        if state.get(field, before.say(key)) == before.say(key):
            state[field] = language.say(key)
    state["new_language_before"] = language
