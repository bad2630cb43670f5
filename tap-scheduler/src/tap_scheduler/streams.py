"""Every stream of the tap; API.md says what each endpoint does."""

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
    """The user whom each key belongs to, whose part of the company is read; the run's first request."""

    name = "current_user"
    path = "/v1/me"
    skip_if_forbidden = False

    @override
    def read_list(self, context: Context) -> Iterator[Record]:
        """The row that the run began with: nothing is asked twice."""
        return iter([self.tap.users[context[CREDENTIAL]]])


class OfMeeting(SavvyCalStream):
    """Meetings, or what belongs to them, by the start of the meeting.

    Nothing says when a meeting changed. So each is read until `lookback_days` after it began, changed or not.
    """

    windowed = True
    skip_if_forbidden = False

    @override
    def should_emit(self, row: Record) -> bool:
        """Also: not before the start date."""
        start, earliest = instant_or_none(row[str(self.replication_key)]), self.tap.start_date
        return super().should_emit(row) and (start is None or earliest is None or start >= earliest)


class Events(OfMeeting):
    """Meetings, past and future, of every state: those that start later than `lookback_days` before the bookmark.

    Unasked, SavvyCal shows only what is upcoming, confirmed and attended by the key's owner.
    """

    name = "events"
    path = "/v1/events"
    params = {STATE: "all", ATTENDANCE: "any"}
    replication_key = "start_at"

    @property
    def since(self) -> datetime | None:
        """The earliest start that this stream, or the one that lives on it, wants; None for all."""
        wanted = [stream.starting_timestamp for stream in (self, *self.active_children) if stream.selected]
        bounds = [self.tap.start_date, None if None in wanted else min(filter(None, wanted))]
        return max(filter(None, bounds), default=None)

    @cached_property
    def period(self) -> Period:
        """How they are asked for, with every key."""
        return Period(self.since, self.tap.now, self.log)

    @override
    def contexts(self) -> Iterable[Context]:
        _ = self.period  # computed here, not by several threads at once
        return super().contexts()

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        return super().get_url_params(context, next_page_token) | {**(context or {})["period"]}

    @override
    def read_list(self, context: Context) -> Iterator[Record]:
        return self.period.read(lambda period: self.list_records({**context, "period": period}))

    def list_records(self, context: Context) -> Iterable[Record]:
        """The API's rows of one list."""
        return (PastEvents(self) if context["period"] is PAST else self).request_records(context)

    @override
    def transform_record(self, row: Record) -> Record:
        return row | {"link_id": find("$.link.id", row), "scope_id": find("$.scope.id", row)}


class PastEvents(Events):
    """Meetings that have begun, newest first, until the edge of the window; part of `events`."""

    def __init__(self, events: Events) -> None:
        super().__init__(events.tap)
        self.edge = events.since
        self.request_counter = events.request_counter

    @override
    def get_new_paginator(self) -> NewestFirst:
        return NewestFirst(self.signals, self.edge, lambda: self.tap.now)


class EventAttendees(EmbeddedStream, OfMeeting):
    """Who takes part in a meeting, organizer and scheduler included; without requests of its own."""

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
    """Scheduling links, disabled ones too; without timestamps."""

    name = "scheduling_links"
    path = "/v1/links"
    params = {STATE: "{listed}"}

    @override
    def contexts(self) -> Iterable[Context]:
        # It is not known whether the list without a state holds disabled links.
        return [{**context, "listed": state} for context in super().contexts() for state in (None, "disabled")]

    @override
    def transform_record(self, row: Record) -> Record:
        return row | {"scope_id": find("$.scope.id", row)}


class Workflows(SavvyCalStream):
    """Workflows that the keys' owners may edit."""

    name = "workflows"
    path = "/v1/workflows"


class WorkflowRules(BareList):
    """What a workflow does, and when: a list for each workflow."""

    name = "workflow_rules"
    path = "/v1/workflows/{workflow_id}/rules"
    primary_keys = ("workflow_id", "id")
    parent_stream_type = Workflows
    parent_keys = {"workflow_id": "id"}


class Timezones(BareList):
    """Time zones as they are at the moment of the run: offsets move with daylight saving time."""

    name = "timezones"
    path = "/v1/time_zones"

    @override
    def contexts(self) -> Iterable[Context]:
        """The first key alone: they are the same for everybody."""
        return [{}]


class Webhooks(Redacted, SavvyCalStream):
    """Webhooks, without what may be a secret: of their address only the host, and no new fields."""

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
