"""Keyset paging: rows that come or go between two pages move no other row."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sandbox.calendly.refusals import STALE_TOKEN
from sandbox.calendly.text import API

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.calendly.listing import Listing
    from sandbox.calendly.switches import Switches
    from sandbox.http import Row

DEFAULT_PER_PAGE = 20


@dataclass(slots=True)
class Place:
    """The position of a page token: its query, the key before it, and its age in requests."""

    query: str
    key: tuple[Any, int]
    backwards: bool
    empty: bool
    issued: int


class Pager:
    """Issues page tokens and accepts them until they are stale."""

    def __init__(self, api: Switches) -> None:
        self.api = api
        self.places: dict[str, Place] = {}

    def issue(self, query: str, key: tuple[Any, int], *, backwards: bool = False, empty: bool = False) -> str:
        """Return the token of a position in a query: the same position has the same token."""
        text = f"{self.api.world.seed}|{query}|{key}|{backwards}|{empty}"
        digest = hashlib.blake2b(text.encode(), digest_size=24).digest()
        token = base64.urlsafe_b64encode(digest).decode()
        self.places[token] = Place(query, key, backwards, empty, self.api.served)
        return token

    def resolve(self, token: str, query: str) -> Place:
        """Return the position of a token.

        Raises:
            Refusal: the token is unknown, of another query, or stale. Calendly: 400 "page_token is invalid";
                its lifetime is not documented, but was seen to end after many other requests.
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
        params = dict(pairs)
        token = params.pop("page_token", None)
        rest = [pair for pair in pairs if pair[0] != "page_token"]
        query = f"{who} {path}?{urlencode(sorted(rest))}"
        place = self.resolve(token, query) if token is not None else None
        size = int(params.get("count", DEFAULT_PER_PAGE))
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
            """Return the address of another page (Calendly: on its own host, not on the sandbox's)."""
            return None if token is None else f"{API}{path}?{urlencode([*rest, ('page_token', token)])}"

        pagination = {
            "count": len(found),
            "next_page": link(following),
            "previous_page": link(previous),
            "next_page_token": following,
            "previous_page_token": previous,
        }
        return {"collection": [listing.shape(rows[i]) for i in found], "pagination": pagination, **listing.extra}
