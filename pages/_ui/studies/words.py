"""What Studies says, and the small pictures in it; no widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from pages._ui.shared.words import POOL_TITLES, count
from umnist_core.labeling.views import PoolCounts

FEEDBACK_TITLES = {
    "correctness": "Right or not yet",
    "full": "The sum, each digit and its place",
}
"""What is told of a practice answer, `umnist_core.labeling.records.FEEDBACKS`, in words."""

PHASES = {
    "consent": "Reading the consent",
    "questions": "Answering questions",
    "instructions": "Reading the instructions",
    "gate": "Answering about the instructions",
    "practice": "Practising",
    "trial": "Labeling",
    "break": "Taking a break",
    "held": "Waiting for an image",
    "paused": "Study is paused",
}
"""Where a person stands, `umnist_core.labeling.views.AnnotatorView.phase`, in words."""

OUTCOMES = {
    "complete": "Complete",
    "quota_full": "Quota full",
    "screened_out": "Screened out",
    "ended_early": "Ended early by the study",
    "withdrawn": "Withdrawn",
}
"""How a person's part ended, `umnist_core.labeling.people.OUTCOMES`, in words."""

ORIGINS = {"invited": "Invited", "simulated": "Simulated", "own": "Makers' own try"}
"""Whose data, `umnist_core.labeling.events.ORIGINS`, in words."""


def people_a_pool(values: Mapping[str, Any]) -> int:
    """Return how many people of a pool give all labels that the form of a new study asks for."""
    if values.get("adaptive") is not None:
        return int(values["labels_per_image"])
    wanted = values["stimuli"] * values["labels_per_image"]
    return int(-(-wanted // values["images_per_annotator"]))


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
