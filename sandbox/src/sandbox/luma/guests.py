"""The endpoints of guests, with their tickets and orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.luma.listing import Listing, Ordered
from sandbox.luma.refusals import not_found
from sandbox.luma.request import EVENT, PAGING, Endpoint, Param, one_of, sort_by
from sandbox.luma.text import event_id, maybe, names, user_id
from sandbox.typed import as_typed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sandbox.http import Row
    from sandbox.luma.request import Call
    from sandbox.world.gatherings import records as g

STATUSES = ("approved", "session", "pending_approval", "invited", "declined", "waitlist")


def first_check_in(guest: g.Guest) -> datetime | None:
    """Return the time of a guest's first check-in."""
    return min((ticket.checked_in_at for ticket in guest.tickets if ticket.checked_in_at), default=None)


COLUMNS: dict[str, Callable[[g.Guest], Any]] = {
    "name": lambda guest: None if guest.attendee.name is None else guest.attendee.name.casefold(),
    "email": lambda guest: as_typed(guest.attendee.email, guest.serial),
    "created_at": lambda guest: guest.created_at,
    "registered_at": lambda guest: guest.registered_at,
    "checked_in_at": first_check_in,
}


def ticket_row(ticket: g.Ticket) -> Row:
    """Return one ticket."""
    guest, kind = ticket.guest, ticket.kind
    return {
        "id": ticket.id,
        "event_ticket_type_id": f"ttype-{kind.id}",
        "name": kind.name,
        "amount": ticket.amount,
        "amount_discount": ticket.discount,
        "amount_tax": ticket.tax,
        "currency": kind.currency,
        "is_captured": ticket.captured,
        "checked_in_at": maybe(ticket.checked_in_at, guest.number, guest.gathering.timezone),
    }


def answer_row(answer: g.Answer) -> Row:
    """Return an answer; the type of its value depends on the question."""
    question = answer.question
    return {
        "label": question.label,
        "question_id": question.id,
        "question_type": question.kind,
        "value": answer.value,
    }


def guest(call: Call) -> Callable[[g.Guest], Row]:
    """Return the function that makes a row of the list."""

    def shape(guest: g.Guest) -> Row:
        attendee, number, zone = guest.attendee, guest.number, guest.gathering.timezone
        row = {
            "id": f"gst-{guest.id}",
            "user_id": user_id(attendee),
            "user_email": as_typed(attendee.email, guest.serial),
            **names(attendee, "user_"),
            "approval_status": guest.status,
            "check_in_qr_code": f"https://luma.com/check-in/{event_id(guest.gathering)}?pk=g-{guest.key}",
            "registered_at": maybe(guest.registered_at, number, zone),
            "invited_at": maybe(guest.invited_at, number, zone),
            "joined_at": maybe(guest.joined_at, number, zone),
            "phone_number": attendee.phone,
            "eth_address": attendee.ethereum,
            "solana_address": attendee.solana,
            "utm_source": guest.source,
            "registration_answers": None if guest.answers is None else [answer_row(one) for one in guest.answers],
            "event_tickets": call.rows("event_tickets", map(ticket_row, guest.tickets)),
        }
        return call.api.enrich("event_guests", row)

    return shape


def guests(call: Call) -> Listing:
    """List the guests of an event, the newest first and of all statuses by default."""
    gathering, args = call.event(), call.args
    column = args.get("sort_column", "created_at")
    direction = args.get("sort_direction", "asc" if "sort_column" in args else "desc")
    status = args.get("approval_status")
    nulls_first = direction == "desc nulls last"

    def order() -> Ordered:
        return Ordered.by(COLUMNS[column], gathering.guests.values(), nulls_first=nulls_first)

    ordered = call.api.cached(("guests", gathering.id, column, nulls_first), order)
    keep = None if status is None else lambda guest: guest.status == status
    return Listing(ordered, guest(call), keep, direction.startswith("desc"))


def order_row(order: g.Order) -> Row:
    """Return one order, the only object that names the coupon."""
    coupon = order.coupon
    return {
        "id": order.id,
        "amount": order.amount,
        "amount_discount": order.discount,
        "amount_tax": order.tax,
        "currency": order.currency,
        "is_captured": order.captured,
        "coupon_info": coupon
        and {
            "api_id": coupon.id,
            "code": coupon.code,
            "percent_off": coupon.percent,
            "cents_off": coupon.cents,
            "currency": coupon.currency,
        },
    }


def one_guest(call: Call) -> Row:
    """Return one guest with orders, found by id, key, ticket or e-mail address."""
    gathering = call.event()
    known: dict[str, g.Guest] = call.api.cached(("guest", gathering.id), lambda: index(gathering))
    found = known.get(call.args["id"])
    if found is None:
        raise not_found()
    return guest(call)(found) | {"event_ticket_orders": call.rows("guest_orders", map(order_row, found.orders))}


def index(gathering: g.Gathering) -> dict[str, g.Guest]:
    """Return an event's guests by each of their ids, keys, tickets and addresses."""
    known: dict[str, g.Guest] = {}
    for found in gathering.guests.values():
        email = as_typed(found.attendee.email, found.serial)
        names = (
            f"gst-{found.id}",
            f"g-{found.key}",
            email,
            found.attendee.email,
            *(ticket.id for ticket in found.tickets),
        )
        known |= dict.fromkeys(names, found)
    return known


ENDPOINTS = (
    Endpoint(
        "event_guests",
        "/v1/events/guests/list",
        guests,
        {**EVENT, **PAGING, **sort_by(*COLUMNS), "approval_status": Param(one_of(*STATUSES))},
        "event",
    ),
    Endpoint("guest", "/v1/events/guests/get", one_guest, {**EVENT, "id": Param(required=True)}, "event"),
)
