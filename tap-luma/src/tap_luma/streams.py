"""All streams of the tap; docs/taps/luma-api.md describes the endpoints."""

from __future__ import annotations

from datetime import timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from tap_common import (
    CREDENTIAL,
    EmbeddedStream,
    EndlessListError,
    ExpiredCursorError,
    ForbiddenError,
    NoSuchListError,
    NotFoundError,
    Redacted,
    RequestError,
    SingleObject,
    Unpaged,
)
from tap_common.http.jsonpath import find
from tap_common.http.prefetch import prefetch
from tap_common.state.timestamps import zulu
from tap_luma.client import LumaStream
from tap_luma.names import (
    add_both_names,
    add_both_names_to_list,
    add_both_names_to_object,
    earliest,
    location_fields,
    meeting_link_fields,
    unwrap,
)
from tap_luma.windowed import InWindow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from singer_sdk.helpers.types import Context, Record

    Rank = tuple[bool, bool, bool]

_DESCRIPTIONS = ("description", "description_md")
# By creation, which does not change; ascending, so that guests added while pages are read are on the last page.
_IN_ORDER = {"sort_column": "created_at", "sort_direction": "asc"}


class Calendars(SingleObject, LumaStream):
    """Calendar of each key; the run's first requests."""

    name = "calendar"
    path = "/v1/calendars/get"
    legacy_path = "/v1/calendar/get"
    legacy_records_jsonpath = "$.calendar"
    skip_if_forbidden = False

    @override
    def read_list(self, context: Context) -> Iterator[Record]:
        """Return the row that the check of the key has read already."""
        return iter([self.tap.calendars[context["calendar_id"]].row])


class CalendarAdmins(Unpaged, LumaStream):
    """Administrators of calendars."""

    name = "calendar_admins"
    path = "/v1/calendars/admins/list"
    legacy_path = "/v1/calendar/admins/list"
    primary_keys = ("calendar_id", "id")  # users, who may administer several


class EventTags(Unpaged, LumaStream):
    """Tags for events."""

    name = "event_tags"
    path = "/v1/calendars/event-tags/list"
    legacy_path = "/v1/calendar/event-tags/list"


class ContactTags(Unpaged, LumaStream):
    """Tags for contacts."""

    name = "contact_tags"
    path = "/v1/calendars/contact-tags/list"
    legacy_path = "/v1/calendar/list-person-tags"


class MembershipTiers(LumaStream):
    """Tiers of membership in a calendar."""

    name = "membership_tiers"
    path = "/v1/memberships/tiers/list"


class CalendarCoupons(LumaStream):
    """Coupons for all events of a calendar. Their use shows only in `remaining_count`."""

    name = "calendar_coupons"
    path = "/v1/calendars/coupons/list"
    legacy_path = "/v1/calendar/coupons"


class Contacts(LumaStream):
    """People of a calendar. Their counters and tags change without an update time."""

    name = "contacts"
    path = "/v1/calendars/contacts/list"
    legacy_path = "/v1/calendar/list-people"

    @override
    def transform_record(self, row: Record) -> Record:
        person = row.get("user")
        if isinstance(person, dict):
            account = add_both_names(person)
            entry = {name: value for name, value in row.items() if name != "user" and value is not None}
            row = account | {"user_id": account.get("id")} | add_both_names(entry)
        row = super().transform_record(row)
        membership = add_both_names_to_object(row.get("membership"))
        return row | {"tags": add_both_names_to_list(row.get("tags")), "membership": membership}


class OneEvent(LumaStream):
    """Events, from any endpoint."""

    @override
    def transform_record(self, row: Record) -> Record:
        row = super().transform_record(row)
        lists = {name: add_both_names_to_list(row[name]) for name in ("tags", "hosts") if name in row}
        return row | location_fields(row) | meeting_link_fields(row) | lists


class Events(OneEvent):
    """Events of the calendars, past and future, each once. Luma deletes cancelled events."""

    name = "events"
    path = "/v1/calendars/events/list"
    legacy_path = "/v1/calendar/list-events"
    legacy_wrapper = "event"
    primary_keys = ("api_id",)
    skip_if_forbidden = False

    @override
    def contexts(self) -> Iterable[Context]:
        pending = self.config["include_pending"] and not self.tap.legacy
        statuses = ("approved", "pending") if pending else ("approved",)
        return [{**context, "submission_status": status} for context in super().contexts() for status in statuses]

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        current = not self.tap.legacy
        return super().get_url_params(context, next_page_token) | {
            "after": after_parameter(self.tap.start_date),
            "status": "pending" if (context or {})["submission_status"] == "pending" else None,
            "access": ("manage", "view") if current and self.config["include_view_access"] else None,
            "platforms": ("luma", "external") if current and self.config["include_external"] else None,
        }

    @override
    def record_batches(self) -> Iterator[Iterable[Record]]:
        """Yield the lists, after all have been read: of an event in several lists, the best row is emitted.

        See `rank`.
        """
        answers = prefetch(self.tap.pool, self.read_list, self.contexts(), self.tap.max_prefetch)
        lists = [(context, list(self._read_records(context, answer))) for context, answer in answers]
        check_pending(lists)
        best: dict[str, tuple[Rank, Record]] = {}
        for context, rows in lists:
            for row in rows:
                offer = rank(row, context["calendar_id"]), row
                best[row["api_id"]] = max(offer, best.get(row["api_id"], offer), key=itemgetter(0))
        for context, rows in lists:
            self.credential = context[CREDENTIAL]
            yield [row for row in rows if best[row["api_id"]][1] is row]
        for child in self.active_children:
            cast("InWindow", child).advance()

    @override
    def to_record(self, row: Record, context: Context) -> Record:
        """Return the record; without the descriptions if the API leaves them out, as a null would overwrite them."""
        sent = unwrap(row, self.legacy_wrapper)
        record = super().to_record(row, context)
        return {name: value for name, value in record.items() if name in sent or name not in _DESCRIPTIONS}


class OfEvent(InWindow):
    """A list for each event that the key manages."""

    parent_stream_type = Events
    parent_keys = {
        "event_id": "api_id",
        "event_api_id": "api_id",
        "event_start_at": "start_at",
        "event_end_at": "end_at",
        "calendar_id": "calendar_id",
    }
    params = {"event_id": "{event_id}"}

    @override
    def should_sync_parent(self, parent: Record) -> bool:
        return is_managed(parent) and any(stream.is_in_window(parent) for stream in self.family)

    @override
    def read_list(self, context: Context) -> Iterator[Record]:
        return self.until_gone(super().read_list(context))

    def until_gone(self, rows: Iterator[Record]) -> Iterator[Record]:
        """Yield the rows; end early if the event is cancelled or transferred while its pages are read."""
        try:
            yield from rows
        except (ForbiddenError, NotFoundError) as refusal:
            self.failed_contexts.append(refusal)
            self.log("%s, in the middle of a list: the event is gone; continuing with the others.", refusal, level=30)


class EventDetails(SingleObject, OfEvent, OneEvent):
    """Events with description, hosts and numbers of guests; a request for each event."""

    name = "event_details"
    path = "/v1/events/get"
    legacy_path = "/v1/event/get"
    legacy_wrapper = "event"
    legacy_params = {"event_id": "id"}


class EventHosts(InWindow, EmbeddedStream):
    """Hosts of events; embedded in `event_details`, without requests."""

    name = "event_hosts"
    items_column = "hosts"
    primary_keys = ("event_id", "id")
    parent_stream_type = EventDetails
    parent_keys = OfEvent.parent_keys | {"event_end_at": "event_end_at"}


class EventGuests(OfEvent):
    """Guests of events, of every status, including people who were only invited."""

    name = "event_guests"
    path = "/v1/events/guests/list"
    legacy_path = "/v1/event/get-guests"
    legacy_wrapper = "guest"
    legacy_params = {"event_id": "event_api_id"}
    primary_keys = ("api_id",)
    skip_if_forbidden = False

    without_order: RequestError | None = None
    """Error with which the API refused to sort guests; they are listed unsorted then."""

    @override
    def read_list(self, context: Context) -> Iterator[Record]:
        """Return the guests in order of creation if the API accepts it: documented, but by a column that rows lack."""
        if self.without_order is None:
            try:
                return super().read_list({**context, "in_order": True})
            except (EndlessListError, ForbiddenError, NotFoundError, ExpiredCursorError):
                raise
            except RequestError as refusal:
                if self.without_order is None:
                    self.log("%s: listing guests unsorted.", refusal, level=30)
                self.without_order = refusal
        return super().read_list(context)

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        return super().get_url_params(context, next_page_token) | (_IN_ORDER if "in_order" in (context or {}) else {})

    @override
    def transform_record(self, row: Record) -> Record:
        row = super().transform_record(row)
        first = row.get("event_ticket")
        tickets = add_both_names_to_list(
            [first] if first and not row.get("event_tickets") else row.get("event_tickets")
        )
        listed = tickets if isinstance(tickets, list) else ()
        return row | {
            "email": row.get("email") or row.get("user_email"),
            "name": row.get("name") or row.get("user_name"),
            "registration_answers": add_both_names_to_list(row.get("registration_answers")),
            "event_tickets": tickets,
            "event_ticket": add_both_names_to_object(first) or next(iter(listed), None),
            "checked_in_at": row.get("checked_in_at") or earliest(find("$.checked_in_at", one) for one in listed),
        }


class OfGuest(InWindow):
    """A list for each guest."""

    parent_stream_type = EventGuests
    parent_keys = {name: name for name in OfEvent.parent_keys} | {"guest_id": "id"}


class EventTickets(OfGuest, EmbeddedStream):
    """Tickets, which are checked in one by one; embedded in `event_guests`, without requests."""

    name = "event_tickets"
    items_column = "event_tickets"
    parent_keys = OfGuest.parent_keys | {"user_id": "user_id", "user_api_id": "user_id"}


class GuestOrders(OfGuest):
    """Orders of guests, with their coupons; a request for each registered guest."""

    name = "guest_orders"
    path = "/v1/events/guests/get"
    legacy_path = "/v1/event/get-guest"
    records_jsonpath = "$.event_ticket_orders[*]"
    legacy_records_jsonpath = "$.guest.event_ticket_orders[*]"
    page_size_param = None
    selected_by_default = False
    params = {"event_id": "{event_id}", "id": "{guest_id}"}

    @override
    def should_sync_parent(self, parent: Record) -> bool:
        return bool(parent["registered_at"] or parent["event_tickets"])

    @override
    def transform_record(self, row: Record) -> Record:
        row = super().transform_record(row)
        return row | {"coupon_info": add_both_names_to_object(row.get("coupon_info"))}


class TicketTypes(Unpaged, OfEvent):
    """Ticket types of events, including hidden ones."""

    name = "ticket_types"
    path = "/v1/events/ticket-types/list"
    params = {"event_id": "{event_id}", "include_hidden": "true"}
    legacy_path = "/v1/event/ticket-types/list"
    legacy_records_jsonpath = "$.ticket_types[*]"


class EventCoupons(OfEvent):
    """Coupons of events. Their use shows only in `remaining_count`."""

    name = "event_coupons"
    path = "/v1/events/coupons/list"
    legacy_path = "/v1/event/coupons"
    selected_by_default = False


class EventBlasts(Unpaged, OfEvent):
    """Mails to the guests of events; only in the current generation of the API."""

    name = "event_blasts"
    path = "/v1/events/blasts/list"
    selected_by_default = False

    @property
    @override
    def check_contexts(self) -> Sequence[Context]:
        if self.tap.legacy:
            raise NoSuchListError(f"There is no {self.path}")
        return super().check_contexts

    @override
    def should_sync_parent(self, parent: Record) -> bool:
        return not self.tap.legacy and super().should_sync_parent(parent)

    @override
    def advance(self) -> None:
        if self.tap.legacy:
            self.log("Skipped: the API's legacy generation does not have stream `%s`.", self.name, level=30)
        else:
            super().advance()


class Webhooks(Redacted, LumaStream):
    """Webhooks of calendars, without anything that may be a secret: of their URL only the host, and no new fields."""

    name = "webhooks"
    path = "/v1/webhooks/list"


class OfOrganization(LumaStream):
    """A list that requires the key of an organization."""

    selected_by_default = False

    @property
    @override
    def check_contexts(self) -> Sequence[Context]:
        self.tap.require_organization_key(self.name)
        return list(self.contexts())

    @override
    def contexts(self) -> Iterable[Context]:
        return [{CREDENTIAL: self.tap.organization}]


class OrganizationCalendars(OfOrganization):
    """Calendars of the organization."""

    name = "organization_calendars"
    path = "/v1/organizations/calendars/list"


class OrganizationEvents(OfOrganization, OneEvent):
    """Events of all calendars of the organization, each once."""

    name = "organization_events"
    path = "/v1/organizations/events/list"

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        return super().get_url_params(context, next_page_token) | {"after": after_parameter(self.tap.start_date)}


class OrganizationAdmins(Unpaged, OfOrganization):
    """Administrators of the organization."""

    name = "organization_admins"
    path = "/v1/organizations/admins/list"


def after_parameter(start: datetime | None) -> str | None:
    """Return the start date as the parameter `after`, a second earlier: the API may include or exclude its moment."""
    return zulu(start - timedelta(seconds=1)) if start else None


def is_managed(event: Record) -> bool:
    """Return True if the key may read the event's guests; legacy rows do not say, but list no other events."""
    return event["access"] in (None, "manage") and event["platform"] in (None, "luma")


def check_pending(lists: Iterable[tuple[Context, Sequence[Record]]]) -> None:
    """Check that a calendar's pending events are not its approved ones.

    Raises:
        EndlessListError: They are, so Luma ignores `status`, and pending events would be missing.
    """
    ids = {
        (context["calendar_id"], context["submission_status"]): {row["api_id"] for row in rows}
        for context, rows in lists
    }
    for (calendar, status), pending in ids.items():
        if status == "pending" and pending and pending <= ids[calendar, "approved"]:
            raise EndlessListError(
                "Luma ignores `status`: each event that it lists as pending is an approved one, so that pending ones "
                "may be missing; try again later, or set `include_pending` to false."
            )


def rank(event: Record, calendar: str) -> Rank:
    """Return the rank of a calendar's row of an event: higher if its key can read more of the event."""
    return is_managed(event), event["submission_status"] == "approved", event["calendar_id"] == calendar


# Synced in this order: tickets before the types that they refer to.
STREAMS: tuple[type[LumaStream], ...] = (
    Calendars,
    CalendarAdmins,
    Events,
    EventDetails,
    EventHosts,
    EventGuests,
    EventTickets,
    GuestOrders,
    TicketTypes,
    EventCoupons,
    EventBlasts,
    EventTags,
    CalendarCoupons,
    Contacts,
    ContactTags,
    MembershipTiers,
    Webhooks,
    OrganizationCalendars,
    OrganizationEvents,
    OrganizationAdmins,
)
