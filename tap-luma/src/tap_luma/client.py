"""What every Luma endpoint has in common: envelope, cursor, both generations, several calendars, and errors."""

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
    """A Luma list: `{"entries": [...], "has_more": ..., "next_cursor": ...}`, read with the key of each calendar.

    A subclass declares the current generation of its endpoint, and what the older one has otherwise.
    """

    records_jsonpath = "$.entries[*]"
    cursor_jsonpath = "$.next_cursor"
    has_more_jsonpath = "$.has_more"
    cursor_param = "pagination_cursor"
    page_size_param: ClassVar[str | None] = "pagination_limit"
    primary_keys: Sequence[str] = ("id",)
    schema = StreamSchema(SchemaDirectory(schemas))

    legacy_path: ClassVar[str | None] = None
    """The older endpoint; None where there is none, or it has the same path."""
    legacy_records_jsonpath: ClassVar[str | None] = None
    """Where the older endpoint has its rows; None where it is the same."""
    legacy_wrapper: ClassVar[str | None] = None
    """Under which name the older endpoint's entries hold the row; None where they are the row."""
    legacy_params: ClassVar[Mapping[str, str] | None] = None
    """The older endpoint's names for query parameters, by the current ones; None where they are the same."""

    @property
    @override
    def tap(self) -> TapLuma:
        return cast("TapLuma", self._tap)

    def use_legacy(self) -> None:
        """Ask the older endpoint from now on, if there is one."""
        self.path = self.legacy_path or self.path
        self.records_jsonpath = self.legacy_records_jsonpath or self.records_jsonpath

    @override
    def contexts(self) -> Iterable[Context]:
        """For a list: each calendar, with its key."""
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
        """The row of either generation, with both names of what was renamed."""
        return add_both_names(unwrap(row, self.legacy_wrapper))

    @override
    def error_for(self, response: requests.Response, message: str) -> Exception:
        """A missing key is answered with 400; a path that a generation does not have, with 404."""
        error = super().error_for(response, message)
        if response.status_code == HTTPStatus.BAD_REQUEST:
            if "API key" in _said(response):
                return AccessError(f"{self.tap.api_name} does not accept the key: it arrived empty.")
            # The first page was answered: of all that was asked with, only the cursor is new.
            return ExpiredCursorError(message) if f"{self.cursor_param}=" in str(response.request.url) else error
        return error


def _said(response: requests.Response) -> str:
    """The message of the error body, which may be of any form."""
    try:
        return str(find("$.message", decoded(response)))
    except ValueError:
        return ""
