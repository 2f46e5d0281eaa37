"""What Streamlit's theme cannot say: the image takes the page, the rest keeps out of its way."""

import streamlit as st

HEADER_PX = 44

# Pages with an image, and its controls beside it.
SPLIT = ":is(.st-key-explore, .st-key-lab, .st-key-watch, .st-key-results)"
STAGE = ":is(.st-key-explore_stage, .st-key-lab_stage, .st-key-watch_stage, .st-key-results_stage)"
PANEL = ":is(.st-key-explore_panel, .st-key-lab_panel, .st-key-watch_panel, .st-key-results_panel)"

_CSS = f"""
<style>
  [data-testid="stHeader"] {{ height: {HEADER_PX}px; min-height: {HEADER_PX}px; }}
  [data-testid="stMainBlockContainer"] {{ padding: {HEADER_PX + 4}px 16px 16px; max-width: none; }}
  [data-testid="stMain"] {{ font-variant-numeric: tabular-nums; }}
  /* Streamlit's own grey for captions has less than 4.5:1 against the page. This one follows the
     text around it, in dialogs too, which lie where no theme is known. */
  div[data-testid="stCaptionContainer"] {{
    opacity: 1; color: color-mix(in srgb, currentColor 72%, transparent);
  }}
  [data-testid="stCaptionContainer"] :is(p, code, li) {{ color: inherit; }}
  /* Streamlit writes white on the accent, which is light in the dark theme. */
  [kind^="primary"], [kind^="primary"] p {{ color: var(--umnist-on-accent); }}
  /* Under the focus Streamlit tints what is chosen so far that its text has less than that too. */
  [data-testid="stButtonGroup"] button[data-selected="true"] {{
    background-color: color-mix(in srgb, var(--umnist-accent) 10%, transparent) !important;
  }}
  /* The name stands in the header, before the names of the pages. */
  :has(> :is(.st-key-home, .st-key-help)) {{ position: absolute; }}
  .st-key-home {{
    position: fixed; top: 0; left: 16px; z-index: 999991; width: auto; height: {HEADER_PX}px;
    justify-content: center;
  }}
  .st-key-home a {{ padding: 2px 6px; margin: 0; background: none; }}
  .st-key-home a p {{ font-weight: 700; letter-spacing: 0.02em; }}
  [data-testid="stHeader"] {{ padding-left: 84px; }}
  [data-testid="stExpandSidebarButton"]::after {{ content: "Pages"; padding: 0 6px; }}
  /* Folded away it lies outside the window, and Tab would go through it unseen. */
  [data-testid="stSidebar"][data-collapsed="true"] {{ visibility: hidden; }}
  /* Controls stay beside the image, which stays in sight; figures are below it. */
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
  @media (max-width: 1099px) {{
    /* Controls have a width below which they cannot be read; the image takes the rest. */
    {SPLIT} {{ grid-template-columns: minmax(0, 1fr) clamp(17.5rem, 34vw, 22rem); }}
  }}
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


_COLOURS = {
    "accent": ("#0b6b78", "#4fb3c0"),
    "on-accent": ("#ffffff", "#0c1b1e"),
    "quiet": ("#595959", "#b8b8b8"),
}
"""Name -> light and dark."""


def apply_style() -> None:
    """Add the style to the page."""
    is_dark = st.context.theme.type == "dark"
    now = " ".join(f"--umnist-{name}: {pair[is_dark]};" for name, pair in _COLOURS.items())
    # Where Streamlit says which theme is shown, the colours change with it, and with no rerun.
    both = " ".join(
        f"--umnist-{name}: light-dark({light}, {dark});" for name, (light, dark) in _COLOURS.items()
    )
    style = f":root {{ {now} }} [data-testid='stApp'] {{ {both} }}"
    st.html(f"{_CSS}<style>{style}</style>")
