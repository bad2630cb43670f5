"""Every stream of the tap; API.md says what each endpoint does."""

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
# Not by `name` or `email`, which change; and ascending, so that guests who come while pages are read come last.
_IN_ORDER = {"sort_column": "created_at", "sort_direction": "asc"}


class Calendars(SingleObject, LumaStream):
    """The calendar of each key; the run's first requests."""

    name = "calendar"
    path = "/v1/calendars/get"
    legacy_path = "/v1/calendar/get"
    legacy_records_jsonpath = "$.calendar"
    skip_if_forbidden = False

    @override
    def read_list(self, context: Context) -> Iterator[Record]:
        """The row that the run began with: nothing is asked twice."""
        return iter([self.tap.calendars[context["calendar_id"]].row])


class CalendarAdmins(Unpaged, LumaStream):
    """Who administers a calendar."""

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
    """Coupons for all events of a calendar; their use shows only in what remains."""

    name = "calendar_coupons"
    path = "/v1/calendars/coupons/list"
    legacy_path = "/v1/calendar/coupons"


class Contacts(LumaStream):
    """People of a calendar; their counters and tags move without a trace."""

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
    """An event, wherever it comes from."""

    @override
    def transform_record(self, row: Record) -> Record:
        row = super().transform_record(row)
        lists = {name: add_both_names_to_list(row[name]) for name in ("tags", "hosts") if name in row}
        return row | location_fields(row) | meeting_link_fields(row) | lists


class Events(OneEvent):
    """Events of the calendars, past and future, each once. A cancelled event is gone from the API, and so from here."""

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
        """The lists one after the other, once all are read: an event that several of them have comes at its best."""
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
        """Without the descriptions where the list does not have them: a null would wipe out what a target has."""
        sent = unwrap(row, self.legacy_wrapper)
        shaped = super().to_record(row, context)
        return {name: value for name, value in shaped.items() if name in sent or name not in _DESCRIPTIONS}


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
        """The rows, up to where the event is cancelled or handed over between two pages."""
        try:
            yield from rows
        except (ForbiddenError, NotFoundError) as refusal:
            self.failed_contexts.append(refusal)
            self.log("%s, in the middle of its list: the event is gone; going on with the others.", refusal, level=30)


class EventDetails(SingleObject, OfEvent, OneEvent):
    """Events with what the list leaves out: description, hosts, numbers of guests. A request for each."""

    name = "event_details"
    path = "/v1/events/get"
    legacy_path = "/v1/event/get"
    legacy_wrapper = "event"
    legacy_params = {"event_id": "id"}


class EventHosts(InWindow, EmbeddedStream):
    """Who runs an event; from `event_details`, without further requests."""

    name = "event_hosts"
    items_column = "hosts"
    primary_keys = ("event_id", "id")
    parent_stream_type = EventDetails
    parent_keys = OfEvent.parent_keys | {"event_end_at": "event_end_at"}


class EventGuests(OfEvent):
    """Guests of an event, of every status: also those who were merely invited."""

    name = "event_guests"
    path = "/v1/events/guests/list"
    legacy_path = "/v1/event/get-guests"
    legacy_wrapper = "guest"
    legacy_params = {"event_id": "event_api_id"}
    primary_keys = ("api_id",)
    skip_if_forbidden = False

    without_order: RequestError | None = None
    """Why guests are not asked for in order: the API refused it."""

    @override
    def read_list(self, context: Context) -> Iterator[Record]:
        """Guests in the order of the rows' making, which is documented, but whose column no row shows."""
        if self.without_order is None:
            try:
                return super().read_list({**context, "in_order": True})
            except (EndlessListError, ForbiddenError, NotFoundError, ExpiredCursorError):
                raise
            except RequestError as refusal:
                if self.without_order is None:
                    self.log("%s: asking for guests without an order.", refusal, level=30)
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
    """What belongs to a guest."""

    parent_stream_type = EventGuests
    parent_keys = {name: name for name in OfEvent.parent_keys} | {"guest_id": "id"}


class EventTickets(OfGuest, EmbeddedStream):
    """Tickets, each of which is checked in by itself; from `event_guests`, without further requests."""

    name = "event_tickets"
    items_column = "event_tickets"
    parent_keys = OfGuest.parent_keys | {"user_id": "user_id", "user_api_id": "user_id"}


class GuestOrders(OfGuest):
    """What guests ordered, and with which coupon. A request for each guest who registered."""

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
    """Ticket types of an event, also hidden ones, which guests refer to."""

    name = "ticket_types"
    path = "/v1/events/ticket-types/list"
    params = {"event_id": "{event_id}", "include_hidden": "true"}
    legacy_path = "/v1/event/ticket-types/list"
    legacy_records_jsonpath = "$.ticket_types[*]"


class EventCoupons(OfEvent):
    """Coupons of an event; their use shows only in what remains."""

    name = "event_coupons"
    path = "/v1/events/coupons/list"
    legacy_path = "/v1/event/coupons"
    selected_by_default = False


class EventBlasts(Unpaged, OfEvent):
    """Mails to the guests of an event; only the current generation of the API has them."""

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
            self.log("Skipped: the legacy generation of the API does not have stream `%s`.", self.name, level=30)
        else:
            super().advance()


class Webhooks(Redacted, LumaStream):
    """Webhooks of a calendar, without what may be a secret: of their address only the host, and no new fields."""

    name = "webhooks"
    path = "/v1/webhooks/list"


class OfOrganization(LumaStream):
    """A list that wants the key of an organization."""

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
    """Who administers the organization."""

    name = "organization_admins"
    path = "/v1/organizations/admins/list"


def after_parameter(start: datetime | None) -> str | None:
    """The start date as the API's `after`, a second early: whether that includes its moment is not known."""
    return zulu(start - timedelta(seconds=1)) if start else None


def is_managed(event: Record) -> bool:
    """Whether the key may read what belongs to the event; the older answers do not say, and list no others."""
    return event["access"] in (None, "manage") and event["platform"] in (None, "luma")


def check_pending(lists: Iterable[tuple[Context, Sequence[Record]]]) -> None:
    """Compare the lists of pending events with those of approved ones: no event of a calendar is both.

    Raises:
        EndlessListError: They are the same, so that pending ones would be missing.
    """
    ids = {
        (context["calendar_id"], context["submission_status"]): {row["api_id"] for row in rows}
        for context, rows in lists
    }
    for (calendar, status), pending in ids.items():
        if status == "pending" and pending and pending <= ids[calendar, "approved"]:
            raise EndlessListError(
                "Luma does not go by `status`: each event that it lists as pending is an approved one, so that pending "
                "ones may be missing; try again later, or set `include_pending` to false."
            )


def rank(event: Record, calendar: str) -> Rank:
    """The greater, the more there is to read with the key of a calendar that lists the event."""
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
