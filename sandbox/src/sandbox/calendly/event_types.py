"""Event types, their hosts, and when they can be booked, as Calendly shows them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.calendly.asking import ORGANIZATION, TIME, USER, Endpoint, Param, boolean, reference, sort_by
from sandbox.calendly.paging import Listing, Ordered, Row
from sandbox.calendly.people import user
from sandbox.calendly.refusals import Refusal, denied, invalid, not_found
from sandbox.calendly.text import event_uri, maybe, stamp, uri, user_uri
from sandbox.world import records as r

if TYPE_CHECKING:
    from sandbox.calendly.asking import Call

EVENT_TYPE = reference("event_types")
SCHEDULE = reference("user_availability_schedules")
BUSY_DAYS, AVAILABLE_DAYS = 7, 31
GRACE = timedelta(minutes=1)
"""A start that was now when the client wrote it down is not yet in the past."""
LOCATIONS = {
    "in_person": "physical",
    "host_calls": "outbound_call",
    "guest_calls": "inbound_call",
    "ask": "ask_invitee",
    "custom": "custom",
    "google": "google_conference",
    "zoom": "zoom_conference",
    "gotomeeting": "gotomeeting_conference",
    "teams": "microsoft_teams_conference",
    "webex": "webex_conference",
}


def type_location(place: r.Place, position: int) -> Row:
    """Show where an event type may take place; a documented phone number is a number, not text."""
    row: Row = {"kind": LOCATIONS[place.kind], "position": position}
    if place.text is not None:
        row["location"] = place.text
    if place.kind == "guest_calls":
        row |= {"phone_number": 15550100 + position, "additional_info": "Ask for extension 5"}
    return row


def event_type(record: r.EventType) -> Row:
    """Show an event type."""
    owner = record.owner
    team = isinstance(owner, r.Team)
    description = record.description
    return {
        "uri": uri("event_types", record),
        "name": record.name,
        "active": record.active,
        "slug": record.slug,
        "scheduling_url": f"https://calendly.com/{owner.slug}/{record.slug or f'd/{record.id[:8]}'}",
        "duration": record.minutes,
        "duration_options": record.minutes_options,
        "kind": "group" if record.kind == "group" else "solo",
        "pooling_type": record.kind if record.kind in {"round_robin", "collective"} else None,
        "type": "AdhocEventType" if record.one_off else "StandardEventType",
        "booking_method": record.booking_method,
        "color": record.color,
        "internal_note": record.internal_note,
        "description_plain": description,
        "description_html": None if description is None else f"<p>{description}</p>",
        "profile": {
            "type": "Team" if team else "User",
            "name": owner.name,
            "owner": uri("teams", owner) if team else uri("users", owner),
        },
        "secret": record.secret,
        "deleted_at": maybe(record.deleted_at),
        "admin_managed": record.admin_managed,
        "is_paid": record.paid,
        "locale": record.locale,
        "position": record.position,
        "locations": record.places and [type_location(place, n) for n, place in enumerate(record.places)],
        "custom_questions": [
            {
                "name": question["name"],
                "type": question["type"],
                "position": position,
                "enabled": question["enabled"],
                "required": question["required"],
                "answer_choices": question["choices"],
                "include_other": question["other"],
            }
            for position, question in enumerate(record.questions)
        ],
        "created_at": stamp(record.created_at),
        "updated_at": stamp(record.updated_at),
    }


def hosted_by(record: r.EventType, person: r.Person) -> bool:
    """Tell whether a person hosts an event type."""
    return any(host.person is person for host in record.hosts)


def list_event_types(call: Call) -> Listing:
    """List event types (Calendly: by organization or user, by name unless asked otherwise, none deleted)."""
    args = call.args
    if "organization" not in args and "user" not in args:
        raise invalid("organization", "organization or user is missing")
    call.own_organization()
    person = call.member() if "user" in args else None
    if person is not call.person:
        call.as_admin()
    if "user_availability_schedule" in args and person is None:
        raise invalid("user_availability_schedule", "can only be used with user")
    sort, descending = args.get("sort", ("name", False))

    def keep(record: r.EventType) -> bool:
        return (
            record.deleted_at is None
            and (person is None or record.owner is person)
            and args.get("active") in {None, record.active}
            and args.get("admin_managed") in {None, record.admin_managed}
        )

    return Listing(call.api.ordered("event_types", sort), event_type, keep, descending)


def find_event_type(call: Call, key: str) -> r.EventType:
    """Return an event type that the caller may see."""
    record = call.world.event_types.get(key)
    if record is None:
        raise not_found()
    if not (call.key.admin or hosted_by(record, call.person)):
        raise denied()
    return record


def read_event_type(call: Call) -> Row:
    """Answer one event type (Calendly: a deleted one too, so that old events can be explained)."""
    return event_type(find_event_type(call, call.path["uuid"]))


def list_hosts(call: Call) -> Listing:
    """List the hosts of one event type."""
    record = find_event_type(call, call.args["event_type"].id)

    def shape(host: r.Host) -> Row:
        return {
            "uri": uri("event_type_memberships", host),
            "event_type": event_type(host.event_type),
            "member": user(host.person),
            "created_at": stamp(host.created_at),
            "updated_at": stamp(host.updated_at),
        }

    return Listing(Ordered.by("created_at", record.hosts), shape)


def rules(schedule: r.Schedule) -> list[Row]:
    """Show opening hours as rules."""

    def rule(kind: str, name: str, day: str, spans: list[tuple[str, str]]) -> Row:
        return {"type": kind, name: day, "intervals": [{"from": start, "to": end} for start, end in spans]}

    names = dict(zip(("sun", "mon", "tue", "wed", "thu", "fri", "sat"), WEEKDAYS, strict=True))
    weekly = [rule("wday", "wday", names[day], spans) for day, spans in schedule.hours.items()]
    return weekly + [rule("date", "date", day, spans) for day, spans in schedule.dates.items()]


WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


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
    """Return the asked span of time (Calendly: not in the past, and no longer than so many days)."""
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
    """List when a user is busy (Calendly: 424 if the user's external calendar cannot be read)."""
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
    """List when an event type can be booked: two slots each working day that none of its meetings takes."""
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
    """Return the parameters of a forward-looking endpoint, all required."""
    required = {name: parse, "start_time": TIME, "end_time": TIME}
    return {key: Param(value, required=True) for key, value in required.items()}


ENDPOINTS = (
    Endpoint(
        "event_types",
        "/event_types",
        "event_types:read",
        list_event_types,
        {
            "organization": Param(ORGANIZATION),
            "user": Param(USER),
            "active": Param(boolean),
            "admin_managed": Param(boolean),
            "user_availability_schedule": Param(SCHEDULE),
            "sort": Param(sort_by("name", "position", "created_at", "updated_at")),
        },
        paged=True,
    ),
    Endpoint("event_type", "/event_types/{uuid}", "event_types:read", read_event_type, rows="event_types"),
    Endpoint(
        "event_type_memberships",
        "/event_type_memberships",
        "event_types:read",
        list_hosts,
        {"event_type": Param(EVENT_TYPE, required=True)},
        paged=True,
    ),
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
