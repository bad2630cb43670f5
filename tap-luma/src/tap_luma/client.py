"""The base class of Luma streams: envelope, cursor, both generations of the API, several calendars, errors."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar, cast

from singer_sdk.schema.source import SchemaDirectory, StreamSchema
from typing_extensions import override

from tap_common import CREDENTIAL, AccessError, APIStream, ExpiredCursorError
from tap_common.http.json import decoded
from tap_common.http.jsonpath import find
from tap_luma import schemas
from tap_luma.names import add_both_names, unwrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import requests
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.streams.rest import HTTPRequest, PageContext

    from tap_luma.tap import TapLuma


class LumaStream(APIStream):
    """A Luma list, read with the key of each calendar.

        {"entries": [{"id": "evt-1", "name": "Meetup", "start_at": "2026-01-31T18:00:00.000Z"}],
         "has_more": true, "next_cursor": "bmV4dA"}

    A subclass declares its endpoint in the current generation of the API, and the differences of the legacy one, which
    wraps its rows: `{"entries": [{"api_id": "evt-1", "event": {"api_id": "evt-1", "name": "Meetup"}}], …}`.
    """

    records_jsonpath = "$.entries[*]"
    cursor_jsonpath = "$.next_cursor"
    has_more_jsonpath = "$.has_more"
    cursor_param = "pagination_cursor"
    page_size_param: ClassVar[str | None] = "pagination_limit"
    primary_keys: Sequence[str] = ("id",)
    schema = StreamSchema(SchemaDirectory(schemas))

    legacy_path: ClassVar[str | None] = None
    """Path of the legacy endpoint; None if there is none, or if it is the same."""
    legacy_records_jsonpath: ClassVar[str | None] = None
    """JSONPath of the legacy endpoint's rows; None if it is the same."""
    legacy_wrapper: ClassVar[str | None] = None
    """Field of a legacy entry with the row; None if the entry is the row."""
    legacy_params: ClassVar[Mapping[str, str] | None] = None
    """Legacy names of query parameters by their current names; None if they are the same."""

    @property
    @override
    def tap(self) -> TapLuma:
        return cast("TapLuma", self._tap)

    def use_legacy(self) -> None:
        """Use the legacy endpoint from now on, if there is one."""
        self.path = self.legacy_path or self.path
        self.records_jsonpath = self.legacy_records_jsonpath or self.records_jsonpath

    @override
    def contexts(self) -> Iterable[Context]:
        """Return a context for each calendar, with its credential; for a child, for each parent."""
        if self.parent_stream_type is not None:
            return super().contexts()
        return [{CREDENTIAL: calendar.credential, "calendar_id": name} for name, calendar in self.tap.calendars.items()]

    @property
    @override
    def check_contexts(self) -> Sequence[Context]:
        if self.parent_stream_type is None:
            self.tap.require_key()
        return super().check_contexts

    @override
    def get_http_request(self, *, page: PageContext[str]) -> HTTPRequest:
        request = super().get_http_request(page=page)
        if self.tap.legacy and self.legacy_params:
            request.params = {self.legacy_params.get(name, name): value for name, value in request.params.items()}
        return request

    @override
    def transform_record(self, row: Record) -> Record:
        """Return the row of either generation, with renamed fields under both names."""
        return add_both_names(unwrap(row, self.legacy_wrapper))

    @override
    def error_for(self, response: requests.Response, message: str) -> Exception:
        """Return the error; a 400 is about a missing key, or about an expired cursor."""
        error = super().error_for(response, message)
        if response.status_code == HTTPStatus.BAD_REQUEST:
            if "API key" in _error_message(response):
                return AccessError(f"{self.tap.api_name} does not accept the key: it was empty when it arrived.")
            # After the first page, only the cursor is new in a request, so it must be the cause.
            return ExpiredCursorError(message) if f"{self.cursor_param}=" in str(response.request.url) else error
        return error


def _error_message(response: requests.Response) -> str:
    """Return the message in an error body; empty if it has none."""
    try:
        return str(find("$.message", decoded(response)))
    except ValueError:
        return ""
