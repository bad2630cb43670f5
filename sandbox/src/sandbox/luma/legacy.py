"""The endpoints of the older generation: the same objects at other paths, nested, and with other names of fields."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sandbox.luma import calendars, events, guests, organization, sales
from sandbox.luma.request import DIRECTION, PAGING, TIMES, Endpoint, Param, one_of, sort_by
from sandbox.luma.switches import LEGACY
from sandbox.luma.text import maybe

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.http import Row
    from sandbox.luma.switches import Switches

RENAMED = {
    "id": "api_id",
    "user_id": "user_api_id",
    "calendar_id": "calendar_api_id",
    "event_ticket_type_id": "event_ticket_type_api_id",
    "calendar_membership_tier_id": "calendar_membership_tier_api_id",
}
"""Names of ids, and their older names."""
NEWER = frozenset(
    {
        "platform",
        "access",
        "location_type",
        "location_visibility",
        "coordinate",
        "waitlist_status",
        "registration_open",
        "require_approval",
        "spots_remaining",
        "display_price",
        "max_capacity",
        "can_register_for_multiple_tickets",
        "tags",
        "submitted_by",
        "hosts",
        "guest_counts",
    }
)
"""Fields of an event that only the current generation has, as far as is known."""


def doubled(row: Row) -> Row:
    """Return a row with each of its ids under its older name as well."""
    return row | {old: row[new] for new, old in RENAMED.items() if new in row}


def event(row: Row) -> Row:
    """Return an event: its coordinates are strings, and only a Zoom meeting has a link."""
    coordinate = row["coordinate"]
    kept = {name: value for name, value in row.items() if name not in NEWER}
    return doubled(kept) | {
        "geo_latitude": coordinate and str(coordinate["latitude"]),
        "geo_longitude": coordinate and str(coordinate["longitude"]),
        "zoom_meeting_url": row["meeting_url"] if row["location_type"] == "zoom" else None,
    }


def event_entry(_: Switches, row: Row, listing: Any) -> Row:
    """Return an entry of the list of events; the tags are beside the event."""
    return {"api_id": f"calev-{listing.id}", "event": event(row), "tags": [doubled(tag) for tag in row["tags"]]}


def event_details(_: Switches, row: Row, __: Any) -> Row:
    """Return a single event; the hosts are beside it."""
    return {"event": event(row), "hosts": [doubled(host) for host in row["hosts"]]}


def answer(row: Row) -> Row:
    """Return an answer with the older fields of its value."""
    value = row["value"]
    if row["question_type"] != "company":
        return {**row, "answer": value}
    company, title = (value["company"], value["job_title"]) if value else (None, None)
    return {**row, "answer": company, "answer_company": company, "answer_job_title": title}


def guest(api: Switches, row: Row, record: Any) -> Row:
    """Return a guest with the first ticket, the first check-in, and the older fields of answers."""
    tickets = [doubled(ticket) for ticket in row["event_tickets"]]
    stamps = [ticket["checked_in_at"] for ticket in tickets if ticket["checked_in_at"]]
    answers = row["registration_answers"]
    older = doubled(row) | {
        "custom_source": row["utm_source"],
        "event_ticket": tickets[0] if tickets else None,
        "event_tickets": tickets,
        "checked_in_at": min(stamps, default=None),
        "registration_answers": None if answers is None else [answer(one) for one in answers],
    }
    if api.legacy_guest_extras:
        created = maybe(record.created_at) if record else row["invited_at"] or row["registered_at"]
        older |= {"created_at": created, "email": row["user_email"], "name": row["user_name"]}
    return older


def guest_entry(api: Switches, row: Row, record: Any) -> Row:
    """Return an entry of the list of guests."""
    return {"api_id": row["id"], "guest": guest(api, row, record)}


def ticket_type(_: Switches, row: Row, __: Any) -> Row:
    """Return a ticket type; the paid one has another name."""
    kind = "fiat-price" if row["type"] == "paid" else row["type"]
    return doubled(row) | {"type": kind, "membership_restriction": None, "ethereum_token_requirements": []}


def coupon(_: Switches, row: Row, __: Any) -> Row:
    """Return a coupon, which has only the older names of its ids."""
    return {RENAMED.get(name, name): value for name, value in row.items()}


def person(_: Switches, row: Row, __: Any) -> Row:
    """Return a contact, with the person in `user`."""
    names = ("name", "first_name", "last_name", "avatar_url")
    kept = {name: value for name, value in row.items() if name not in {*names, "user_id"}}
    user = {"id": row["user_id"], "email": row["email"], **{name: row[name] for name in names}}
    membership = row["membership"]
    return doubled(kept) | {
        "tags": [doubled(tag) for tag in row["tags"]],
        "membership": membership and doubled(membership),
        "user": doubled(user),
    }


def plain(_: Switches, row: Row, __: Any) -> Row:
    """Return a row with both names of its ids."""
    return doubled(row)


def under(name: str) -> Callable[[Switches, Row, Any], Row]:
    """Return the function that nests a single object under a name."""
    return lambda _, row, __: {name: doubled(row)}


def inside(name: str) -> Callable[[Switches, Row, Any], Row]:
    """Return the function that adds the older names of ids to an object nested under a name."""
    return lambda _, row, __: {name: row[name] and doubled(row[name])}


def older(source: tuple[Endpoint, ...], name: str, path: str, **changes: Any) -> Endpoint:
    """Return the older generation's variant of an endpoint."""
    endpoint = next(one for one in source if one.name == name)
    return replace(endpoint, path=path, generations=frozenset({LEGACY}), **({"wrap": plain} | changes))


EVENT = {"event_api_id": "event_id"}
ENDPOINTS = (
    older(
        events.ENDPOINTS,
        "events",
        "/v1/calendar/list-events",
        wrap=event_entry,
        params={**TIMES, **PAGING, **sort_by("start_at")},
    ),
    older(
        events.ENDPOINTS,
        "event_details",
        "/v1/event/get",
        wrap=event_details,
        aliases={"id": "event_id", "api_id": "event_id"},
    ),
    older(guests.ENDPOINTS, "event_guests", "/v1/event/get-guests", wrap=guest_entry, aliases=EVENT),
    older(
        guests.ENDPOINTS,
        "guest",
        "/v1/event/get-guest",
        wrap=lambda api, row, record: {"guest": guest(api, row, record)},
        aliases={**EVENT, "api_id": "id", "email": "id", "proxy_key": "id"},
    ),
    older(
        sales.ENDPOINTS,
        "ticket_types",
        "/v1/event/ticket-types/list",
        wrap=ticket_type,
        aliases=EVENT,
        entries="ticket_types",
    ),
    older(
        sales.ENDPOINTS,
        "ticket_type",
        "/v1/event/ticket-types/get",
        wrap=lambda api, row, record: {"ticket_type": ticket_type(api, row, record)},
        aliases={"id": "event_ticket_type_id"},
    ),
    older(sales.ENDPOINTS, "event_coupons", "/v1/event/coupons", wrap=coupon, aliases=EVENT),
    older(sales.ENDPOINTS, "calendar_coupons", "/v1/calendar/coupons", wrap=coupon),
    older(
        calendars.ENDPOINTS,
        "contacts",
        "/v1/calendar/list-people",
        wrap=person,
        params={
            **PAGING,
            **sort_by(*calendars.COLUMNS),
            "query": Param(),
            "tags": Param(many=True, commas=True),
            "calendar_membership_tier_id": Param(),
            "membership_status": Param(one_of(*calendars.STATUSES)),
        },
        aliases={
            "calendar_membership_tier_api_id": "calendar_membership_tier_id",
            "member_status": "membership_status",
        },
    ),
    older(
        calendars.ENDPOINTS,
        "contact_tags",
        "/v1/calendar/list-person-tags",
        answer=calendars.contact_tags_paged,
        params={**PAGING, **DIRECTION, "sort_column": Param()},
    ),
    older(calendars.ENDPOINTS, "event_tags", "/v1/calendar/event-tags/list"),
    older(calendars.ENDPOINTS, "calendar", "/v1/calendar/get", wrap=under("calendar")),
    older(calendars.ENDPOINTS, "calendar_admins", "/v1/calendar/admins/list"),
    older(organization.ENDPOINTS, "lookup", "/v1/calendar/lookup-event", wrap=inside("event"), aliases=EVENT),
    older(organization.ENDPOINTS, "entity", "/v1/entity/lookup", wrap=None),
    older(organization.ENDPOINTS, "self", "/v1/user/get-self", wrap=under("user")),
    older(calendars.ENDPOINTS, "webhook", "/v1/webhooks/get", wrap=under("webhook")),
)
