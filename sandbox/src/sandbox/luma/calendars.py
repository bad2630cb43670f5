"""The endpoints of a calendar: its admins, tags, contacts, membership tiers and webhooks."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sandbox.luma.listing import Listing, Ordered
from sandbox.luma.refusals import not_found
from sandbox.luma.request import PAGING, Endpoint, Param, one_of, sort_by
from sandbox.luma.switches import CURRENT, LEGACY
from sandbox.luma.text import account, avatar_url, calendar_id, names, stamp, user_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.http import Row
    from sandbox.luma.request import Call
    from sandbox.world import records as r
    from sandbox.world.gatherings import records as g

HANDLES = ("instagram", "twitter", "youtube")
TYPES = {"organization": ["*"], "user": ["guest.registered", "guest.updated", "ticket.registered", "event.canceled"]}


def calendar_row(calendar: g.Calendar) -> Row:
    """Return a calendar."""
    coordinate = calendar.coordinate
    return {
        "id": calendar_id(calendar),
        "name": calendar.name,
        "url": f"https://luma.com/{calendar.slug}",
        "slug": calendar.slug,
        "avatar_url": None if calendar.personal else f"https://images.example/calendars/{calendar.slug}.png",
        "description": calendar.description,
        "social_image_url": None,
        "cover_image_url": f"https://images.example/calendars/{calendar.slug}-cover.png" if calendar.place else None,
        **{f"{name}_handle": calendar.handles.get(name) for name in HANDLES},
        "website": calendar.handles.get("website"),
        "is_personal": calendar.personal,
        "location": calendar.place,
        "coordinate": coordinate and {"longitude": coordinate[1], "latitude": coordinate[0]},
    }


def calendar(call: Call) -> Row:
    """Return the key's calendar."""
    return call.api.enrich("calendar", calendar_row(call.calendar))


def admins(call: Call) -> list[Row]:
    """List the admins of the calendar."""
    return call.rows("calendar_admins", map(account, call.calendar.admins))


def tag_row(tag: g.Tag) -> Row:
    """Return a tag."""
    return {"id": f"tag-{tag.id}", "name": tag.name, "color": tag.color}


def contact_tags(call: Call) -> list[Row]:
    """List the tags of contacts."""
    return call.rows("contact_tags", map(tag_row, call.calendar.contact_tags))


def contact_tags_paged(call: Call) -> Listing:
    """List the tags of contacts in pages, as the older endpoint does."""
    by_name = call.args.get("sort_column") == "name"
    ordered = Ordered.by(lambda tag: tag.name if by_name else tag.created_at, call.calendar.contact_tags)
    descending = call.args.get("sort_direction", "asc").startswith("desc")
    return Listing(ordered, lambda tag: call.api.enrich("contact_tags", tag_row(tag)), None, descending)


def event_tags(call: Call) -> list[Row]:
    """List the tags of events."""
    return call.rows("event_tags", map(tag_row, call.calendar.event_tags))


COLUMNS: dict[str, Callable[[g.Contact], Any]] = {
    "created_at": lambda contact: contact.created_at,
    "event_checked_in_count": lambda contact: contact.checked_in,
    "event_approved_count": lambda contact: contact.approved,
    "name": lambda contact: None if contact.attendee.name is None else contact.attendee.name.casefold(),
    "revenue_usd_cents": lambda contact: contact.revenue,
}
STATUSES = ("approved", "pending", "approved-pending-payment", "declined")


def contact_row(contact: g.Contact) -> Row:
    """Return a contact."""
    attendee, membership = contact.attendee, contact.membership
    return {
        "id": contact.id,
        "user_id": user_id(attendee),
        "email": attendee.email,
        "avatar_url": avatar_url(attendee),
        **names(attendee),
        "created_at": stamp(contact.created_at, contact.serial),
        "event_approved_count": contact.approved,
        "event_checked_in_count": contact.checked_in,
        "revenue_usd_cents": contact.revenue,
        "tags": [{"id": f"tag-{tag.id}", "name": tag.name} for tag in contact.tags],
        "membership": membership
        and {"status": membership[0], "calendar_membership_tier_id": membership[1] and membership[1].id},
    }


def contacts(call: Call) -> Listing:
    """List the contacts, the newest first by default."""
    owner, args = call.calendar, call.args
    column = args.get("sort_column", "created_at")
    direction = args.get("sort_direction", "asc" if "sort_column" in args else "desc")
    nulls_first = direction == "desc nulls last"
    words: str = args.get("query", "").casefold()
    tags = set(args.get("tags", ()))
    tier, status = args.get("calendar_membership_tier_id"), args.get("membership_status")

    def keep(contact: g.Contact) -> bool:
        known = f"{contact.attendee.name or ''} {contact.attendee.email}".casefold()
        labels = {label for tag in contact.tags for label in (f"tag-{tag.id}", tag.name)}
        standing, of = contact.membership or (None, None)
        return (
            words in known
            and (not tags or not tags.isdisjoint(labels))
            and (tier is None or (of is not None and of.id == tier))
            and (status is None or standing == status)
        )

    def order() -> Ordered:
        return Ordered.by(COLUMNS[column], owner.contacts.values(), nulls_first=nulls_first)

    ordered = call.api.cached(("contacts", owner.id, column, nulls_first), order)
    filtered = words or tags or tier is not None or status is not None
    shape = lambda contact: call.api.enrich("contacts", contact_row(contact))  # noqa: E731 -- shorter than a def
    return Listing(ordered, shape, keep if filtered else None, direction.startswith("desc"))


def tier_row(tier: g.Tier) -> Row:
    """Return a membership tier."""
    access: Row = {"type": {"free": "free", "once": "payment-once", "recurring": "payment-recurring"}[tier.kind]}
    if tier.kind == "once":
        access |= {"amount": tier.amount, "currency": tier.currency}
    elif tier.kind == "recurring":
        access |= {"currency": tier.currency, "stripe_account_id": "acct_1", "stripe_product_id": f"prod_{tier.id}"}
        access |= {"stripe_monthly_price_id": f"price_m{tier.id}", "amount_monthly": tier.monthly}
        if tier.yearly is not None:
            access |= {"stripe_yearly_price_id": f"price_y{tier.id}", "amount_yearly": tier.yearly}
    return {
        "id": tier.id,
        "name": tier.name,
        "tint_color": tier.color,
        "description": tier.description,
        "access_info": access | {"require_approval": tier.require_approval},
    }


def tiers(call: Call) -> Listing:
    """List the membership tiers."""
    ordered = Ordered.by(lambda tier: tier.created_at, call.calendar.tiers)
    return Listing(ordered, lambda tier: call.api.enrich("membership_tiers", tier_row(tier)))


def webhook_row(hook: r.Webhook) -> Row:
    """Return a webhook, with the secret that signs its messages."""
    return {
        "id": hook.id,
        "url": hook.url,
        "event_types": TYPES[hook.scope],
        "status": "active" if hook.active else "paused",
        "created_at": stamp(hook.created_at, hook.serial),
        "secret": f"whsec_{hashlib.sha256(hook.id.encode()).hexdigest()[:32]}",
    }


def hooks(call: Call) -> list[r.Webhook]:
    """Return the webhooks of the key's calendar; all of the organization's belong to the main calendar."""
    return list(call.api.world.webhooks.values()) if call.calendar is call.gs.main else []


def webhooks(call: Call) -> Listing:
    """List the webhooks."""
    ordered = Ordered.by(lambda hook: hook.created_at, hooks(call))
    return Listing(ordered, lambda hook: call.api.enrich("webhooks", webhook_row(hook)))


def webhook(call: Call) -> Row:
    """Return one webhook."""
    found = next((hook for hook in hooks(call) if hook.id == call.args["id"]), None)
    if found is None:
        raise not_found()
    return call.api.enrich("webhooks", webhook_row(found))


ENDPOINTS = (
    Endpoint("calendar", "/v1/calendars/get", calendar),
    Endpoint("calendar_admins", "/v1/calendars/admins/list", admins, tells_more=True),
    Endpoint("contact_tags", "/v1/calendars/contact-tags/list", contact_tags, tells_more=True),
    Endpoint("event_tags", "/v1/calendars/event-tags/list", event_tags, tells_more=True),
    Endpoint(
        "contacts",
        "/v1/calendars/contacts/list",
        contacts,
        {
            **PAGING,
            **sort_by(*COLUMNS),
            "query": Param(),
            "tags": Param(many=True),
            "calendar_membership_tier_id": Param(),
            "membership_status": Param(one_of(*STATUSES)),
        },
    ),
    Endpoint("membership_tiers", "/v1/memberships/tiers/list", tiers, PAGING),
    Endpoint("webhooks", "/v1/webhooks/list", webhooks, PAGING, generations=frozenset({CURRENT, LEGACY})),
    Endpoint("webhook", "/v2/webhooks/get", webhook, {"id": Param(required=True)}),
)
