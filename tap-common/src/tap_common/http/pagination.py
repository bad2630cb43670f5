"""Paging along a cursor, by whatever a page says of what follows.

An API has several signals that more rows follow: a cursor, a flag, the address of the next page. Any of them may be
missing, null, empty, of another type, or contradict the others, on any page. None is the end of a list by itself:

- A cursor that has not been used is followed, whatever the others say.
- More without a cursor to ask for it with is an error.
- The end is what a signal says, and none contradicts.
- Where no signal says anything, the answer is no page of a paged list: see `Signals.are_silent`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from requests.utils import parse_header_links
from singer_sdk.pagination import BaseAPIPaginator
from typing_extensions import override

from tap_common.errors import EndlessListError
from tap_common.http.json import decoded, encode
from tap_common.http.jsonpath import EnvelopeError, find, select

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import requests

# A page that says the end and has a new cursor all the same is believed after so many in a row without a new row.
_BELIEVED = 3
# No API is known to send more than one page without a new row before others that have some.
_MOST_WITHOUT_NEW_ROWS = 100
# Characters; servers refuse addresses of some thousand.
_LONGEST_CURSOR = 4_000


class Said(NamedTuple):
    """Signals of a page about the pages that follow.

    Attributes:
        cursors: Values to ask for the next page with, the most trustworthy first.
        more: Whether a signal says that more rows follow.
        end: Whether a signal says that no more rows follow.
    """

    cursors: Sequence[str]
    more: bool
    end: bool


@dataclass(frozen=True)
class Signals:
    """The places where the pages of a list say whether more rows follow.

    The `Link` header is read on every list. No address is followed, whatever its host: only the cursor in its query
    is used.
    """

    cursor: str | None = None
    """JSONPath of the next cursor."""
    flag: str | None = None
    """JSONPath of the boolean that says whether more follow. Where there is one, a null elsewhere is not the end."""
    url: str | None = None
    """JSONPath of the address of the next page."""
    total: str | None = None
    """JSONPath of the number of all rows of the list, for `OffsetPaginator`."""
    param: str = ""
    """Query parameter that carries the cursor."""
    rows: str | None = None
    """JSONPath of the rows."""
    row_key: str | None = None
    """Column of a page's last row that is the next cursor, where the API has no other; it is there on the last page,
    too."""
    keys: Sequence[str] = ()
    """Columns that identify a row within the list, where rows have them by these names."""
    where: str = "The API"
    """Name of the list in errors."""

    def read(self, response: requests.Response) -> Said:
        """Return what a page says."""
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
        return Said([*cursors, *_numbers(cursor)], more, end)

    def are_silent(self, response: requests.Response) -> bool:
        """Return whether no signal says anything.

        Where the last row's key is the cursor, that is enough to go on by, until a page is empty.
        """
        return not self.row_key and not any(self.read(response))

    def rows_of(self, response: requests.Response) -> Sequence[Any]:
        """Return the rows of a page, as far as they are known to be a list."""
        rows = select(self.rows, decoded(response)) if self.rows else ()
        return rows if isinstance(rows, list) else list(rows)

    def total_of(self, response: requests.Response) -> int | None:
        """Return the number of all rows of the list; None where a page does not say it."""
        total = _at(self.total, decoded(response))
        return total if isinstance(total, int) and not isinstance(total, bool) else None

    def identity(self, row: Any) -> Any:
        """Return what a row is known by: its keys, or the whole row where it lacks one of them."""
        known = self.keys and isinstance(row, dict) and all(row.get(key) is not None for key in self.keys)
        return [row[key] for key in self.keys] if known else row

    def _last_key(self, response: requests.Response) -> Iterator[str]:
        for row in self.rows_of(response)[-1:]:
            key = find(f"$.{self.row_key}", row)
            yield from (*_texts(key), *_numbers(key))

    def _in_query(self, address: Any) -> Iterator[str]:
        if _is_text(address):
            with suppress(ValueError):  # not an address
                yield from filter(_is_cursor, parse_qs(urlsplit(address).query).get(self.param, ()))


class CursorPaginator(BaseAPIPaginator[str | None]):
    """Follows every cursor that has not been used, until a page says that nothing follows.

    The number of rows says nothing: an empty page that carries a cursor is followed.
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
            EndlessListError: The signals do not lead to the end of the list.
        """
        said, where = self.signals.read(response), self.signals.where
        rows = self.signals.rows_of(response)
        self._count(rows)
        cursor = next((cursor for cursor in said.cursors if cursor not in self._used), None)
        if cursor is not None and not (said.end and self._without_new_rows >= _BELIEVED):
            if self._without_new_rows >= _MOST_WITHOUT_NEW_ROWS:
                raise EndlessListError(
                    f"{where} has sent {self._without_new_rows} pages in a row without a new row, each with another "
                    "page token, so the list would never end; try again."
                )
            self._used.add(cursor)
            return cursor
        if said.cursors and not said.end:
            same = (
                "Two pages ended with the same row"
                if self.signals.row_key
                else "The API sent the same page token twice"
            )
            raise EndlessListError(f"{same} ({where}), so the list would never end; try again.")
        if self.signals.row_key and rows and not said.cursors and (said.more or not said.end):
            raise EndlessListError(f"The last row of a page has no id ({where}), so the next page cannot be asked for.")
        if said.more and not said.cursors:
            raise EndlessListError(f"{where} says that more rows follow, but not how to ask for them; try again.")
        return None

    @override
    def continue_if_empty(self, response: requests.Response) -> bool:
        return True

    def _count(self, rows: Sequence[Any]) -> None:
        """Count the pages in a row that held nothing new: no row, or two that began or ended earlier pages.

        A row is known by its keys, so that a list of rows that change with each page comes to its end, too.
        """
        ends = {hash(encode(self.signals.identity(row))) for row in (*rows[:1], *rows[-1:])}
        self._without_new_rows = self._without_new_rows + 1 if ends <= self._ends else 0
        self._ends |= ends


_ABSENT = object()


def _at(path: str | None, page: Any) -> Any:
    """The value at a path, or `_ABSENT`."""
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
    """A number as a cursor: not documented for any API, and the last that is tried."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _links(response: requests.Response) -> dict[str, str]:
    """The addresses in the `Link` header by their relations, in lower case."""
    header = response.headers.get("Link")
    links = parse_header_links(header) if header else ()
    return {rel: link["url"] for link in links for rel in link.get("rel", "").lower().split()}
