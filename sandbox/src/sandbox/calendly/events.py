"""The endpoints of scheduled events and their invitees."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.calendly.event_types import LOCATIONS
from sandbox.calendly.listing import Listing, Ordered
from sandbox.calendly.people import led_groups
from sandbox.calendly.refusals import denied, invalid, not_found
from sandbox.calendly.request import GROUP, ORGANIZATION, TIME, USER, Endpoint, Param, one_of, sort_by
from sandbox.calendly.text import API, brief, event_uri, invitee_uri, is_brief, stamp, uri, user_uri
from sandbox.typed import as_typed
from sandbox.world import records as r

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.calendly.request import Call
    from sandbox.http import Row

CONFERENCES = frozenset({"google", "zoom", "gotomeeting", "teams", "webex"})
STATUS = one_of("active", "canceled")


def location(meeting: r.Meeting) -> Row | None:
    """Return the location of an event, whose fields depend on its type."""
    place = meeting.place
    if place is None:
        return None
    kind = LOCATIONS[place.kind]
    if place.kind in CONFERENCES:
        if place.kind == "gotomeeting" and meeting.serial % 2:
            kind = "gotomeeting"
        return {"type": kind, "status": place.status, "join_url": place.join_url, "data": place.data}
    row: Row = {"type": kind, "location": place.text}
    return row if place.note is None else row | {"additional_info": place.note}


def cancellation(record: r.Cancellation) -> Row:
    """Return a cancellation."""
    return {
        "canceled_by": record.by,
        "reason": record.reason,
        "canceler_type": record.side,
        "created_at": stamp(record.at),
    }


def event(meeting: r.Meeting) -> Row:
    """Return a scheduled event; it has `cancellation` only once it is canceled."""
    write: Callable[[datetime], str] = brief if is_brief(meeting) else stamp
    opens, closes = start, end = write(meeting.start), write(meeting.end)
    if meeting.buffer_minutes:
        buffer = timedelta(minutes=meeting.buffer_minutes)
        opens, closes = write(meeting.start - buffer), write(meeting.end + buffer)
    row: Row = {
        "uri": event_uri(meeting),
        "name": meeting.name,
        "meeting_notes_plain": meeting.notes,
        "meeting_notes_html": None if meeting.notes is None else f"<p>{meeting.notes}</p>",
        "status": "active" if meeting.cancellation is None else "canceled",
        "start_time": start,
        "end_time": end,
        "event_type": uri("event_types", meeting.event_type),
        "location": location(meeting),
        "invitees_counter": {
            "total": len(meeting.bookings),
            "active": len(meeting.active_bookings),
            "limit": meeting.seats,
        },
        "created_at": write(meeting.created_at),
        "updated_at": write(meeting.updated_at),
        "event_memberships": [
            {
                "user": user_uri(host),
                "user_email": host.email,
                "user_name": host.name,
                "buffered_start_time": opens,
                "buffered_end_time": closes,
            }
            for host in meeting.hosts
        ],
        "event_guests": [
            {"email": guest.email, "created_at": stamp(guest.at), "updated_at": stamp(guest.at)}
            for guest in meeting.guests
        ],
        "calendar_event": None
        if meeting.calendar is None
        else {"kind": meeting.calendar[0], "external_id": meeting.calendar[1]},
    }
    if meeting.cancellation is not None:
        row["cancellation"] = cancellation(meeting.cancellation)
    return row


def tracking(marks: dict[str, str | None]) -> Row:
    """Return the six tracking fields."""
    return {
        "utm_campaign": marks.get("campaign"),
        "utm_source": marks.get("source"),
        "utm_medium": "email" if marks.get("source") == "newsletter" else None,
        "utm_content": None,
        "utm_term": None,
        "salesforce_uuid": None,
    }


def invitee(booking: r.Booking) -> Row:
    """Return an invitee."""
    address = invitee_uri(booking)
    row: Row = {
        "uri": address,
        "event": event_uri(booking.meeting),
        "email": as_typed(booking.email, booking.serial),
        "name": booking.name,
        "first_name": booking.first_name,
        "last_name": booking.last_name,
        "status": "active" if booking.cancellation is None else "canceled",
        "timezone": booking.timezone,
        "text_reminder_number": booking.phone,
        "questions_and_answers": [
            {"question": question, "answer": answer, "position": position}
            for position, (question, answer) in enumerate(booking.answers)
        ],
        "tracking": tracking(booking.tracking),
        "rescheduled": booking.new is not None,
        "old_invitee": booking.old and invitee_uri(booking.old),
        "new_invitee": booking.new and invitee_uri(booking.new),
        "cancel_url": f"https://calendly.com/cancellations/{booking.id}",
        "reschedule_url": f"https://calendly.com/reschedulings/{booking.id}",
        "payment": booking.payment,
        "no_show": None,
        "reconfirmation": None,
        "routing_form_submission": booking.submission and uri("routing_form_submissions", booking.submission),
        "scheduling_method": booking.method,
        "invitee_scheduled_by": booking.booked_by and user_uri(booking.booked_by),
        "created_at": stamp(booking.created_at),
        "updated_at": stamp(booking.updated_at),
    }
    if booking.cancellation is not None:
        row["cancellation"] = cancellation(booking.cancellation)
    if booking.no_show is not None:
        mark, at = booking.no_show
        row["no_show"] = {"uri": f"{API}/invitee_no_shows/{mark}", "created_at": stamp(at)}
    if booking.reconfirmation is not None:
        requested, confirmed = booking.reconfirmation
        row["reconfirmation"] = {"created_at": stamp(requested), "confirmed_at": confirmed and stamp(confirmed)}
    return row


def visible(call: Call) -> Callable[[r.Meeting], bool]:
    """Return the filter for the events that the caller requests and may see."""
    args = call.args
    call.own_organization()
    if not {"organization", "user", "group"} & args.keys():
        raise invalid("organization", "organization, user or group is missing")
    if "group" in args:
        return visible_in_group(call)
    if "user" not in args:
        call.as_admin()
        return lambda meeting: not meeting.elsewhere
    if "organization" in args:
        call.as_admin()
        person = call.member()
        return lambda meeting: person in meeting.hosts and not meeting.elsewhere
    if args["user"].id != call.person.id:
        call.member()
        raise denied("Please also specify organization when requesting events for a user within your organization.")
    me = call.person
    return lambda meeting: me in meeting.hosts


def visible_in_group(call: Call) -> Callable[[r.Meeting], bool]:
    """Return the filter for a group's events (Calendly: for admins and the group's own admin)."""
    group_id = call.args["group"].id
    if group_id not in call.world.groups or not (call.key.admin or group_id in led_groups(call)):
        raise denied()
    people = {
        place.holder.person
        for place in call.world.group_places.values()
        if place.group.id == group_id and isinstance(place.holder, r.Membership)
    }
    person = call.member() if "user" in call.args else None
    hosts = people if person is None else people & {person}
    return lambda meeting: not meeting.elsewhere and not hosts.isdisjoint(meeting.hosts)


def list_events(call: Call) -> Listing:
    """List events (Calendly: both statuses by default, sortable by start_time only)."""
    args = call.args
    rule = visible(call)
    status, email = args.get("status"), args.get("invitee_email")
    _, descending = args.get("sort", ("start_time", False))

    def keep(meeting: r.Meeting) -> bool:
        return (
            rule(meeting)
            and (status is None or (meeting.cancellation is None) == (status == "active"))
            and (email is None or any(booking.email == email for booking in meeting.bookings))
        )

    ordered = call.api.ordered("meetings", "start")
    low, high = args.get("min_start_time"), args.get("max_start_time")
    return Listing(ordered, event, keep, descending, low, high)


def find_event(call: Call) -> r.Meeting:
    """Return an event that the caller may see (Calendly: an admin's organization's, or one's own)."""
    meeting = call.world.meetings.get(call.path["uuid"])
    if meeting is None:
        raise not_found()
    if call.person not in meeting.hosts and (meeting.elsewhere or not call.key.admin):
        raise denied("You are not allowed to view this event")
    return meeting


def read_event(call: Call) -> Row:
    """Return one event."""
    return event(find_event(call))


def list_invitees(call: Call) -> Listing:
    """List the invitees of one event (Calendly: oldest first by default)."""
    status, email = call.args.get("status"), call.args.get("email")
    _, descending = call.args.get("sort", ("created_at", False))

    def keep(booking: r.Booking) -> bool:
        return (status is None or (booking.cancellation is None) == (status == "active")) and (
            email is None or booking.email == email
        )

    return Listing(Ordered.by("created_at", find_event(call).bookings), invitee, keep, descending)


def read_invitee(call: Call) -> Row:
    """Return one invitee."""
    for booking in find_event(call).bookings:
        if booking.id == call.path["invitee"]:
            return invitee(booking)
    raise not_found()


ENDPOINTS = (
    Endpoint(
        "scheduled_events",
        "/scheduled_events",
        "scheduled_events:read",
        list_events,
        {
            "organization": Param(ORGANIZATION),
            "user": Param(USER),
            "group": Param(GROUP),
            "invitee_email": Param(str),
            "status": Param(STATUS),
            "min_start_time": Param(TIME),
            "max_start_time": Param(TIME),
            "sort": Param(sort_by("start_time")),
        },
        paged=True,
    ),
    Endpoint(
        "scheduled_event", "/scheduled_events/{uuid}", "scheduled_events:read", read_event, rows="scheduled_events"
    ),
    Endpoint(
        "event_invitees",
        "/scheduled_events/{uuid}/invitees",
        "scheduled_events:read",
        list_invitees,
        {"status": Param(STATUS), "email": Param(str), "sort": Param(sort_by("created_at"))},
        paged=True,
    ),
    Endpoint(
        "event_invitee",
        "/scheduled_events/{uuid}/invitees/{invitee}",
        "scheduled_events:read",
        read_invitee,
        rows="event_invitees",
    ),
)
