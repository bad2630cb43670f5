"""The Luma API over a world: every endpoint that a reader could use, in both generations."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from starlette.routing import Route, Router
from typing_extensions import override

from sandbox.http import Refusal, respond
from sandbox.luma.endpoints import PATHS, call_to
from sandbox.luma.keys import KEYS
from sandbox.luma.limit import Limiter
from sandbox.luma.listing import Listing
from sandbox.luma.paging import Pager
from sandbox.luma.refusals import not_found, refusal
from sandbox.luma.switches import Switches
from sandbox.luma.truth import STREAMS, Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.http import Row
    from sandbox.luma.keys import Key
    from sandbox.luma.request import Call, Endpoint
    from sandbox.world import World

HEADER = "x-luma-api-key"


class Luma(Switches):
    """The API and its switches; see LUMA.md for their meaning."""

    name: ClassVar[str] = "luma"

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        super().__init__(world, clock)
        self.limiter = Limiter(clock)
        self.pager = Pager(self)

    @override
    def routes(self) -> Router:
        return Router([Route("/{path:path}", self._handle, methods=["GET"])])

    @override
    def find_key(self, headers: Mapping[str, str]) -> Key | None:
        return KEYS.get(headers.get(HEADER, "").strip())

    @override
    def truth(self, stream: str, key: str) -> list[Row]:
        if stream not in STREAMS or key not in KEYS:
            raise LookupError(f"no truth about luma {stream} for {key}")
        return STREAMS[stream](Reader(self, KEYS[key]))

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

        Luma: 400 without a key, 401 for an unknown one, 429 for one minute after the limit is exceeded; the unit of
        X-RateLimit-Reset is not documented.
        """
        if not request.headers.get(HEADER, "").strip():
            raise refusal(400, "Please provide an API key.")
        key = self.find_key(request.headers)
        if key is None:
            raise refusal(401, "You are not signed in.")
        limit = self.requests_per_minute or key.limit
        count = self.limiter.count(str(key.calendar), limit)
        reset = count.reset if self.reset_in_seconds else int(self.world.now.timestamp()) + count.reset
        sent["X-RateLimit-Limit"] = str(limit)
        sent["X-RateLimit-Remaining"] = str(count.remaining)
        sent["X-RateLimit-Reset"] = str(reset)
        if not count.allowed:
            self.refused.append((key.name, self.clock()))
            headers = {"Retry-After": str(count.reset)} if self.send_retry_after else {}
            raise refusal(429, "Too many requests. Please try again later.", headers)
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
                call, known = call_to(self, endpoint.name, key, request.query_params.multi_items(), path)
                return respond(200, self._answer(call, known), sent)
            except Refusal as error:
                return respond(error.status, error.body, sent | error.headers)
