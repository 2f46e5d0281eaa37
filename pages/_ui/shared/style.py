"""What Streamlit's theme cannot say: the image takes the page, the rest keeps out of its way."""

import streamlit as st

HEADER_PX = 44

# Pages whose controls scroll beside an image that stays.
SPLIT = ":is(.st-key-lab, .st-key-watch)"
STAGE = ":is(.st-key-lab_stage, .st-key-watch_stage)"
PANEL = ":is(.st-key-lab_panel, .st-key-watch_panel)"

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
  /* Noise lab and Inference: controls stay beside the image, figures are below it. */
  {SPLIT} {{
    display: grid; gap: 12px 16px;
    grid-template: "stage panel" auto "below panel" 1fr / minmax(0, 7fr) minmax(0, 3fr);
  }}
  {SPLIT} > * {{ width: auto; min-width: 0; }}
  /* The heading of the figures shows below the image, so that people know of them. */
  .st-key-lab_stage {{ --viewer-height: clamp(24rem, calc(100dvh - 7.25rem), 200rem); }}
  {SPLIT} > :has(> {STAGE}) {{ grid-area: stage; }}
  .st-key-lab > :has(> .st-key-lab_below) {{ grid-area: below; }}
  {SPLIT} > :has(> {PANEL}) {{
    grid-area: panel; position: sticky; top: {HEADER_PX + 4}px; align-self: start;
    max-height: calc(100dvh - {HEADER_PX + 24}px); overflow: hidden auto; scrollbar-width: thin;
  }}
  /* Commands break at their spaces and never within an option. */
  .st-key-lab [data-testid="stCode"] code .token {{ white-space: pre; }}
  @media (max-width: 700px) {{
    {SPLIT} {{ grid-template: "stage" auto "panel" auto "below" auto / minmax(0, 1fr); }}
    {STAGE} {{ --viewer-height: clamp(20rem, 53dvh, 60rem); }}
    /* What takes the focus is scrolled to below the image, not under it. */
    [data-testid="stMain"]:has({SPLIT}) {{
      scroll-padding-top: calc(clamp(20rem, 53dvh, 60rem) + {HEADER_PX + 8}px);
    }}
    {SPLIT} > :has(> {STAGE}) {{
      position: sticky; top: {HEADER_PX}px; z-index: 3; align-self: start;
    }}
    {SPLIT} > :has(> {PANEL}) {{
      position: static; max-height: none; overflow: visible;
    }}
    [data-testid="stMainBlockContainer"] {{ padding: {HEADER_PX}px 8px 16px; }}
  }}
</style>
"""


def apply_style() -> None:
    """Add the style to the page."""
    st.html(_CSS)
