"""The base class of SavvyCal streams: envelope, cursor, several keys, errors."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar, cast
from urllib.parse import parse_qs, urlsplit

from singer_sdk.schema.source import SchemaDirectory, StreamSchema
from typing_extensions import override

from tap_common import CREDENTIAL, AccessError, APIStream, ExpiredCursorError, RequestError, Unpaged
from tap_scheduler import schemas
from tap_scheduler.parameters import AFTER, LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import requests
    from singer_sdk.helpers.types import Context, Record

    from tap_scheduler.tap import TapScheduler

_UNACCEPTABLE = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)


class RefusedError(RequestError):
    """A query parameter or its value is not accepted (422)."""


class SavvyCalStream(APIStream):
    """A SavvyCal list, read with each key.

    {"entries": [{"id": "event_01", "summary": "Intro call", "start_at": "2026-01-31T09:00:00Z"}],
     "metadata": {"after": "g3QAAAAB", "before": null, "limit": 100}}
    """

    records_jsonpath = "$.entries[*]"
    cursor_jsonpath = "$.metadata.after"
    cursor_param = AFTER
    page_size_param: ClassVar[str | None] = LIMIT
    primary_keys: Sequence[str] = ("id",)
    schema = StreamSchema(SchemaDirectory(schemas))

    @property
    @override
    def tap(self) -> TapScheduler:
        return cast("TapScheduler", self._tap)

    @override
    def contexts(self) -> Iterable[Context]:
        """Return a context for each key, which sees its owner's part of the company; for a child, for each parent."""
        if self.parent_stream_type is None:
            return [{CREDENTIAL: credential} for credential in self.tap.credentials]
        return super().contexts()

    @override
    def record_batches(self) -> Iterator[Iterable[Record]]:
        """Yield the records of all lists; a record in several lists is emitted once, from the first of them."""
        if self.parent_stream_type is not None or len(list(self.contexts())) == 1:
            yield from super().record_batches()
            return
        seen: set[str] = set()
        for rows in super().record_batches():
            yield deduplicate(rows, seen)

    @override
    def error_for(self, response: requests.Response, message: str) -> Exception:
        """Return the error by status and request; the body may be plain text."""
        if response.status_code == HTTPStatus.FORBIDDEN and not self.skip_if_forbidden:
            return AccessError(f"SavvyCal does not let this key read {self.path} (403): {self.tap.key_hint}")
        if response.status_code not in _UNACCEPTABLE:
            return super().error_for(response, message)
        # After the first page, only the cursor is new in a request, so it must be the cause.
        has_cursor = AFTER in parse_qs(urlsplit(str(response.request.url)).query)
        return ExpiredCursorError(message) if has_cursor else RefusedError(message)


class BareList(Unpaged, SavvyCalStream):
    """A list without an envelope, and without documented pages; a `Link` header would be followed.

    [{"id": "Europe/Berlin", "offset": 3600}, …]
    """

    records_jsonpath = "$[*]"


def deduplicate(rows: Iterable[Record], seen: set[str]) -> Iterator[Record]:
    """Yield the rows whose `id` is not in `seen`, and add it."""
    for row in rows:
        if row["id"] not in seen:
            seen.add(row["id"])
            yield row
