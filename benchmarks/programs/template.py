"""A tap as the cookiecutter of singer-sdk 0.54 writes one, for Calendly and for the two lists.

What the template leaves to the developer is filled in as its comments say; nothing is made faster. Settings:
`api_url`, `work` (calendly, flat or nested), `partitions` (false: `state_partitioning_keys = ()`).
"""

from __future__ import annotations

import decimal
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.helpers.jsonpath import extract_jsonpath
from singer_sdk.pagination import JSONPathPaginator
from singer_sdk.streams import RESTStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import requests
    from singer_sdk.helpers.types import Context

TEXT = th.StringType
TIME = th.DateTimeType


class TemplateStream(RESTStream[str]):
    """The template's client."""

    records_jsonpath = "$.collection[*]"
    next_page_token_jsonpath = "$.pagination.next_page_token"  # noqa: S105 - a path

    @property
    def url_base(self) -> str:
        """The API's address."""
        return str(self.config["api_url"])

    @property
    def authenticator(self) -> BearerTokenAuthenticator:
        """A token."""
        return BearerTokenAuthenticator(token="key")  # noqa: S106 - of no account

    def get_new_paginator(self) -> JSONPathPaginator:
        """The cursor."""
        return JSONPathPaginator(self.next_page_token_jsonpath)

    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:  # noqa: ARG002 - the SDK calls it so
        """Page size and cursor."""
        params: dict[str, Any] = {"count": 100}
        if next_page_token:
            params["page_token"] = next_page_token
        return params

    def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
        """The rows of a page."""
        yield from extract_jsonpath(self.records_jsonpath, input=response.json(parse_float=decimal.Decimal))


EVENT = th.PropertiesList(
    th.Property("uri", TEXT),
    th.Property("name", TEXT),
    th.Property("meeting_notes_plain", TEXT),
    th.Property("meeting_notes_html", TEXT),
    th.Property("status", TEXT),
    th.Property("start_time", TIME),
    th.Property("end_time", TIME),
    th.Property("event_type", TEXT),
    th.Property(
        "location",
        th.ObjectType(
            th.Property("type", TEXT),
            th.Property("status", TEXT),
            th.Property("join_url", TEXT),
            th.Property(
                "data",
                th.ObjectType(
                    th.Property("id", th.IntegerType),
                    th.Property("settings", th.ObjectType(th.Property("waiting_room", th.BooleanType))),
                    th.Property("password", TEXT),
                ),
            ),
        ),
    ),
    th.Property(
        "invitees_counter",
        th.ObjectType(
            th.Property("total", th.IntegerType),
            th.Property("active", th.IntegerType),
            th.Property("limit", th.IntegerType),
        ),
    ),
    th.Property("created_at", TIME),
    th.Property("updated_at", TIME),
    th.Property(
        "event_memberships",
        th.ArrayType(
            th.ObjectType(
                th.Property("user", TEXT),
                th.Property("user_email", TEXT),
                th.Property("user_name", TEXT),
                th.Property("buffered_start_time", TIME),
                th.Property("buffered_end_time", TIME),
            )
        ),
    ),
    th.Property(
        "event_guests",
        th.ArrayType(
            th.ObjectType(th.Property("email", TEXT), th.Property("created_at", TIME), th.Property("updated_at", TIME))
        ),
    ),
    th.Property("calendar_event", th.ObjectType(th.Property("kind", TEXT), th.Property("external_id", TEXT))),
    th.Property(
        "cancellation",
        th.ObjectType(
            th.Property("canceled_by", TEXT),
            th.Property("reason", TEXT),
            th.Property("canceler_type", TEXT),
            th.Property("created_at", TIME),
        ),
    ),
).to_dict()

INVITEE = th.PropertiesList(
    th.Property("uri", TEXT),
    th.Property("event", TEXT),
    th.Property("event_id", TEXT),
    th.Property("email", TEXT),
    th.Property("name", TEXT),
    th.Property("first_name", TEXT),
    th.Property("last_name", TEXT),
    th.Property("status", TEXT),
    th.Property("timezone", TEXT),
    th.Property("text_reminder_number", TEXT),
    th.Property(
        "questions_and_answers",
        th.ArrayType(
            th.ObjectType(
                th.Property("question", TEXT), th.Property("answer", TEXT), th.Property("position", th.IntegerType)
            )
        ),
    ),
    th.Property(
        "tracking",
        th.ObjectType(
            th.Property("utm_campaign", TEXT),
            th.Property("utm_source", TEXT),
            th.Property("utm_medium", TEXT),
            th.Property("utm_content", TEXT),
            th.Property("utm_term", TEXT),
            th.Property("salesforce_uuid", TEXT),
        ),
    ),
    th.Property("rescheduled", th.BooleanType),
    th.Property("old_invitee", TEXT),
    th.Property("new_invitee", TEXT),
    th.Property("cancel_url", TEXT),
    th.Property("reschedule_url", TEXT),
    th.Property(
        "cancellation",
        th.ObjectType(
            th.Property("canceled_by", TEXT),
            th.Property("reason", TEXT),
            th.Property("canceler_type", TEXT),
            th.Property("created_at", TIME),
        ),
    ),
    th.Property("payment", th.ObjectType(th.Property("external_id", TEXT), th.Property("amount", th.NumberType))),
    th.Property("no_show", th.ObjectType(th.Property("uri", TEXT), th.Property("created_at", TIME))),
    th.Property("reconfirmation", th.ObjectType(th.Property("created_at", TIME), th.Property("confirmed_at", TIME))),
    th.Property("routing_form_submission", TEXT),
    th.Property("scheduling_method", TEXT),
    th.Property("invitee_scheduled_by", TEXT),
    th.Property("created_at", TIME),
    th.Property("updated_at", TIME),
).to_dict()

ROW = th.PropertiesList(
    th.Property("id", TEXT),
    th.Property("name", TEXT),
    th.Property("email", TEXT),
    th.Property("city", TEXT),
    th.Property("quantity", th.IntegerType),
    th.Property("amount", th.IntegerType),
    th.Property("active", th.BooleanType),
    th.Property("comment", TEXT),
    th.Property("created_at", TIME),
    th.Property("updated_at", TIME),
).to_dict()


class ScheduledEvents(TemplateStream):
    """Meetings."""

    name = "scheduled_events"
    path = "/scheduled_events"
    primary_keys = ("uri",)
    schema = EVENT

    def get_child_context(self, record: dict[str, Any], context: Context | None) -> Mapping[str, Any]:  # noqa: ARG002 - the SDK calls it so
        """Values of the invitees' path."""
        return {"event_id": record["uri"].rpartition("/")[2]}


class EventInvitees(TemplateStream):
    """Invitees, a list for each meeting."""

    name = "event_invitees"
    path = "/scheduled_events/{event_id}/invitees"
    primary_keys = ("uri",)
    parent_stream_type = ScheduledEvents
    schema = INVITEE


class InviteesWithoutPartitions(EventInvitees):
    """The same, with one bookmark for all meetings."""

    state_partitioning_keys = ()


class Rows(TemplateStream):
    """One list of flat rows."""

    name = "rows"
    path = "/rows"
    primary_keys = ("id",)
    schema = ROW


class NestedRows(Rows):
    """One list of nested rows."""

    primary_keys = ("uri",)
    schema = EVENT


class TapTemplate(Tap):
    """The tap."""

    name = "tap-template"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("api_url", TEXT, required=True),
        th.Property("work", TEXT, required=True),
        th.Property("partitions", th.BooleanType, default=True),
    ).to_dict()

    def discover_streams(self) -> list[TemplateStream]:
        """The streams of the work."""
        match self.config["work"]:
            case "flat":
                return [Rows(self)]
            case "nested":
                return [NestedRows(self)]
        invitees = EventInvitees if self.config["partitions"] else InviteesWithoutPartitions
        return [ScheduledEvents(self), invitees(self)]


if __name__ == "__main__":
    TapTemplate.cli()
