"""Links that are easy to read and to print, and what a lab needs to pay people."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import streamlit as st

from pages._ui.shared.home import public_link
from pages._ui.shared.studies import get_service, told
from pages._ui.shared.words import count
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.views import ListedInvite, Overview
from umnist_core.settings import load_settings


def show_names_and_cards(service: StudyService, one: Overview) -> None:
    """Draw what names a link, and the page of cards to print."""
    rows = service.usable_links(one.study)
    if not rows:
        return
    with st.expander(f"Names and cards ({len(rows)})"):
        left, right = st.columns(2, gap="large")
        with left:
            _show_naming(one.study, rows)
        with right:
            _show_cards(one, rows)


def _show_naming(study: str, rows: list[ListedInvite]) -> None:
    kinds = {row.invite: _title(row) for row in rows}
    st.selectbox("Link", list(kinds), format_func=kinds.__getitem__, key="name_which")
    st.text_input(
        "Name",
        key="name_what",
        max_chars=40,
        placeholder="pilot-a",
        help="Small letters, digits and hyphens; no name of a person. A personal link gets an "
        "ending that nobody can guess.",
    )
    st.button("Name the link", key="name_link", on_click=_name, args=(study,))
    for row in rows:
        if row.alias:
            st.code(public_link(f"/join/{row.alias}"), language=None, wrap_lines=True)


def _title(row: ListedInvite) -> str:
    kind = "Open to all" if row.is_open else "Personal"
    return f"{kind} · {row.alias or (row.token or '')[:8] + '…'}"


def _name(study: str) -> None:
    with told():
        which, name = st.session_state.name_which, (st.session_state.name_what or "").strip()
        get_service().name_link(study, which, name)


def _show_cards(one: Overview, rows: list[ListedInvite]) -> None:
    from umnist_core.labeling.cards import LinkCard, cards_page, qr_source

    links = [public_link(f"/join/{row.alias or row.token}") for row in rows]
    st.markdown("**Cards to print**")
    st.caption(
        f"A page with {count(len(rows), 'card')}: QR code, address and the study's name. Whoever "
        "has a card can use its link."
    )
    if not load_settings().is_shared:
        st.caption("The app is not shared: these addresses open on this machine alone.")
    cards = [
        LinkCard(link, row.is_open, (row.expires_utc or "")[:10])
        for link, row in zip(links, rows, strict=True)
    ]
    st.download_button(
        "Save the cards",
        cards_page(one.spec.name, cards),
        file_name=f"cards-{one.study}.html",
        mime="text/html",
        on_click="ignore",
        key="cards",
    )
    told_of = f"The QR code of {_title(rows[0])}"
    # SVG itself is taken out of what st.html is given.
    source, name = escape(qr_source(links[0])), escape(told_of)
    st.html(f'<img class="umnist-qr" src="{source}" alt="{name}" width="160" height="160">')
    st.caption(told_of)


def show_payments(service: StudyService, one: Overview) -> None:
    """Draw the tables of ids and payments, of a study that recruits."""
    from umnist_core.labeling.payments import bonus_lines, id_table, pay_table

    recruiting = one.spec.recruiting
    if recruiting is None:
        return
    st.markdown("**Ids and payments**")
    currency = f" Amounts are in {recruiting.currency}." if recruiting.currency else ""
    st.caption(
        "Who is who at the site that sent them. No export has this; keep it only as long as people "
        f"are to be paid.{currency} Whose part goes on is paid nothing yet."
    )
    offers: list[tuple[str, str, Callable[[StudyService, str], str], str]] = [
        ("pay", "Payments", pay_table, "csv")
    ]
    if recruiting.ids:
        offers.append(("ids", "Ids", id_table, "csv"))
    if recruiting.person_id and recruiting.bonus_rule != "none":
        offers.append(("bonus", "Bonuses for Prolific", bonus_lines, "txt"))
    with told(), st.container(horizontal=True):
        for key, title, make, ending in offers:
            st.download_button(
                title,
                make(service, one.study),
                file_name=f"{key}-{one.study}.{ending}",
                mime="text/csv",
                on_click="ignore",
                key=f"recruits_{key}",
            )
