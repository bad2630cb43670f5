"""Bookings of both products, and the conversations that led to some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.oncehub.collection import Collection, Filter, buried
from sandbox.oncehub.pages import calendar_ref, event_type_ref, is_legacy, master_page_ref, page_ref
from sandbox.oncehub.text import ref, shown, stamp, user_ref
from sandbox.typed import as_typed
from sandbox.world import records as r
from sandbox.world.desk_life import VALUES

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sandbox.http import Row
    from sandbox.oncehub.switches import Switches
    from sandbox.world.desk_records import Ticket

STATUSES = ("requested", "scheduled", "rescheduled", "completed", "canceled", "no_show")
SYSTEMS = {"google": "google", "outlook": "office_365", "exchange": "exchange", "icloud": "icloud"}
MINOR_UNITS = {"JPY": 1}
"""Minor units in one unit of a currency, where they are not a hundred."""


def status(api: Switches, ticket: Ticket) -> str:
    """Return the present status of a booking."""
    if ticket.booking.cancellation:
        return "canceled"
    if ticket.approval == "declined":
        return api.declined_status
    if ticket.missed_at:
        return "no_show"
    if ticket.approval == "requested":
        return "requested"
    if ticket.meeting.end <= api.world.now:
        return "completed"
    return "rescheduled" if ticket.moved else "scheduled"


def updated_at(api: Switches, ticket: Ticket) -> datetime:
    """Return the latest time that moves `last_updated_time`."""
    meeting = ticket.meeting
    latest = max(ticket.updated_at, ticket.booking.updated_at, meeting.updated_at)
    if ticket.changes:
        silent = api.silent_causes
        latest = max([latest, *(at for cause, at in ticket.changes.items() if cause not in silent)])
    if latest < meeting.end <= api.world.now and status(api, ticket) == "completed":
        return meeting.end
    return latest


def creation_time(_: Switches, ticket: Ticket) -> datetime:
    """Return the shown time of creation."""
    return shown(ticket.created_at, brief=ticket.serial % 2 == 0)


def starting_time(_: Switches, ticket: Ticket) -> datetime:
    """Return the shown start."""
    return shown(ticket.meeting.start)


def last_updated_time(api: Switches, ticket: Ticket) -> datetime:
    """Return the shown time of the last change."""
    return shown(updated_at(api, ticket), brief=ticket.serial % 3 == 0)


def booking_ref(_: Switches, ticket: Ticket) -> str:
    """Return a booking's id."""
    return ref("BKNG", ticket.id)


def show(api: Switches, ticket: Ticket) -> Row:
    """Show a booking."""
    number, meeting, booking = ticket.serial, ticket.meeting, ticket.booking
    desk = api.world.desk
    place = meeting.place
    address = booking_ref(api, ticket)
    chatted = (ref("CVR", ticket.id), "", None, None, None)
    row: Row = {
        "object": "booking",
        "id": address,
        "tracking_id": address if number % 7 == 0 else address[-8:],
        "subject": meeting.name or "",
        "status": status(api, ticket),
        "in_trash": ticket.trashed_at is not None,
        "creation_time": stamp(ticket.created_at, brief=number % 2 == 0),
        "starting_time": stamp(meeting.start, brief=number % 2 == 1),
        "last_updated_time": stamp(updated_at(api, ticket), brief=number % 3 == 0),
        "customer_timezone": booking.timezone or "",
        "duration_minutes": int((meeting.end - meeting.start).total_seconds() // 60),
        "virtual_conferencing": {"join_url": (place.join_url if place else None) or ""},
        "location_description": (place.text or place.kind) if place else ("", None)[number % 2],
        "rescheduled_booking_id": None,
        "cancel_reschedule_information": calloff(api, ticket),
        "attendees": [*([] if ticket.by_phone else [booking.email]), *(guest.email for guest in meeting.guests)],
        "form_submission": form(ticket),
        "custom_fields": [{"name": "Priority", "value": VALUES[number % len(VALUES)]}] if number % 5 else [],
        "owner": user_ref(desk, ticket.owner),
        "contact": ref("CTC", ticket.card_id),
        "conversation": chatted[number % len(chatted)],
        "external_calendar": external(meeting),
        "utm_params": utm(ticket.first),
    }
    if api.send_rescheduled_booking_id and ticket.previous:
        row["rescheduled_booking_id"] = booking_ref(api, ticket.previous)
    return row | (page_fields(ticket) if is_legacy(meeting.event_type) else calendar_fields(ticket, address))


def calloff(api: Switches, ticket: Ticket) -> Row | list[Row] | None:
    """Show the reason of a cancellation or move: an object, a list of one, an object of empty strings, or null."""
    blank = {"reason": "", "actioned_by": "", "user_id": ""}
    host = user_ref(api.world.desk, ticket.owner)
    gone = ticket.booking.cancellation
    if ticket.called_off:
        by_host = gone is None or gone.side == "host"
        found: Row = {
            "reason": gone.reason if gone else "Declined",
            "actioned_by": "user" if by_host else "customer",
            "user_id": host if by_host else "",
        }
        return [found] if ticket.calloff is not None and ticket.calloff % 2 else found
    if ticket.moved:
        return {"reason": "Rescheduled", "actioned_by": "customer", "user_id": None}
    return blank if ticket.serial % 3 == 0 else None


def form(ticket: Ticket) -> Row | None:
    """Show the booking form; it is null if a host booked or if the booking replaces another one."""
    first, number = ticket.first, ticket.serial
    if (first.booked_by or ticket.previous) and not ticket.edits:
        return None
    guests = [guest.email for guest in ticket.meeting.guests]
    fields: list[Row] = [{"name": question, "value": answer} for question, answer in first.answers]
    found: Row = {
        "name": first.name,
        "email": as_typed(first.email, number),
        "phone": first.phone or "",
        "mobile_phone": "+15550199" if ticket.by_phone else ("", None)[number % 2],
        "note": ("", None, "Bitte pünktlich ☎")[number % 3],
        "company": ("Ærø Marine", "")[number % 2],
        "guests": guests or ([""] if number % 2 else []),
        "custom_fields": [*fields, {"name": "Anything", "value": VALUES[(number + 3) % len(VALUES)]}],
    }
    if ticket.by_phone:
        del found["email"]
    return found | ticket.edits


def external(meeting: r.Meeting) -> Row:
    """Show the host's calendar that has the booking."""
    if meeting.calendar is None:
        return {"type": "none", "name": "", "id": "", "event_id": ""}
    system, event = meeting.calendar
    return {"type": SYSTEMS.get(system, "exchange"), "name": "Kalender", "id": f"{event[:8]}@cal", "event_id": event}


def utm(booking: r.Booking) -> Row | None:
    """Show the UTM parameters."""
    source, campaign = booking.tracking.get("source"), booking.tracking.get("campaign")
    if source is None:
        return None
    return {"source": source, "medium": "", "campaign": campaign, "term": "", "content": None}


def calendar_fields(ticket: Ticket, address: str) -> Row:
    """Show the fields that only bookings of booking calendars have."""
    payment: Row | None = None
    paid: dict[str, Any] = ticket.booking.payment or {}
    if paid.get("successful"):
        amount = round(paid["amount"] * MINOR_UNITS.get(paid["currency"], 100))
        payment = {"amount_charged": amount, "currency": paid["currency"], "transaction_id": paid["external_id"]}
    return {
        "booking_calendar": calendar_ref(ticket.meeting.event_type),
        "ics_url": f"https://go.oncehub.com/ics/{address}",
        "cancel_url": f"https://go.oncehub.com/cancel/{address}",
        "reschedule_url": f"https://go.oncehub.com/reschedule/{address}",
        "payment_information": payment,
    }


def page_fields(ticket: Ticket) -> Row:
    """Show the fields that only bookings of booking pages have."""
    kind = ticket.meeting.event_type
    return {
        "booking_page": page_ref(ticket.first.meeting.hosts[0]),
        "master_page": master_page_ref(kind.owner) if isinstance(kind.owner, r.Team) else None,
        "event_type": event_type_ref(kind),
    }


def conversation(api: Switches, ticket: Ticket) -> Row:
    """Show the conversation that led to a booking."""
    return {
        "id": ref("CVR", ticket.id),
        "object": "conversation",
        "creation_time": stamp(ticket.created_at),
        "last_updated_time": stamp(ticket.created_at),
        "last_interacted_time": stamp(ticket.created_at),
        "initiated_by": ("bot", "contact")[ticket.serial % 2],
        "status": ("started", "closed", "abandoned")[ticket.serial % 3],
        "contact": ref("CTC", ticket.card_id),
        "owner": user_ref(api.world.desk, ticket.owner),
        "bot": "BOT-1",
        "website": "WEB-1",
        "audience": "AUD-1",
        "answers": [{"id": "INT-1", "internal_label": "topic", "question": "How can we help?", "value": "Pricing"}],
        "bookings": [booking_ref(api, ticket)],
    }


def same(shown: Callable[[Switches, Ticket], str | None]) -> Filter:
    """Return the filter for bookings with a value."""
    return Filter(lambda api, value: lambda ticket: shown(api, ticket) == value)


def of_calendars(_: Switches, ticket: Ticket) -> str | None:
    """Return the booking calendar of a booking, if it has one."""
    kind = ticket.meeting.event_type
    return None if is_legacy(kind) else calendar_ref(kind)


def of_pages(name: str) -> Filter:
    """Return the filter by one of the fields of booking pages."""

    def shown(_: Switches, ticket: Ticket) -> str | None:
        return page_fields(ticket)[name] if is_legacy(ticket.meeting.event_type) else None

    return same(shown)


def hosted(api: Switches, value: str) -> Callable[[Ticket], bool]:
    """Return the condition for bookings that a user hosts, alone or with others."""
    desk = api.world.desk
    return lambda ticket: any(user_ref(desk, one) == value for one in (ticket.owner, *ticket.meeting.hosts))


BOOKINGS = Collection(
    name="bookings",
    path="/v2/bookings",
    object="booking",
    rows=lambda api: api.world.desk.tickets.values(),
    ref=booking_ref,
    show=show,
    gone=buried("ticket", "BKNG"),
    filters={
        "status": Filter(lambda api, value: lambda ticket: status(api, ticket) == value, STATUSES),
        "owner": same(lambda api, ticket: user_ref(api.world.desk, ticket.owner)),
        "contact": same(lambda _, ticket: ref("CTC", ticket.card_id)),
        "booking_calendar": same(of_calendars),
        "host": Filter(hosted),
        "booking_page": of_pages("booking_page"),
        "master_page": of_pages("master_page"),
        "event_type": of_pages("event_type"),
    },
    times={
        "creation_time": creation_time,
        "starting_time": starting_time,
        "last_updated_time": last_updated_time,
    },
    references={
        "owner": ("users",),
        "contact": ("contacts",),
        "conversation": ("conversations",),
        "booking_calendar": ("booking_calendars",),
        "booking_page": ("booking_pages",),
        "master_page": ("master_pages",),
        "event_type": ("event_types",),
    },
    expands=True,
)
CONVERSATIONS = Collection(
    name="conversations",
    path="",
    object="conversation",
    rows=lambda api: (ticket for ticket in api.world.desk.tickets.values() if ticket.serial % 5 == 0),
    ref=lambda _, ticket: ref("CVR", ticket.id),
    show=conversation,
    references={"contact": ("contacts",), "owner": ("users",)},
)
