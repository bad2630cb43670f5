"""The base class of Calendly streams: envelope, cursor, ids from URIs, errors."""

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


# Bytes of an error that is not JSON: it names a scope at its beginning.
_ENOUGH = 10_000


class CalendlyStream(APIStream):
    """A Calendly list, with rows identified by URI.

        {"collection": [{"uri": "https://api.calendly.com/groups/A1B2", "name": "Sales", "member_count": 4}],
         "pagination": {"count": 1, "next_page": "https://api.calendly.com/groups?count=1&page_token=sNjq",
                        "next_page_token": "sNjq"}}

    Older responses have no `next_page_token`.
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
        """Return the row with `id` from `uri`, and each column `x_id` from the URI at `x` or `x_uri`."""
        ids = {
            column: next((found for source in sources if (found := uuid(row.get(source)))), None)
            for column, sources in self._uri_columns.items()
        }
        return {**row, **ids}

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
        """Return the error; Calendly names the invalid parameter of a 400, and the missing scopes of a 403."""
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
    """Return the last segment of a URI, or of an object's `uri`: rows have no other id."""
    if isinstance(reference, dict):
        reference = reference.get("uri")
    return reference.rstrip("/").rpartition("/")[2] if isinstance(reference, str) and reference else None


def _lacks_scope(response: requests.Response) -> bool:
    """Return True if a 403 has `required_scopes`, `InsufficientScopeError` or "Insufficient scope"."""
    try:
        body = decoded(response)
    except ValueError:
        body = response.content[:_ENOUGH].decode(errors="replace")
    return any(_squeezed(text) == "requiredscopes" or "insufficientscope" in _squeezed(text) for text in _texts(body))


def _texts(value: Any) -> Iterator[str]:
    """Yield all strings in an error body, and the names of its non-empty fields."""
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
    """Return a field of an error body; None if it has none."""
    try:
        return find(f"$.{name}", decoded(response))
    except ValueError:
        return None
