"""The raw objects that a perfect sync would hold, stream by stream: what the endpoints return, without paging."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.calendly.availability import AVAILABLE_DAYS, BUSY_DAYS
from sandbox.calendly.endpoints import ENDPOINTS
from sandbox.calendly.keys import ADMIN
from sandbox.calendly.listing import Listing
from sandbox.calendly.request import Call
from sandbox.calendly.text import uri, user_uri
from sandbox.http import Refusal, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.calendly.keys import Key
    from sandbox.calendly.switches import Switches


NOTES_CALL = 10


class Reader:
    """Reads everything that one key may see; the key of a member reads in that user's scope."""

    def __init__(self, api: Switches, key: Key = ADMIN) -> None:
        self.api = api
        self.world = api.world
        self.key = key
        self.me = api.user_uri(key)
        self.organization = ("organization", api.organization_uri)
        self.scope = self.organization if key.admin else ("user", self.me)

    def rows(self, name: str, *query: tuple[str, str], uuid: str = "") -> list[Row]:
        """Return all rows of an endpoint; none if it refuses the request."""
        endpoint = ENDPOINTS[name]
        try:
            call = Call.of(self.api, self.key, endpoint, {"uuid": uuid}, list(query))
            found = endpoint.answer(call)
        except Refusal as refusal:
            if refusal.status in {403, 404, 424}:
                return []
            raise
        rows = found.everything() if isinstance(found, Listing) else found
        rows = [rows] if isinstance(rows, dict) else rows
        return [self.api.enrich(endpoint.stream, row) for row in rows]

    def rows_for_each(self, name: str, parameter: str, values: Iterable[str], *more: tuple[str, str]) -> list[Row]:
        """Return all rows of an endpoint for each value of a parameter."""
        return [row for value in values for row in self.rows(name, (parameter, value), *more)]

    def window(self, days: int) -> tuple[tuple[str, str], tuple[str, str]]:
        """Return the parameters of the longest time range that the API allows, from now on."""
        now = self.world.now
        return ("start_time", now.isoformat()), ("end_time", (now + timedelta(days=days)).isoformat())

    def members(self) -> list[str]:
        """Return the addresses of all members."""
        return [user_uri(membership.person) for membership in self.world.memberships.values()]

    def listed_types(self) -> list[str]:
        """Return the addresses of the event types in the list."""
        return [row["uri"] for row in self.rows("event_types", self.scope)]

    def event_types(self) -> list[Row]:
        """Return the list, and the deleted types that an existing event refers to."""
        seen = {row["event_type"] for row in self.rows("scheduled_events", self.scope)}
        gone = [one for one in self.world.event_types.values() if one.deleted_at and uri("event_types", one) in seen]
        hydrated = [row for one in gone for row in self.rows("event_type", uuid=one.id)]
        return self.rows("event_types", self.scope) + hydrated

    def invitees(self) -> list[Row]:
        """Return the invitees of every event in scope."""
        events = self.rows("scheduled_events", self.scope)
        keys = [row["uri"].rsplit("/", 1)[-1] for row in events]
        return [row for key in keys for row in self.rows("event_invitees", uuid=key)]

    def recaps(self) -> list[Row]:
        """Return recaps of all three statuses."""
        return self.rows_for_each("meeting_recaps", "status", ("available", "processing", "unavailable"))

    def transcripts(self) -> list[Row]:
        """Return the transcripts of the available recaps."""
        keys = [row["uri"].rsplit("/", 1)[-1] for row in self.rows("meeting_recaps")]
        return [row for key in keys for row in self.rows("meeting_recap_transcripts", uuid=key)]

    def notes(self) -> list[Row]:
        """Return the key's own notes."""
        uris = [row["uri"] for row in self.rows("contacts")]
        groups = [uris[n : n + NOTES_CALL] for n in range(0, len(uris), NOTES_CALL)]
        return [
            row
            for group in groups
            for row in self.rows("contact_notes", ("contact", ",".join(group)))
            or self.rows_for_each("contact_notes", "contact", group)
        ]

    def webhooks(self) -> list[Row]:
        """Return the organization's webhooks, and each member's own."""
        scope = ("scope", "organization")
        own = self.rows_for_each("webhook_subscriptions", "user", self.members(), ("scope", "user"), self.organization)
        return self.rows("webhook_subscriptions", scope, self.organization) + own


def by_organization(name: str) -> Callable[[Reader], list[Row]]:
    """Return the reader of an endpoint with the parameter `organization`."""
    return lambda reader: reader.rows(name, reader.organization)


def by_member(name: str) -> Callable[[Reader], list[Row]]:
    """Return the reader of an endpoint with the parameter `user`."""
    return lambda reader: reader.rows_for_each(name, "user", reader.members())


def by_type(name: str) -> Callable[[Reader], list[Row]]:
    """Return the reader of an endpoint with the parameter `event_type`."""
    return lambda reader: reader.rows_for_each(name, "event_type", reader.listed_types())


def forms(reader: Reader) -> list[str]:
    """Return the addresses of all forms."""
    return [row["uri"] for row in reader.rows("routing_forms", reader.organization)]


STREAMS: dict[str, Callable[[Reader], list[Row]]] = {
    "api_user": lambda reader: reader.rows("api_user"),
    "organization": lambda reader: reader.rows("organization", uuid=reader.world.organization.id),
    "organization_memberships": lambda reader: reader.rows("organization_memberships", reader.scope),
    "organization_invitations": lambda reader: reader.rows(
        "organization_invitations", uuid=reader.world.organization.id
    ),
    "groups": by_organization("groups"),
    "group_relationships": by_organization("group_relationships"),
    "teams": lambda reader: reader.rows("teams"),
    "event_types": Reader.event_types,
    "event_type_memberships": by_type("event_type_memberships"),
    "scheduled_events": lambda reader: reader.rows("scheduled_events", reader.scope),
    "event_invitees": Reader.invitees,
    "routing_forms": by_organization("routing_forms"),
    "routing_form_submissions": lambda reader: reader.rows_for_each("routing_form_submissions", "form", forms(reader)),
    "user_availability_schedules": by_member("user_availability_schedules"),
    "event_type_availability_schedules": by_type("event_type_availability_schedules"),
    "locations": by_member("locations"),
    "contacts": lambda reader: reader.rows("contacts"),
    "contact_custom_field_definitions": lambda reader: reader.rows("contact_custom_field_definitions"),
    "contact_lists": lambda reader: reader.rows("contact_lists"),
    "contact_notes": Reader.notes,
    "meeting_recaps": Reader.recaps,
    "meeting_recap_transcripts": Reader.transcripts,
    "activity_log_entries": by_organization("activity_log_entries"),
    "outgoing_communications": by_organization("outgoing_communications"),
    "user_busy_times": lambda reader: reader.rows_for_each(
        "user_busy_times", "user", reader.members(), *reader.window(BUSY_DAYS)
    ),
    "event_type_available_times": lambda reader: reader.rows_for_each(
        "event_type_available_times", "event_type", reader.listed_types(), *reader.window(AVAILABLE_DAYS)
    ),
    "webhook_subscriptions": Reader.webhooks,
}
