"""The rows of events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.savvycal.text import id_of, local, new_id, stamp, uuid_of
from sandbox.typed import as_typed
from sandbox.world import words

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.http import Row
    from sandbox.savvycal.switches import Switches
    from sandbox.world import records as r
    from sandbox.world.invitations import Event

MINUTE = timedelta(minutes=1)
CONFERENCES = {
    "google": "google_meet",
    "zoom": "zoom",
    "teams": "microsoft_teams",
    "webex": "webex",
    "gotomeeting": "gotomeeting",
}
FIELDS = {
    "text": "long_text",
    "string": "short_text",
    "phone_number": "phone_number",
    "multi_select": "checkboxes",
    "single_select": "dropdown",
}
PENDING = {"tentative": "needs_action", "awaiting_approval": "needs_action", "declined": "declined"}


def scope(kind: r.EventType, name: str | None = None) -> Row:
    """Return the team or person that a link belongs to; `name` is the person's former name."""
    owner = kind.owner
    return {"id": id_of("scope", owner), "name": name or owner.name, "slug": owner.slug}


def fields(kind: r.EventType) -> list[Row]:
    """Return the questions of a link."""
    return [
        {
            "id": new_id("field", kind.created_at, f"{kind.id}/{question['name']}"),
            "type": FIELDS[question["type"]],
            "label": question["name"],
            "is_required": question["required"],
        }
        for question in kind.questions
    ]


def payment(event: Event) -> Row | None:
    """Return the payment, in cents of a currency that the API does not name."""
    if not event.paid or not event.meeting.bookings:
        return None
    known = event.payment
    paid = known is not None and known["successful"]
    amount = None if known is None or known["amount"] is None else round(known["amount"] * 100)
    untold = amount is None
    return {
        "state": "paid" if paid else "awaiting_checkout",
        "url": None if known else f"https://checkout.example/{event.meeting.serial}",
        "amount_total": amount,
        "amount_subtotal": amount,
        "amount_tax": None if untold else 0,
        "amount_discount": None if untold else 0,
        "amount_shipping": None,
    }


@dataclass(frozen=True, slots=True)
class View:
    """A snapshot of an event, valid until the world changes."""

    id: str
    event: Event
    state: str
    start: datetime
    end: datetime

    @classmethod
    def of(cls, event: Event) -> View:
        """Return the snapshot of an event."""
        return cls(id_of("event", event.meeting), event, event.state, event.start, event.end)


class EventRows:
    """Makes the rows of events, as the switches demand."""

    def __init__(self, api: Switches) -> None:
        self.send_uuid = api.send_uuid
        self.keep_dropped = api.keep_dropped
        self.extra = api.extra_fields.get("event_attendees", {})
        self.fields: dict[str, list[Row]] = {}

    def row(self, view: View) -> Row:
        """Return the row of an event; a quarter of them have times with offsets."""
        event = view.event
        meeting, tail = event.meeting, event.tail
        kind, number = meeting.event_type, meeting.serial
        called_off = event.cancellation if view.state == "canceled" else None
        moved_at = event.rescheduled_at
        zone = event.hosts[0].timezone if number % 4 == 1 else None
        people = self.people(view, tail)
        uuid = uuid_of(view.id)
        return {
            "id": view.id,
            **({"uuid": uuid} if self.send_uuid else {}),
            "state": view.state,
            "summary": event.title or meeting.name or event.link_name or "Meeting",
            "description": kind.description,
            "additional_info": ("Bitte pünktlich", None, "")[number % 3],
            "location": tail.place.text if tail.place else None,
            "location_settings": location_settings(kind),
            "created_at": stamp(meeting.created_at),
            "start_at": local(view.start, zone),
            "end_at": local(view.end, zone),
            "duration": (view.end - view.start) // MINUTE,
            "buffer_before": 0,
            "buffer_after": tail.buffer_minutes,
            "canceled_at": stamp(called_off.at) if called_off else None,
            "cancel_reason": called_off.reason if called_off else None,
            "rescheduled_at": stamp(moved_at) if moved_at else None,
            "reschedule_reason": words.REASONS[number % len(words.REASONS)] if moved_at else None,
            "original_start_at": local(meeting.start, zone) if moved_at else None,
            "original_end_at": local(meeting.end, zone) if moved_at else None,
            "conferencing": conferencing(event, tail.place),
            "description_settings": {
                "include_attendees": True,
                "include_fields": number % 2 == 0,
                "include_link_name": not kind.secret,
            },
            "is_group_session": meeting.seats > 1,
            "maximum_group_size": meeting.seats,
            **previews(event),
            "organizer": people[0] if event.organized else None,
            "scheduler": next((one for one in people if one["is_scheduler"]), None),
            "attendees": people,
            "payment": payment(event),
            "metadata": event.metadata,
            "url": f"https://savvycal.com/events/{uuid}",
        }

    def people(self, view: View, tail: r.Meeting) -> list[Row]:
        """Return the attendees: the hosts, those who booked, and their guests."""
        event, meeting = view.event, view.event.meeting
        first = event.hosts[0]
        rows = []
        for number, host in enumerate(event.hosts):
            name = new_id("attendee", meeting.created_at, f"{meeting.id}/{host.id}")
            row = self.attendee(name, host.email, host.name, host.timezone)
            rows.append(row | {"response_status": "accepted", "is_organizer": event.organized and number == 0})
        alone, coming = meeting.seats == 1, event.bookings
        for booking in tail.bookings if self.keep_dropped else coming:
            name = new_id("attendee", meeting.created_at, f"{meeting.id}/{'invitee' if alone else booking.id}")
            email = as_typed(booking.email, booking.serial)
            row = self.attendee(name, email, booking.name, booking.timezone or first.timezone)
            row["response_status"] = PENDING.get(view.state, "confirmed") if booking in coming else "canceled"
            row["is_scheduler"] = alone
            row["phone_number"], row["marketing_opt_in"] = booking.phone, booking.phone is not None
            row["fields"] = self.answered(meeting.event_type, dict(booking.answers))
            rows.append(row)
        for number, guest in enumerate(tail.guests):
            name = new_id("attendee", guest.at, f"{meeting.id}/{number}/{guest.email}")
            rows.append(self.attendee(name, guest.email, guest.email.partition("@")[0], first.timezone))
        return rows

    def attendee(self, name: str, email: str, display_name: str, zone: str) -> Row:
        """Return one attendee."""
        first, _, last = display_name.partition(" ")
        return {
            "id": name,
            "email": email,
            "display_name": display_name,
            "first_name": first,
            "last_name": last,
            "phone_number": None,
            "time_zone": zone,
            "response_status": "confirmed",
            "is_organizer": False,
            "is_scheduler": False,
            "marketing_opt_in": False,
            "fields": [],
            **self.extra,
        }

    def answered(self, kind: r.EventType, answers: dict[str, str]) -> list[Row]:
        """Return an attendee's answers; a missing one is null."""
        if kind.id not in self.fields:
            self.fields[kind.id] = [
                {
                    "id": field["id"],
                    "type": field["type"],
                    "label": field["label"],
                    "options": [{"label": choice, "value": choice.lower()} for choice in question["choices"]],
                }
                for field, question in zip(fields(kind), kind.questions, strict=True)
            ]
        return [{**field, "value": answers.get(field["label"])} for field in self.fields[kind.id]]


def previews(event: Event) -> Row:
    """Return the link, the poll and the scope of an event, with their names at the time of booking."""
    found: Row = {"link": None, "poll": None, "scope": None}
    meeting, kind = event.meeting, event.meeting.event_type
    if event.link_name is not None:
        found["link"] = {"id": id_of("link", kind), "name": event.link_name, "slug": kind.slug or "once"}
        found["scope"] = scope(kind, next((one.name for one in event.hosts if one.id == kind.owner.id), None))
    if event.poll is not None:
        found["poll"] = {"id": id_of("poll", meeting), "name": event.poll, "slug": f"poll-{meeting.serial}"}
    return found


def location_settings(kind: r.EventType) -> list[Row] | None:
    """Return the places that a link offers."""
    if kind.places is None:
        return None
    return [{"type": CONFERENCES.get(one.kind, one.kind), "value": one.text} for one in kind.places]


def conferencing(event: Event, place: r.Place | None) -> Row:
    """Return the conference of an event, as far as it is known yet."""
    url = event.join_url
    return {
        "type": "none" if place is None else CONFERENCES.get(place.kind, "custom"),
        "join_url": url,
        "meeting_id": url.rpartition("/")[2] if url else None,
        "instructions": place.note if place else None,
    }
