"""Models: the table of all, what is published beside it, and a card for each checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from pages._ui.models.answers import show_answers_of, show_history, show_missed
from pages._ui.models.charts import measured_rows, published_lines, system_figure
from pages._ui.models.html import (
    breakdown_html,
    facts_html,
    head_html,
    headline_html,
    links_html,
    measured_html,
    notes_html,
)
from pages._ui.models.links import fitting_query, weights_address
from pages._ui.models.rows import Checkpoint, system_of, system_title, table_rows
from pages._ui.models.table import ALL, choose_system, show_table
from pages._ui.models.trust import reliability_figure, reliability_words
from pages._ui.models.words import (
    OTHER_TITLES,
    VARIANT_TITLES,
    about_html,
    card_facts,
    command_words,
)
from pages._ui.shared.charts import DARK, LIGHT, Colours
from pages._ui.shared.systems import SYSTEMS
from pages._ui.shared.words import percent
from umnist_core.errors import UmnistError
from umnist_core.experiments.published.methods import published_methods
from umnist_core.models.card_answers import find_own_images
from umnist_core.models.card_figures import (
    find_reliability,
    is_at_chance,
    read_figures,
    read_measured,
)
from umnist_core.models.cards import SHIPPED, find_checkpoints, load_card
from umnist_core.models.catalogue import CATALOGUE
from umnist_core.models.needs import needs_sentence
from umnist_core.training.runs import find_runs


def show_models() -> None:
    """Draw the whole page."""
    st.html(head_html("h1", "Models", "What we trained, on what, how well."))
    if sentence := needs_sentence():
        st.info(sentence)
    checkpoints = load_checkpoints()
    rows = table_rows(checkpoints, published_methods(), find_runs())
    system = choose_system(rows)
    show_table(rows, system)
    _show_charts(checkpoints, system)
    able = [one for one in checkpoints if not is_at_chance(one.card)]
    _show_cards(able)
    if rest := [one for one in checkpoints if one not in able]:
        title, about = "Not learned", "At chance: the interval has what guessing reaches."
        st.html(head_html("h2", title, about, kind="part"))
        _show_cards(rest)


def load_checkpoints() -> list[Checkpoint]:
    """Return all checkpoints: shipped ones first, by data system, those that reach more first."""
    found = []
    for name, path in find_checkpoints().items():
        try:
            found.append(Checkpoint(name, path, load_card(path)))
        except UmnistError as error:
            st.error(f"{name}: {error}")

    systems = [*SYSTEMS]

    def order(one: Checkpoint) -> tuple[bool, int, float, str]:
        shares = [share.share for share in read_figures(one.card.figures).accuracy[:1]]
        system = system_of(one.card)
        place = systems.index(system) if system in systems else len(systems)
        return one.path.parent != SHIPPED, place, -max(shares, default=0.0), one.name

    return sorted(found, key=order)


def colours_here() -> Colours:
    """Return the colours of charts in the theme that is shown."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def _show_charts(checkpoints: Sequence[Checkpoint], system: str) -> None:
    """Draw what was measured here beside what is published, a chart for each data system."""
    methods = published_methods()
    charts = {
        key: (rows, published_lines(methods, key))
        for key in SYSTEMS
        if system in (ALL, key) and (rows := measured_rows(checkpoints, methods, key))
    }
    if not charts:
        return
    about = (
        "Dots are measured here, with 95 % intervals: first on images of the origin's own "
        "generator, where there are such, then on ours. Strokes and lines are published."
    )
    st.html(head_html("h2", "Beside what is published", about, kind="part"))
    for group in _grouped(charts):
        for place, key in zip(st.columns(len(group), gap="medium"), group, strict=True):
            rows, lines = charts[key]
            with place, st.container(key=f"chart_{key}"):
                st.html(head_html("h3", system_title(key)))
                told = "; ".join(f"{row.label} {percent(row.share.share)}" for row in rows)
                st.plotly_chart(
                    system_figure(rows, lines, colours_here()),
                    key=f"beside_{key}",
                    config={"displayModeBar": False},
                    alt=f"Accuracy on {system_title(key)}: {told}.",
                )


def _grouped(charts: Mapping[str, tuple[Any, list[Any]]]) -> list[list[str]]:
    """Return which charts stand in a row: those with lines and their names alone."""
    wide = [[key] for key, (_, lines) in charts.items() if lines]
    small = [key for key, (_, lines) in charts.items() if not lines]
    return wide + ([small] if small else [])


def _show_cards(checkpoints: Iterable[Checkpoint]) -> None:
    for one in checkpoints:
        with st.container(border=True, key=f"card_{one.name}"):
            _show_card(one)


def _show_card(one: Checkpoint) -> None:
    _show_head(one)
    figures = read_figures(one.card.figures)
    left, right = st.columns(2, gap="medium")
    with left:
        beside = find_own_images(one.card)
        st.html(headline_html(figures.accuracy, figures.measured, beside))
        for breakdown in figures.telling:
            st.html(breakdown_html(breakdown))
        show_history(one, colours_here())
        _show_reliability(one)
        show_answers_of(one, colours_here())
    with right:
        st.html(facts_html(card_facts(one.card, one.path)))
        if one.card.notes:
            st.html(notes_html(one.card.notes))
        show_missed(one)
    _show_measured(one)
    _show_making(one)


def _show_head(one: Checkpoint) -> None:
    head, link = st.columns([5, 1], vertical_alignment="top")
    facts = CATALOGUE.get(one.card.model)
    with head:
        lines = [] if facts is None else [facts.idea]
        own = "" if one.path.parent == SHIPPED else "your own checkpoint"
        st.html(head_html("h2", one.name, *lines, about=about_html(one.card.model, own)))
    page = st.session_state.get("inference_page")
    if page is not None:
        query = fitting_query(one.name, one.card)
        link.page_link(page, label="Watch it look", query_params=query, width="stretch")


def _show_reliability(one: Checkpoint) -> None:
    """Draw how sure the checkpoint may be, where the card says it."""
    reliability = find_reliability(one.card)
    if reliability is None:
        return
    st.html('<div class="umnist-part">Confidence, and how often it is right</div>')
    st.plotly_chart(
        reliability_figure(reliability, colours_here()),
        key=f"reliability_{one.name}",
        config={"displayModeBar": False},
        alt=f"Reliability diagram of {one.name}. {reliability_words(reliability)}",
    )
    st.caption(reliability_words(reliability))


def _show_measured(one: Checkpoint) -> None:
    """Draw how the checkpoint does on other images, where the card says it."""
    measured = read_measured(one.card, VARIANT_TITLES | OTHER_TITLES)
    if not measured:
        return
    st.html(measured_html(measured))
    with st.expander("Commands that measure this"):
        commands = "\n".join(row.command for row in measured)
        st.code(commands, language=None, wrap_lines=True)
        if said := command_words(commands):
            st.caption(said)


def _show_making(one: Checkpoint) -> None:
    st.html(
        links_html(
            "Take it along",
            (
                ("Weights", weights_address(one.name, "weights"), f"{one.name}.safetensors"),
                ("Card", weights_address(one.name, "card"), f"{one.name}.json"),
            ),
        )
    )
    if one.card.command:
        st.caption("To make it again, from nothing")
        st.code(one.card.command, language=None, wrap_lines=True)
