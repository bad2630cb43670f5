"""All streams of the tap; docs/taps/calendly-api.md describes the endpoints."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from tap_calendly.client import CalendlyStream, uuid
from tap_calendly.sweep import newest_first, sweep
from tap_calendly.transcript import transcript
from tap_common import EndlessListError, ForbiddenError, NotFoundError, Redacted, RequestError, SingleObject, Unpaged
from tap_common.http.jsonpath import find
from tap_common.state.timestamps import instant_or_none, zulu

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    import requests
    from singer_sdk.helpers.types import Context, Record

    from tap_calendly.tap import TapCalendly

RECAP_STATUSES = ("available", "processing", "unavailable")
"""All values of the filter `status` of recaps."""
SLICE = 1000
"""Number of events in a slice of the sweep: ten pages."""


class Resource(SingleObject, CalendlyStream):
    """A single object: `{"resource": {"uri": "https://api.calendly.com/users/A1B2", "name": "Ada"}}`."""

    records_jsonpath = "$.resource"


class OfOrganization(CalendlyStream):
    """A list with the query parameter `organization`."""

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        return super().get_url_params(context, next_page_token) | {"organization": self.tap.account.organization}


class ApiUser(Resource):
    """User whom the token belongs to; the run's first request."""

    name = "api_user"
    path = "/users/me"
    permission = "users:read"
    skip_if_forbidden = False

    @override
    def read_list(self, context: Context) -> Iterator[Record]:
        """Return the row that the check of the key has read already."""
        return iter([self.tap.me])


class Organization(Resource):
    """Organization that the user belongs to."""

    name = "organization"
    path = "/organizations/{organization_id}"
    permission = "organizations:read"

    @override
    def contexts(self) -> Iterable[Context]:
        return [{"organization_id": uuid(self.tap.account.organization)}]


class OrganizationMemberships(CalendlyStream):
    """Members of the organization and their roles; without an admin's token, only the user's own membership."""

    name = "organization_memberships"
    path = "/organization_memberships"
    permission = "organizations:read"
    skip_if_forbidden = False

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        user = (context or {}).get("user")
        return super().get_url_params(context, next_page_token) | (
            {"user": user} if user else {**self.tap.account.memberships}
        )

    @override
    def read_list(self, context: Context) -> Iterator[Record]:
        """Return the rows; the user's own memberships have been read by the check of the key already."""
        own = self.tap.account.memberships == {"user": self.tap.me["uri"]}
        return iter(self.tap.memberships) if own else super().read_list(context)


class OrganizationInvitations(CalendlyStream):
    """Invitations to join the organization; needs an admin's token."""

    name = "organization_invitations"
    path = "/organizations/{organization_id}/invitations"
    permission = "organizations:read"

    @override
    def contexts(self) -> Iterable[Context]:
        return [{"organization_id": uuid(self.tap.account.organization)}]


class Groups(OfOrganization):
    """Groups of the organization."""

    name = "groups"
    path = "/groups"
    permission = "groups:read"


class GroupRelationships(OfOrganization):
    """Members of groups, and invitations to groups."""

    name = "group_relationships"
    path = "/group_relationships"
    permission = "groups:read"


class Teams(CalendlyStream):
    """Teams: users who share event types."""

    name = "teams"
    path = "/teams"
    permission = "organizations:read"


class OfMeeting(CalendlyStream):
    """Meetings or their invitees.

    A no-show, a payment or a cancellation in a group event may update no timestamp, neither the invitee's nor the
    meeting's. So a meeting is read again until `lookback_days` after its start, and whenever it has changed.
    """

    permission = "scheduled_events:read"
    replication_key = "updated_at"
    skip_if_forbidden = False

    def may_have_changed(self, meeting: Record) -> bool:
        """Return True if a meeting or its invitees may have changed since this stream's bookmark."""
        if self.bookmark is None or self.starting_timestamp is None:
            return True
        recent = self.bookmark - timedelta(days=self.config["lookback_days"])
        changed, starts = instant_or_none(meeting["updated_at"]), instant_or_none(meeting["start_time"])
        return changed is None or starts is None or changed >= self.starting_timestamp or starts >= recent

    def advance(self) -> None:
        """Advance the bookmark to the start of the run, after all meetings; not if no list could be read."""
        if self.selected and (self.lists_read or not self.failed_contexts):
            self.advance_bookmark(self.tap.run_started)


class ScheduledEvents(OfMeeting):
    """Meetings of every status, past and future.

    There is no changed-since filter: each run reads all meetings from `start_date` on, and emits those that may have
    changed.
    """

    name = "scheduled_events"
    path = "/scheduled_events"
    params = {"sort": "start_time:asc"}

    @override
    def should_emit(self, record: Record) -> bool:
        return self.may_have_changed(record)

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        return super().get_url_params(context, next_page_token) | {
            **self.tap.account.events,
            "min_start_time": (context or {}).get("since"),
        }

    @override
    def record_batches(self) -> Iterator[Iterable[Record]]:
        """Yield slices of meetings by start; each is complete before its invitees are read, as page tokens expire."""
        referenced: set[str] = set()
        for rows in sweep(self._since, self.tap.start_date, SLICE):
            referenced.update(found for row in rows if (found := row["event_type_id"]))
            yield rows
        self.tap.referenced_event_types = referenced
        # Every meeting was read as of the start of the run, or later.
        for stream in cast("list[OfMeeting]", [self, *self.active_children]):
            stream.advance()

    def _since(self, moment: datetime | None) -> Iterator[Record]:
        context: Context = {"since": zulu(moment)} if moment else {}
        return (self.to_record(row, context) for row in self.request_records(context))


class EventInvitees(OfMeeting):
    """Invitees of meetings; a request for each meeting that has invitees."""

    name = "event_invitees"
    path = "/scheduled_events/{event_id}/invitees"
    parent_stream_type = ScheduledEvents
    parent_keys = {"event_id": "id", "event": "uri"}

    @override
    def should_sync_parent(self, parent: Record) -> bool:
        return find("$.invitees_counter.total", parent) != 0 and self.may_have_changed(parent)

    @override
    def error_for(self, response: requests.Response, message: str) -> Exception:
        """Return the error; a 400 may be about a meeting that was deleted for privacy, but is still listed."""
        error = super().error_for(response, message)
        return NotFoundError(message) if type(error) is RequestError else error

    @override
    def should_emit(self, record: Record) -> bool:
        """Return True: all invitees of a meeting that is read are emitted."""
        return True


class OneEventType(CalendlyStream):
    """Event types, from either endpoint."""

    permission = "event_types:read"

    @override
    def transform_record(self, row: Record) -> Record:
        return super().transform_record(row) | {"owner_id": uuid(find("$.profile.owner", row))}


class EventTypes(OneEventType):
    """Event types, with deleted ones that a meeting still refers to."""

    name = "event_types"
    path = "/event_types"

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        return {**super().get_url_params(context, next_page_token), **self.tap.account.event_types}

    @override
    def record_batches(self) -> Iterator[Iterable[Record]]:
        listed = set()
        for rows in super().record_batches():
            kept = list(rows)
            listed |= {row["id"] for row in kept}
            yield kept
        deleted = DeletedEventTypes(self.tap)
        deleted.request_counter = self.request_counter
        deleted.parents = [{"id": found} for found in sorted((self.tap.referenced_event_types or set()) - listed)]
        yield from deleted.record_batches()
        self.failed_contexts.extend(deleted.failed_contexts)

    @property
    @override
    def version(self) -> int | None:
        """Version of this run's records; None if no meetings were read, which refer to deleted event types."""
        return None if self.tap.referenced_event_types is None else super().version


class DeletedEventTypes(Resource, OneEventType):
    """Deleted event types, which are no longer listed; part of `event_types`."""

    name = "event_types"
    path = "/event_types/{event_type_id}"
    parent_stream_type = EventTypes
    parent_keys = {"event_type_id": "id"}


class OfEventType(CalendlyStream):
    """A list for each event type."""

    parent_stream_type = EventTypes
    parent_keys = {"event_type_uri": "uri"}
    params = {"event_type": "{event_type_uri}"}

    @override
    def should_sync_parent(self, parent: Record) -> bool:
        return parent["deleted_at"] is None


class EventTypeMemberships(OfEventType):
    """Hosts of event types, without the embedded event type, which `event_types` has."""

    name = "event_type_memberships"
    path = "/event_type_memberships"
    permission = "event_types:read"

    @override
    def transform_record(self, row: Record) -> Record:
        uris = {"member_uri": find("$.member.uri", row), "event_type_uri": find("$.event_type.uri", row)}
        row = super().transform_record(row) | uris
        row.pop("event_type", None)
        return row


class EventTypeAvailabilitySchedules(Unpaged, OfEventType):
    """Availability rules of event types."""

    name = "event_type_availability_schedules"
    path = "/event_type_availability_schedules"
    permission = "availability:read"
    primary_keys = ("event_type_uri", "index")
    selected_by_default = False

    @override
    def read_list(self, context: Context) -> Iterator[Record]:
        return numbered(super().read_list(context))


class EventTypeAvailableTimes(Unpaged, OfEventType):
    """Free times of active event types in the next 30 days; a snapshot."""

    name = "event_type_available_times"
    path = "/event_type_available_times"
    permission = "event_types:read"
    primary_keys = ("event_type_uri", "start_time")
    selected_by_default = False

    @override
    def should_sync_parent(self, parent: Record) -> bool:
        return super().should_sync_parent(parent) and bool(parent["active"])

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        # Calendly refuses more than 31 days.
        return {**super().get_url_params(context, next_page_token), **days_ahead(self.tap, 30)}

    @override
    def transform_record(self, row: Record) -> Record:
        return row | {"_synced_at": self.tap.synced_at}


class RoutingForms(OfOrganization):
    """Routing forms."""

    name = "routing_forms"
    path = "/routing_forms"
    permission = "routing_forms:read"


class RoutingFormSubmissions(CalendlyStream):
    """Answers to routing forms. The booking is added later, so `lookback_days` are read again."""

    name = "routing_form_submissions"
    path = "/routing_form_submissions"
    permission = "routing_forms:read"
    params = {"form": "{form}", "sort": "created_at:desc"}
    parent_stream_type = RoutingForms
    parent_keys = {"form": "uri"}
    replication_key = "created_at"

    @property
    @override
    def starting_timestamp(self) -> datetime | None:
        return self.bookmark and self.bookmark - timedelta(days=self.config["lookback_days"])

    @override
    def read_list(self, context: Context) -> Iterator[Record]:
        return newest_first(super().read_list(context), "created_at", self.starting_timestamp, self.config["page_size"])


class OfUser(CalendlyStream):
    """A list for each member of the organization."""

    parent_stream_type = OrganizationMemberships
    parent_keys = {"user_uri": "user.uri"}
    params = {"user": "{user_uri}"}

    @property
    @override
    def check_contexts(self) -> Sequence[Context]:
        return super().check_contexts or [{"user_uri": self.tap.me["uri"]}]


class UserAvailabilitySchedules(Unpaged, OfUser):
    """Working hours of users."""

    name = "user_availability_schedules"
    path = "/user_availability_schedules"
    permission = "availability:read"


class UserBusyTimes(Unpaged, OfUser):
    """Busy times of users in the next 7 days; a snapshot."""

    name = "user_busy_times"
    path = "/user_busy_times"
    permission = "availability:read"
    primary_keys = ("user_uri", "type", "start_time", "end_time")
    selected_by_default = False

    @override
    def error_for(self, response: requests.Response, message: str) -> Exception:
        """Return the error; with 424, the user's external calendar cannot be read at the moment."""
        failed = response.status_code == HTTPStatus.FAILED_DEPENDENCY
        return ForbiddenError(message) if failed else super().error_for(response, message)

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        # Calendly refuses more than 7 days, and a start in the past.
        return {**super().get_url_params(context, next_page_token), **days_ahead(self.tap, 7)}

    @override
    def transform_record(self, row: Record) -> Record:
        return row | {"_synced_at": self.tap.synced_at}


class Locations(Unpaged, OfUser):
    """Places where users meet."""

    name = "locations"
    path = "/locations"
    permission = "locations:read"
    primary_keys = ("user_uri", "index")
    selected_by_default = False

    @override
    def read_list(self, context: Context) -> Iterator[Record]:
        return numbered(super().read_list(context))


class Contacts(CalendlyStream):
    """Contacts. Full-table, because dates of meetings may change without `updated_at`."""

    name = "contacts"
    path = "/contacts"
    permission = "contacts:read"


class ContactCustomFieldDefinitions(Unpaged, CalendlyStream):
    """Custom fields of contacts."""

    name = "contact_custom_field_definitions"
    path = "/contacts/custom_field_definitions"
    permission = "contacts:read"


class ContactLists(Unpaged, CalendlyStream):
    """Contact lists and views of the user, at most 25."""

    name = "contact_lists"
    path = "/contact_lists"
    permission = "contacts:read"


class ContactNotes(CalendlyStream):
    """The user's notes about contacts; a request for ten contacts at a time."""

    name = "contact_notes"
    path = "/notes"
    permission = "contacts:read"
    parent_stream_type = Contacts
    selected_by_default = False

    @override
    def contexts(self) -> Iterable[Context]:
        contacts = iter([parent["uri"] for parent in self.parents])
        return iter(lambda: {"contacts": list(islice(contacts, 10))}, {"contacts": []})

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        return super().get_url_params(context, next_page_token) | {"contact": ",".join((context or {})["contacts"])}

    @override
    def split_context(self, context: Context) -> Sequence[Context]:
        """Return a context for each contact: if one of ten is not accessible, the notes of all are refused."""
        contacts = context["contacts"]
        return [{**context, "contacts": [contact]} for contact in contacts] if len(contacts) > 1 else ()


class MeetingRecaps(CalendlyStream):
    """Notetaker's recaps of every status. Full-table, because they are edited later."""

    name = "meeting_recaps"
    path = "/meeting_recaps"
    permission = "meeting_recaps:read"

    @override
    def contexts(self) -> Iterable[Context]:
        # Without a status, Calendly lists only available recaps.
        return [{"status": status} for status in RECAP_STATUSES]

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        start = self.tap.start_date
        return super().get_url_params(context, next_page_token) | {
            "status": (context or {})["status"],
            "start_time": start and zulu(start),
        }

    @override
    def read_list(self, context: Context) -> Iterator[Record]:
        return of_status(super().read_list(context), context["status"])


class MeetingRecapTranscripts(SingleObject, CalendlyStream):
    """Transcripts of meetings, as text; a request for each recap."""

    name = "meeting_recap_transcripts"
    path = "/meeting_recaps/{recap_id}/transcript"
    permission = "meeting_recaps:read"
    primary_keys = ("recap_uri",)
    parent_stream_type = MeetingRecaps
    parent_keys = {"recap_id": "id", "recap_uri": "uri", "event": "event"}
    may_be_empty = True
    selected_by_default = False

    @override
    def should_sync_parent(self, parent: Record) -> bool:
        return parent.get("status") in (None, "available")

    @override
    def page(self, response: requests.Response) -> Any:
        return {"transcript": transcript(response)}

    @override
    def read_list(self, context: Context) -> Iterator[Record]:
        return ({**page, "event": context["event"]} for page in super().read_list(context))


class ActivityLogEntries(OfOrganization):
    """Activity log of the organization; Enterprise plan. Entries are only added."""

    name = "activity_log_entries"
    path = "/activity_log_entries"
    permission = "activity_log:read"
    replication_key = "occurred_at"
    overlap = timedelta(minutes=5)

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        since = self.starting_timestamp or self.tap.start_date
        return {**super().get_url_params(context, next_page_token), "min_occurred_at": since and zulu(since)}


class OutgoingCommunications(OfOrganization):
    """Messages that Calendly sent, with their text; Enterprise plan. The primary key is a hash."""

    name = "outgoing_communications"
    path = "/outgoing_communications"
    permission = "outgoing_communications:read"
    primary_keys = ("_id",)
    replication_key = "created_at"
    overlap = timedelta(minutes=5)
    selected_by_default = False

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        since = self.starting_timestamp or self.tap.start_date
        return {**super().get_url_params(context, next_page_token), "min_created_at": since and zulu(since)}

    @override
    def transform_record(self, row: Record) -> Record:
        identity = "\x1f".join(str(row.get(name)) for name in ("type", "to", "from", "created_at", "event_uri", "body"))
        return super().transform_record(row) | {"_id": sha256(identity.encode()).hexdigest()}


class WebhookSubscriptions(Redacted, OfUser):
    """Webhooks of the organization and of each member, without anything that may be a secret.

    Of their URL only the host is kept, and no new fields.
    """

    name = "webhook_subscriptions"
    path = "/webhook_subscriptions"
    permission = "webhooks:read"

    @override
    def contexts(self) -> Iterable[Context]:
        whole: list[Context] = [{"user_uri": None}] if self.tap.account.scope == "organization" else []
        return [*whole, *super().contexts()]

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        user = (context or {})["user_uri"]
        scope = "user" if user else "organization"
        return super().get_url_params(context, next_page_token) | {
            "organization": self.tap.account.organization,
            "scope": scope,
            "user": user,
        }


def numbered(rows: Iterator[Record]) -> Iterator[Record]:
    """Yield rows with their position in the list, as the key of rows without another one."""
    return ({"index": index} | row for index, row in enumerate(rows))


def of_status(rows: Iterator[Record], status: str) -> Iterator[Record]:
    """Yield the rows of a list that was filtered by status.

    Raises:
        EndlessListError: None of the rows has the status, so Calendly ignores the filter.
    """
    found: list[Any] = []
    for row in rows:
        found.append(row.get("status"))
        yield row
    # An undocumented status says nothing about the filter.
    if any(one in RECAP_STATUSES for one in found) and status not in found and None not in found:
        raise EndlessListError(
            f"Calendly ignores `status`: no recap in the list with status `{status}` has it, so that some may be "
            "missing; try again later."
        )


def days_ahead(tap: TapCalendly, days: int) -> Mapping[str, str]:
    """Return a range that begins in ten minutes: the API refuses a past start, and the request may be delayed."""
    start = tap.now + timedelta(minutes=10)
    return {"start_time": zulu(start), "end_time": zulu(start + timedelta(days=days))}


# Synced in this order: events before the event types that they refer to.
STREAMS: tuple[type[CalendlyStream], ...] = (
    ApiUser,
    Organization,
    OrganizationMemberships,
    OrganizationInvitations,
    UserAvailabilitySchedules,
    UserBusyTimes,
    Locations,
    Groups,
    GroupRelationships,
    Teams,
    ScheduledEvents,
    EventInvitees,
    EventTypes,
    EventTypeMemberships,
    EventTypeAvailabilitySchedules,
    EventTypeAvailableTimes,
    RoutingForms,
    RoutingFormSubmissions,
    Contacts,
    ContactCustomFieldDefinitions,
    ContactLists,
    ContactNotes,
    MeetingRecaps,
    MeetingRecapTranscripts,
    ActivityLogEntries,
    OutgoingCommunications,
    WebhookSubscriptions,
)
