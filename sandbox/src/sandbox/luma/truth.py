"""The raw objects that a perfect sync would hold, stream by stream: what the endpoints return, without paging."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.http import Refusal, Row
from sandbox.luma.endpoints import call_to
from sandbox.luma.keys import ORGANIZATION
from sandbox.luma.listing import Listing

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.luma.keys import Key
    from sandbox.luma.switches import Switches


class Reader:
    """Reads everything that one key may see, in the format of the current generation."""

    def __init__(self, api: Switches, key: Key) -> None:
        self.api = api
        self.key = key

    def rows(self, name: str, *query: tuple[str, str]) -> list[Row]:
        """Return all rows of an endpoint; none if it refuses the request."""
        try:
            call, _ = call_to(self.api, name, self.key, query)
            found = call.endpoint.answer(call)
        except Refusal as refusal:
            if refusal.status in {403, 404}:
                return []
            raise
        rows = found.everything() if isinstance(found, Listing) else found
        return [rows] if isinstance(rows, dict) else rows

    def events(self) -> list[str]:
        """Return the ids of all events whose guests the key may see."""
        name = "organization_events" if self.key.calendar is None else "events"
        return [row["id"] for row in self.rows(name)]

    def of_events(self, name: str, *query: tuple[str, str]) -> list[Row]:
        """Return the rows of every event, with its id."""
        return [
            {**row, "event_id": event}
            for event in self.events()
            for row in self.rows(name, ("event_id", event), *query)
        ]

    def details(self) -> list[Row]:
        """Return the details of every event."""
        return [row for event in self.events() for row in self.rows("event_details", ("event_id", event))]

    def hosts(self) -> list[Row]:
        """Return the hosts of every event."""
        return [{**host, "event_id": row["id"]} for row in self.details() for host in row["hosts"]]

    def tickets(self) -> list[Row]:
        """Return the tickets of every guest."""
        return [
            {**ticket, "event_id": row["event_id"], "guest_id": row["id"]}
            for row in self.of_events("event_guests")
            for ticket in row["event_tickets"]
        ]

    def admins(self) -> list[Row]:
        """Return the admins of the key's calendar, with its id: a person may administer several calendars."""
        return [
            {**row, "calendar_id": one["id"]} for one in self.rows("calendar") for row in self.rows("calendar_admins")
        ]

    def orders(self) -> list[Row]:
        """Return the orders of every guest."""
        return [
            {**order, "event_id": row["event_id"], "guest_id": row["id"]}
            for row in self.of_events("event_guests")
            for one in self.rows("guest", ("event_id", row["event_id"]), ("id", row["id"]))
            for order in one["event_ticket_orders"]
        ]


def same(name: str) -> Callable[[Reader], list[Row]]:
    """Return the reader of a stream that is a single list or object."""
    return lambda reader: reader.rows(name)


def of_organization(name: str) -> Callable[[Reader], list[Row]]:
    """Return the reader of a stream that only the organization's key may see; it reads with that key."""
    return lambda reader: Reader(reader.api, ORGANIZATION).rows(name)


STREAMS: dict[str, Callable[[Reader], list[Row]]] = {
    "events": same("events"),
    "event_guests": lambda reader: reader.of_events("event_guests"),
    "event_details": Reader.details,
    "event_hosts": Reader.hosts,
    "event_tickets": Reader.tickets,
    "ticket_types": lambda reader: reader.of_events("ticket_types", ("include_hidden", "true")),
    "event_coupons": lambda reader: reader.of_events("event_coupons"),
    "calendar_coupons": same("calendar_coupons"),
    "event_blasts": lambda reader: reader.of_events("event_blasts"),
    "contacts": same("contacts"),
    "contact_tags": same("contact_tags"),
    "event_tags": same("event_tags"),
    "calendar": same("calendar"),
    "calendar_admins": Reader.admins,
    "membership_tiers": same("membership_tiers"),
    "guest_orders": Reader.orders,
    "organization_calendars": of_organization("organization_calendars"),
    "organization_events": of_organization("organization_events"),
    "organization_admins": of_organization("organization_admins"),
    "webhooks": same("webhooks"),
}
"""Readers of all streams, by name."""
