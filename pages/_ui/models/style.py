"""How the Models page looks, beyond `pages._ui.shared.text_style`."""

import streamlit as st

_CSS = """
<style>
  .st-key-models { max-width: 1120px; margin: 0 auto; padding-bottom: 3rem; }
  .umnist-card-head { margin: 0; }
  .umnist-card-head :is(h1, h2, h3) { padding: 0; margin: 0; }
  .umnist-card-head h2 { font-size: 1.25rem; }
  .umnist-card-head p { margin: 2px 0 0; color: var(--umnist-quiet); font-size: 0.9rem; }
  .umnist-headline { display: grid; gap: 2px; margin-bottom: 14px; }
  .umnist-headline .figure {
    font-size: 2rem; font-weight: 600; line-height: 1.15; font-variant-numeric: tabular-nums;
  }
  .umnist-headline .about { color: var(--umnist-quiet); font-size: 0.9rem; }
  .umnist-shares { display: grid; gap: 5px; margin: 0 0 14px; }
  .umnist-shares .title { color: var(--umnist-quiet); font-size: 0.85rem; margin-bottom: 2px; }
  .umnist-shares .row {
    display: grid; grid-template-columns: 8.5em minmax(3rem, 1fr) 11.5em; gap: 0 10px;
    align-items: center; font-size: 0.9rem;
  }
  .umnist-shares .track {
    position: relative; height: 6px; border-radius: 3px;
    background: color-mix(in srgb, currentColor 16%, transparent);
  }
  .umnist-shares .fill {
    position: absolute; inset: 0 auto 0 0; border-radius: 3px; background: var(--umnist-accent);
  }
  /* The interval: a thin line with the page's own colour around it, over the bar. */
  .umnist-shares .range {
    position: absolute; top: -3px; bottom: -3px; border-inline: 2px solid currentColor;
    min-width: 2px;
  }
  .umnist-shares .range::before {
    content: ""; position: absolute; inset: 5px 0; background: currentColor;
  }
  .umnist-shares .said { text-align: right; white-space: nowrap; }
  .umnist-shares .said small { color: var(--umnist-quiet); font-size: 0.8rem; }
  .umnist-facts {
    display: grid; grid-template-columns: 8em 1fr; gap: 6px 12px;
    margin: 0 0 12px !important; padding: 0 !important;
  }
  .umnist-facts dt { color: var(--umnist-quiet); font-size: 0.9rem; }
  .umnist-facts dd { margin: 0; font-size: 0.9rem; overflow-wrap: anywhere; }
  .umnist-part { color: var(--umnist-quiet); font-size: 0.9rem; margin: 10px 0 4px; }
  .umnist-measured { width: 100%; border-collapse: collapse; font-size: 0.9rem; }
  .umnist-measured :is(th, td) {
    padding: 3px 8px 3px 0 !important; border: 0; text-align: left; vertical-align: top;
    font-weight: 400; font-variant-numeric: tabular-nums;
  }
  .umnist-measured tr + tr, .umnist-measured tbody tr {
    border-top: 1px solid color-mix(in srgb, currentColor 16%, transparent);
  }
  .umnist-measured thead th, .umnist-measured small { color: var(--umnist-quiet); }
  .umnist-measured small { display: block; font-size: 0.8rem; }
  .umnist-measured td:nth-child(2) small { white-space: nowrap; }
  .umnist-notes-title { color: var(--umnist-quiet); font-size: 0.9rem; margin-bottom: 4px; }
  .umnist-notes { margin: 0 !important; padding-left: 1.1em; font-size: 0.9rem; }
  .umnist-notes li { margin: 0 0 4px !important; padding: 0; }
  .st-key-models [data-testid="stPageLink"] a {
    padding-inline: 0; justify-content: end;
    text-decoration: underline var(--umnist-accent);
  }
  .st-key-models [data-testid="stPageLink"] a p { color: var(--umnist-accent); font-weight: 600; }
  .st-key-models [data-testid="stCode"] { margin-bottom: 4px; }
  @media (max-width: 700px) {
    .st-key-models [data-testid="stPageLink"] a { justify-content: start; }
    .umnist-shares .row { grid-template-columns: 6.5em minmax(2.5rem, 1fr) auto; }
    .umnist-shares .said small { display: block; }
    .umnist-facts { grid-template-columns: 1fr; gap: 0; }
    .umnist-facts dd { margin-bottom: 8px; }
  }
</style>
"""


def apply_model_style() -> None:
    """Add the style to the page."""
    st.html(_CSS)
