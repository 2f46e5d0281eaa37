"""How pages of text look, beyond `pages._ui.shared.style`."""

import streamlit as st

_CSS = """
<style>
  .umnist-bars { display: grid; gap: 4px; }
  .umnist-bars .row {
    display: grid; grid-template-columns: 5.5em minmax(4rem, 1fr) 9em; gap: 0 10px;
    align-items: center; font-size: 0.9rem;
  }
  .umnist-bars .track {
    display: flex; height: 6px; border-radius: 3px; overflow: hidden;
    background: color-mix(in srgb, currentColor 16%, transparent);
  }
  .umnist-bars .fill { background: var(--umnist-accent); }
  .umnist-bars .held { background: color-mix(in srgb, var(--umnist-accent) 40%, transparent); }
  .umnist-bars .said { text-align: right; white-space: nowrap; }
  .umnist-bars .more {
    grid-column: 2 / -1; font-size: 0.85rem;
    color: color-mix(in srgb, currentColor 75%, transparent);
  }
  .st-key-studies { max-width: 1200px; margin: 0 auto; }
  /* A name of many words breaks; the button is as wide as its row. */
  .st-key-studies [class*="st-key-open_"] button { text-align: left; padding: 0; min-height: 0; }
  .st-key-studies [class*="st-key-open_"] button p {
    font-weight: 600; font-size: 1.05rem; white-space: normal; overflow-wrap: anywhere;
  }
  .umnist-seal { overflow-wrap: anywhere; font-family: monospace; font-size: 0.85rem; }
  @media (max-width: 700px) {
    .umnist-bars .row { grid-template-columns: 5.5em minmax(3rem, 1fr) 8em; }
  }
</style>
"""


def apply_text_style() -> None:
    """Add the style to the page."""
    st.html(_CSS)
