"""Ids, times and durations in Luma's notation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from sandbox.world.gatherings import records as g
    from sandbox.world.gatherings.records import Host

WITH_OFFSET, WITHOUT_FRACTION, WITHOUT_SECONDS = 2, 4, 6
"""Numbers, modulo eight, of the events and guests whose times have an unusual format."""


def stamp(moment: datetime, number: int = 0, zone: str = "UTC") -> str:
    """Write a time in the format of the `number`-th row.

    Luma: ISO 8601 in UTC with milliseconds; its specification admits offsets, and times without fractions or seconds.
    """
    style = number % 8
    if style == WITH_OFFSET:
        return moment.astimezone(ZoneInfo(zone)).isoformat(timespec="milliseconds")
    if style == WITHOUT_SECONDS and not (moment.second or moment.microsecond):
        return moment.isoformat(timespec="minutes")[:-6] + "Z"
    if style in {WITHOUT_FRACTION, WITHOUT_SECONDS}:
        return moment.isoformat(timespec="seconds")[:-6] + "Z"
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"


def maybe(moment: datetime | None, number: int = 0, zone: str = "UTC") -> str | None:
    """Write a time that may be missing."""
    return None if moment is None else stamp(moment, number, zone)


def moment(text: str) -> datetime:
    """Parse a time of a query; without an offset it is UTC.

    Raises:
        ValueError: it is no ISO 8601 time.
    """
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError("must be an ISO 8601 date-time") from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def duration(span: timedelta) -> str:
    """Write a duration in ISO 8601, with days of 24 hours."""
    minutes = int(span.total_seconds()) // 60
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    date = f"{days}D" if days else ""
    time = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    return f"P{date}T{time}" if time else f"P{date or 'T0S'}"


def event_id(gathering: g.Gathering) -> str:
    """Return an event's id; an external event has the id of its place on the calendar."""
    return f"calev-{gathering.listings[0].id}" if gathering.external is not None else f"evt-{gathering.id}"


def calendar_id(calendar: g.Calendar) -> str:
    """Return a calendar's id."""
    return f"cal-{calendar.id}"


def user_id(somebody: Host) -> str:
    """Return the id of an account, which hosts and guests have."""
    return f"usr-{somebody.id.replace('-', '')[:16]}"


def avatar_url(somebody: Host) -> str:
    """Return the address of an account's picture, which is never null."""
    return getattr(somebody, "avatar_url", None) or f"https://images.example/avatars/{user_id(somebody)}.png"


def names(somebody: Host, prefix: str = "") -> dict[str, str | None]:
    """Return the three fields of a name, which may all be null."""
    first, _, last = (somebody.name or "").partition(" ")
    return {f"{prefix}name": somebody.name, f"{prefix}first_name": first or None, f"{prefix}last_name": last or None}


def account(somebody: Host) -> dict[str, str | None]:
    """Return an account in the format of hosts, admins and submitters."""
    return {"id": user_id(somebody), "email": somebody.email, **names(somebody), "avatar_url": avatar_url(somebody)}
