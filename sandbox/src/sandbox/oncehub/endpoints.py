"""The table of collections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.oncehub.bookings import BOOKINGS, CONVERSATIONS
from sandbox.oncehub.messages import SMS_NOTIFICATIONS, WEBHOOKS
from sandbox.oncehub.pages import BOOKING_CALENDARS, BOOKING_PAGES, EVENT_TYPES, MASTER_PAGES
from sandbox.oncehub.people import CONTACTS, TEAMS, USERS

if TYPE_CHECKING:
    from sandbox.oncehub.collection import Collection

COLLECTIONS: dict[str, Collection] = {
    one.name: one
    for one in (
        BOOKINGS,
        CONTACTS,
        BOOKING_CALENDARS,
        BOOKING_PAGES,
        EVENT_TYPES,
        MASTER_PAGES,
        USERS,
        TEAMS,
        SMS_NOTIFICATIONS,
        WEBHOOKS,
    )
}
"""Collections with an endpoint, by name."""
OBJECTS = COLLECTIONS | {"conversations": CONVERSATIONS}
"""Collections whose objects an id can be expanded to, by name."""
