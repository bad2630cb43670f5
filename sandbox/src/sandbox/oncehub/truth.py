"""The raw objects that a perfect sync would hold, stream by stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.oncehub.endpoints import COLLECTIONS
from sandbox.oncehub.objects import show
from sandbox.oncehub.pages import BOOKING_PAGES
from sandbox.oncehub.people import USERS, availability, user_id

if TYPE_CHECKING:
    from sandbox.http import Row
    from sandbox.oncehub.keys import Key
    from sandbox.oncehub.switches import Switches

STREAMS = (*COLLECTIONS, "user_scheduling_availability", "booking_page_links")
RELATIONS = {"master_page": "master_pages", "event_type": "event_types", "user": "users"}
"""Filters that relate booking pages to another collection, and that collection."""


def truth(api: Switches, stream: str, key: Key) -> list[Row]:
    """Return the objects of a stream that a key can read."""
    if not key.api or (stream == "sms_notifications" and not key.sms):
        return []
    if stream == "booking_page_links":
        return links(api)
    if stream == "user_scheduling_availability":
        users = list(USERS.rows(api))
        return [api.enrich(stream, availability(api, one)) | {"user_id": user_id(api, one)} for one in users]
    collection = COLLECTIONS[stream]
    return [show(api, collection, one) for one in collection.rows(api)]


def links(api: Switches) -> list[Row]:
    """Return the pairs of a booking page and the object that it is related to."""
    return [
        {"booking_page_id": BOOKING_PAGES.ref(api, page), "relation": relation, "related_id": ref}
        for relation, name in RELATIONS.items()
        for ref in (COLLECTIONS[name].ref(api, one) for one in COLLECTIONS[name].rows(api))
        for page in filter(BOOKING_PAGES.filters[relation].keep(api, ref), BOOKING_PAGES.rows(api))
    ]
