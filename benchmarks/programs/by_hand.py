"""By hand: threads, one connection each, every body decoded and every row written. The floor, not a tap.

Nothing is checked, retried or remembered. Options (JSON, the one argument): `url`, `work` (calendly or list),
`threads`.
"""

from __future__ import annotations

import http.client
import json
import sys
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from threading import local
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

options: dict[str, Any] = json.loads(sys.argv[1])
host = options["url"].removeprefix("http://")
mine = local()
decode = msgspec.json.Decoder().decode
encode = msgspec.json.Encoder().encode
HEADERS = {"Authorization": "Bearer key", "User-Agent": "threads"}


def get(path: str) -> Any:
    """One page."""
    if not hasattr(mine, "connection"):
        mine.connection = http.client.HTTPConnection(host)
    mine.connection.request("GET", path, headers=HEADERS)
    return decode(mine.connection.getresponse().read())


def pages(path: str) -> Iterator[list[dict[str, Any]]]:
    """The rows of a list, page by page."""
    token = ""
    while token is not None:
        page = get(f"{path}?count=100{token and f'&page_token={token}'}")
        yield page["collection"]
        token = page["pagination"]["next_page_token"]


def write(stream: str, rows: list[dict[str, Any]]) -> None:
    """A Singer message for each row."""
    out = sys.stdout.buffer
    for row in rows:
        out.write(encode({"type": "RECORD", "stream": stream, "record": row}))
        out.write(b"\n")


def calendly() -> None:
    """Meetings, and the invitees of each as far as threads are free."""

    def invitees(event: dict[str, Any]) -> list[dict[str, Any]]:
        uuid = event["uri"].rpartition("/")[2]
        return [row for page in pages(f"/scheduled_events/{uuid}/invitees") for row in page]

    with ThreadPoolExecutor(options["threads"]) as pool:
        waiting: deque[Future[list[dict[str, Any]]]] = deque()
        for events in pages("/scheduled_events"):
            write("scheduled_events", events)
            waiting.extend(pool.submit(invitees, event) for event in events)
            while len(waiting) > 8 * options["threads"]:
                write("event_invitees", waiting.popleft().result())
        while waiting:
            write("event_invitees", waiting.popleft().result())


if options["work"] == "calendly":
    calendly()
else:
    for rows in pages("/rows"):
        write("rows", rows)
