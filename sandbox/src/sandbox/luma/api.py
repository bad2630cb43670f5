"""The Luma API over a world: every endpoint that a reader could use, in both generations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from starlette.responses import Response
from starlette.routing import Route, Router

from sandbox.luma import calendars, events, guests, legacy, organization, sales
from sandbox.luma.keys import KEYS
from sandbox.luma.limit import Limiter
from sandbox.luma.paging import Listing, Pager, Row
from sandbox.luma.refusals import Refusal, denied, not_found
from sandbox.luma.request import CURRENT, LEGACY, Call
from sandbox.luma.truth import STREAMS, Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.requests import Request

    from sandbox.luma.keys import Key
    from sandbox.luma.request import Endpoint
    from sandbox.world import World

NAMED: dict[str, Endpoint] = {
    endpoint.name: endpoint
    for module in (events, guests, sales, calendars, organization)
    for endpoint in module.ENDPOINTS
}
"""The current generation, by stream or thing."""
OLDER: dict[str, Endpoint] = {endpoint.name: endpoint for endpoint in legacy.ENDPOINTS}
PATHS: dict[str, Endpoint] = {endpoint.path: endpoint for endpoint in NAMED.values()}
PATHS |= {
    prefix + endpoint.path: endpoint for endpoint in (*OLDER.values(), NAMED["webhooks"]) for prefix in ("", "/public")
}
HEADER = "x-luma-api-key"


class Luma:
    """The API and its switches; see LUMA.md for what each of them does.

    `clock` counts seconds for the rate limit. `refused` lists (key name, clock) of every 429.
    """

    name: ClassVar[str] = "luma"

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        self.world = world
        self.clock = clock
        self.api_url = ""
        self.generations = {CURRENT, LEGACY}
        self.requests_per_minute: int | None = None
        self.reset_in_seconds = False
        self.send_retry_after = True
        self.page_cap = 50
        self.cursor_bound_to_query = True
        self.cursor_by_position = False
        self.lingering_cursor = False
        self.empty_pages = False
        self.repeat_token = False
        self.extra_fields: dict[str, dict[str, Any]] = {}
        self.odd: dict[str, Any] = {}
        self.hidden: set[str] = set()
        self.forbidden: set[str] = set()
        self.organization_reads_events = False
        self.inclusive_bounds = False
        self.fuller_view = False
        self.blasts_carry_event_id = False
        self.legacy_guest_extras = False

        self.refused: list[tuple[str, float]] = []
        self.limiter = Limiter(clock)
        self.pager = Pager(self)
        self._cache: dict[tuple[Any, ...], Any] = {}
        self._cached_version = -1

    def routes(self) -> Router:
        """Return the application."""
        return Router([Route("/{path:path}", self._handle, methods=["GET"])])

    def key_name(self, headers: Mapping[str, str]) -> str | None:
        """Return what the request log calls whoever asks; never the key of a stranger."""
        key = KEYS.get(headers.get(HEADER, ""))
        return key.name if key else None

    def truth(self, stream: str, key: str) -> list[Row]:
        """Return what a perfect sync would hold.

        Raises:
            LookupError: the stream or the key is unknown.
        """
        if stream not in STREAMS or key not in KEYS:
            raise LookupError(f"no truth about luma {stream} for {key}")
        return STREAMS[stream](Reader(self, KEYS[key]))

    def cached(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """Return what was made for a key, made anew once per change of the world."""
        if self._cached_version != self.world.version:
            self._cache.clear()
            self._cached_version = self.world.version
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]

    def enrich(self, stream: str, row: Row) -> Row:
        """Add the fields that a test wants this stream's rows to have."""
        extra = self.extra_fields.get(stream)
        return {**row, **extra} if extra else row

    def check(self, subjects: Iterable[str]) -> None:
        """Refuse paths and events that a test has hidden (404) or forbidden (403)."""
        if self.hidden.intersection(subjects):
            raise not_found()
        if self.forbidden.intersection(subjects):
            raise denied()

    def call(
        self, name: str, key: Key, query: list[tuple[str, str]], path: str | None = None
    ) -> tuple[Call, list[tuple[str, str]]]:
        """Return a call whose parameters and key are in order, and the known part of its query.

        `path` is the one that was asked; without any it is the endpoint's own.

        Raises:
            Refusal: they are not.
        """
        endpoint = PATHS[path] if path else NAMED[name]
        if not key.plus:
            raise denied("This API requires a Luma Plus subscription.")
        if path is None and CURRENT not in self.generations:
            path = OLDER[name].path if name in OLDER else None
        args, known = endpoint.read(query)
        call = Call(self, key, endpoint, path or endpoint.path, args)
        call.check()
        return call, known

    def _answer(self, call: Call, known: list[tuple[str, str]]) -> Row:
        endpoint = call.endpoint
        found = endpoint.answer(call)
        wrap = endpoint.wrap
        if isinstance(found, Listing):
            return self.pager.page(self._wrapped(found, endpoint), endpoint.path, f"{call.key.name} {known}", call.args)
        if isinstance(found, list):
            rows = [wrap(self, row, None) for row in found] if wrap else found
            return {endpoint.entries: rows, **({"has_more": False} if endpoint.tells_more else {})}
        return wrap(self, found, None) if wrap else found

    def _wrapped(self, listing: Listing, endpoint: Endpoint) -> Listing:
        wrap, shape = endpoint.wrap, listing.shape
        if wrap is None:
            return listing
        return Listing(listing.ordered, lambda one: wrap(self, shape(one), one), listing.keep, listing.descending)

    def _admit(self, request: Request, sent: dict[str, str]) -> Key:
        """Return the key of a request; put the rate limit's headers into `sent`.

        Luma: 400 without a key, 401 for an unknown one, 429 for a minute over the limit; what the reset is counted
        in is not documented.
        """
        carried = request.headers.get(HEADER, "").strip()
        if not carried:
            raise Refusal(400, "Please provide an API key.")
        key = KEYS.get(carried)
        if key is None:
            raise Refusal(401, "You are not signed in.")
        limit = self.requests_per_minute or key.limit
        allowed, remaining, left = self.limiter.ask(str(key.calendar), limit)
        reset = left if self.reset_in_seconds else int(self.world.now.timestamp()) + left
        sent["X-RateLimit-Limit"] = str(limit)
        sent["X-RateLimit-Remaining"] = str(remaining)
        sent["X-RateLimit-Reset"] = str(reset)
        if not allowed:
            self.refused.append((key.name, self.clock()))
            headers = {"Retry-After": str(left)} if self.send_retry_after else {}
            raise Refusal(429, "Too many requests. Please try again later.", headers)
        return key

    async def _handle(self, request: Request) -> Response:
        sent: dict[str, str] = {}
        path = "/" + request.path_params["path"]
        endpoint = PATHS.get(path)
        with self.world.lock:
            try:
                if endpoint is None or self.generations.isdisjoint(endpoint.generations):
                    raise not_found()
                key = self._admit(request, sent)
                call, known = self.call(endpoint.name, key, request.query_params.multi_items(), path)
                return respond(200, self._answer(call, known), sent)
            except Refusal as refusal:
                return respond(refusal.status, refusal.body, sent | refusal.headers)


def respond(status: int, body: Row, sent: dict[str, str]) -> Response:
    """Return a JSON answer."""
    return Response(msgspec.json.encode(body), status, sent, "application/json")
