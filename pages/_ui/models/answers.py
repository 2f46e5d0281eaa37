"""A card's single answers: what was said of each truth, what it missed, and how it learned."""

from __future__ import annotations

from html import escape

import streamlit as st

from pages._ui.models.charts import answers_figure, history_figure
from pages._ui.models.links import inference_address, scene_query
from pages._ui.models.rows import Checkpoint
from pages._ui.shared.charts import Colours
from pages._ui.shared.words import count
from umnist_core.models.card_answers import CardAnswers, find_answers, find_history


def show_history(one: Checkpoint, colours: Colours) -> None:
    """Draw how accuracy grew with the images seen, where the card has that."""
    points = find_history(one.card)
    if len(points) < 2:
        return
    st.html('<div class="umnist-part">How it learned</div>')
    st.plotly_chart(
        history_figure(points, colours),
        key=f"history_{one.name}",
        config={"displayModeBar": False},
        alt=f"Accuracy of {one.name} over images seen: {100 * points[0].accuracy:.1f} % after "
        f"{points[0].images:,}, {100 * points[-1].accuracy:.1f} % after {points[-1].images:,}.",
    )


def show_answers_of(one: Checkpoint, colours: Colours) -> None:
    """Draw what was said of each truth, where the card has that."""
    answers = find_answers(one.card)
    if answers is None:
        return
    st.html('<div class="umnist-part">What it said of each truth</div>')
    st.plotly_chart(
        answers_figure(answers, colours),
        key=f"answers_{one.name}",
        config={"displayModeBar": False},
        alt=f"Answers of {one.name} to {count(answers.images, 'image')}, of which "
        f"{answers.wrong} are wrong.",
    )


def show_missed(one: Checkpoint) -> None:
    """List the scenes that were missed, each a link, and how that is measured again."""
    answers = find_answers(one.card)
    if answers is None:
        return
    st.html(missed_html(one.name, answers))
    if answers.command:
        st.caption("Measured by")
        st.code(answers.command, language=None, wrap_lines=True)


def missed_html(name: str, answers: CardAnswers) -> str:
    """Return the scenes that were missed as links that let the model look at them again."""
    title = f"Its misses: {answers.wrong:,} of {count(answers.images, 'image')}"
    head = f'<div class="umnist-part">{escape(title)}</div>'
    links = []
    for missed in answers.missed if answers.scenes is not None else ():
        query = scene_query(answers.scenes, missed.index, name) if answers.scenes else None
        if query is None:
            continue
        said = f"{missed.true}<small>said {missed.said}</small>"
        told = f"Index {missed.index}: true {missed.true}, said {missed.said}"
        address = escape(inference_address(query))
        links.append(f'<a href="{address}" title="{told}" aria-label="{told}">{said}</a>')
    if not links:
        return head
    shown = "" if len(links) == answers.wrong else f" The first {len(links)} are here."
    about = f"Each opens that image, with the model already looking.{shown}"
    return (
        f'{head}<p class="umnist-quiet">{about}</p><nav class="umnist-missed" '
        f'aria-label="Misses of {escape(name)}">{"".join(links)}</nav>'
    )
