"""What SavvyCal writes about an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.savvycal.text import id_of, local, maybe, new_id, stamp, uuid_of
from sandbox.world import records as r
from sandbox.world import words

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.savvycal.api import SavvyCal
    from sandbox.savvycal.text import Row
    from sandbox.world.invitations import Event

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


def event_id(event: Event) -> str:
    """Return the id of an event, which stays when it is moved."""
    return id_of("event", event.meeting)


def scope(kind: r.EventType, name: str | None = None) -> Row:
    """Write the team or the person that a link belongs to; `name` is what that person was called then."""
    owner = kind.owner
    return {"id": id_of("scope", owner), "name": name or owner.name, "slug": owner.slug}


def fields(kind: r.EventType) -> list[Row]:
    """Write what a link asks."""
    return [
        {
            "id": new_id("field", kind.created_at, f"{kind.id}/{question['name']}"),
            "type": FIELDS[question["type"]],
            "label": question["name"],
            "is_required": question["required"],
        }
        for question in kind.questions
    ]


def answered(kind: r.EventType, answers: dict[str, str]) -> list[Row]:
    """Write what an attendee said; a value is null where they said nothing."""
    return [
        {
            "id": asked["id"],
            "type": asked["type"],
            "label": asked["label"],
            "value": answers.get(asked["label"]),
            "options": [{"label": choice, "value": choice.lower()} for choice in question["choices"]],
        }
        for asked, question in zip(fields(kind), kind.questions, strict=True)
    ]


def payment(event: Event) -> Row | None:
    """Write how far the payment is, in cents of a currency that is not told."""
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


class EventRows:
    """Writes events as the switches want them."""

    def __init__(self, api: SavvyCal) -> None:
        self.send_uuid = api.send_uuid
        self.keep_dropped = api.keep_dropped
        self.extra = api.extra_fields.get("event_attendees", {})
        self.extra_event = api.extra_fields.get("events", {})

    def row(self, event: Event) -> Row:
        """Write an event; a quarter of them with offsets instead of a Z."""
        meeting, tail = event.meeting, event.tail
        kind, state = meeting.event_type, event.state
        start, end, called_off, moved_at = event.start, event.end, event.cancellation, event.rescheduled_at
        if state == "declined":
            called_off = None
        zone = event.hosts[0].timezone if meeting.serial % 4 == 1 else None
        name = event_id(event)
        people = self.people(event, state)
        organizer = people[0] if event.organized else None
        scheduler = next((one for one in people if one["is_scheduler"]), None)
        found: Row = {"id": name}
        if self.send_uuid:
            found["uuid"] = uuid_of(name)
        found |= {
            "state": state,
            "summary": event.title or meeting.name or event.link_name or "Meeting",
            "description": kind.description,
            "additional_info": ("Bitte pünktlich", None, "")[meeting.serial % 3],
            "location": tail.place.text if tail.place else None,
            "location_settings": None
            if kind.places is None
            else [{"type": CONFERENCES.get(one.kind, one.kind), "value": one.text} for one in kind.places],
            "created_at": stamp(meeting.created_at),
            "start_at": local(start, zone),
            "end_at": local(end, zone),
            "duration": int((end - start).total_seconds() // 60),
            "buffer_before": 0,
            "buffer_after": tail.buffer_minutes,
            "canceled_at": maybe(called_off.at if called_off else None),
            "cancel_reason": called_off.reason if called_off else None,
            "rescheduled_at": maybe(moved_at),
            "reschedule_reason": words.REASONS[meeting.serial % len(words.REASONS)] if moved_at else None,
            "original_start_at": local(meeting.start, zone) if moved_at else None,
            "original_end_at": local(meeting.end, zone) if moved_at else None,
            "conferencing": conferencing(event, tail.place),
            "description_settings": {
                "include_attendees": True,
                "include_fields": meeting.serial % 2 == 0,
                "include_link_name": not kind.secret,
            },
            "is_group_session": meeting.seats > 1,
            "maximum_group_size": meeting.seats,
            "link": None
            if event.link_name is None
            else {"id": id_of("link", kind), "name": event.link_name, "slug": kind.slug or "once"},
            "poll": None
            if event.poll is None
            else {"id": id_of("poll", meeting), "name": event.poll, "slug": f"poll-{meeting.serial}"},
            "scope": None
            if event.link_name is None
            else scope(kind, next((host.name for host in event.hosts if host.id == kind.owner.id), None)),
            "organizer": organizer,
            "scheduler": scheduler,
            "attendees": people,
            "payment": payment(event),
            "metadata": event.metadata,
            "url": f"https://savvycal.com/events/{uuid_of(name)}",
        }
        return found | self.extra_event

    def people(self, event: Event, state: str) -> list[Row]:
        """Write who takes part: the hosts, those who booked, and their guests."""
        meeting, tail = event.meeting, event.tail
        rows = [
            self.attendee(
                new_id("attendee", meeting.created_at, f"{meeting.id}/{host.id}"),
                host.email,
                host.name,
                host.timezone,
                status="accepted",
                organizer=event.organized and number == 0,
            )
            for number, host in enumerate(event.hosts)
        ]
        status = PENDING.get(state, "confirmed")
        coming = event.bookings
        for booking in tail.bookings if self.keep_dropped else coming:
            alone = meeting.seats == 1
            rows.append(
                self.attendee(
                    new_id("attendee", meeting.created_at, f"{meeting.id}/invitee")
                    if alone
                    else id_of("attendee", booking),
                    booking.email,
                    booking.name,
                    booking.timezone or event.hosts[0].timezone,
                    status=status if booking in coming else "canceled",
                    scheduler=alone,
                    phone=booking.phone,
                    fields=answered(meeting.event_type, dict(booking.answers)),
                )
            )
        rows += [guest_row(self, event, number, guest.email, guest.at) for number, guest in enumerate(tail.guests)]
        return rows

    def attendee(  # noqa: PLR0913 -- an attendee has this many properties
        self,
        name: str,
        email: str,
        display_name: str,
        zone: str,
        *,
        status: str,
        organizer: bool = False,
        scheduler: bool = False,
        phone: str | None = None,
        fields: list[Row] | None = None,
    ) -> Row:
        """Write one of those who take part."""
        first, _, last = display_name.partition(" ")
        row: dict[str, Any] = {
            "id": name,
            "email": email,
            "display_name": display_name,
            "first_name": first,
            "last_name": last,
            "phone_number": phone,
            "time_zone": zone,
            "response_status": status,
            "is_organizer": organizer,
            "is_scheduler": scheduler,
            "marketing_opt_in": bool(phone),
            "fields": fields or [],
        }
        return row | self.extra


def guest_row(rows: EventRows, event: Event, number: int, email: str, at: datetime) -> Row:
    """Write somebody whom the invitee brings along."""
    name = new_id("attendee", at, f"{event.meeting.id}/{number}/{email}")
    return rows.attendee(name, email, email.partition("@")[0], event.hosts[0].timezone, status="confirmed")


def conferencing(event: Event, place: r.Place | None) -> Row:
    """Write where to join, as far as that is known by now."""
    url = event.join_url
    return {
        "type": "none" if place is None else CONFERENCES.get(place.kind, "custom"),
        "join_url": url,
        "meeting_id": url.rpartition("/")[2] if url else None,
        "instructions": place.note if place else None,
    }
