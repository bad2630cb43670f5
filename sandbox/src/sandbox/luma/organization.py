"""The endpoints of the organization, and look-ups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.luma.calendars import calendar_row
from sandbox.luma.events import access_of, labels, managed, within
from sandbox.luma.listing import Listing, Ordered
from sandbox.luma.request import DIRECTION, PAGING, TIMES, Endpoint, Param, one_of
from sandbox.luma.text import account, event_id, stamp

if TYPE_CHECKING:
    from sandbox.http import Row
    from sandbox.luma.request import Call
    from sandbox.world.gatherings import records as g


def ours(call: Call) -> list[g.Calendar]:
    """Return the organization's calendars."""
    return [calendar for calendar in call.gs.calendars.values() if calendar.ours]


def calendars(call: Call) -> Listing:
    """List the organization's calendars."""
    ordered = Ordered.by(lambda calendar: calendar.created_at, ours(call))
    return Listing(ordered, lambda calendar: call.api.enrich("organization_calendars", calendar_row(calendar)))


def event_row(gathering: g.Gathering, day: str) -> Row:
    """Return an event with all calendars of the organization that list it."""
    row = managed(gathering, day)
    del row["access"]
    coordinate = row["coordinate"]
    listings = [one for one in gathering.listings if one.calendar.ours and one.status != "rejected"]
    return {
        **row,
        "api_id": row["id"],
        "user_api_id": row["user_id"],
        "calendar_api_id": row["calendar_id"],
        "zoom_meeting_url": row["meeting_url"] if gathering.place_kind == "zoom" else None,
        "geo_latitude": coordinate and str(coordinate["latitude"]),
        "geo_longitude": coordinate and str(coordinate["longitude"]),
        "managing_calendars": [{**calendar_row(one.calendar), "status": one.status} for one in listings],
    }


def events(call: Call) -> Listing:
    """List the events that the organization's calendars run."""
    day = f"{call.gs.now:%Y-%m-%d}"

    def keep(gathering: g.Gathering) -> bool:
        listing = gathering.listing(gathering.calendar)
        listed = listing is not None and listing.status != "rejected"
        return gathering.calendar.ours and gathering.external is None and listed and within(call, gathering)

    def order() -> Ordered:
        return Ordered.by(lambda gathering: gathering.start, call.gs.gatherings.values())

    descending = call.args.get("sort_direction", "asc").startswith("desc")
    ordered = call.api.cached(("organization", "events"), order)
    shape = lambda gathering: call.api.enrich("organization_events", event_row(gathering, day))  # noqa: E731 -- short
    return Listing(ordered, shape, keep, descending)


def admins(call: Call) -> list[Row]:
    """List the admins of all calendars."""
    people = {admin.id: admin for calendar in ours(call) for admin in calendar.admins}
    rows = [account(person) for person in people.values()]
    return call.rows("organization_admins", ({**row, "api_id": row["id"]} for row in rows))


def myself(call: Call) -> Row:
    """Return the key's creator."""
    return account(call.api.world.seats[call.key.seat])


def entity(call: Call) -> Row:
    """Return the calendar or event at an address of luma.com."""
    slug = call.args["slug"]
    for calendar in call.gs.calendars.values():
        if calendar.slug == slug:
            row = calendar_row(calendar)
            found = {name: row[name] for name in ("id", "name", "slug", "avatar_url")}
            return {"entity": {"type": "calendar", "calendar": found}}
    for gathering in call.gs.gatherings.values():
        if gathering.slug == slug and gathering.external is None and gathering.visibility != "private":
            event = {
                "id": event_id(gathering),
                "name": gathering.name,
                "slug": slug,
                "cover_url": f"https://images.example/covers/{slug}.jpg",
                "start_at": stamp(gathering.start),
                "end_at": stamp(gathering.end),
            }
            return {"entity": {"type": "event", "event": event}}
    return {"entity": None}


def lookup(call: Call) -> Row:
    """Return the status of an event on the calendar, even of a rejected one."""
    args = call.args
    wanted = {args.get("event_id"), args.get("url")} - {None}
    for listing in call.calendar.listings:
        gathering = listing.gathering
        platform = "external" if access_of(listing) == "external" else "luma"
        known = {event_id(gathering), f"https://luma.com/{gathering.slug}"}
        if known & wanted and args.get("platform", platform) == platform:
            by = labels(listing)["submitted_by"]
            return {"event": {"id": event_id(gathering), "status": listing.status, "submitted_by": by}}
    return {"event": None}


ENDPOINTS = (
    Endpoint("organization_calendars", "/v1/organizations/calendars/list", calendars, PAGING, "organization"),
    Endpoint(
        "organization_events",
        "/v1/organizations/events/list",
        events,
        {**TIMES, **PAGING, **DIRECTION},
        "organization",
    ),
    Endpoint("organization_admins", "/v1/organizations/admins/list", admins, scope="organization"),
    Endpoint("self", "/v1/users/get-self", myself, scope="any"),
    Endpoint("entity", "/v1/entities/lookup", entity, {"slug": Param(required=True)}, "any"),
    Endpoint(
        "lookup",
        "/v1/calendars/events/lookup",
        lookup,
        {"platform": Param(one_of("luma", "external")), "url": Param(), "event_id": Param()},
    ),
)
