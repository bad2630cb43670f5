"""The base class of OnceHub streams: envelope, pagination by the last row's id, deletions, errors."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar

from singer_sdk.schema.source import SchemaDirectory, StreamSchema
from typing_extensions import override

from tap_bookings import schemas
from tap_common import APIStream, ExpiredCursorError
from tap_common.http.json import decoded
from tap_common.http.jsonpath import find

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import requests
    from singer_sdk.helpers.types import Context, Record

# Parts of an error body that are logged: names of the API, never text.
_NAME = re.compile(r"[A-Za-z][\w.-]{0,63}")


class OnceHubStream(APIStream):
    """A OnceHub list, newest first, with a `Link` header.

        {"object": "list", "has_more": true, "data": [
            {"object": "booking", "id": "BKNG-1", "status": "scheduled", "last_updated_time": "2026-01-31T09:00:00Z"},
            {"object": "booking", "id": "BKNG-2", "deleted": true}]}

    The next page is requested with `after=BKNG-2`, the last row's id.
    """

    records_jsonpath = "$.data[*]"
    has_more_jsonpath = "$.has_more"
    cursor_column = "id"
    cursor_param = "after"
    page_size_param: ClassVar[str | None] = "limit"
    primary_keys: Sequence[str] = ("id",)
    schema = StreamSchema(SchemaDirectory(schemas))

    @property
    @override
    def http_headers(self) -> dict[str, str]:
        # The vendor requires a content type even without content.
        return {"Accept": "application/json", "Content-Type": "application/json"}

    @override
    def read_list(self, context: Context) -> Iterator[Record]:
        """Return the rows without notices of deletions, which would overwrite the deleted record's columns by null."""
        return (row for row in super().read_list(context) if row.get("deleted") is not True)

    def list_rows(self, context: Context) -> Iterator[Record]:
        """Return the rows of one list; some are repeated if a page token expired and the list was read again."""
        return self._with_restart(context, self.read_list(context))

    @override
    def error_for(self, response: requests.Response, message: str) -> Exception:
        """Return the error; a 400 about `after` means that the row with that id no longer exists."""
        if response.status_code == HTTPStatus.BAD_REQUEST and _error(response, "param") == self.cursor_param:
            return ExpiredCursorError(message)
        return super().error_for(response, message)

    @override
    def response_error_message(self, response: requests.Response) -> str:
        """Return the message with the type and the parameter of the error; the body's text may quote data."""
        kind, param = _error(response, "type"), _error(response, "param")
        at_fault = f", parameter `{param}`" if param else ""
        return f"{super().response_error_message(response)}{f': {kind}' if kind else ''}{at_fault}"


def _error(response: requests.Response, name: str) -> str | None:
    """Return a name in an error body; None if it has none."""
    if response.ok:
        return None
    try:
        value = find(f"$.{name}", decoded(response))
    except ValueError:
        return None
    return value if isinstance(value, str) and _NAME.fullmatch(value) else None
