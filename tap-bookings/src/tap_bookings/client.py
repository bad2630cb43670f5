"""What every OnceHub endpoint has in common: envelope, paging by the last row's id, references, and errors."""

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

# What an error may be quoted with: names of the API's own, never a text.
_NAME = re.compile(r"[A-Za-z][\w.-]{0,63}")


class OnceHubStream(APIStream):
    """A OnceHub list: `{"object": "list", "data": [...], "has_more": ...}` and a `Link` header, newest first.

    The next page holds the rows listed after the last one of this page.
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
        # The vendor asks for a content type even where there is no content.
        return {"Accept": "application/json", "Content-Type": "application/json"}

    @override
    def read_list(self, context: Context) -> Iterator[Record]:
        """The rows without those that only say that something was deleted: they would empty the row it had."""
        return (row for row in super().read_list(context) if row.get("deleted") is not True)

    def list_records(self, context: Context) -> Iterator[Record]:
        """The API's rows for one list; some come twice where it had to be read again from its first page."""
        return self._with_restart(context, self.read_list(context))

    @override
    def error_for(self, response: requests.Response, message: str) -> Exception:
        """A 400 that names `after`: the row that a page was to begin after is gone."""
        if response.status_code == HTTPStatus.BAD_REQUEST and _error(response, "param") == self.cursor_param:
            return ExpiredCursorError(message)
        return super().error_for(response, message)

    @override
    def response_error_message(self, response: requests.Response) -> str:
        """The type of the error and the parameter at fault, but no text of the body: it may quote data."""
        kind, param = _error(response, "type"), _error(response, "param")
        at_fault = f", parameter `{param}`" if param else ""
        return f"{super().response_error_message(response)}{f': {kind}' if kind else ''}{at_fault}"


def _error(response: requests.Response, name: str) -> str | None:
    """A name in the error body, which may be of any form or empty."""
    if response.ok:
        return None
    try:
        value = find(f"$.{name}", decoded(response))
    except ValueError:
        return None
    return value if isinstance(value, str) and _NAME.fullmatch(value) else None
