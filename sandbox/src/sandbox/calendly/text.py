"""Addresses and times in Calendly's notation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.world import records as r

API = "https://api.calendly.com"
"""The host in every `uri`: part of a record's identity, wherever the record is served from."""


def uri(kind: str, record: r.Record) -> str:
    """Return the address that identifies a record."""
    return f"{API}/{kind}/{record.id}"


def user_uri(person: r.Person) -> str:
    """Return the address of a user."""
    return f"{API}/users/{person.id}"


def event_uri(meeting: r.Meeting) -> str:
    """Return the address of a scheduled event."""
    return f"{API}/scheduled_events/{meeting.id}"


def invitee_uri(booking: r.Booking) -> str:
    """Return the address of an invitee, which lies under its event's."""
    return f"{API}/scheduled_events/{booking.meeting.id}/invitees/{booking.id}"


def stamp(moment: datetime) -> str:
    """Write a time as most resources do: UTC with microseconds and a Z."""
    return moment.isoformat(timespec="microseconds")[:-6] + "Z"


def stamp_ms(moment: datetime) -> str:
    """Write a time as the audit resources do: UTC with milliseconds and a Z."""
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"


def brief(moment: datetime) -> str:
    """Write a time without fractions, as a few rows do."""
    return moment.isoformat(timespec="seconds")[:-6] + "Z"


def maybe(moment: datetime | None) -> str | None:
    """Write a time that may be missing."""
    return None if moment is None else stamp(moment)


def is_brief(record: r.Record) -> bool:
    """Return True for the few rows that have times without fractions."""
    return record.serial % 29 == 0


def moment(text: str) -> datetime:
    """Read a time in a query.

    Raises:
        ValueError: it is no ISO 8601 time, or not in UTC.
    """
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None or parsed.utcoffset() != UTC.utcoffset(None):
        raise ValueError("must be in UTC")
    return parsed.astimezone(UTC)
