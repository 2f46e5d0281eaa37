"""The question mark of every page: the documents' page for that kind of work, without a network."""

from __future__ import annotations

import streamlit as st

from pages._ui.shared.home import base_path

MANUAL = {
    "explore": "guide/show",
    "noise_lab": "guide/noise",
    "label": "guide/annotate",
    "studies": "guide/study",
    "results": "statistics",
    "inference": "guide/show",
    "models": "guide/train",
    "experiments": "experiments",
}
"""Name of a page -> that of the documents, as `umnist_core.server.manual` serves them."""

_CSS = """
<style>
  .st-key-help {
    position: fixed; top: 0; right: 52px; z-index: 999991; width: auto; height: 44px;
    justify-content: center;
  }
  .st-key-help a { min-height: 0; padding: 4px 8px; }
  @media (max-width: 700px) { /* no room for the word, which is read out all the same */
    .st-key-help a [data-testid="stMarkdownContainer"] {
      position: absolute; clip-path: inset(50%);
    }
  }
</style>
"""


def help_address(page: str) -> str:
    """Return the path of the documents for a page of the app, by its name."""
    return f"{base_path()}/docs/{MANUAL[page]}.html"


def show_help(page: str) -> None:
    """Show the question mark in the header; it opens the documents beside the app."""
    with st.container(key="help"):
        st.html(_CSS)
        st.link_button("Help", help_address(page), icon=":material/help:", type="tertiary")
