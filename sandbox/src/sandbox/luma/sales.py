"""The endpoints of ticket types, coupons and blasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.luma.listing import Listing, Ordered
from sandbox.luma.refusals import not_found
from sandbox.luma.request import EVENT, PAGING, Endpoint, Param, boolean
from sandbox.luma.text import event_id, maybe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.http import Row
    from sandbox.luma.request import Call
    from sandbox.world.gatherings import records as g


def ticket_type(kind: g.TicketKind) -> Row:
    """Return a ticket type; a free one has no fields of money."""
    row = {
        "id": f"ttype-{kind.id}",
        "name": kind.name,
        "type": "paid" if kind.paid else "free",
        "require_approval": kind.require_approval,
        "is_hidden": kind.hidden,
        "is_flexible": kind.flexible,
        "description": kind.description,
        "valid_start_at": kind.valid_start,
        "valid_end_at": kind.valid_end,
        "max_capacity": kind.capacity,
    }
    return row | {"cents": kind.cents, "min_cents": kind.least_cents, "currency": kind.currency} if kind.paid else row


def ticket_types(call: Call) -> list[Row]:
    """List an event's ticket types (Luma: hidden ones only with include_hidden=true)."""
    hidden = call.args.get("include_hidden", False)
    kinds = [kind for kind in call.event().kinds if hidden or not kind.hidden]
    return call.rows("ticket_types", map(ticket_type, kinds))


def one_ticket_type(call: Call) -> Row:
    """Return one ticket type."""
    for gathering in call.gs.gatherings.values():
        for kind in gathering.kinds:
            if f"ttype-{kind.id}" == call.args["event_ticket_type_id"]:
                call.managed(gathering)
                return call.api.enrich("ticket_types", ticket_type(kind))
    raise not_found()


def coupon(call: Call, stream: str) -> Callable[[g.Coupon], Row]:
    """Return the function that makes a row of a list of coupons."""

    def shape(coupon: g.Coupon) -> Row:
        row = {
            "id": coupon.id,
            "code": coupon.code,
            "remaining_count": coupon.remaining,
            "valid_start_at": maybe(coupon.valid_start, coupon.serial),
            "valid_end_at": maybe(coupon.valid_end, coupon.serial),
            "percent_off": coupon.percent,
            "cents_off": coupon.cents,
            "currency": coupon.currency,
        }
        if stream == "event_coupons":
            row["event_ticket_type_id"] = coupon.kind and f"ttype-{coupon.kind.id}"
        return call.api.enrich(stream, row)

    return shape


def by_age(coupons: Sequence[g.Coupon]) -> Ordered:
    """Return coupons in order of creation."""
    return Ordered.by(lambda coupon: coupon.created_at, coupons)


def event_coupons(call: Call) -> Listing:
    """List an event's coupons."""
    return Listing(by_age(call.event().coupons), coupon(call, "event_coupons"))


def calendar_coupons(call: Call) -> Listing:
    """List the coupons that are valid for all of a calendar's events."""
    return Listing(by_age(call.calendar.coupons), coupon(call, "calendar_coupons"))


def blast(call: Call) -> Callable[[g.Mailing], Row]:
    """Return the function that makes a row of a blast."""

    def shape(mailing: g.Mailing) -> Row:
        scheduled = mailing.status == "scheduled"
        row = {
            "id": f"ep-{mailing.id}",
            "subject": mailing.subject,
            "content_md": mailing.content,
            "status": mailing.status,
            "scheduled_for": maybe(mailing.scheduled_for, mailing.serial, mailing.gathering.timezone),
            "sent_at": maybe(mailing.sent_at, mailing.serial, mailing.gathering.timezone),
            "recipient_groups": [
                {"status": status, **({"event_ticket_type_id": f"ttype-{kind.id}"} if kind else {})}
                for status, kind in mailing.groups
            ],
            "recipient_count": mailing.recipients,
            "email_open_count": mailing.opens,
            "sender": mailing.sender and {"type": "user", "name": mailing.sender.name},
            "can_edit": scheduled,
            "can_reschedule": scheduled,
        }
        if call.api.blasts_carry_event_id:
            row["event_id"] = event_id(mailing.gathering)
        return call.api.enrich("event_blasts", row)

    return shape


def blasts(call: Call) -> list[Row]:
    """List an event's blasts, the newest first."""
    return list(map(blast(call), reversed(call.event().mailings)))


def one_blast(call: Call) -> Row:
    """Return one blast."""
    for gathering in call.gs.gatherings.values():
        for mailing in gathering.mailings:
            if f"ep-{mailing.id}" == call.args["blast_id"]:
                call.managed(gathering)
                return blast(call)(mailing)
    raise not_found()


ENDPOINTS = (
    Endpoint(
        "ticket_types",
        "/v1/events/ticket-types/list",
        ticket_types,
        {**EVENT, "include_hidden": Param(boolean)},
        "event",
    ),
    Endpoint(
        "ticket_type",
        "/v1/events/ticket-types/get",
        one_ticket_type,
        {"event_ticket_type_id": Param(required=True)},
        "event",
    ),
    Endpoint("event_coupons", "/v1/events/coupons/list", event_coupons, {**EVENT, **PAGING}, "event"),
    Endpoint("calendar_coupons", "/v1/calendars/coupons/list", calendar_coupons, PAGING),
    Endpoint("event_blasts", "/v1/events/blasts/list", blasts, EVENT, "event"),
    Endpoint("blast", "/v1/events/blasts/get", one_blast, {"blast_id": Param(required=True)}, "event"),
)
