"""The endpoints of links, workflows, rules, webhooks, and the current user."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeVar

from sandbox.savvycal.event_rows import fields, scope
from sandbox.savvycal.paging import Listing
from sandbox.savvycal.refusals import not_found
from sandbox.savvycal.request import LINKS, Endpoint
from sandbox.savvycal.text import id_of, stamp
from sandbox.world import records as r

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.http import Row
    from sandbox.savvycal.request import Call
    from sandbox.world.invitations import Rule, Workflow

R = TypeVar("R", bound=r.Record)


def by_id(prefix: str, records: Iterable[R]) -> list[tuple[tuple[int, str], R]]:
    """Return records by id, which is their order of creation."""
    return sorted((((0, id_of(prefix, record)), record) for record in records), key=lambda row: row[0])


def find(call: Call, prefix: str, records: Iterable[R]) -> R:
    """Return the record with the id in the path.

    Raises:
        Refusal: there is none, or the caller may not see it.
    """
    for record in records:
        if id_of(prefix, record) == call.path["id"]:
            return record
    raise not_found()


def my_links(call: Call) -> list[r.EventType]:
    """Return the links that the caller sees: their own and their teams', or everybody's for the owner's key."""

    def mine(kind: r.EventType) -> bool:
        people = kind.owner.people if isinstance(kind.owner, r.Team) else [kind.owner]
        return call.key.everybody or call.person in people

    return [kind for kind in call.world.event_types.values() if kind.deleted_at is None and mine(kind)]


def link(kind: r.EventType) -> Row:
    """Return the row of a link, which has no times (SavvyCal: and no address)."""
    return {
        "id": id_of("link", kind),
        "state": "active" if kind.active else "disabled",
        "slug": kind.slug or "once",
        "name": kind.name,
        "private_name": kind.internal_note or None,
        "description": kind.description,
        "durations": kind.minutes_options or [kind.minutes],
        "default_duration": kind.minutes if kind.minutes_options is None else None,
        "increment": 15 if kind.minutes % 30 else 30,
        "scope": None if kind.one_off else scope(kind),
        "fields": fields(kind),
    }


def links(call: Call) -> Listing:
    """Return the links, by default all (unverified; with the switch `links_list_all` off only the active ones)."""
    state = call.args.get("state", "all" if call.api.links_list_all else "active")
    kinds = [kind for kind in my_links(call) if state == "all" or kind.active == (state == "active")]
    return Listing(by_id("link", kinds), link)


def one_link(call: Call) -> Row:
    """Return one link; a deleted one is not found."""
    return link(find(call, "link", my_links(call)))


def my_workflows(call: Call) -> list[Workflow]:
    """Return the workflows that the caller may edit."""
    everything = call.world.invites.workflows.values()
    return [one for one in everything if call.key.everybody or one.person is call.person]


def workflow(one: Workflow) -> Row:
    """Return the row of a workflow, without its rules."""
    state = "active" if one.active else "disabled"
    return {"id": id_of("wkflw", one), "name": one.name, "state": state, "created_at": stamp(one.created_at)}


def workflows(call: Call) -> Listing:
    """Return the workflows."""
    return Listing(by_id("wkflw", my_workflows(call)), workflow)


def rule(one: Rule) -> Row:
    """Return the row of a rule; it does not name its workflow."""
    actions = [
        {
            "id": id_of("waction", action),
            "type": action.kind,
            "properties": action.properties,
            "created_at": stamp(action.created_at),
        }
        for action in one.actions
    ]
    return {
        "id": id_of("wrule", one),
        "trigger_type": one.trigger,
        "trigger_offset_amount": one.amount,
        "trigger_offset_unit": one.unit,
        "trigger_offset_direction": one.direction,
        "created_at": stamp(one.created_at),
        "actions": actions,
    }


def rules(call: Call) -> list[Row]:
    """Return the rules of a workflow, without pages."""
    return [rule(one) for one in find(call, "wkflw", my_workflows(call)).rules]


def my_webhooks(call: Call) -> list[r.Webhook]:
    """Return the webhooks that the caller created."""
    everything = call.world.webhooks.values()
    return [hook for hook in everything if call.key.everybody or hook.creator is call.person]


def webhook(hook: r.Webhook) -> Row:
    """Return the row of a webhook, with its secret (SavvyCal: every response has it)."""
    return {
        "id": id_of("wh", hook),
        "url": hook.url,
        "state": "active" if hook.active else "disabled",
        "version": "2020-11-18",
        "created_at": stamp(hook.created_at),
        "secret": f"whsec_{hashlib.blake2b(hook.id.encode(), digest_size=16).hexdigest()}",
    }


def webhooks(call: Call) -> Listing:
    """Return the webhooks."""
    return Listing(by_id("wh", my_webhooks(call)), webhook)


def one_webhook(call: Call) -> Row:
    """Return one webhook."""
    return webhook(find(call, "wh", my_webhooks(call)))


def me(call: Call) -> Row:
    """Return the current user."""
    person = call.person
    first, _, last = person.name.partition(" ")
    return {
        "id": id_of("user", person),
        "email": person.email,
        "display_name": person.name,
        "first_name": first,
        "last_name": last,
        "avatar_url": person.avatar_url,
        "time_zone": person.timezone,
        "time_format": "12hr" if person.time_notation == "12h" else "24hr",
        "first_day_of_week": 1 if person.locale == "de" else 0,
        "plan": "premium",
    }


ENDPOINTS = (
    Endpoint("current_user", "/v1/me", me),
    Endpoint("scheduling_links", "/v1/links", links, LINKS, paged=True),
    Endpoint("scheduling_links", "/v1/links/{id}", one_link),
    Endpoint("workflows", "/v1/workflows", workflows, paged=True),
    Endpoint("workflow_rules", "/v1/workflows/{id}/rules", rules, parent=("workflows", "workflow_id")),
    Endpoint("webhooks", "/v1/webhooks", webhooks, paged=True),
    Endpoint("webhooks", "/v1/webhooks/{id}", one_webhook),
)
