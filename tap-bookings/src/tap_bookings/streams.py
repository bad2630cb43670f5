"""Every stream of the tap; API.md says what each endpoint does."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_bookings.changing import ChunkedFirstLoad, FilteredByTime
from tap_bookings.client import OnceHubStream
from tap_common import Redacted, SingleObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from singer_sdk.helpers.types import Context, Record


class Bookings(ChunkedFirstLoad):
    """Bookings of every status, of booking calendars and of booking pages."""

    name = "bookings"
    path = "/v2/bookings"


class Contacts(ChunkedFirstLoad):
    """Contacts; those that were deleted or merged stay, unless the stream is read in full."""

    name = "contacts"
    path = "/v2/contacts"


class BookingCalendars(OnceHubStream):
    """Booking calendars."""

    name = "booking_calendars"
    path = "/v2/booking-calendars"


class BookingPages(OnceHubStream):
    """Booking pages, of the older product."""

    name = "booking_pages"
    path = "/v2/booking-pages"


class EventTypes(OnceHubStream):
    """Event types, of the older product."""

    name = "event_types"
    path = "/v2/event-types"


class MasterPages(OnceHubStream):
    """Master pages, of the older product."""

    name = "master_pages"
    path = "/v2/master-pages"


class Users(OnceHubStream):
    """Users, and the teams that each of them is in."""

    name = "users"
    path = "/v2/users"
    skip_if_forbidden = False


class UserSchedulingAvailability(SingleObject, OnceHubStream):
    """Working hours of users, and days that differ: a request for each user."""

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
    """Text messages that OnceHub sent, with their text; their status moves later, without a time."""

    name = "sms_notifications"
    path = "/v2/notifications/sms"
    replication_key = "creation_time"
    time_column = "creation_time"
    overlap = timedelta(days=3)


class Webhooks(Redacted, OnceHubStream):
    """Webhooks, without what may be a secret: of their address only the host, and no new fields."""

    name = "webhooks"
    path = "/v2/webhooks"


class BookingPageLinks(OnceHubStream):
    """Which booking page belongs to which master page, event type and user: a request for each of these."""

    name = "booking_page_links"
    path = "/v2/booking-pages"
    primary_keys = ("booking_page_id", "relation", "related_id")
    selected_by_default = False

    @override
    def contexts(self) -> Iterable[Context]:
        """Each of what a page can belong to: three lists, which are read here once more.

        The API tells of these relations by filters of the list of pages alone, and a stream has one parent.
        """
        related = {"master_page": MasterPages, "event_type": EventTypes, "user": Users}
        ids = {
            relation: [row["id"] for row in self.tap.stream(kind).list_records({})]
            for relation, kind in related.items()
        }
        return [{"relation": relation, "related_id": id_} for relation in ids for id_ in dict.fromkeys(ids[relation])]

    @property
    @override
    def check_contexts(self) -> Sequence[Context]:
        """The list of pages itself: what pages can belong to need not be listed for that."""
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
