"""The Calendly API v2 over a world: every endpoint that a reader could use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from starlette.responses import Response
from starlette.routing import Route, Router
from typing_extensions import override

from sandbox.calendly.endpoints import ENDPOINTS
from sandbox.calendly.keys import KEYS
from sandbox.calendly.listing import Listing
from sandbox.calendly.oauth import Tokens
from sandbox.calendly.paging import Pager
from sandbox.calendly.refusals import not_found, unauthenticated
from sandbox.calendly.request import Call
from sandbox.calendly.switches import Switches
from sandbox.calendly.truth import STREAMS, Reader
from sandbox.http import Refusal, bearer_token, respond
from sandbox.rate_limit import WINDOW, FixedWindow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from sandbox.calendly.keys import Key
    from sandbox.calendly.request import Endpoint
    from sandbox.http import Row
    from sandbox.world import World

LIMITS = {"free": 50, "standard": 500, "enterprise": 500}
"""Requests per minute, by plan."""


class Calendly(Switches):
    """The API and its switches; see the README for their meaning."""

    name: ClassVar[str] = "calendly"

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        super().__init__(world, clock)
        self.window = FixedWindow(clock)
        self.pager = Pager(self)
        self.tokens = Tokens(world, clock)

    @override
    def routes(self) -> Router:
        routes = [Route("/oauth/token", self._refresh, methods=["POST"])]
        routes += [Route(one.path, self._handler(one), methods=["GET"]) for one in ENDPOINTS.values()]
        return Router([*routes, Route("/{path:path}", self._nowhere)])

    @override
    def find_key(self, headers: Mapping[str, str]) -> Key | None:
        token = bearer_token(headers)
        return None if token is None else KEYS.get(token) or self.tokens.key(token)

    @override
    def truth(self, stream: str, key: str) -> list[Row]:
        if stream not in STREAMS or key not in KEYS:
            raise LookupError(f"no truth about calendly {stream} for {key}")
        return STREAMS[stream](Reader(self, KEYS[key]))

    def _answer(self, call: Call, query: list[tuple[str, str]]) -> Row:
        endpoint = call.endpoint
        found = endpoint.answer(call)
        if isinstance(found, Listing):
            path = endpoint.path.format(**call.path)
            page = self.pager.page(found, path, query, call.key.seat)
            page["collection"] = [self.enrich(endpoint.stream, row) for row in page["collection"]]
            return page
        if isinstance(found, list):
            return {"collection": [self.enrich(endpoint.stream, row) for row in found]}
        return {"resource": self.enrich(endpoint.stream, found)}

    def _admit(self, request: Request, sent: dict[str, str]) -> Key:
        """Return the key of a request; put the rate limit's headers into `sent`.

        Calendly: 403 without a User-Agent; 401 for an unknown or expired token; the limit is per user and
        minute, 500 on paid plans and 50 on free ones; a 429 has an empty body and no Retry-After.
        """
        limit = self.requests_per_minute or LIMITS[self.plan]
        sent |= rate_limit_headers(limit, limit, WINDOW)
        if not request.headers.get("user-agent"):
            raise Refusal(403, {"title": "Forbidden", "message": "A User-Agent header is required."})
        key = self.find_key(request.headers)
        if key is None:
            raise unauthenticated()
        if key.expired:
            raise unauthenticated("The access token expired")
        count = self.window.count(key.seat, limit)
        sent |= rate_limit_headers(limit, count.remaining, count.reset)
        if not count.allowed:
            self.refused.append((key.name, self.clock()))
            raise Refusal(429, None, {"Retry-After": str(count.reset)} if self.send_retry_after else {})
        return key

    def _handler(self, endpoint: Endpoint) -> Callable[[Request], Any]:
        async def handle(request: Request) -> Response:
            sent: dict[str, str] = {}
            query = request.query_params.multi_items()
            with self.world.lock:
                self.served += 1
                try:
                    key = self._admit(request, sent)
                    call = Call.of(self, key, endpoint, request.path_params, query)
                    answer = self._answer(call, query)
                    if endpoint.name == "meeting_recap_transcripts" and self.transcripts != "resource":
                        return transcript(self.transcripts, answer["resource"], sent)
                    return respond(200, answer, sent)
                except Refusal as refusal:
                    return respond(refusal.status, refusal.body, sent | refusal.headers)

        return handle

    async def _refresh(self, request: Request) -> Response:
        form = (await request.body()).decode(errors="replace")
        with self.world.lock:
            try:
                return respond(200, self.tokens.refresh(request.headers.get("authorization", ""), form), {})
            except Refusal as refusal:
                return respond(refusal.status, refusal.body, refusal.headers)

    async def _nowhere(self, request: Request) -> Response:
        sent: dict[str, str] = {}
        try:
            self._admit(request, sent)
            raise not_found()
        except Refusal as refusal:
            return respond(refusal.status, refusal.body, sent | refusal.headers)


def rate_limit_headers(limit: int, remaining: int, reset: int) -> dict[str, str]:
    """Return the rate limit's headers (Calendly: X-RateLimit-Reset is seconds until the window ends, not a time)."""
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(reset),
    }


def transcript(form: str, row: Row, sent: dict[str, str]) -> Response:
    """Return a transcript in another form than JSON: `text`, `empty`, or `none` (204)."""
    if form == "text":
        spoken = "\n".join(f"[{one['start_seconds']}] {one['speaker']}: {one['text']}" for one in row["segments"])
        return Response(spoken, 200, sent, "text/plain; charset=utf-8")
    return Response(status_code=204 if form == "none" else 200, headers=sent)
