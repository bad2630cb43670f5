"""The endpoints of events: a calendar's list, in three variants, and single events."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sandbox.luma.listing import Listing, Ordered
from sandbox.luma.request import EVENT, PAGING, TIMES, Endpoint, Param, one_of, sort_by
from sandbox.luma.text import account, avatar_url, calendar_id, duration, event_id, names, stamp, user_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.http import Row
    from sandbox.luma.request import Call
    from sandbox.world.gatherings import records as g

COUNTED = ("approved", "pending_approval", "waitlist", "invited", "declined", "checked_in")


def basics(gathering: g.Gathering, calendar: g.Calendar) -> Row:
    """Return the fields of every variant of an event."""
    number, zone = gathering.number, gathering.timezone
    return {
        "platform": "luma" if gathering.external is None else "external",
        "id": event_id(gathering),
        "calendar_id": calendar_id(calendar),
        "name": gathering.name,
        "url": f"https://luma.com/{gathering.slug}",
        "created_at": stamp(gathering.created_at, number, zone),
        "start_at": stamp(gathering.start, number, zone),
        "end_at": stamp(gathering.end, number, zone),
        "duration_interval": duration(gathering.end - gathering.start),
        "timezone": zone,
    }


def geography(gathering: g.Gathering, *, coarse: bool = False) -> Row:
    """Return the location of an event; `coarse` is the city only."""
    address, coordinate = gathering.address, gathering.coordinate
    return {
        "geo_address_json": address and geo_address(address, coarse=coarse),
        "coordinate": coordinate
        and {
            "longitude": round(coordinate[1], 1) if coarse else coordinate[1],
            "latitude": round(coordinate[0], 1) if coarse else coordinate[0],
        },
    }


def geo_address(address: Row, *, coarse: bool) -> Row:
    """Return an address in Luma's format."""
    city_state = ", ".join(part for part in (address["city"], address["region"]) if part)
    area = {
        "city": address["city"],
        "region": address["region"],
        "country": address["country"],
        "city_state": city_state,
    }
    if coarse:
        return area
    return {
        "address": address["address"],
        **area,
        "full_address": f"{address['address']}, {address['street']}, {address['city']}, {address['country']}",
        "google_maps_place_id": f"place-{len(address['street'])}",
        "apple_maps_place_id": None,
        "description": address["note"],
    }


def public(gathering: g.Gathering, access: str) -> Row:
    """Return the fields that the variants view and manage share."""
    coarse = access == "view" and gathering.place_visibility == "guests-only"
    return {
        **basics(gathering, gathering.calendar),
        "access": access,
        "user_id": user_id(gathering.creator),
        "cover_url": f"https://images.example/covers/{gathering.slug}.jpg",
        "visibility": gathering.visibility,
        "location_type": gathering.place_kind,
        "location_visibility": gathering.place_visibility,
        **geography(gathering, coarse=coarse),
        "waitlist_status": "enabled" if gathering.waitlist else "disabled",
    }


def registration(gathering: g.Gathering, day: str) -> Row:
    """Return the four fields that follow from the tickets on sale today."""
    kinds = gathering.on_sale(day)
    cheapest = min(kinds, key=lambda kind: kind.cents or 0, default=None)
    price = None
    if cheapest and cheapest.paid:
        price = {"amount": cheapest.cents, "currency": cheapest.currency, "is_flexible": cheapest.flexible}
    capacity = gathering.capacity
    return {
        "registration_open": gathering.registration_open,
        "require_approval": bool(kinds) and all(kind.require_approval for kind in kinds),
        "spots_remaining": None if capacity is None else max(0, capacity - gathering.held),
        "display_price": price,
    }


def question(one: g.Question) -> Row:
    """Return a question of the registration form."""
    return {
        "id": one.id,
        "label": one.label,
        "question_type": one.kind,
        "required": one.required,
        **one.details,
    }


def managed(gathering: g.Gathering, day: str) -> Row:
    """Return an event in the variant manage, without the fields of its place on a calendar."""
    hours = gathering.feedback_hours
    row = {
        **public(gathering, "manage"),
        "meeting_url": gathering.meeting_url,
        **registration(gathering, day),
        "max_capacity": gathering.capacity,
        "can_register_for_multiple_tickets": gathering.several_tickets,
        "feedback_email": {"enabled": False} if hours is None else {"enabled": True, "delay": f"PT{hours}H"},
    }
    if gathering.questions or gathering.number % 3:
        row["registration_questions"] = [question(one) for one in gathering.questions]
    return row


def labels(listing: g.Listing) -> Row:
    """Return the fields of an event's place on a calendar."""
    submitter = listing.submitter
    return {
        "tags": [{"id": f"tag-{tag.id}", "name": tag.name} for tag in listing.tags],
        "submitted_by": submitter
        and {
            "id": user_id(submitter),
            "avatar_url": avatar_url(submitter),
            "email": submitter.email,
            **names(submitter),
        },
    }


def access_of(listing: g.Listing) -> str:
    """Return the variant of an event: manage, view or external."""
    if listing.gathering.external is not None:
        return "external"
    return "manage" if listing.gathering.calendar is listing.calendar else "view"


def event(call: Call) -> Callable[[g.Listing], Row]:
    """Return the function that makes a row of the list."""
    day = f"{call.gs.now:%Y-%m-%d}"

    def shape(listing: g.Listing) -> Row:
        gathering, access = listing.gathering, access_of(listing)
        if access == "manage":
            row = managed(gathering, day)
        elif access == "view":
            row = public(gathering, "view")
            if call.api.fuller_view:
                row |= registration(gathering, day)
        else:
            row = basics(gathering, listing.calendar) | geography(gathering) | {"host": gathering.external or None}
        return call.api.enrich("events", row | labels(listing))

    return shape


def within(call: Call, gathering: g.Gathering) -> bool:
    """Return True if an event starts between `after` and `before`.

    Luma documents neither; whether the bounds are inclusive is unverified.
    """
    after, before, start = call.args.get("after"), call.args.get("before"), gathering.start
    if call.api.inclusive_bounds:
        return (after is None or start >= after) and (before is None or start <= before)
    return (after is None or start > after) and (before is None or start < before)


def events(call: Call) -> Listing:
    """List the events of a calendar (Luma: by default those that the calendar runs)."""
    calendar, args = call.calendar, call.args
    platforms = args.get("platforms", ["luma"])
    accesses = {*args.get("access", ["manage"])} if "luma" in platforms else set()
    accesses |= {"external"} if "external" in platforms else set()
    status = args.get("status", "approved")

    def keep(listing: g.Listing) -> bool:
        access = access_of(listing)
        hidden = access == "view" and listing.gathering.visibility == "private"
        return listing.status == status and access in accesses and not hidden and within(call, listing.gathering)

    def order() -> Ordered:
        return Ordered.by(lambda listing: listing.gathering.start, calendar.listings)

    descending = args.get("sort_direction", "asc").startswith("desc")
    return Listing(call.api.cached(("events", calendar.id), order), event(call), keep, descending)


def counts(gathering: g.Gathering) -> Row:
    """Return the numbers of guests and tickets, by status."""
    guests: Counter[str] = Counter()
    tickets: Counter[str] = Counter()
    for guest in gathering.guests.values():
        guests[guest.status] += 1
        least = 1 if guest.status in {"pending_approval", "waitlist"} else 0
        tickets[guest.status] += max(least, len(guest.tickets))
        inside = sum(ticket.checked_in_at is not None for ticket in guest.tickets)
        guests["checked_in"] += inside > 0
        tickets["checked_in"] += inside
    return {status: {"guests": guests[status], "tickets": tickets[status]} for status in COUNTED}


def details(call: Call) -> Row:
    """Return one event, with the fields that no list has: description, hosts and numbers of guests."""
    gathering = call.event()
    row = {
        **managed(gathering, f"{call.gs.now:%Y-%m-%d}"),
        "description": gathering.description.replace("#", "").replace("*", "").strip(),
        "description_md": gathering.description,
        "hosts": call.rows("event_hosts", (account(host) for host in gathering.hosts)),
        "guest_counts": counts(gathering),
    }
    return call.api.enrich("event_details", row)


LIST_PARAMS: dict[str, Param] = {**TIMES, **PAGING, **sort_by("start_at")}
ENDPOINTS = (
    Endpoint(
        "events",
        "/v1/calendars/events/list",
        events,
        {
            **LIST_PARAMS,
            "platforms": Param(one_of("luma", "external"), many=True),
            "status": Param(one_of("approved", "pending")),
            "access": Param(one_of("manage", "view"), many=True),
        },
    ),
    Endpoint("event_details", "/v1/events/get", details, EVENT, "event"),
)
