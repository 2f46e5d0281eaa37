"""How the page Experiments looks, beyond `pages._ui.shared.text_style`."""

import streamlit as st

_CSS = """
<style>
  .st-key-experiments { max-width: 1500px; margin: 0 auto; padding-bottom: 3rem; }
  .st-key-experiments h1 { font-size: 1.35rem; padding: 0; margin: 0; }
  .st-key-experiments :is(h2, h3) { padding: 0; margin: 0.4rem 0 0; font-size: 1.05rem; }
  .st-key-experiments_head {
    display: flex; flex-flow: row wrap; align-items: center; gap: 6px 20px;
  }
  .st-key-experiments_head > * { width: auto; }
  .umnist-about { color: var(--umnist-quiet); font-size: 0.9rem; margin: 0; }
  /* The figure and, below, its table; beside them what stands behind the chosen cell. */
  .st-key-result_split {
    display: grid; gap: 8px 24px; align-items: start;
    grid-template: "stage panel" auto "below panel" 1fr / minmax(0, 2fr) minmax(17rem, 1fr);
  }
  .st-key-result_split > * { width: auto; min-width: 0; }
  .st-key-result_split > :has(> .st-key-result_stage) { grid-area: stage; }
  .st-key-result_split > :has(> .st-key-result_below) { grid-area: below; }
  .st-key-result_split > :has(> .st-key-result_panel) {
    grid-area: panel; position: sticky; top: 52px; max-height: calc(100dvh - 72px);
    overflow: hidden auto; scrollbar-width: thin;
  }
  .st-key-result_panel { scroll-margin-top: 56px; }
  .st-key-result_panel [data-testid="stCode"] { margin-bottom: 4px; }
  .umnist-warned {
    margin: 0 0 6px; padding: 6px 10px; border-left: 3px solid var(--umnist-warn);
    font-size: 0.9rem;
  }
  .umnist-warned b { color: var(--umnist-warn); }
  .umnist-figure-of { margin: 0; }
  .umnist-figure-of b { font-size: 1.5rem; font-weight: 600; }
  .umnist-figure-of.ours b { color: var(--umnist-accent); }
  .umnist-figure-of small { display: block; color: var(--umnist-quiet); font-size: 0.85rem; }
  .umnist-behind {
    display: grid; grid-template-columns: 6em 1fr; gap: 4px 10px;
    margin: 4px 0 8px !important; padding: 0 !important; font-size: 0.9rem;
  }
  .umnist-behind dt { color: var(--umnist-quiet); }
  .umnist-behind dd { margin: 0; overflow-wrap: anywhere; }
  .umnist-images { display: flex; flex-wrap: wrap; gap: 6px; }
  .umnist-images a {
    display: grid; align-content: center; min-height: 44px; padding: 4px 10px;
    border: 1px solid color-mix(in srgb, currentColor 30%, transparent); border-radius: 4px;
    color: inherit; line-height: 1.2; text-decoration: none; font-size: 0.9rem;
  }
  .umnist-images a:is(:hover, :focus-visible) { border-color: var(--umnist-accent); }
  .umnist-images a.missed b { color: var(--umnist-warn); }
  .umnist-images small { color: var(--umnist-quiet); font-size: 0.78rem; }
  .st-key-result_files { display: flex; flex-flow: row wrap; gap: 6px; }
  .st-key-result_files > * { width: auto; }
  .umnist-told { margin: 0 !important; padding-left: 1.1em; font-size: 0.95rem; }
  .umnist-told li { margin: 0 0 2px !important; padding: 0; }
  /* Streamlit darkens what is chosen and pointed at, and leaves its text as it was. */
  .st-key-experiments [data-variant="segmented_control"][data-selected]:is(:hover, :focus) p {
    color: var(--umnist-ink);
  }
  .umnist-rows { width: 100%; border-collapse: collapse; font-size: 0.9rem; }
  .umnist-rows :is(th, td) {
    padding: 4px 12px 4px 0 !important; border: 0; text-align: left; font-weight: 400;
    border-bottom: 1px solid color-mix(in srgb, currentColor 16%, transparent);
  }
  .umnist-rows thead th { color: var(--umnist-quiet); }
  .umnist-rows td { font-variant-numeric: tabular-nums; white-space: nowrap; }
  .umnist-scroll { overflow-x: auto; }
  .umnist-scroll:focus-visible { outline: 2px solid var(--umnist-accent); }
  @media (max-width: 900px) {
    .st-key-result_split {
      grid-template: "stage" auto "panel" auto "below" auto / minmax(0, 1fr);
    }
    .st-key-result_split > :has(> .st-key-result_panel) {
      position: static; max-height: none; overflow: visible;
    }
  }
  @media (max-width: 700px) {
    .st-key-experiments button { min-height: 44px; }
  }
</style>
"""


def apply_experiment_style() -> None:
    """Add the style to the page."""
    is_dark = st.context.theme.type == "dark"
    warn, ink = ("#e0a030", "#ececec") if is_dark else ("#8a4b00", "#1f1f1f")
    told = f"--umnist-warn: {warn}; --umnist-ink: {ink};"
    st.html(f"{_CSS}<style>:root {{ {told} }}</style>")
