"""What every OnceHub endpoint has in common: envelope, paging by the last row's id, references, and errors."""

from __future__ import annotations

import re
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.pagination import SinglePagePaginator
from singer_sdk.schema.source import SchemaDirectory, StreamSchema
from typing_extensions import override

from tap_bookings import schemas
from tap_common.errors import RequestError, StalePageError
from tap_common.fastjson import decoded
from tap_common.paginator import CursorPaginator
from tap_common.select import find
from tap_common.stream import APIStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import requests
    from singer_sdk.helpers.types import Record

    from tap_common.stream import Asked

# What an error may be quoted with: names of the API's own, never a text.
_NAME = re.compile(r"[A-Za-z][\w.-]{0,63}")
_SCALAR = {"string", "integer", "number", "boolean", "null"}


class AfterPaginator(CursorPaginator):
    """Pages by the id of the last row: the next page holds the rows listed after it.

    More follow where `has_more` or the `Link` header says so; where there is neither, while pages are full. The
    address in `Link` is never followed: it need not hold the version or the filters.
    """

    def __init__(self, page_size: int) -> None:
        super().__init__("$.data")
        self._page_size = page_size
        self._passed: set[str] = set()

    @override
    def get_next(self, response: requests.Response) -> str | None:
        page = decoded(response)
        rows = page["data"]
        if not rows or not self._goes_on(page, response):
            return None
        last = find("$.id", rows[-1])
        if not last:
            raise RequestError("The last row of a page has no id, so the next page cannot be asked for.")
        if last in self._passed:
            raise RequestError("Two pages ended with the same row, so the list would never end; try again.")
        self._passed.add(last)
        return str(last)

    def _goes_on(self, page: Any, response: requests.Response) -> bool:
        more = page.get("has_more")
        if more is None and not response.links:
            return len(page["data"]) >= self._page_size
        return bool(more) or "next" in response.links


class OnceHubStream(APIStream):
    """A OnceHub list: `{"object": "list", "data": [...], "has_more": ...}`, newest first."""

    records_jsonpath = "$.data[*]"
    cursor_param = "after"
    page_size_param: ClassVar[str | None] = "limit"
    paginator_class: ClassVar[type[CursorPaginator | SinglePagePaginator]] = AfterPaginator
    primary_keys: Sequence[str] = ("id",)
    schema = StreamSchema(SchemaDirectory(schemas))

    @property
    @override
    def http_headers(self) -> dict[str, str]:
        # The vendor asks for a content type even where there is no content.
        return {"Accept": "application/json", "Content-Type": "application/json"}

    @override
    def get_new_paginator(self) -> CursorPaginator | SinglePagePaginator:
        if issubclass(self.paginator_class, SinglePagePaginator):
            return SinglePagePaginator()
        return AfterPaginator(int(self.config["page_size"]))

    @override
    def open(self, asked: Asked) -> Iterator[Record]:
        """The rows without those that only say that something was deleted: they would empty the row it had."""
        return (row for row in super().open(asked) if row.get("deleted") is not True)

    def listed(self, asked: Asked) -> Iterator[Record]:
        """The API's rows for one list; some come twice where it had to be read again from its first page."""
        return self._restarted(asked, self.open(asked))

    @override
    def shape(self, row: Record, asked: Asked) -> Record:
        """Of an object or a list where a plain value belongs, the id; what came is kept in `_extra`."""
        shaped = super().shape(row, asked)
        nested = {name: shaped[name] for name in self._plain if isinstance(shaped[name], dict | list)}
        if nested:
            shaped |= {name: find("$.id", value) for name, value in nested.items()}
            shaped["_extra"] = {**(shaped["_extra"] or {}), **nested}
        return shaped

    @cached_property
    def _plain(self) -> tuple[str, ...]:
        columns = self.schema["properties"].items()
        return tuple(name for name, column in columns if _SCALAR.issuperset(_kinds(column)))

    @override
    def refusal(self, response: requests.Response, message: str) -> Exception:
        """A 400 that names `after`: the row that a page was to begin after is gone."""
        if response.status_code == HTTPStatus.BAD_REQUEST and _error(response, "param") == self.cursor_param:
            return StalePageError(message)
        return super().refusal(response, message)

    @override
    def response_error_message(self, response: requests.Response) -> str:
        """The type of the error and the parameter at fault, but no text of the body: it may quote data."""
        kind, param = _error(response, "type"), _error(response, "param")
        at_fault = f", parameter `{param}`" if param else ""
        return f"{super().response_error_message(response)}{f': {kind}' if kind else ''}{at_fault}"


def _kinds(column: Any) -> list[str]:
    kinds = column["type"]
    return kinds if isinstance(kinds, list) else [kinds]


def _error(response: requests.Response, name: str) -> str | None:
    """A name in the error body, which may be of any form or empty."""
    if response.ok:
        return None
    try:
        value = find(f"$.{name}", decoded(response))
    except ValueError:
        return None
    return value if isinstance(value, str) and _NAME.fullmatch(value) else None
