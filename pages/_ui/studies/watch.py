"""Watching a study: how people work, live, and whom a rule catches; nothing of right or wrong."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import streamlit as st

from pages._ui.shared.studies import get_service, told
from pages._ui.shared.viewer import our_component
from pages._ui.shared.words import POOL_TITLES, count
from pages._ui.studies.people import where
from pages._ui.studies.words import ORIGINS, ago
from umnist_core.labeling.conduct import Conduct, Flag, Look, Showing, UsedDevice
from umnist_core.labeling.events import INVITED_PERSON
from umnist_core.labeling.recorded import SUM_MAX
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.views import Overview
from umnist_core.labeling.watching import WatchedPerson, WatchedStudy, Watcher

REFRESH = "5s"

KEY, OPEN = "watch_people", "watch_open"
"""Keys: the table, and the person whose images are shown."""

MOST_DOTS = 60
"""Images of a person that have a dot, the last ones."""

_people = our_component("umnist_people", "showPeople")


def show_watch(service: StudyService, one: Overview) -> None:
    """Draw how people work, again and again while the study runs."""
    if not service.state(one.study).annotators and one.status == "closed":
        st.caption("Nobody took part.")
        return
    if one.status == "closed":
        _show(one.study)
    else:
        _follow(one.study)


@st.cache_resource(max_entries=4, show_spinner=False)
def _watcher(place: str, _service: StudyService) -> Watcher:
    return Watcher(_service)


@st.fragment(run_every=REFRESH)
def _follow(study: str) -> None:
    _show(study)


def _show(study: str) -> None:
    with told():
        service = get_service()
        found = _watcher(service.log.place, service).watch(study)
        if not found.people:
            st.caption("Nobody has joined yet. Make links under “Invite” and send them.")
            return

        def choose() -> None:
            st.session_state[OPEN] = str(st.session_state[KEY].get("chosen") or "")

        _people(
            key=KEY,
            data=people_data(found, st.session_state.get(OPEN, "")),
            on_chosen_change=choose,
        )
        with st.expander("Rules by which people are flagged"):
            _show_rules(found)


def _show_rules(found: WatchedStudy) -> None:
    st.markdown(
        "Fixed in the study's first event, before anybody came."
        if found.is_fixed
        else "The study fixed none; these are the defaults, so a reading without the people whom "
        "they catch is exploratory."
    )
    lines = [f"- {rule.sentence} {rule.reason}" for rule in found.rules.rules]
    least = f"- People with fewer than {found.rules.least_answers} answers are not judged."
    st.markdown("\n".join([least, *lines]))
    st.caption(
        "Legible: the smallest digit that the images may have is 12 CSS px large, at "
        f"{found.legible_zoom:.2f} CSS px for each px of the image, for 200 ms. Time leaves out "
        "what the page was hidden or paused. Nothing here follows from which answers are right."
    )


def people_data(found: WatchedStudy, chosen: str) -> dict[str, Any]:
    """Return what the table shows; ``PeopleData`` in ``people.js`` documents every entry."""
    flagged = sum(bool(one.flags) for one in found.people)
    people = count(len(found.people), "person", "people")
    detail = next((one for one in found.people if one.person.annotator == chosen), None)
    return {
        "told": f"{people}, {flagged or 'none'} with a flag. Right and wrong are not shown.",
        "people": [_person(one) for one in found.people],
        "detail": None
        if detail is None
        else {"key": chosen, "images": [_image(*pair) for pair in detail.conduct.images]},
    }


def _person(one: WatchedPerson) -> dict[str, Any]:
    row, conduct = one.person, one.conduct
    sums = Counter(shown.answer for shown, _ in conduct.images)
    return {
        "key": row.annotator,
        "pool": POOL_TITLES.get(row.pool, row.pool),
        "origin": "" if row.origin == INVITED_PERSON else ORIGINS.get(row.origin, row.origin),
        "where": where(row),
        "answered": row.answered,
        "total": row.total,
        "flags": [{"title": flag.rule.title, "said": _said(flag)} for flag in one.flags],
        "times": [round(shown.time_s, 1) for shown, _ in conduct.images[-MOST_DOTS:]],
        "median": conduct.median_s,
        "low": conduct.low_s,
        "high": conduct.high_s,
        "time": _time(conduct),
        "zoom": "" if conduct.deepest_zoom is None else f"closest zoom {conduct.deepest_zoom:.2f}",
        "seen": conduct.median_seen,
        "seenSaid": _seen(conduct),
        "sums": [sums.get(value, 0) for value in range(SUM_MAX + 1)],
        "alike": _alike(conduct),
        "hidden": conduct.median_hidden,
        "hiddenSaid": _share(conduct.median_hidden),
        "device": device_text(conduct.device),
        "last": ago(one.last_utc),
        "lastAt": datetime.fromisoformat(one.last_utc).timestamp(),
        "joinedAt": datetime.fromisoformat(row.joined_utc).timestamp(),
    }


def _said(flag: Flag) -> str:
    how = "below" if flag.rule.is_floor else "from"
    return f"{flag.value:.3g}, caught {how} {flag.rule.threshold:g}"


def _time(conduct: Conduct) -> str:
    if conduct.median_s is None:
        return ""
    return f"median {conduct.median_s:.1f} s ({conduct.low_s:.1f} to {conduct.high_s:.1f})"


def _seen(conduct: Conduct) -> str:
    if not conduct.answers:
        return ""
    if conduct.median_seen is None:
        return "no view was recorded"
    return f"{100 * conduct.median_seen:.{0 if conduct.median_seen >= 0.1 else 1}f} % seen legibly"


def _alike(conduct: Conduct) -> str:
    if conduct.most_common is None:
        return ""
    run = "" if (conduct.longest_run or 0) < 2 else f", {conduct.longest_run} in a row"
    return (
        f"{_share(conduct.most_common_share)} are {conduct.most_common}{run}; "
        f"{conduct.entropy_bits:.1f} bits"
    )


def _share(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def device_text(device: UsedDevice) -> str:
    """Return a device in words: its screen in CSS px, its density, and whether it is touched."""
    parts = []
    if device.width_px is not None and device.height_px is not None:
        parts.append(f"{device.width_px:.0f} \N{MULTIPLICATION SIGN} {device.height_px:.0f} px")
    if device.density is not None:
        parts.append(f"{device.density:g} \N{MULTIPLICATION SIGN}")
    if device.touch == "yes":
        parts.append("touch")
    return ", ".join(parts) or "not told"


def _image(shown: Showing, look: Look) -> dict[str, str]:
    again = " (again)" if shown.kind == "repeat" else ""
    return {
        "number": f"{shown.position}{again}",
        "time": f"{shown.time_s:.1f} s",
        "zoom": "no view" if look.deepest_zoom is None else f"{look.deepest_zoom:.2f}",
        "seen": _share(look.seen),
        "hidden": _share(shown.hidden),
        "answer": str(shown.answer),
    }
