"""What every Calendly endpoint has in common: envelope, cursor, identity by URI, and errors."""

from __future__ import annotations

from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk.schema.source import SchemaDirectory, StreamSchema
from typing_extensions import override

from tap_calendly import schemas
from tap_common import AccessError, APIStream, ExpiredCursorError
from tap_common.errors import KeyRenewedError
from tap_common.http.json import decoded
from tap_common.http.jsonpath import find

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import requests
    from singer_sdk.helpers.types import Record

    from tap_calendly.tap import TapCalendly


# Bytes of an error that is no JSON: it names a scope at its beginning.
_ENOUGH = 10_000


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
    def transform_record(self, row: Record) -> Record:
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
    def validate_response(self, response: requests.Response) -> None:
        super().validate_response(response)
        self.tap.confirm_token(response.request)

    @override
    def error_for(self, response: requests.Response, message: str) -> Exception:
        """Calendly names the invalid parameter of a 400, and the missing scopes of a 403."""
        status = response.status_code
        if (
            status == HTTPStatus.BAD_REQUEST
            and "page_token" in f"{_error(response, 'details')}{_error(response, 'message')}"
        ):
            return ExpiredCursorError(message)
        if status == HTTPStatus.FORBIDDEN and _lacks_scope(response):
            return AccessError(
                f"The Calendly token lacks the scope `{self.permission}` that stream `{self.name}` needs: "
                "create a token that has it, or deselect the stream."
            )
        if status == HTTPStatus.UNAUTHORIZED and self.tap.renew(response.request):
            return KeyRenewedError(message, response)
        return super().error_for(response, message)


def uuid(reference: Any) -> str | None:
    """The last segment of a URI, or of the `uri` of an object: Calendly has ids of two shapes, and shows neither."""
    if isinstance(reference, dict):
        reference = reference.get("uri")
    return reference.rstrip("/").rpartition("/")[2] if isinstance(reference, str) and reference else None


def _lacks_scope(response: requests.Response) -> bool:
    """Return whether a 403 names a scope: by `required_scopes`, `InsufficientScopeError` or "Insufficient scope"."""
    try:
        body = decoded(response)
    except ValueError:
        body = response.content[:_ENOUGH].decode(errors="replace")
    return any(_squeezed(text) == "requiredscopes" or "insufficientscope" in _squeezed(text) for text in _texts(body))


def _texts(value: Any) -> Iterator[str]:
    """All texts in an error body, and the names of fields that hold something."""
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            yield from (name for name, item in value.items() if item)
            for item in value.values():
                yield from _texts(item)


def _squeezed(text: str) -> str:
    return "".join(filter(str.isalpha, text)).lower()


def _error(response: requests.Response, name: str) -> Any:
    """A field of the error body, which may be of any form or empty."""
    try:
        return find(f"$.{name}", decoded(response))
    except ValueError:
        return None
