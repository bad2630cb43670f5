"""Keyset paging: rows that come or go between two pages move no other row."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from sandbox.savvycal.refusals import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sandbox.http import Row

Key = tuple[int, str]
"""A sort key: microseconds since 1970 (0 where only the id counts), and the id."""

MAGIC = b"\xfb\xf0\x83"
"""First bytes of a cursor. Their base64 has a plus and a slash, so a cursor that comes back without URL encoding is
refused."""
HEAD = struct.Struct(">3s8sqB")
EMPTY = 1
"""Mark of a cursor whose next page is empty."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows of a list endpoint before paging.

    `rows` are (key, thing), ascending by key; `low` and `high` bound the first half of the key, both inclusive.
    """

    rows: Sequence[tuple[Key, Any]]
    shape: Callable[[Any], Row]
    keep: Callable[[Any], bool] | None = None
    descending: bool = False
    low: int | None = None
    high: int | None = None

    def walk(self, after: Key | None = None, *, backwards: bool = False) -> Iterator[int]:
        """Yield the indices of kept rows from one key (not included) on, in the list's own order."""
        rows = self.rows
        start = 0 if self.low is None else bisect_left(rows, (self.low, ""), key=_key)
        stop = len(rows) if self.high is None else bisect_left(rows, (self.high + 1, ""), key=_key)
        down = self.descending != backwards
        if after is not None and down:
            stop = min(stop, bisect_left(rows, after, key=_key))
        elif after is not None:
            start = max(start, bisect_right(rows, after, key=_key))
        span: Iterable[int] = range(stop - 1, start - 1, -1) if down else range(start, stop)
        keep = self.keep
        return iter(span) if keep is None else (index for index in span if keep(rows[index][1]))

    def everything(self) -> list[Row]:
        """Return all rows at once."""
        return [self.shape(self.rows[index][1]) for index in self.walk()]


def _key(row: tuple[Key, Any]) -> Key:
    return row[0]


def write_cursor(query: str, key: Key, mark: int = 0) -> str:
    """Return the cursor of a position in a query (SavvyCal: opaque base64, which may end in `=`)."""
    packed = HEAD.pack(MAGIC, _digest(query), key[0], mark) + key[1].encode()
    return base64.b64encode(packed + b"\0" * ((1 - len(packed)) % 3)).decode()


def read_cursor(name: str, text: str, query: str) -> tuple[Key, int]:
    """Return the position of a cursor, and its mark.

    Raises:
        Refusal: it is invalid, or of a query with other filters (SavvyCal: unverified; refused here).
    """
    try:
        packed = base64.b64decode(text, validate=True)
        magic, digest, number, mark = HEAD.unpack_from(packed)
        last = packed[HEAD.size :].rstrip(b"\0").decode()
    except (binascii.Error, struct.error, ValueError):
        raise invalid(name, "is invalid") from None
    if magic != MAGIC or digest != _digest(query):
        raise invalid(name, "is invalid")
    return (number, last), mark


def _digest(query: str) -> bytes:
    return hashlib.blake2b(query.encode(), digest_size=8).digest()


@dataclass(frozen=True, slots=True)
class Turn:
    """The request of one page; a cursor is bound to its `query`."""

    query: str
    limit: int
    after: str | None = None
    before: str | None = None
    empty_pages: bool = False
    repeat_token: bool = False

    def page(self, listing: Listing) -> Row:
        """Cut one page out of a listing.

        Raises:
            Refusal: the cursor is invalid.
        """
        backwards = bool(self.before) and not self.after
        cursor = self.before if backwards else self.after
        key, mark = read_cursor("before" if backwards else "after", cursor, self.query) if cursor else (None, 0)
        after = before = None
        found = list(islice(listing.walk(key, backwards=backwards), self.limit + 1))
        more, found = len(found) > self.limit, found[: self.limit]
        if backwards:
            found.reverse()
        if mark == EMPTY and key is not None:
            after, found = write_cursor(self.query, key), []
        elif found:
            first, last = listing.rows[found[0]][0], listing.rows[found[-1]][0]
            if more or backwards:
                after = write_cursor(self.query, last, EMPTY if self.empty_pages and cursor is None else 0)
            if (cursor and not backwards) or (more and backwards):
                before = write_cursor(self.query, first)
        if self.repeat_token and self.after:
            after = self.after
        return {
            "entries": [listing.shape(listing.rows[index][1]) for index in found],
            "metadata": {"after": after, "before": before, "limit": self.limit},
        }
