"""Pagination by cursor, with every signal that a page has.

An API signals in several ways whether more rows follow: by a cursor, a flag, or the URL of the next page. On any page,
a signal may be missing, null, empty, of another type, or contradict the others. None of them ends a list by itself:

- A new cursor is followed, whatever the other signals say.
- A signal for more rows without a cursor is an error.
- The list ends if a signal says so and no other contradicts it.
- A page without any signal is not a page of a list: see `Signals.are_absent`.

A page with all of them, the cursor in `page_token`:

    {"collection": [{"uri": "…"}], "has_more": true,
     "pagination": {"next_page_token": "abc", "next_page": "https://api.example.com/events?page_token=abc"}}
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from requests.utils import parse_header_links
from singer_sdk.pagination import BaseAPIPaginator
from singer_sdk.pagination import OffsetPaginator as SDKOffsetPaginator
from typing_extensions import override

from tap_common.errors import EndlessListError
from tap_common.http.json import decoded, encode
from tap_common.http.jsonpath import EnvelopeError, find, select

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import requests

# After this many pages in a row without a new row, a page that says the end is believed despite its new cursor.
_BELIEVED = 3
# No API is known to send more than one page without a new row before others that have some.
_MOST_WITHOUT_NEW_ROWS = 100
# Characters; servers refuse URLs of some thousand.
_LONGEST_CURSOR = 4_000


class NextPage(NamedTuple):
    """A page's signals about the next page.

    Attributes:
        cursors: Cursors of the next page, the most trustworthy first.
        more: True if a signal says that more rows follow.
        end: True if a signal says that no more rows follow.
    """

    cursors: Sequence[str]
    more: bool
    end: bool


@dataclass(frozen=True)
class Signals:
    """JSONPaths of the signals of a list's pages.

    The `Link` header of every list is read, too. URLs are not followed; only the cursor in their query is used.
    """

    cursor: str | None = None
    """JSONPath of the next cursor."""
    flag: str | None = None
    """JSONPath of the boolean that is true if more rows follow. If it is set, a null cursor is not the end."""
    url: str | None = None
    """JSONPath of the URL of the next page."""
    total: str | None = None
    """JSONPath of the number of all rows of the list, for `OffsetPaginator`."""
    param: str = ""
    """Query parameter that carries the cursor."""
    rows: str | None = None
    """JSONPath of the rows."""
    row_key: str | None = None
    """Column of a page's last row that is the next cursor, for APIs without another; the last page has it, too."""
    keys: Sequence[str] = ()
    """Columns that identify a row within the list."""
    where: str = "The API"
    """Name of the list in errors."""

    def read(self, response: requests.Response) -> NextPage:
        """Return the signals of a page."""
        page = decoded(response)
        values = [(self.cursor, _at(self.cursor, page)), (self.url, _at(self.url, page))]
        links = _links(response)
        cursor, addresses = values[0][1], [values[1][1], links.get("next")]
        flag = _at(self.flag, page)
        more = flag is True or any(_is_text(address) for address in addresses)
        null = self.flag is None and any(path and value is None for path, value in values)
        end = flag is False or null or ("next" not in links and not links.keys().isdisjoint(("prev", "previous")))
        cursors = [*_texts(cursor), *(found for address in addresses for found in self._in_query(address))]
        if self.row_key:
            cursors = [*self._last_key(response), *cursors] if more or not end else []
        return NextPage([*cursors, *_numbers(cursor)], more, end)

    def are_absent(self, response: requests.Response) -> bool:
        """Return True if a page has no signal.

        If the cursor is a column of the last row, it needs none: the list is read until a page is empty.
        """
        return not self.row_key and not any(self.read(response))

    def rows_of(self, response: requests.Response) -> Sequence[Any]:
        """Return the rows of a page; none if their JSONPath is not known."""
        rows = select(self.rows, decoded(response)) if self.rows else ()
        return rows if isinstance(rows, list) else list(rows)

    def total_of(self, response: requests.Response) -> int | None:
        """Return the number of all rows of the list; None where a page does not say it."""
        total = _at(self.total, decoded(response))
        return total if isinstance(total, int) and not isinstance(total, bool) else None

    def identity(self, row: Any) -> Any:
        """Return the keys of a row, or the whole row if it lacks one of them."""
        known = self.keys and isinstance(row, dict) and all(row.get(key) is not None for key in self.keys)
        return [row[key] for key in self.keys] if known else row

    def _last_key(self, response: requests.Response) -> Iterator[str]:
        for row in self.rows_of(response)[-1:]:
            key = find(f"$.{self.row_key}", row)
            yield from (*_texts(key), *_numbers(key))

    def _in_query(self, address: Any) -> Iterator[str]:
        if _is_text(address):
            with suppress(ValueError):  # not a URL
                yield from filter(_is_cursor, parse_qs(urlsplit(address).query).get(self.param, ()))


class CursorPaginator(BaseAPIPaginator[str | None]):
    """Follows every new cursor, until a page says that no more rows follow.

    An empty page with a cursor is followed, too.
    """

    def __init__(self, signals: Signals) -> None:
        super().__init__(None)
        self.signals = signals
        self._used: set[str] = set()
        self._ends: set[int] = set()
        self._without_new_rows = 0

    @override
    def get_next(self, response: requests.Response) -> str | None:
        """Return the next cursor, or None at the end.

        Raises:
            EndlessListError: The list would never end, or its next page cannot be requested.
        """
        next_page, where = self.signals.read(response), self.signals.where
        rows = self.signals.rows_of(response)
        self._count(rows)
        cursor = next((cursor for cursor in next_page.cursors if cursor not in self._used), None)
        if cursor is not None and not (next_page.end and self._without_new_rows >= _BELIEVED):
            if self._without_new_rows >= _MOST_WITHOUT_NEW_ROWS:
                raise EndlessListError(
                    f"{where} sent {self._without_new_rows} pages in a row without a new row, each with a new page "
                    "token, so the list would never end; try again."
                )
            self._used.add(cursor)
            return cursor
        if next_page.cursors and not next_page.end:
            same = (
                "Two pages ended with the same row"
                if self.signals.row_key
                else "The API sent the same page token twice"
            )
            raise EndlessListError(f"{same} ({where}), so the list would never end; try again.")
        if self.signals.row_key and rows and not next_page.cursors and (next_page.more or not next_page.end):
            raise EndlessListError(f"The last row of a page has no id ({where}), so the next page cannot be requested.")
        if next_page.more and not next_page.cursors:
            raise EndlessListError(f"{where} says that more rows follow, but sent no page token for them; try again.")
        return None

    @override
    def continue_if_empty(self, response: requests.Response) -> bool:
        return True

    def _count(self, rows: Sequence[Any]) -> None:
        """Count consecutive pages without a new first or last row.

        Rows are compared by their keys, since other columns may change from page to page.
        """
        ends = {hash(encode(self.signals.identity(row))) for row in (*rows[:1], *rows[-1:])}
        self._without_new_rows = self._without_new_rows + 1 if ends <= self._ends else 0
        self._ends |= ends


class OffsetPaginator(SDKOffsetPaginator):
    """Increases the offset by the number of rows received, until a page is empty, or its flag or total says the end.

    A page with fewer rows than requested need not be the last. The stream's `cursor_param` is the name of the offset
    parameter, such as `offset` or `skip`. A page, with `records_jsonpath = "$.items[*]"` and
    `total_jsonpath = "$.total"`:

        {"items": [{"id": 1}, {"id": 2}], "total": 7}
    """

    def __init__(self, signals: Signals) -> None:
        super().__init__(start_value=0, page_size=1)
        self.signals = signals
        self._last: list[Any] = []

    @override
    def get_next(self, response: requests.Response) -> int | None:
        """Return the next offset, or None at the end.

        Raises:
            EndlessListError: The API sends the same page whatever the offset.
        """
        rows = self.signals.rows_of(response)
        ends = [self.signals.identity(row) for row in (*rows[:1], *rows[-1:])]
        if rows and ends == self._last:
            raise EndlessListError(
                f"{self.signals.where} sends the same page again for another `{self.signals.param}`, so the list would "
                "never end: the parameter has another name, or the list has no pages."
            )
        self._last = ends
        offset = self.current_value + len(rows)
        next_page, total = self.signals.read(response), self.signals.total_of(response)
        ended = next_page.end or (total is not None and offset >= total)
        return None if not rows or (ended and not next_page.more) else offset

    @override
    def continue_if_empty(self, response: requests.Response) -> bool:
        return True  # `get_next` ends at an empty page; the SDK would log a line for each


_ABSENT = object()


def _at(path: str | None, page: Any) -> Any:
    """Return the value at a JSONPath, or `_ABSENT`."""
    if path is None:
        return _ABSENT
    try:
        return next(iter(select(path, page)), _ABSENT)
    except EnvelopeError:
        return _ABSENT


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_cursor(value: Any) -> bool:
    return _is_text(value) and len(value) <= _LONGEST_CURSOR


def _texts(value: Any) -> Iterator[str]:
    if _is_cursor(value):
        yield value


def _numbers(value: Any) -> Iterator[str]:
    """Yield a number as a cursor; no API documents one, so it is tried last."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _links(response: requests.Response) -> dict[str, str]:
    """Return the URLs in the `Link` header by relation, in lower case."""
    header = response.headers.get("Link")
    links = parse_header_links(header) if header else ()
    return {rel: link["url"] for link in links for rel in link.get("rel", "").lower().split()}
