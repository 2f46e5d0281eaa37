"""The links by which people join a study."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import streamlit as st

from pages._ui.shared.home import public_link
from pages._ui.shared.studies import get_service, told
from pages._ui.shared.words import POOL_TITLES, invite_state
from pages._ui.studies.recruits import show_names_and_cards
from pages._ui.studies.words import ORIGINS, day
from umnist_core.errors import UmnistError
from umnist_core.labeling.events import INVITED_PERSON, OWN
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.times import text_of_time
from umnist_core.labeling.views import ListedInvite, Overview
from umnist_core.settings import load_settings
from umnist_core.spreadsheets import csv_text

IN_NEED = "in need"
LIST_PX = 190
_MADE = "invites_made"


def show_invites(service: StudyService, one: Overview) -> None:
    """Draw the links, and what makes and revokes them."""
    rows = service.invites(one.study)
    if one.status == "closed":
        st.caption("The study is closed; nobody can join it any more.")
    elif one.spec.is_self:
        st.caption("A study of oneself: nobody is invited to it. Go on with it on the page Label.")
    else:
        left, right = st.columns(2, gap="large")
        with left:
            _show_personal(one)
        with right:
            _show_open(one, rows)
        show_reach_notice()
        show_names_and_cards(service, one)
    _show_rows(one, rows)


def _show_personal(one: Overview) -> None:
    st.markdown("**A link for each person**")
    first, second, third = st.columns([3, 5, 3])
    first.number_input("Links", 1, 5000, _people_wanted(one), key="invite_count")
    second.selectbox(
        "Pool",
        [IN_NEED, *one.spec.pools] if len(one.spec.pools) > 1 else list(one.spec.pools),
        format_func=lambda pool: POOL_TITLES.get(pool, "The one in need"),
        key="invite_pool",
        help="A person is in one pool for good. “The one in need” is the one that lacks more "
        "labels when they join.",
    )
    third.number_input("Days valid", 1, 3650, None, key="invite_days", placeholder="for ever")
    st.checkbox(
        "For our own tries",
        key="invite_own",
        help="What is answered by these links is marked as the study makers' own, here, in the "
        "export and to whoever opens one. It fills places as any answer does.",
    )
    st.button("Make links", type="primary", key="invite_make", on_click=_invite, args=(one.study,))


def _people_wanted(one: Overview) -> int:
    """Return how many people are still needed to fill all pools, at least 1."""
    each = one.spec.images_per_annotator
    missing = [pool.target - pool.labels - pool.reserved for pool in one.pools]
    return min(max(1, sum(-(-max(labels, 0) // each) for labels in missing)), 5000)


def _invite(study: str) -> None:
    pool, days = st.session_state.invite_pool, st.session_state.invite_days
    try:
        made = get_service().invite(
            study,
            int(st.session_state.invite_count),
            None if pool == IN_NEED else pool,
            None if days is None else float(days),
            origin=OWN if st.session_state.invite_own else INVITED_PERSON,
        )
    except UmnistError as error:
        st.session_state["study_error"] = str(error)
    else:
        st.session_state[_MADE] = (study, {row.invite for row in made})


def _show_open(one: Overview, rows: list[ListedInvite]) -> None:
    st.markdown("**One link for all**")
    now = text_of_time(datetime.now(UTC))
    usable = [r for r in rows if r.is_open and invite_state(r, now) == "Open to all" and r.token]
    if not usable:
        st.caption(
            "Whoever opens it joins the pool that lacks more labels, as a new person, and gets "
            "a link of their own to come back by. Anyone who has it can take part, and more than "
            "once."
        )
        missing = one.spec.missing_for_strangers
        if missing:
            st.caption(
                "Strangers must be told whom to ask, how long it takes, how long data are kept "
                f"and how to withdraw. This study does not say its {', '.join(missing)}, and "
                "settings are fixed: a new study can, under “Texts that people read”."
            )
        st.button(
            "Make an open link",
            key="open_link",
            on_click=_open_link,
            args=(one.study,),
            disabled=bool(missing),
        )
        return
    row = usable[-1]
    st.code(join_link(row.alias or row.token or ""), language=None, wrap_lines=True)
    st.button(
        "Revoke it",
        key="revoke_open",
        on_click=_revoke,
        args=(one.study, [row.invite]),
        help="Nobody new can join by it; those who have go on with their own links.",
    )


def _open_link(study: str) -> None:
    with told():
        get_service().open_link(study)


def _revoke(study: str, invites: list[str]) -> None:
    try:
        for invite in invites:
            get_service().revoke(study, invite)
    except UmnistError as error:
        st.session_state["study_error"] = str(error)


def _show_rows(one: Overview, rows: list[ListedInvite]) -> None:
    personal = [row for row in rows if not row.is_open]
    made_in, made = st.session_state.get(_MADE, (None, set()))
    fresh = [row for row in personal if row.invite in made] if made_in == one.study else []
    usable = _table(fresh or [row for row in personal if row.annotator is None])
    usable = usable[usable["State"] == "Not used yet"]
    if len(usable):
        which = "New links" if fresh else "Links that nobody has used yet"
        st.markdown(f"**{which}** ({len(usable)}); the sign at the top right copies them all")
        links = "\n".join(usable["Link"])
        st.code(links, language=None, height=LIST_PX if len(usable) > 6 else "content")
        st.download_button(
            "Save as CSV",
            _csv(usable),
            file_name=f"links-{one.study}.csv",
            mime="text/csv",
            on_click="ignore",
            key="invites_csv",
        )
    if not personal:
        return
    with st.expander(f"All links ({len(personal)})"):
        table = _table(personal)
        st.dataframe(
            table,
            hide_index=True,
            column_config={"Link": st.column_config.LinkColumn(width="large")},
        )
        if one.status != "closed":
            _show_revoking(one, table)


def _show_revoking(one: Overview, table: pd.DataFrame) -> None:
    alive = table[table["State"].isin(["Not used yet", "In use"])]
    names = {
        str(
            row["Id"]
        ): f"{row['Link'].rpartition('/')[2][:8]}… {row['State'].lower()} {row['Person']}"
        for row in alive.to_dict("records")
    }
    chosen = st.multiselect(
        "Links to revoke", list(names), format_func=names.__getitem__, key="revoke_which"
    )
    st.button(
        "Revoke them",
        key="revoke",
        disabled=not chosen,
        on_click=_revoke,
        args=(one.study, chosen),
        help="They open nothing any more, and the people who came by them are stopped. Answers "
        "stay.",
    )


def _table(rows: list[ListedInvite]) -> pd.DataFrame:
    now = text_of_time(datetime.now(UTC))
    columns = ["Link", "Pool", "Data", "State", "Person", "Made", "Valid until", "Id"]
    found: list[tuple[Any, ...]] = [
        (
            join_link(row.alias or row.token) if row.token else "made on another machine",
            POOL_TITLES.get(row.pool or "", "The one in need"),
            ORIGINS.get(row.origin, row.origin),
            invite_state(row, now),
            row.annotator or "",
            day(row.created_utc),
            "for ever" if row.expires_utc is None else day(row.expires_utc),
            row.invite,
        )
        for row in rows
    ]
    return pd.DataFrame(found, columns=columns)


def _csv(table: pd.DataFrame) -> str:
    return csv_text(("Link", "Pool", "Valid until"), table.to_dict("records"))


def join_link(token: str) -> str:
    """Return the address by which somebody joins."""
    return public_link(f"/join/{token}")


def show_reach_notice() -> None:
    """Say that links lead nowhere from elsewhere while the app is not shared."""
    if not load_settings().is_shared:
        st.caption(
            "These links open on this machine alone; for people elsewhere, start the app with "
            "`umnist app --share`."
        )
