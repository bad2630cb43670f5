"""What every Calendly endpoint has in common: envelope, cursor, identity by URI, and errors."""

from __future__ import annotations

from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk.exceptions import RetriableAPIError
from singer_sdk.schema.source import SchemaDirectory, StreamSchema
from typing_extensions import override

from tap_calendly import schemas
from tap_common.errors import AccessError, StalePageError
from tap_common.fastjson import decoded
from tap_common.select import find
from tap_common.stream import APIStream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import requests
    from singer_sdk.helpers.types import Record

    from tap_calendly.tap import TapCalendly


class CalendlyStream(APIStream):
    """A Calendly list, rows identified by URI.

    `{"collection": [...], "pagination": {"next_page": "https://…&page_token=…", "next_page_token": "…"}}`; older
    answers have no `next_page_token`.
    """

    records_jsonpath = "$.collection[*]"
    cursor_jsonpath = "$.pagination.next_page_token"
    next_url_jsonpath = "$.pagination.next_page"
    cursor_param = "page_token"
    page_size_param: ClassVar[str | None] = "count"
    primary_keys: Sequence[str] = ("uri",)
    schema = StreamSchema(SchemaDirectory(schemas))

    permission: ClassVar[str]
    """The scope that a token needs for this endpoint."""

    @property
    @override
    def tap(self) -> TapCalendly:
        return cast("TapCalendly", self._tap)

    @override
    def refine(self, row: Record) -> Record:
        """Fill `id` from `uri`, and each column `x_id` from the URI at `x` or `x_uri`."""
        refined = {**row}
        for column, sources in self._uri_columns.items():
            refined[column] = next((found for source in sources if (found := uuid(row.get(source)))), None)
        return refined

    @cached_property
    def _uri_columns(self) -> Mapping[str, tuple[str, str]]:
        columns = self.schema["properties"]
        referring = {name: name.removesuffix("_id") for name in columns if name.endswith("_id") and name != "_id"}
        sources = {name: (other, f"{other}_uri") for name, other in referring.items()}
        return sources | {"id": ("uri", "uri")} if "id" in columns else sources

    @override
    def refusal(self, response: requests.Response, message: str) -> Exception:
        """Calendly names the invalid parameter of a 400, and the missing scopes of a 403."""
        status = response.status_code
        if (
            status == HTTPStatus.BAD_REQUEST
            and "page_token" in f"{_error(response, 'details')}{_error(response, 'message')}"
        ):
            return StalePageError(message)
        lacking = _error(response, "required_scopes") or _error(response, "title") == "Insufficient scope"
        if status == HTTPStatus.FORBIDDEN and lacking:
            return AccessError(
                f"The Calendly token lacks the scope `{self.permission}` that stream `{self.name}` needs: "
                "create a token that has it, or deselect the stream."
            )
        if status == HTTPStatus.UNAUTHORIZED and self.tap.renew(response.request):
            return RetriableAPIError(f"{message}: the access token has expired", response)
        return super().refusal(response, message)


def uuid(reference: Any) -> str | None:
    """The last segment of a URI, or of the `uri` of an object: Calendly has ids of two shapes, and shows neither."""
    if isinstance(reference, dict):
        reference = reference.get("uri")
    return reference.rstrip("/").rpartition("/")[2] if isinstance(reference, str) and reference else None


def _error(response: requests.Response, name: str) -> Any:
    """A field of the error body, which may be of any form or empty."""
    try:
        return find(f"$.{name}", decoded(response))
    except ValueError:
        return None
