"""What Streamlit's theme cannot say: the image takes the page, the rest keeps out of its way."""

import streamlit as st

HEADER_PX = 44

_CSS = f"""
<style>
  [data-testid="stHeader"] {{ height: {HEADER_PX}px; min-height: {HEADER_PX}px; }}
  [data-testid="stMainBlockContainer"] {{ padding: {HEADER_PX + 4}px 16px 16px; max-width: none; }}
  [data-testid="stMain"] {{ font-variant-numeric: tabular-nums; }}
  @media (min-width: 701px) {{
    /* The image stays while a long panel beside it is scrolled. */
    [data-testid="stColumn"]:has(> [data-testid="stVerticalBlock"] > .st-key-stage) {{
      position: sticky; top: {HEADER_PX + 4}px; align-self: flex-start;
    }}
  }}
  @media (max-width: 700px) {{
    [data-testid="stMainBlockContainer"] {{ padding: {HEADER_PX}px 8px 16px; }}
  }}
</style>
"""


def apply_style() -> None:
    """Add the style to the page."""
    st.html(_CSS)
