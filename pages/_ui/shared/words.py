"""What several pages say in the same words; no widgets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isnan

from umnist_core.labeling.views import ListedInvite, PoolCounts

NO_FIGURE = "\N{EN DASH}"

POOL_TITLES = {"unguided": "Unguided", "guided": "Guided"}

STATUS_COLOURS = {"open": "green", "paused": "orange", "closed": "gray"}

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:])")


def plain(text: str) -> str:
    """Return Markdown that shows a text as it is, in one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: 1 person, 2 people."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def invite_state(row: ListedInvite, now_utc: str) -> str:
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


def percent(share: float) -> str:
    """Return a share of 1 in per cent."""
    return NO_FIGURE if isnan(share) else f"{100 * share:.1f} %"
