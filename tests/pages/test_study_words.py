"""What the study pages say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pages._ui.label.desk import token_in
from pages._ui.shared.words import invite_state, plain
from pages._ui.studies import words
from umnist_core.labeling.times import text_of_time
from umnist_core.labeling.views import ListedInvite, PoolCounts

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)


def invite(**changes: Any) -> ListedInvite:
    """Return a personal link that nobody has used."""
    fields: dict[str, Any] = {
        "invite": "i1",
        "token": "token123",
        "pool": None,
        "annotator": None,
        "created_utc": text_of_time(NOW),
        "expires_utc": None,
        "is_open": False,
        "is_revoked": False,
        "origin": "invited",
    }
    return ListedInvite(**{**fields, **changes})


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("http://127.0.0.1:8501/join/abcDEF-_123", "abcDEF-_123"),
        ("  https://lab.example/join/abcDEF-_123/ \n", "abcDEF-_123"),
        ("abcDEF-_123", "abcDEF-_123"),
        ("https://lab.example/join/abcDEF-_123?from=mail#top", "abcDEF-_123"),
        ("https://lab.example/join/", None),
        ("javascript:alert(1)", None),
        ("//evil.example/<script>", None),
        ("", None),
    ],
)
def test_token_is_found_in_whatever_was_copied(text: str, token: str | None) -> None:
    """A link, a link with something behind it or its last part; anything else is none."""
    assert token_in(text) == token


@pytest.mark.parametrize(
    ("row", "state"),
    [
        (invite(), "Not used yet"),
        (invite(annotator="p1"), "In use"),
        (invite(is_open=True), "Open to all"),
        (invite(expires_utc=text_of_time(NOW - timedelta(seconds=1))), "Expired"),
        (invite(expires_utc=text_of_time(NOW + timedelta(seconds=1))), "Not used yet"),
        (invite(is_revoked=True, annotator="p1"), "Revoked"),
    ],
)
def test_invite_state_is_what_opening_it_would_give(row: ListedInvite, state: str) -> None:
    """Revoked wins over expired, and that over everything else."""
    assert invite_state(row, text_of_time(NOW)) == state


@pytest.mark.parametrize(
    "text", ["*bold*", "[a](b)", "a\n# b", "$x$ :red[y]", "`code` <b>", "1. a"]
)
def test_plain_text_is_shown_as_it_is(text: str) -> None:
    """Every sign that Markdown would take for its own is escaped."""
    import re

    escaped = plain(text)
    assert re.sub(r"\\(.)", r"\1", escaped) == " ".join(text.split())
    assert not re.search(r"(?<!\\)[*_`\[\]<>#$:.]", escaped)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(2, "5 s"), (42, "40 s"), (61, "1 min"), (3599, "1 h"), (7900, "2 h 12 min")],
)
def test_duration_is_rounded_as_an_estimate(seconds: float, said: str) -> None:
    """No more figures than an estimate has."""
    assert words.duration(seconds) == said


def test_ago_counts_in_the_largest_whole_unit() -> None:
    """Minutes, hours, days; below a minute it was just now."""
    said = [
        words.ago(text_of_time(NOW - timedelta(**ago)), NOW)
        for ago in ({"seconds": 5}, {"minutes": 1}, {"hours": 5}, {"days": 2})
    ]
    assert said == ["just now", "1 minute ago", "5 hours ago", "2 days ago"]


def test_bars_never_go_beyond_their_track() -> None:
    """Labels and reservations add up to the whole track at most, and their count is said."""
    pool = PoolCounts("guided", people=2, complete=1, labels=9, target=10, reserved=5, surplus=1)
    html = words.bars([pool], detail=True)
    assert "width:90.00%" in html
    assert "width:10.00%" in html
    assert "9 of 10" in html
    assert "1 answer too late to count" in html
    assert 'aria-valuenow="9"' in html
