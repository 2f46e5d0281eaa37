"""How the Models page looks, beyond `pages._ui.shared.text_style`."""

import streamlit as st

_CSS = """
<style>
  .st-key-models { max-width: 1340px; margin: 0 auto; padding-bottom: 3rem; }
  .umnist-card-head { margin: 0; }
  .umnist-card-head :is(h1, h2, h3) { padding: 0; margin: 0; }
  .umnist-card-head h2 { font-size: 1.25rem; }
  .umnist-card-head p { margin: 2px 0 0; color: var(--umnist-quiet); font-size: 0.9rem; }
  .umnist-headlines { display: flex; flex-wrap: wrap; gap: 10px 28px; margin-bottom: 6px; }
  .umnist-headline { display: grid; gap: 1px; }
  .umnist-headline .figure {
    font-size: 2rem; font-weight: 600; line-height: 1.15; font-variant-numeric: tabular-nums;
  }
  /* Our own images stand beside those of the origin's generator, and under them in rank. */
  .umnist-headline.beside .figure, .umnist-headlines:has(> :nth-child(3)) .figure {
    font-size: 1.35rem; line-height: 1.7;
  }
  .umnist-headline.beside .figure { color: var(--umnist-quiet); }
  .umnist-headline .of { font-size: 0.9rem; }
  .umnist-headline .about, .umnist-quiet { color: var(--umnist-quiet); font-size: 0.85rem; }
  p.umnist-quiet { margin: 0 0 14px; }
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
  .umnist-card-part { margin: 2.2rem 0 0; }
  .umnist-card-part h2 { padding: 0; margin: 0; font-size: 1.35rem; }
  .umnist-card-part p { margin: 2px 0 6px; color: var(--umnist-quiet); font-size: 0.9rem; }
  [class*="st-key-chart_"] h3 { font-size: 1rem; }
  [class*="st-key-card_"]:focus { outline: 2px solid var(--umnist-accent); }
  [class*="st-key-card_"] { scroll-margin-top: 56px; }
  .umnist-missed { display: flex; flex-wrap: wrap; gap: 6px; max-height: 17rem; overflow: auto; }
  .umnist-missed a {
    display: grid; justify-items: center; min-width: 4.6em; padding: 4px 8px;
    border: 1px solid color-mix(in srgb, currentColor 30%, transparent); border-radius: 4px;
    color: inherit; font-weight: 600; line-height: 1.25; text-decoration: none;
  }
  .umnist-missed small { color: var(--umnist-quiet); font-weight: 400; }
  .umnist-missed a:hover { border-color: var(--umnist-accent); color: var(--umnist-accent); }
  .umnist-take {
    display: flex; flex-wrap: wrap; gap: 6px 12px; align-items: center; font-size: 0.9rem;
  }
  .umnist-take span { color: var(--umnist-quiet); }
  .umnist-take a {
    padding: 3px 12px; border: 1px solid currentColor; border-radius: 4px; font-weight: 600;
    color: var(--umnist-accent); text-decoration: none;
  }
  .umnist-take a:hover { background: color-mix(in srgb, var(--umnist-accent) 12%, transparent); }
  :is(.umnist-missed, .umnist-take) a:focus-visible {
    outline: 2px solid var(--umnist-accent); outline-offset: 1px;
  }
  .st-key-models :is(.umnist-notes, .umnist-card-head) a {
    color: var(--umnist-accent); overflow-wrap: anywhere;
  }
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
  .umnist-measured small { display: inline-block; margin-left: 8px; font-size: 0.8rem; }
  .umnist-measured td:nth-child(2) { white-space: nowrap; }
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
    .umnist-measured small { display: block; margin: 0; }
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
