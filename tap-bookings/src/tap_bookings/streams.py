"""All streams of the tap; docs/taps/oncehub-api.md describes the endpoints."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_bookings.client import OnceHubStream
from tap_bookings.incremental import ChunkedFirstLoad, FilteredByTime
from tap_common import Redacted, SingleObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from singer_sdk.helpers.types import Context, Record


class Bookings(ChunkedFirstLoad):
    """Bookings of every status, of booking calendars and of booking pages."""

    name = "bookings"
    path = "/v2/bookings"


class Contacts(ChunkedFirstLoad):
    """Contacts. Deleted and merged ones stay until a full-table run."""

    name = "contacts"
    path = "/v2/contacts"


class BookingCalendars(OnceHubStream):
    """Booking calendars."""

    name = "booking_calendars"
    path = "/v2/booking-calendars"


class BookingPages(OnceHubStream):
    """Booking pages (older product)."""

    name = "booking_pages"
    path = "/v2/booking-pages"


class EventTypes(OnceHubStream):
    """Event types (older product)."""

    name = "event_types"
    path = "/v2/event-types"


class MasterPages(OnceHubStream):
    """Master pages (older product)."""

    name = "master_pages"
    path = "/v2/master-pages"


class Users(OnceHubStream):
    """Users, and the teams of each."""

    name = "users"
    path = "/v2/users"
    skip_if_forbidden = False


class UserSchedulingAvailability(SingleObject, OnceHubStream):
    """Working hours of users, and exceptions by day; a request for each user."""

    name = "user_scheduling_availability"
    path = "/v2/users/{user_id}/scheduling-availability"
    primary_keys = ("user_id",)
    parent_stream_type = Users
    parent_keys = {"user_id": "id"}
    selected_by_default = False


class Teams(OnceHubStream):
    """Teams."""

    name = "teams"
    path = "/v2/teams"


class SmsNotifications(FilteredByTime):
    """Text messages that OnceHub sent. Their status changes later, without an update time."""

    name = "sms_notifications"
    path = "/v2/notifications/sms"
    replication_key = "creation_time"
    time_column = "creation_time"
    overlap = timedelta(days=3)


class Webhooks(Redacted, OnceHubStream):
    """Webhooks, without anything that may be a secret: of their URL only the host, and no new fields."""

    name = "webhooks"
    path = "/v2/webhooks"


class BookingPageLinks(OnceHubStream):
    """Relations of booking pages to master pages, event types and users; a request for each of these."""

    name = "booking_page_links"
    path = "/v2/booking-pages"
    primary_keys = ("booking_page_id", "relation", "related_id")
    selected_by_default = False

    @override
    def contexts(self) -> Iterable[Context]:
        """Return a context for each master page, event type and user: three lists, which are read again here.

        The API shows these relations only by filters of the list of booking pages, and a stream has one parent.
        """
        related = {"master_page": MasterPages, "event_type": EventTypes, "user": Users}
        ids = {
            relation: [row["id"] for row in self.tap.stream(kind).list_rows({})] for relation, kind in related.items()
        }
        return [{"relation": relation, "related_id": id_} for relation in ids for id_ in dict.fromkeys(ids[relation])]

    @property
    @override
    def check_contexts(self) -> Sequence[Context]:
        """A context for the list of booking pages alone."""
        return [{"relation": "user", "related_id": None}]

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        return super().get_url_params(context, next_page_token) | {
            (context or {})["relation"]: (context or {})["related_id"]
        }

    @override
    def transform_record(self, row: Record) -> Record:
        return {"booking_page_id": row["id"]}


# Synced in this order.
STREAMS: tuple[type[OnceHubStream], ...] = (
    Bookings,
    Contacts,
    BookingCalendars,
    BookingPages,
    EventTypes,
    MasterPages,
    Users,
    UserSchedulingAvailability,
    Teams,
    SmsNotifications,
    Webhooks,
    BookingPageLinks,
)
