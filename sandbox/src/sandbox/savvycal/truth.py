"""The raw objects that a perfect sync would hold, stream by stream: what the endpoints return, without paging."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.http import Refusal
from sandbox.savvycal.endpoints import ENDPOINTS
from sandbox.savvycal.paging import Listing
from sandbox.savvycal.request import Call

if TYPE_CHECKING:
    from sandbox.http import Row
    from sandbox.savvycal.keys import Key
    from sandbox.savvycal.switches import Switches


class Reader:
    """Reads everything that one key may see."""

    def __init__(self, api: Switches, key: Key) -> None:
        self.api = api
        self.key = key

    def rows(self, path: str, *query: tuple[str, str], **params: str) -> list[Row]:
        """Return all rows of one endpoint; none if it refuses the request."""
        endpoint = ENDPOINTS[path]
        try:
            found = endpoint.answer(Call.of(self.api, self.key, endpoint, params, query))
        except Refusal as refusal:
            if refusal.status in {403, 404}:
                return []
            raise
        rows = found.everything() if isinstance(found, Listing) else found
        return [self.api.enrich(endpoint.stream, row) for row in ([rows] if isinstance(rows, dict) else rows)]

    def stream(self, name: str) -> list[Row]:
        """Return the rows of a stream.

        Raises:
            LookupError: the stream is unknown.
        """
        if self.key.expired:
            return []
        match name:
            case "events":
                return self.rows("/v1/events", ("state", "all"), ("period", "all"), ("attendance", "any"))
            case "event_attendees":
                return [
                    {**attendee, "event_id": event["id"], "event_start_at": event["start_at"]}
                    for event in self.stream("events")
                    for attendee in event["attendees"]
                ]
            case "scheduling_links":
                return [row for state in ("active", "disabled") for row in self.rows("/v1/links", ("state", state))]
        for path, endpoint in ENDPOINTS.items():
            if endpoint.stream == name:
                return self.children(path, *endpoint.parent) if endpoint.parent else self.rows(path)
        raise LookupError(f"no truth about savvycal {name}")

    def children(self, path: str, parent: str, column: str) -> list[Row]:
        """Return the rows of an endpoint for each row of the stream `parent`, whose id they get as `column`."""
        return [{**row, column: one["id"]} for one in self.stream(parent) for row in self.rows(path, id=one["id"])]
