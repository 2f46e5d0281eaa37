"""Cards of checkpoints, and the models that have none."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

import streamlit as st

from pages._ui.models.trust import reliability_figure, reliability_words
from pages._ui.models.words import VARIANT_TITLES, Fact, card_facts, paper_words
from pages._ui.shared.charts import DARK, LIGHT
from pages._ui.shared.words import percent
from umnist_core.errors import UmnistError
from umnist_core.models.card_figures import (
    Breakdown,
    Share,
    VariantFigures,
    find_reliability,
    read_figures,
    read_measured,
)
from umnist_core.models.cards import SHIPPED, Card, find_checkpoints, load_card
from umnist_core.models.catalogue import CATALOGUE
from umnist_core.models.needs import needs_sentence
from umnist_core.training.runs import find_runs

TASK_TITLES = {
    "sum": "of sums right",
    "majority": "of majorities right",
    "max": "of largest digits right",
    "top": "of topmost digits right",
    "multi": "of sets of digits right",
    "digit": "of digits right",
    "needle": "of images right",
}


def show_models() -> None:
    """Draw the whole page."""
    st.html(_head_html("h1", "Models", "What we trained, on what, how well."))
    if sentence := needs_sentence():
        st.info(sentence)
    cards = _load_cards()
    for name, path, card in cards:
        with st.container(border=True, key=f"card_{name}"):
            _show_card(name, path, card)
    has_card = {card.model for _, _, card in cards}
    _show_rest([name for name in CATALOGUE if name not in has_card])


def _load_cards() -> list[tuple[str, Path, Card]]:
    """Return the cards of all checkpoints: shipped ones first, those that reach more first."""
    cards = []
    for name, path in find_checkpoints().items():
        try:
            cards.append((name, path, load_card(path)))
        except UmnistError as error:
            st.error(f"{name}: {error}")

    def order(one: tuple[str, Path, Card]) -> tuple[bool, float, str]:
        name, path, card = one
        shares = [share.share for share in read_figures(card.figures).accuracy]
        return path.parent != SHIPPED, -max(shares, default=0.0), name

    return sorted(cards, key=order)


def _show_card(name: str, path: Path, card: Card) -> None:
    _show_head(name, path, card)
    figures = read_figures(card.figures)
    left, right = st.columns(2, gap="medium")
    with left:
        for share in figures.accuracy:
            st.html(_headline_html(share, figures.measured))
        if not figures.accuracy:
            st.caption("The card has no figures: nothing was measured.")
        for breakdown in figures.breakdowns:
            st.html(_breakdown_html(breakdown))
    with right:
        st.html(_facts_html(card_facts(card, path)))
        if card.notes:
            notes = "".join(f"<li>{escape(note)}</li>" for note in card.notes)
            title = '<div class="umnist-notes-title">What to know</div>'
            st.html(f'{title}<ul class="umnist-notes">{notes}</ul>')
    _show_trust(name, card)
    if card.command:
        st.caption("To make it again")
        st.code(card.command, language=None, wrap_lines=True)


def _show_trust(name: str, card: Card) -> None:
    """Draw how sure the checkpoint may be, and how it does on other images; what the card has."""
    reliability, measured = find_reliability(card), read_measured(card, VARIANT_TITLES)
    if reliability is None and not measured:
        return
    left, right = st.columns(2, gap="medium")
    if reliability is not None:
        colours = DARK if st.context.theme.type == "dark" else LIGHT
        with left:
            st.html('<div class="umnist-part">Confidence, and how often it is right</div>')
            st.plotly_chart(
                reliability_figure(reliability, colours),
                key=f"reliability_{name}",
                config={"displayModeBar": False},
                alt=f"Reliability diagram of {name}. {reliability_words(reliability)}",
            )
            st.caption(reliability_words(reliability))
    if measured:
        with right if reliability is not None else left:
            st.html(_measured_html(measured))
            with st.expander("Commands that measure this"):
                st.code("\n".join(one.command for one in measured), language=None, wrap_lines=True)


def _show_head(name: str, path: Path, card: Card) -> None:
    facts = CATALOGUE.get(card.model)
    about = [] if path.parent == SHIPPED else ["your own checkpoint"]
    about += [] if facts is None else [facts.title, paper_words(facts.paper)]
    head, link = st.columns([5, 1], vertical_alignment="top")
    with head:
        lines = [" · ".join(about) or card.model, *([] if facts is None else [facts.idea])]
        st.html(_head_html("h2", name, *lines))
    page = st.session_state.get("inference_page")
    if page is not None:
        link.page_link(page, label="Watch it look", query_params={"model": name}, width="stretch")


def _show_rest(names: Iterable[str]) -> None:
    """Draw the models of which there is no checkpoint, with the command that trains each."""
    runs = find_runs()
    st.html(
        _head_html(
            "h2",
            "Without a checkpoint",
            "Models that umnist has, and the command that trains each. Put the folder of a run "
            "into that of checkpoints (UMNIST_CHECKPOINTS), and it has a card above.",
        )
    )
    for name in names:
        with st.container(border=True, key=f"model_{name}"):
            left, right = st.columns(2, gap="medium")
            facts = CATALOGUE[name]
            about = f"{name} · {paper_words(facts.paper)}"
            idea = f"{facts.idea} Answers {facts.answers}."
            left.html(_head_html("h3", facts.title, about, idea))
            own = runs.get(name, ())
            with right:
                if own:
                    st.code(f"umnist train {own[0]}", language=None, wrap_lines=True)
                if len(own) > 1:
                    st.caption(f"Other runs: {', '.join(own[1:])}")


def _headline_html(share: Share, measured: str) -> str:
    title = TASK_TITLES.get(share.label, f"of {share.label} right")
    about = []
    if share.low is not None and share.high is not None:
        about.append(f"95 % interval {100 * share.low:.1f} to {100 * share.high:.1f} %")
    about += [f"{share.count:,} images"] if share.count else []
    about += [measured] if measured else []
    return (
        f'<div class="umnist-headline"><div><span class="figure">{percent(share.share)}</span> '
        f'{escape(title)}</div><div class="about">{escape("; ".join(about))}</div></div>'
    )


def _breakdown_html(breakdown: Breakdown) -> str:
    rows = "".join(_row_html(share) for share in breakdown.shares)
    return (
        f'<div class="umnist-shares"><div class="title">{escape(breakdown.title)}</div>{rows}</div>'
    )


def _row_html(share: Share) -> str:
    low, high = share.low, share.high
    ends, said = "", ""
    if low is not None and high is not None:
        style = f"left:{100 * low:.1f}%;right:{100 - 100 * high:.1f}%"
        ends = f'<div class="range" style="{style}"></div>'
        said = f" <small>{100 * low:.0f} to {100 * high:.0f}, n = {share.count}</small>"
    return (
        f'<div class="row"><div>{escape(share.label)}</div><div class="track">'
        f'<div class="fill" style="width:{100 * share.share:.1f}%"></div>{ends}</div>'
        f'<div class="said">{percent(share.share)}{said}</div></div>'
    )


def _measured_html(measured: Iterable[VariantFigures]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(one.title)}<small>{one.images:,} images</small></th>'
        f"<td>{_share_html(one.right)}</td><td>{_warned_html(one)}</td></tr>"
        for one in measured
    )
    titles = ("Images", "Right", "Warned of")
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    return (
        '<div class="umnist-part">Other images, and what it warns of</div>'
        f'<table class="umnist-measured"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _share_html(share: Share | None, more: str = "") -> str:
    if share is None:
        return "\N{EN DASH}"
    known = share.low is not None and share.high is not None
    ends = f"{100 * (share.low or 0):.1f} to {100 * (share.high or 0):.1f}" if known else ""
    small = "; ".join(one for one in (ends, more) if one)
    return f"{percent(share.share)}<small>{escape(small)}</small>"


def _warned_html(one: VariantFigures) -> str:
    return _share_html(one.warned, ", ".join(f"{kind} {count:,}" for kind, count in one.kinds))


def _facts_html(facts: Iterable[Fact]) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(said)}</dd>" for name, said in facts)
    return f'<dl class="umnist-facts">{rows}</dl>'


def _head_html(tag: str, title: str, *lines: str) -> str:
    said = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f'<div class="umnist-card-head"><{tag}>{escape(title)}</{tag}>{said}</div>'
