"""Keyset paging: rows that come or go between two pages move no other row."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from sandbox.luma.refusals import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.http import Row
    from sandbox.luma.listing import Listing, Sort
    from sandbox.luma.switches import Switches


@dataclass(frozen=True, slots=True)
class Place:
    """The position of a cursor in a query: after a key, or after a number of rows.

    `kind` is next, empty (a page without rows comes first) or end (no rows follow).
    """

    query: str
    key: Sort | None
    count: int
    kind: str


class Pager:
    """Issues cursors, which never expire."""

    def __init__(self, api: Switches) -> None:
        self.api = api
        self.places: dict[str, Place] = {}

    def issue(self, place: Place) -> str:
        """Return the cursor of a position: the same position has the same cursor."""
        digest = hashlib.blake2b(f"{self.api.world.seed}|{place}".encode(), digest_size=18).digest()
        cursor = base64.urlsafe_b64encode(digest).decode()
        self.places[cursor] = place
        return cursor

    def page(self, listing: Listing, path: str, query: str, args: Mapping[str, Any]) -> Row:
        """Cut one page out of a listing.

        Luma: the limit is silently capped; a page may be shorter although more follow; the last page has no cursor.

        Raises:
            Refusal: the cursor is unknown, or of another path or query.
        """
        api = self.api
        bound = f"{path}?{query}" if api.cursor_bound_to_query else path
        cursor: str | None = args.get("pagination_cursor")
        place = Place(bound, None, 0, "next") if cursor is None else self.places.get(cursor)
        if place is None or place.query != bound:
            raise invalid("pagination_cursor", "is invalid")
        size = min(args.get("pagination_limit", api.page_cap), api.page_cap)
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
