"""Pages of a list: by key, so that rows which come and go between two pages move no other row."""

from __future__ import annotations

import base64
import hashlib
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from sandbox.luma.refusals import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from sandbox.luma.api import Luma

Row = dict[str, Any]
Sort = tuple[int, Any, int]
"""Where a record stands: whether it has a value to sort by, the value, the serial number."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """Records in ascending order of `keys`, of which no two are equal."""

    records: list[Any]
    keys: list[Sort]

    @classmethod
    def by(cls, value: Callable[[Any], Any], records: Iterable[Any], *, nulls_first: bool = False) -> Ordered:
        """Sort records by a value, and where that is equal by age."""
        pairs = []
        for record in records:
            found = value(record)
            rank = int((found is None) != nulls_first)
            pairs.append(((rank, 0 if found is None else found, record.serial), record))
        pairs.sort(key=lambda pair: pair[0])
        return cls([record for _, record in pairs], [key for key, _ in pairs])


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list has to offer, before it is cut into pages."""

    ordered: Ordered
    shape: Callable[[Any], Row]
    keep: Callable[[Any], bool] | None = None
    descending: bool = False

    def walk(self, after: Sort | None = None) -> Iterator[int]:
        """Yield the indices of kept records from one key (not included) on, in the list's own order."""
        keys, keep, records = self.ordered.keys, self.keep, self.ordered.records
        if self.descending:
            stop = len(keys) if after is None else bisect_left(keys, after)
            span = range(stop - 1, -1, -1)
        else:
            span = range(0 if after is None else bisect_right(keys, after), len(keys))
        return iter(span) if keep is None else (index for index in span if keep(records[index]))

    def everything(self) -> list[Row]:
        """Return all rows at once."""
        return [self.shape(self.ordered.records[index]) for index in self.walk()]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cursor leads in which query: behind a key, or behind so many rows.

    `kind` is next, or empty (a page without rows comes first), or end (nothing follows).
    """

    query: str
    key: Sort | None
    count: int
    kind: str


class Pager:
    """Issues cursors and honours them for ever."""

    def __init__(self, api: Luma) -> None:
        self.api = api
        self.places: dict[str, Place] = {}

    def issue(self, place: Place) -> str:
        """Return the cursor of a place: the same place has the same cursor."""
        digest = hashlib.blake2b(f"{self.api.world.seed}|{place}".encode(), digest_size=18).digest()
        cursor = base64.urlsafe_b64encode(digest).decode()
        self.places[cursor] = place
        return cursor

    def page(self, listing: Listing, path: str, query: str, requested: Mapping[str, Any]) -> Row:
        """Cut one page out of a listing.

        Luma: the limit is silently capped; a page may be shorter although more follow; the last page has no cursor.

        Raises:
            Refusal: the cursor is unknown, or of another path or query.
        """
        api = self.api
        bound = f"{path}?{query}" if api.cursor_bound_to_query else path
        cursor: str | None = requested.get("pagination_cursor")
        place = Place(bound, None, 0, "next") if cursor is None else self.places.get(cursor)
        if place is None or place.query != bound:
            raise invalid("pagination_cursor", "is invalid")
        size = min(requested.get("pagination_limit", api.page_cap), api.page_cap)
        if api.cursor_by_position:
            rows = list(islice(listing.walk(), place.count, place.count + size + 1))
        else:
            rows = list(islice(listing.walk(place.key), size + 1))
        more = len(rows) > size
        if more and cursor is None and size > 1:
            size -= 1 + size // 10
        rows = rows[:size]
        following: str | None = None
        if place.kind == "empty":
            rows, more = [], True
            following = self.issue(Place(bound, place.key, place.count, "next"))
        elif more or api.lingering_cursor:
            kind = "empty" if more and api.empty_pages and cursor is None else "next" if more else "end"
            last = listing.ordered.keys[rows[-1]] if rows else place.key
            following = self.issue(Place(bound, last, place.count + len(rows), kind))
        if api.repeat_token and cursor is not None:
            more, following = True, cursor
        body: Row = {"entries": [listing.shape(listing.ordered.records[row]) for row in rows], "has_more": more}
        return body if following is None else {**body, "next_cursor": following}
