"""Timestamps: parsed from any ISO 8601 form, compared as moments, written in one form."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import Any


def instant(value: str) -> datetime:
    """Return the moment of an ISO 8601 text in UTC; a text without an offset is UTC.

    Raises:
        ValueError: The text is not an ISO 8601 date or date-time.
    """
    moment = datetime.fromisoformat(value)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def instant_or_none(value: Any) -> datetime | None:
    """Return the moment of a value in a record or a state; None if it is not a timestamp.

    Timestamps in the first and the last of Python's years are none: adding a time zone could leave its range.
    """
    try:
        moment = instant(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if MINYEAR < moment.year < MAXYEAR else None


def canonical(moment: datetime) -> str:
    """Return a moment as text of fixed width in UTC, so that texts sort in the order of time."""
    return moment.astimezone(UTC).isoformat("T", timespec="microseconds")


def zulu(moment: datetime) -> str:
    """Return a moment for a query parameter: UTC, microseconds, `Z`."""
    return canonical(moment).replace("+00:00", "Z")
