"""Times as the log writes them: texts that sort as the times do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def text_of_time(moment: datetime) -> str:
    """Return a time as the log writes it: ISO 8601, UTC, with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def later(time_utc: str, minutes: float) -> str:
    """Return a time of the log some minutes later."""
    return text_of_time(datetime.fromisoformat(time_utc) + timedelta(minutes=minutes))
