"""Answers of the server: rows, the API's filters, a rate limit, and counters."""

from __future__ import annotations

import json
import time
from bisect import bisect_left
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from side_by_side.data import NOW, ORGANIZATION, USER, Calendar, flat

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = 100
"""Rows a page, at the most and by default; Calendly's most."""

Answer = tuple[int, bytes]


class Limit:
    """A fixed window: so many requests from the first one on, then none until it has passed."""

    def __init__(self, requests: int, seconds: float) -> None:
        self._most = requests
        self._seconds = seconds
        self.reset()

    def reset(self) -> None:
        """Begin a new window with the next request."""
        self._ends = 0.0
        self._left = self._most

    def take(self) -> bool:
        """Return whether one more request is let through."""
        now = time.monotonic()
        if now >= self._ends:
            self._ends = now + self._seconds
            self._left = self._most
        self._left -= 1
        return self._left >= 0

    def headers(self, *, refused: bool) -> bytes:
        """Return the headers of the limit; a refusal says when to come back."""
        rest = max(1, int(self._ends - time.monotonic() + 0.999))
        again = b"Retry-After: %d\r\n" % rest if refused else b""
        return b"X-RateLimit-Limit: %d\r\nX-RateLimit-Remaining: %d\r\nX-RateLimit-Reset: %d\r\n%b" % (
            self._most,
            max(0, self._left),
            rest,
            again,
        )


class Source:
    """Served rows, and the counters."""

    def __init__(self, shape: str, size: int, limit: Limit | None) -> None:
        self._shape = shape
        self._size = size
        self.limit = limit
        self._rows = flat(size) if shape == "flat" else [event.body for event in Calendar(size).events]
        self.control("reset")

    def control(self, word: str) -> Answer:
        """One of the requests that are not the programs'."""
        match word:
            case "reset":
                self._calendar = Calendar(self._size if self._shape == "calendly" else 0)
                self._today = NOW
                self._began = time.monotonic()
                self._cpu = time.process_time()
                self._dated = 0.0
                self.requests = self.refused = 0
                if self.limit:
                    self.limit.reset()
            case "change":
                self._today += timedelta(days=1)
                self._dated = 0.0
                return 200, json.dumps([[change.kind, change.marks] for change in self._calendar.change()]).encode()
            case "count":
                self.requests = self.refused = 0
                self._cpu = time.process_time()
        cpu = time.process_time() - self._cpu
        return 200, json.dumps({"requests": self.requests, "refused": self.refused, "server_cpu": cpu}).encode()

    def date(self) -> bytes:
        """The `Date` header: the source's own time."""
        now = time.monotonic()
        if now - self._dated > 1:
            self._dated = now
            moment = self._today + timedelta(seconds=now - self._began)
            self._date = format_datetime(moment, usegmt=True).encode()
        return self._date

    def answer(self, target: bytes) -> Answer:
        """The answer to a GET."""
        path, _, query = target.partition(b"?")
        parts = path.strip(b"/").split(b"/")
        if parts[0] == b"bench":
            return self.control(parts[1].decode())
        self.requests += 1
        if self.limit and not self.limit.take():
            self.refused += 1
            return 429, b'{"title":"Too many requests"}'
        return self._found(parts, query) or (404, b"{}")

    def _found(self, parts: list[bytes], query: bytes) -> Answer | None:
        match parts:
            case [b"scheduled_events", uuid, b"invitees"] if uuid in self._calendar.by_uuid:
                return 200, _page(self._calendar.by_uuid[uuid].invitees, None)
            case [b"scheduled_events"]:
                return self._events(_parameters(query))
            case [b"rows"]:
                return _slice(lambda start, end: self._rows[start:end], 0, len(self._rows), _parameters(query))
            case [b"users", b"me"]:
                return 200, _ME
            case [b"organization_memberships"]:
                return 200, _MEMBERSHIPS
        return None

    def _events(self, requested: dict[str, str]) -> Answer:
        """Meetings by start; the filters are those that Calendly has, and any other parameter is refused."""
        known = {"organization", "user", "count", "page_token", "sort", "min_start_time", "max_start_time", "status"}
        if requested.keys() - known or requested.get("sort", "start_time:asc") != "start_time:asc":
            return 400, b'{"title":"Invalid Argument","message":"unknown parameter or order"}'
        calendar = self._calendar
        first = bisect_left(calendar.starts, requested.get("min_start_time", ""))
        last = bisect_left(calendar.starts, requested.get("max_start_time", "9"))
        if "status" in requested:
            wanted = b'"status":"%b"' % requested["status"].encode()
            kept = [event.body for event in calendar.events[first:last] if wanted in event.body[:400]]
            return _slice(lambda start, end: kept[start:end], 0, len(kept), requested)
        return _slice(lambda start, end: [event.body for event in calendar.events[start:end]], first, last, requested)


def _parameters(query: bytes) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query.decode()).items()}


def _slice(rows: Callable[[int, int], list[bytes]], first: int, last: int, requested: dict[str, str]) -> Answer:
    """A page; its token is the place that the next one begins at."""
    start = int(requested.get("page_token", first))
    end = min(start + min(int(requested.get("count", PAGE)), PAGE), last)
    return 200, _page(rows(start, end), end if end < last else None)


def _page(rows: list[bytes], following: int | None) -> bytes:
    token = b"null" if following is None else b'"%d"' % following
    return (
        b'{"collection":['
        + b",".join(rows)
        + b'],"pagination":{"count":%d,"next_page":null,"previous_page":null,' % len(rows)
        + b'"next_page_token":%b,"previous_page_token":null}}' % token
    )


_USER: dict[str, Any] = {
    "uri": USER,
    "name": "The Owner",
    "slug": "owner",
    "email": "owner@example.com",
    "timezone": "UTC",
    "created_at": "2020-01-01T00:00:00.000000Z",
    "updated_at": "2020-01-01T00:00:00.000000Z",
    "current_organization": ORGANIZATION,
}
_ME = json.dumps({"resource": _USER}).encode()
_MEMBERSHIPS = _page(
    [
        json.dumps(
            {
                "uri": f"{ORGANIZATION.replace('organizations', 'organization_memberships')}",
                "role": "owner",
                "user": _USER,
                "organization": ORGANIZATION,
                "created_at": "2020-01-01T00:00:00.000000Z",
                "updated_at": "2020-01-01T00:00:00.000000Z",
            }
        ).encode()
    ],
    None,
)
