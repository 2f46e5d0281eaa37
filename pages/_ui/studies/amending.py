"""What a study asks beside images, and another consent for one that is under way."""

from __future__ import annotations

import streamlit as st

from pages._ui.shared.words import count
from umnist_core.errors import UmnistError
from umnist_core.labeling.asking import Asking
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.telling import CONTACT_FIELDS
from umnist_core.labeling.views import Overview


def said_asking(asking: Asking) -> str:
    """Return what is asked beside images, in one line."""
    parts = [
        f"{count(sum(len(page.questions) for page in pages), 'question')} {where}"
        for where, pages in (("before", asking.before), ("after", asking.after))
        if pages
    ]
    if asking.gate is not None:
        parts.append(f"{count(len(asking.gate.questions), 'question')} on the instructions")
    if asking.break_every:
        parts.append(f"a break after every {count(asking.break_every, 'image')}")
    return ", ".join(parts) or "nothing"


def show_amending(service: StudyService, one: Overview) -> None:
    """Draw the texts that were agreed to, and what changes them while the study is open."""
    consents = service.state(one.study).consents
    with st.expander("Amend the consent"):
        people = tuple(service.state(one.study).annotators.values())
        for version in consents:
            agreed = sum(person.asked.consent_version == version.version for person in people)
            st.caption(
                f"Version {version.version}, since {version.since_utc[:16].replace('T', ' ')} UTC: "
                f"{count(agreed, 'person', 'people')} agreed to it last. "
                f"SHA-256 {version.sha256[:16]}…"
            )
        if one.status == "closed":
            st.caption("The study is closed, so its consent stays as it is.")
            return
        _amend(service, one)


def _amend(service: StudyService, one: Overview) -> None:
    spec = one.spec
    texts = {
        "consent": st.text_area("Consent", spec.consent, height=200, key="amend_consent") or "",
        **{
            name: st.text_input(title, getattr(spec, name), max_chars=500, key=f"amend_{name}")
            or ""
            for name, title in CONTACT_FIELDS.items()
        },
    }
    changed = {name: text for name, text in texts.items() if text != getattr(spec, name)}
    st.caption("People at work are asked before their next image. Every version is kept.")
    if st.button("Ask everybody anew", key="amend", disabled=not changed):
        try:
            service.amend_consent(one.study, changed)
        except UmnistError as error:
            st.error(str(error))
            return
        st.rerun()
