"""All streams of the tap; docs/taps/savvycal-api.md describes the endpoints."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_common import CREDENTIAL, EmbeddedStream, Redacted, SingleObject
from tap_common.http.jsonpath import find
from tap_common.state.timestamps import instant_or_none
from tap_scheduler.client import BareList, SavvyCalStream
from tap_scheduler.parameters import ATTENDANCE, STATE
from tap_scheduler.period import PAST, NewestFirst, Period

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from singer_sdk.helpers.types import Context, Record


class CurrentUser(SingleObject, SavvyCalStream):
    """User whom each key belongs to; the run's first requests."""

    name = "current_user"
    path = "/v1/me"
    skip_if_forbidden = False

    @override
    def read_list(self, context: Context) -> Iterator[Record]:
        """Return the row that the check of the key has read already."""
        return iter([self.tap.users[context[CREDENTIAL]]])


class OfMeeting(SavvyCalStream):
    """Meetings or their attendees, by the start of the meeting.

    SavvyCal has no time of the last change. So each meeting is read again until `lookback_days` after its start.
    """

    windowed = True
    skip_if_forbidden = False

    @override
    def should_emit(self, record: Record) -> bool:
        """Return True if a record is due, and its meeting does not start before `start_date`."""
        start, earliest = instant_or_none(record[str(self.replication_key)]), self.tap.start_date
        return super().should_emit(record) and (start is None or earliest is None or start >= earliest)


class Events(OfMeeting):
    """Meetings of every state, past and future.

    By default, SavvyCal lists only upcoming, confirmed meetings that the key's owner attends.
    """

    name = "events"
    path = "/v1/events"
    params = {STATE: "all", ATTENDANCE: "any"}
    replication_key = "start_at"

    @property
    def since(self) -> datetime | None:
        """Earliest start of a meeting that this stream or its children need; None for all."""
        wanted = [stream.starting_timestamp for stream in (self, *self.active_children) if stream.selected]
        bounds = [self.tap.start_date, None if None in wanted else min(filter(None, wanted))]
        return max(filter(None, bounds), default=None)

    @cached_property
    def period(self) -> Period:
        """Period of the meetings, shared by all keys."""
        return Period(self.since, self.tap.now, self.log)

    @override
    def contexts(self) -> Iterable[Context]:
        _ = self.period  # computed once, before threads use it
        return super().contexts()

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        return super().get_url_params(context, next_page_token) | {**(context or {})["period"]}

    @override
    def read_list(self, context: Context) -> Iterator[Record]:
        return self.period.read(lambda period: self.list_rows({**context, "period": period}))

    def list_rows(self, context: Context) -> Iterable[Record]:
        """Return the rows of one list."""
        return (PastEvents(self) if context["period"] is PAST else self).request_records(context)

    @override
    def transform_record(self, row: Record) -> Record:
        return row | {"link_id": find("$.link.id", row), "scope_id": find("$.scope.id", row)}


class PastEvents(Events):
    """Past meetings, newest first, until the start of the period; part of `events`."""

    def __init__(self, events: Events) -> None:
        super().__init__(events.tap)
        self.edge = events.since
        self.request_counter = events.request_counter

    @override
    def get_new_paginator(self) -> NewestFirst:
        return NewestFirst(self.signals, self.edge, lambda: self.tap.now)


class EventAttendees(EmbeddedStream, OfMeeting):
    """Attendees of meetings, with organizer and scheduler; embedded in `events`, without requests."""

    name = "event_attendees"
    parent_stream_type = Events
    parent_keys = {"event_id": "id", "event_start_at": "start_at"}
    items_column = "attendees"
    primary_keys = ("event_id", "id")
    replication_key = "event_start_at"

    @override
    def transform_record(self, row: Record) -> Record:
        return row | {"_synced_at": self.tap.synced_at}


class SchedulingLinks(SavvyCalStream):
    """Scheduling links, including disabled ones; without timestamps."""

    name = "scheduling_links"
    path = "/v1/links"
    params = {STATE: "{listed}"}

    @override
    def contexts(self) -> Iterable[Context]:
        # It is not documented whether the list without a state includes disabled links.
        return [{**context, "listed": state} for context in super().contexts() for state in (None, "disabled")]

    @override
    def transform_record(self, row: Record) -> Record:
        return row | {"scope_id": find("$.scope.id", row)}


class Workflows(SavvyCalStream):
    """Workflows that the keys' owners may edit."""

    name = "workflows"
    path = "/v1/workflows"


class WorkflowRules(BareList):
    """Rules of workflows: what they do, and when; a request for each workflow."""

    name = "workflow_rules"
    path = "/v1/workflows/{workflow_id}/rules"
    primary_keys = ("workflow_id", "id")
    parent_stream_type = Workflows
    parent_keys = {"workflow_id": "id"}


class Timezones(BareList):
    """Time zones at the moment of the run; offsets change with daylight saving time."""

    name = "timezones"
    path = "/v1/time_zones"

    @override
    def contexts(self) -> Iterable[Context]:
        """Return a context for the first key: time zones are the same for all."""
        return [{}]


class Webhooks(Redacted, SavvyCalStream):
    """Webhooks, without anything that may be a secret: of their URL only the host, and no new fields."""

    name = "webhooks"
    path = "/v1/webhooks"


# Synced in this order: events before the links that they refer to.
STREAMS: tuple[type[SavvyCalStream], ...] = (
    CurrentUser,
    Events,
    EventAttendees,
    SchedulingLinks,
    Workflows,
    WorkflowRules,
    Timezones,
    Webhooks,
)
