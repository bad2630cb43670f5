"""The endpoints of schedules, busy times and available times."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.calendly.event_types import EVENT_TYPE, event_type, find_event_type
from sandbox.calendly.refusals import invalid
from sandbox.calendly.request import TIME, USER, Endpoint, Param
from sandbox.calendly.text import event_uri, stamp, uri, user_uri
from sandbox.http import Refusal

if TYPE_CHECKING:
    from sandbox.calendly.request import Call
    from sandbox.http import Row
    from sandbox.world import records as r

BUSY_DAYS, AVAILABLE_DAYS = 7, 31
GRACE = timedelta(minutes=1)
"""Tolerance for a `start_time` that was the present when the client sent it."""
WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


def rules(schedule: r.Schedule) -> list[Row]:
    """Return opening hours as rules."""

    def rule(kind: str, name: str, day: str, spans: list[tuple[str, str]]) -> Row:
        return {"type": kind, name: day, "intervals": [{"from": start, "to": end} for start, end in spans]}

    names = dict(zip(("sun", "mon", "tue", "wed", "thu", "fri", "sat"), WEEKDAYS, strict=True))
    weekly = [rule("wday", "wday", names[day], spans) for day, spans in schedule.hours.items()]
    return weekly + [rule("date", "date", day, spans) for day, spans in schedule.dates.items()]


def list_user_schedules(call: Call) -> list[Row]:
    """List a user's schedules (Calendly: unpaginated, no timestamps)."""
    person = call.member()
    return [
        {
            "uri": uri("user_availability_schedules", schedule),
            "default": schedule.default,
            "name": schedule.name,
            "user": user_uri(person),
            "timezone": person.timezone,
            "rules": rules(schedule),
        }
        for schedule in call.world.schedules.values()
        if schedule.person is person
    ]


def list_type_schedules(call: Call) -> list[Row]:
    """List the schedules of an event type's hosts. Calendly's field list is unverified: this one is plausible."""
    record = find_event_type(call, call.args["event_type"].id)
    return [
        {
            "event_type": uri("event_types", record),
            "user": user_uri(host.person),
            "availability_setting": "host",
            "availability_rule": {
                "timezone": host.person.timezone,
                "rules": rules(schedule),
                "user": user_uri(host.person),
            },
        }
        for host in record.hosts
        for schedule in call.world.schedules.values()
        if schedule.person is host.person
    ]


def window(call: Call, most_days: int) -> tuple[datetime, datetime]:
    """Return the requested time range (Calendly: not in the past, and limited in days)."""
    start: datetime = call.args["start_time"]
    end: datetime = call.args["end_time"]
    if start < call.world.now - GRACE:
        raise invalid("start_time", "must be in the future")
    if end <= start:
        raise invalid("end_time", "must be after start_time")
    if end - start > timedelta(days=most_days):
        raise invalid("end_time", f"date range must not exceed {most_days} days")
    return start, end


def list_busy_times(call: Call) -> list[Row]:
    """List the busy times of a user (Calendly: 424 if the user's external calendar cannot be read)."""
    person = call.member()
    start, end = window(call, BUSY_DAYS)
    if user_uri(person) in call.api.unreadable_calendars:
        raise Refusal(424, {"title": "External Calendar Error", "message": "The calendar cannot be read."})
    rows: list[Row] = []
    for meeting in call.api.hosted(person):
        if meeting.cancellation is None and meeting.start < end and meeting.end > start:
            buffer = timedelta(minutes=meeting.buffer_minutes)
            rows.append(
                {
                    "type": "calendly",
                    "start_time": stamp(meeting.start),
                    "end_time": stamp(meeting.end),
                    "buffered_start_time": stamp(meeting.start - buffer),
                    "buffered_end_time": stamp(meeting.end + buffer),
                    "event": {"uri": event_uri(meeting)},
                }
            )
    day = start.replace(hour=12, minute=0, second=0, microsecond=0)
    while day < end:
        if day.weekday() == person.serial % 5 and day + timedelta(hours=1) > start:
            lunch_end = day + timedelta(hours=1)
            rows.append({"type": "external", "start_time": stamp(day), "end_time": stamp(lunch_end)})
        day += timedelta(days=1)
    return sorted(rows, key=lambda row: (row["start_time"], row["type"]))


def list_available_times(call: Call) -> list[Row]:
    """List the available times of an event type: two slots each working day, without those that a meeting takes."""
    record = find_event_type(call, call.args["event_type"].id)
    start, end = window(call, AVAILABLE_DAYS)
    if not record.active:
        return []
    taken = {
        (meeting.start, meeting.hosts[0])
        for host in record.hosts
        for meeting in call.api.hosted(host.person)
        if meeting.cancellation is None and start <= meeting.start < end
    }
    busy = {when for when, _ in taken}
    base = event_type(record)["scheduling_url"]
    rows: list[Row] = []
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(AVAILABLE_DAYS + 1):
        for hour in (10, 15):
            slot = midnight + timedelta(days=day, hours=hour)
            if start <= slot < end and slot.weekday() < len(WEEKDAYS) - 2 and slot not in busy:
                rows.append(
                    {
                        "status": "available",
                        "invitees_remaining": record.seats,
                        "start_time": stamp(slot),
                        "scheduling_url": f"{base}/{slot.isoformat()}",
                    }
                )
    return rows


def span(name: str, parse: Any) -> dict[str, Param]:
    """Return the parameters of an endpoint with a time range, all required."""
    required = {name: parse, "start_time": TIME, "end_time": TIME}
    return {key: Param(value, required=True) for key, value in required.items()}


ENDPOINTS = (
    Endpoint(
        "user_availability_schedules",
        "/user_availability_schedules",
        "availability:read",
        list_user_schedules,
        {"user": Param(USER, required=True)},
    ),
    Endpoint(
        "event_type_availability_schedules",
        "/event_type_availability_schedules",
        "availability:read",
        list_type_schedules,
        {"event_type": Param(EVENT_TYPE, required=True)},
    ),
    Endpoint("user_busy_times", "/user_busy_times", "availability:read", list_busy_times, span("user", USER)),
    Endpoint(
        "event_type_available_times",
        "/event_type_available_times",
        "availability:read",
        list_available_times,
        span("event_type", EVENT_TYPE),
    ),
)
