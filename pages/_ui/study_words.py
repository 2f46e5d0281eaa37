"""What the study pages say, and the small pictures in it; no widgets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from urllib.parse import urlsplit

from umnist_core.labeling.views import InviteRow, PoolCounts

POOL_TITLES = {"unguided": "Unguided", "guided": "Guided"}

FEEDBACK_TITLES = {
    "correctness": "Right or not yet",
    "full": "The sum, each digit and its place",
}
"""What is told of a practice answer, `umnist_core.labeling.records.FEEDBACKS`, in words."""

PHASES = {
    "consent": "Reading the consent",
    "instructions": "Reading the instructions",
    "practice": "Practising",
    "trial": "Labeling",
    "held": "Waiting for an image",
    "paused": "Study is paused",
}
"""Where a person stands, `umnist_core.labeling.views.AnnotatorView.phase`, in words."""

OUTCOMES = {
    "complete": "Complete",
    "quota_full": "Quota full",
    "ended_early": "Ended early by the study",
    "withdrawn": "Withdrawn",
}
"""How a person's part ended, `umnist_core.labeling.people.OUTCOMES`, in words."""

ORIGINS = {"invited": "Invited", "simulated": "Simulated", "own": "Makers' own try"}
"""Whose data, `umnist_core.labeling.state.ORIGINS`, in words."""

STATUS_COLOURS = {"open": "green", "paused": "orange", "closed": "gray"}

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:])")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,128}")


def plain(text: str) -> str:
    """Return Markdown that shows a text as it is, in one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: 1 person, 2 people."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def day(time_utc: str) -> str:
    """Return the date of a time of the log: 3 Nov 2026."""
    when = datetime.fromisoformat(time_utc)
    return f"{when.day} {when:%b %Y}"


def ago(time_utc: str, now: datetime | None = None) -> str:
    """Return how long ago a time of the log was, as people say it."""
    when = datetime.fromisoformat(time_utc)
    seconds = ((now or datetime.now(UTC)) - when).total_seconds()
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return f"{count(int(seconds // size), name)} ago"
    return "just now"


def duration(seconds: float) -> str:
    """Return a length of time, rounded as an estimate is: 40 s, 3 min, 2 h 10 min."""
    if seconds < 60:
        return f"{max(5, 5 * round(seconds / 5))} s"
    minutes = round(seconds / 60)
    if minutes % 60 == 0:
        return f"{minutes // 60} h"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def origin_of(url: str | None) -> str:
    """Return scheme and host of the page that the browser shows; empty if it is not known."""
    parts = urlsplit(url or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def token_in(text: str) -> str | None:
    """Return the token of an invite link, or of what was copied of it; None for anything else."""
    last = text.strip().rstrip("/").rpartition("/")[2].partition("?")[0].partition("#")[0]
    return last if _TOKEN.fullmatch(last) else None


def invite_state(row: InviteRow, now_utc: str) -> str:
    """Return what has become of a link."""
    if row.is_revoked:
        return "Revoked"
    if row.expires_utc is not None and row.expires_utc <= now_utc:
        return "Expired"
    if row.is_open:
        return "Open to all"
    return "In use" if row.annotator else "Not used yet"


def mark(pools: Sequence[PoolCounts]) -> str:
    """Return whose data there are beside those of invited people; empty if there are none."""
    simulated = sum(pool.simulated for pool in pools)
    own = sum(pool.own for pool in pools)
    parts = [
        *([f"{count(simulated, 'person', 'people')} simulated"] if simulated else []),
        *([f"{count(own, 'try', 'tries')} of the study's makers"] if own else []),
    ]
    return " and ".join(parts)


def bars(pools: Sequence[PoolCounts], *, detail: bool = False) -> str:
    """Return HTML with a thin bar for each pool: labels against the target.

    Parameters
    ----------
    detail
        Also say who is at work, and what came too late.
    """
    return f'<div class="umnist-bars">{"".join(_bar(pool, detail) for pool in pools)}</div>'


def _bar(pool: PoolCounts, detail: bool) -> str:
    title = POOL_TITLES.get(pool.pool, pool.pool)
    filled, reserved = (100 * part / pool.target for part in (pool.labels, pool.reserved))
    said = f"{pool.labels:,} of {pool.target:,}"
    more = ""
    if detail:
        parts = [
            count(pool.people, "person", "people"),
            *(
                f"{number:,} {OUTCOMES[name].lower()}"
                for name in OUTCOMES
                if (number := getattr(pool, name))
            ),
            *([f"{pool.held:,} waiting for an image"] if pool.held else []),
            f"{count(pool.reserved, 'image')} reserved",
        ]
        if pool.surplus:
            parts.append(f"{count(pool.surplus, 'answer')} too late to count")
        more = f'<span class="more">{escape(" · ".join(parts))}</span>'
    return (
        f'<div class="row"><span class="name">{escape(title)}</span>'
        f'<span class="track" role="progressbar" aria-label="Labels of the {escape(title.lower())} '
        f'pool" aria-valuemin="0" aria-valuemax="{pool.target}" aria-valuenow="{pool.labels}">'
        f'<span class="fill" style="width:{min(filled, 100):.2f}%"></span>'
        f'<span class="held" style="width:{min(reserved, 100 - min(filled, 100)):.2f}%"></span>'
        f'</span><span class="said">{said}</span>{more}</div>'
    )
