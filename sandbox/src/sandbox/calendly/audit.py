"""The endpoints of the activity log, outgoing communications and webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.calendly.listing import Listing
from sandbox.calendly.refusals import denied, invalid
from sandbox.calendly.request import GROUP, ORGANIZATION, TIME, USER, Endpoint, Param, one_of, sort_by
from sandbox.calendly.text import brief, event_uri, is_brief, stamp, stamp_ms, uri, user_uri

if TYPE_CHECKING:
    from sandbox.calendly.request import Call
    from sandbox.http import Row
    from sandbox.world import records as r

MANY = 50
LONGEST_SEARCH = 300
COUNTED = 10_000


def search(text: str) -> str:
    """Parse a search term (Calendly: 300 characters at most)."""
    if len(text) > LONGEST_SEARCH:
        raise ValueError("is too long")
    return text


def actor(call: Call, person: r.Person | None) -> Row:
    """Return the actor of an entry; the system itself has no address."""
    if person is None:
        return {"type": "System", "display_name": "Calendly"}
    roles = {one.person.id: one.role for one in call.world.memberships.values()}
    organization = {"uri": uri("organizations", call.world.organization), "role": roles.get(person.id, "user")}
    return {
        "uri": user_uri(person),
        "type": "User",
        "display_name": person.name,
        "alternative_identifier": person.email,
        "organization": organization,
    }


def log_entry(call: Call, record: r.LogEntry) -> Row:
    """Return an entry of the activity log."""
    write = brief if is_brief(record) else stamp_ms
    return {
        "uri": uri("activity_log_entries", record),
        "occurred_at": write(record.created_at),
        "namespace": record.namespace,
        "action": record.action,
        "fully_qualified_name": f"{record.namespace}.{record.action}",
        "organization": uri("organizations", call.world.organization),
        "details": record.details,
        "actor": actor(call, record.actor),
    }


def list_log(call: Call) -> Listing:
    """List the activity log (Calendly: admins only, latest first by default, three extra keys)."""
    call.as_admin()
    args = call.args
    actors = {one.id for one in args.get("actor", ())}
    namespaces, actions = set(args.get("namespace", ())), set(args.get("action", ()))
    term = args.get("search_term", "").casefold()
    ((_, descending),) = args.get("sort", [("occurred_at", True)])

    def keep(record: r.LogEntry) -> bool:
        return (
            (not actors or (record.actor is not None and record.actor.id in actors))
            and (not namespaces or record.namespace in namespaces)
            and (not actions or record.action in actions)
            and (not term or term in f"{record.namespace}.{record.action}".casefold())
        )

    ordered = call.api.ordered("log", "created_at")
    low, high = args.get("min_occurred_at"), args.get("max_occurred_at")
    listing = Listing(ordered, lambda record: log_entry(call, record), keep, descending, low, high)
    total = sum(1 for _ in listing.walk(None))
    last = next(Listing(ordered, listing.shape, keep, True, low, high).walk(None), None)
    extra = {
        "last_event_time": None if last is None else stamp_ms(ordered.rows[last].created_at),
        "total_count": min(total, COUNTED),
        "exceeds_max_total_count": total > COUNTED,
    }
    return Listing(ordered, listing.shape, keep, descending, low, high, extra)


def message(record: r.Message) -> Row:
    """Return a message, which has neither an address nor an id."""
    host = record.booking.meeting.hosts[0]
    write = brief if is_brief(record) else stamp_ms
    event_type = record.booking.meeting.event_type
    return {
        "type": record.kind,
        "to": record.to,
        "from": record.sender,
        "subject": record.subject,
        "body": record.body,
        "sender_uri": user_uri(host),
        "sender_email": host.email,
        "event_type_uri": uri("event_types", event_type),
        "event_uri": event_uri(record.booking.meeting),
        "scheduling_url": f"https://calendly.com/{host.slug}/{event_type.slug or event_type.id[:8]}",
        "sent_at": write(record.sent_at),
        "created_at": write(record.created_at),
    }


def list_messages(call: Call) -> Listing:
    """List the messages sent to invitees (Calendly: admins only)."""
    call.as_admin()
    low, high = call.args.get("min_created_at"), call.args.get("max_created_at")
    return Listing(call.api.ordered("messages", "created_at"), message, low=low, high=high)


def webhook(call: Call, record: r.Webhook) -> Row:
    """Return a webhook."""
    return {
        "uri": uri("webhook_subscriptions", record),
        "callback_url": record.url,
        "created_at": stamp(record.created_at),
        "updated_at": stamp(record.updated_at),
        "retry_started_at": record.retry_started_at and stamp(record.retry_started_at),
        "state": "active" if record.active else "disabled",
        "events": record.events,
        "scope": record.scope,
        "organization": uri("organizations", call.world.organization),
        "user": record.person and user_uri(record.person),
        "group": None,
        "creator": user_uri(record.creator),
    }


def list_webhooks(call: Call) -> Listing:
    """List webhooks of one scope (Calendly: with the parameter `user` or `group` for those scopes)."""
    args = call.args
    call.own_organization()
    scope = args["scope"]
    if scope != "organization" and scope not in args:
        raise invalid(scope, "is missing")
    person = call.member() if "user" in args else None
    if not (call.key.admin or (scope == "user" and person is call.person)):
        raise denied()
    _, descending = args.get("sort", ("created_at", False))

    def keep(record: r.Webhook) -> bool:
        return record.scope == scope and (scope != "user" or record.person is person)

    ordered = call.api.ordered("webhooks", "created_at")
    return Listing(ordered, lambda record: webhook(call, record), keep, descending)


ENDPOINTS = (
    Endpoint(
        "activity_log_entries",
        "/activity_log_entries",
        "activity_log:read",
        list_log,
        {
            "organization": Param(ORGANIZATION, required=True),
            "min_occurred_at": Param(TIME),
            "max_occurred_at": Param(TIME),
            "actor": Param(USER, many=MANY),
            "namespace": Param(str, many=MANY),
            "action": Param(str, many=MANY),
            "search_term": Param(search),
            "sort": Param(sort_by("occurred_at"), many=1),
        },
        paged=True,
        plan="enterprise",
    ),
    Endpoint(
        "outgoing_communications",
        "/outgoing_communications",
        "outgoing_communications:read",
        list_messages,
        {
            "organization": Param(ORGANIZATION, required=True),
            "min_created_at": Param(TIME),
            "max_created_at": Param(TIME),
        },
        paged=True,
        plan="enterprise",
    ),
    Endpoint(
        "webhook_subscriptions",
        "/webhook_subscriptions",
        "webhooks:read",
        list_webhooks,
        {
            "organization": Param(ORGANIZATION, required=True),
            "scope": Param(one_of("organization", "user", "group"), required=True),
            "user": Param(USER),
            "group": Param(GROUP),
            "sort": Param(sort_by("created_at")),
        },
        paged=True,
    ),
)
