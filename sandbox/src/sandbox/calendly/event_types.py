"""The endpoints of event types and their hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.calendly.listing import Listing, Ordered
from sandbox.calendly.people import user
from sandbox.calendly.refusals import denied, invalid, not_found
from sandbox.calendly.request import ORGANIZATION, USER, Endpoint, Param, boolean, reference, sort_by
from sandbox.calendly.text import maybe, stamp, uri
from sandbox.world import records as r

if TYPE_CHECKING:
    from sandbox.calendly.request import Call
    from sandbox.http import Row

EVENT_TYPE = reference("event_types")
SCHEDULE = reference("user_availability_schedules")
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
    """Return the places an event type offers (Calendly: a phone number is documented as a number, not text)."""
    row: Row = {"kind": LOCATIONS[place.kind], "position": position}
    if place.text is not None:
        row["location"] = place.text
    if place.kind == "guest_calls":
        row |= {"phone_number": 15550100 + position, "additional_info": "Ask for extension 5"}
    return row


def event_type(record: r.EventType) -> Row:
    """Return an event type."""
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
    """Return True if a person hosts an event type."""
    return any(host.person is person for host in record.hosts)


def list_event_types(call: Call) -> Listing:
    """List event types (Calendly: by organization or user, by name by default, none deleted)."""
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
    """Return one event type (Calendly: a deleted one too, for the events that refer to it)."""
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
)
