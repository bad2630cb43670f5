"""Instants: read in any ISO 8601 form, compared as instants, written in one form."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import Any


def instant(value: str) -> datetime:
    """The moment that an ISO 8601 text names, in UTC; a text without an offset is UTC.

    Raises:
        ValueError: The text is not an ISO 8601 date or date-time.
    """
    moment = datetime.fromisoformat(value)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def instant_or_none(value: Any) -> datetime | None:
    """Return the moment that a value of a record or a state names; None where it names none.

    The first and the last year that Python knows are none: nothing can be added to them, or taken from them.
    """
    try:
        moment = instant(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if MINYEAR < moment.year < MAXYEAR else None


def canonical(moment: datetime) -> str:
    """A moment as text of fixed width in UTC, so that texts sort as moments do."""
    return moment.astimezone(UTC).isoformat("T", timespec="microseconds")


def zulu(moment: datetime) -> str:
    """A moment as APIs like it in a query: UTC, microseconds, `Z`."""
    return canonical(moment).replace("+00:00", "Z")
