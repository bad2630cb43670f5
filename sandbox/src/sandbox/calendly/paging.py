"""Pages of a list: by key, so that rows which come and go between two pages move no other row."""

from __future__ import annotations

import base64
import hashlib
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sandbox.calendly.refusals import STALE_TOKEN
from sandbox.calendly.request import DEFAULT_PER_PAGE
from sandbox.calendly.text import API

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sandbox.calendly.api import Calendly

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ordered:
    """Records in ascending order of `keys`, of which no two are equal."""

    rows: Sequence[Any]
    keys: Sequence[tuple[Any, int]]

    @classmethod
    def by(cls, sort: str, rows: Iterable[Any]) -> Ordered:
        """Sort records by one attribute and, where that is equal, by age; names regardless of case."""
        value = attrgetter(sort)
        pairs = [(value(row), row.serial, row) for row in rows]
        if sort == "name":
            pairs = [((name or "").casefold(), serial, row) for name, serial, row in pairs]
        pairs.sort(key=lambda pair: pair[:2])
        return cls([row for *_, row in pairs], [(key, serial) for key, serial, _ in pairs])


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list endpoint has to offer, before it is cut into pages.

    `low` and `high` bound the sort value inclusively; `extra` goes into the envelope beside the rows.
    """

    ordered: Ordered
    shape: Callable[[Any], Row]
    keep: Callable[[Any], bool] | None = None
    descending: bool = False
    low: Any = None
    high: Any = None
    extra: Row = field(default_factory=dict)

    def walk(self, after: tuple[Any, int] | None, *, backwards: bool = False) -> Iterator[int]:
        """Yield the indices of kept rows from one key (not included) on, in the list's own order."""
        keys = self.ordered.keys
        start = 0 if self.low is None else bisect_left(keys, (self.low, 0))
        stop = len(keys) if self.high is None else bisect_right(keys, (self.high, float("inf")))
        down = self.descending != backwards
        if after is not None and down:
            stop = min(stop, bisect_left(keys, after))
        elif after is not None:
            start = max(start, bisect_right(keys, after))
        span: Iterable[int] = range(start, stop)
        if down:
            span = range(stop - 1, start - 1, -1)
        keep, rows = self.keep, self.ordered.rows
        return iter(span) if keep is None else (index for index in span if keep(rows[index]))

    def everything(self) -> list[Row]:
        """Return all rows at once."""
        rows = self.ordered.rows
        return [self.shape(rows[index]) for index in self.walk(None)]


@dataclass(slots=True)
class Place:
    """Where a page token leads, in which query, and when it was issued (in requests served)."""

    query: str
    key: tuple[Any, int]
    backwards: bool
    empty: bool
    issued: int


class Pager:
    """Issues page tokens and honours them while they are fresh."""

    def __init__(self, api: Calendly) -> None:
        self.api = api
        self.places: dict[str, Place] = {}

    def issue(self, query: str, key: tuple[Any, int], *, backwards: bool = False, empty: bool = False) -> str:
        """Return the token of a place in a query: the same place has the same token."""
        text = f"{self.api.world.seed}|{query}|{key}|{backwards}|{empty}"
        digest = hashlib.blake2b(text.encode(), digest_size=24).digest()
        token = base64.urlsafe_b64encode(digest).decode()
        self.places[token] = Place(query, key, backwards, empty, self.api.served)
        return token

    def resolve(self, token: str, query: str) -> Place:
        """Return where a token leads.

        Raises:
            Refusal: the token is unknown, of another query, or stale. Calendly: 400 "page_token is invalid";
                its lifetime is not documented, other requests in between were seen to end it.
        """
        place = self.places.get(token)
        if place is None or place.query != query:
            raise STALE_TOKEN
        most = self.api.page_token_requests
        if most is not None and self.api.served - place.issued - 1 > most:
            raise STALE_TOKEN
        return place

    def page(self, listing: Listing, path: str, pairs: Sequence[tuple[str, str]], who: str) -> Row:
        """Cut one page out of a listing."""
        requested = dict(pairs)
        token = requested.pop("page_token", None)
        rest = [pair for pair in pairs if pair[0] != "page_token"]
        query = f"{who} {path}?{urlencode(sorted(rest))}"
        place = self.resolve(token, query) if token is not None else None
        size = int(requested.get("count", DEFAULT_PER_PAGE))
        keys, rows = listing.ordered.keys, listing.ordered.rows
        backwards = place is not None and place.backwards
        found = list(islice(listing.walk(place.key if place else None, backwards=backwards), size + 1))
        more, found = len(found) > size, found[:size]
        if backwards:
            found.reverse()
        following = previous = None
        if place is not None and place.empty:
            following = self.issue(query, place.key)
            found = []
        elif found:
            if more or backwards:
                interrupted = self.api.empty_pages and place is None
                following = self.issue(query, keys[found[-1]], empty=interrupted)
            if (more and backwards) or (place is not None and not backwards):
                previous = self.issue(query, keys[found[0]], backwards=True)
        if self.api.repeat_token and token is not None:
            following = token

        def link(token: str | None) -> str | None:
            """Return the address of another page (Calendly: on its own host, not on ours)."""
            return None if token is None else f"{API}{path}?{urlencode([*rest, ('page_token', token)])}"

        pagination = {
            "count": len(found),
            "next_page": link(following),
            "previous_page": link(previous),
            "next_page_token": following,
            "previous_page_token": previous,
        }
        return {"collection": [listing.shape(rows[i]) for i in found], "pagination": pagination, **listing.extra}
