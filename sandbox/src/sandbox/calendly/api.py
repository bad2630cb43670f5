"""The Calendly API v2 over a world: every endpoint that a reader could use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from starlette.responses import Response
from starlette.routing import Route, Router

from sandbox.calendly import audit, availability, contacts, event_types, events, people, submissions
from sandbox.calendly.keys import KEYS
from sandbox.calendly.limit import Window, headers
from sandbox.calendly.oauth import Tokens
from sandbox.calendly.paging import Listing, Ordered, Pager, Row
from sandbox.calendly.refusals import Refusal, lacks_scope, not_found, unauthenticated, upgrade
from sandbox.calendly.request import Call
from sandbox.calendly.text import uri, user_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from sandbox.calendly.keys import Key
    from sandbox.calendly.request import Endpoint
    from sandbox.world import World
    from sandbox.world import records as r

ENDPOINTS: dict[str, Endpoint] = {
    endpoint.name: endpoint
    for module in (people, event_types, availability, events, submissions, contacts, audit)
    for endpoint in module.ENDPOINTS
}
PLANS = ("free", "standard", "enterprise")
LIMITS = {"free": 50, "standard": 500, "enterprise": 500}


class Calendly:
    """The API and its switches; see the README for what each of them does.

    `clock` counts seconds for the rate limit. `refused` lists (key name, clock) of every 429.
    """

    name: ClassVar[str] = "calendly"

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        self.world = world
        self.clock = clock
        self.api_url = ""
        self.plan = "enterprise"
        self.requests_per_minute: int | None = None
        self.send_retry_after = False
        self.page_token_requests: int | None = 400
        self.extra_fields: dict[str, dict[str, Any]] = {}
        self.odd: dict[str, Any] = {}
        self.empty_pages = False
        self.repeat_token = False
        self.hidden: set[str] = set()
        self.forbidden: set[str] = set()
        self.unreadable_calendars: set[str] = set()
        self.scope_refusal = "required_scopes"
        self.transcripts = "resource"

        self.served = 0
        self.refused: list[tuple[str, float]] = []
        self.window = Window(clock)
        self.pager = Pager(self)
        self.tokens = Tokens(world, clock)
        self._cache: dict[tuple[str, str], Any] = {}
        self._cached_version = -1

    @property
    def organization_uri(self) -> str:
        """The organization's address."""
        return uri("organizations", self.world.organization)

    def user_uri(self, key: Key) -> str:
        """Return the address of the user whose key it is."""
        return user_uri(self.world.seats[key.seat])

    def routes(self) -> Router:
        """Return the application."""
        routes = [Route("/oauth/token", self._refresh, methods=["POST"])]
        routes += [Route(one.path, self._handler(one), methods=["GET"]) for one in ENDPOINTS.values()]
        return Router([*routes, Route("/{path:path}", self._nowhere)])

    def ordered(self, collection: str, sort: str) -> Ordered:
        """Return a collection of the world in order, sorted once per change of the world."""
        found: Ordered = self._cached(
            (collection, sort), lambda: Ordered.by(sort, getattr(self.world, collection).values())
        )
        return found

    def hosted(self, person: r.Person) -> list[r.Meeting]:
        """Return the meetings that a person hosts."""

        def index() -> dict[r.Person, list[r.Meeting]]:
            hosted: dict[r.Person, list[r.Meeting]] = {}
            for meeting in self.world.meetings.values():
                for host in meeting.hosts:
                    hosted.setdefault(host, []).append(meeting)
            return hosted

        found: dict[r.Person, list[r.Meeting]] = self._cached(("meetings", "by host"), index)
        return found.get(person, [])

    def _cached(self, key: tuple[str, str], make: Callable[[], Any]) -> Any:
        if self._cached_version != self.world.version:
            self._cache.clear()
            self._cached_version = self.world.version
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]

    def find_key(self, authorization: str) -> Key | None:
        """Return the key that a header carries, if it is one of ours."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return None
        return KEYS.get(token) or self.tokens.key(token)

    def key_name(self, headers: Mapping[str, str]) -> str | None:
        """Return what the request log calls whoever asks; never the token of a stranger."""
        key = self.find_key(headers.get("authorization", ""))
        return key.name if key else None

    def truth(self, stream: str, key: str) -> list[Row]:
        """Return what a perfect sync would hold.

        Raises:
            LookupError: the stream or the key is unknown.
        """
        from sandbox.calendly.truth import STREAMS, Reader  # noqa: PLC0415 -- it asks the endpoints above

        if stream not in STREAMS or key not in KEYS:
            raise LookupError(f"no truth about calendly {stream} for {key}")
        return STREAMS[stream](Reader(self, KEYS[key]))

    def enrich(self, endpoint: Endpoint, row: Row) -> Row:
        """Add the fields that a test wants this endpoint's rows to have."""
        extra = self.extra_fields.get(endpoint.rows or endpoint.name)
        return {**row, **extra} if extra else row

    def call(self, endpoint: Endpoint, key: Key, path: Mapping[str, str], query: list[tuple[str, str]]) -> Call:
        """Return a call whose plan, scope, parameters and subjects are in order.

        Raises:
            Refusal: they are not.
        """
        if PLANS.index(self.plan) < PLANS.index(endpoint.plan):
            raise upgrade()
        if endpoint.scope not in key.scopes:
            raise lacks_scope(endpoint.scope, self.scope_refusal)
        call = Call(self, key, endpoint, path, endpoint.read(query))
        call.check_switches(endpoint.path.format(**path))
        return call

    def _answer(self, call: Call, query: list[tuple[str, str]]) -> Row:
        endpoint = call.endpoint
        found = endpoint.answer(call)
        if isinstance(found, Listing):
            path = endpoint.path.format(**call.path)
            page = self.pager.page(found, path, query, call.key.seat)
            page["collection"] = [self.enrich(endpoint, row) for row in page["collection"]]
            return page
        if isinstance(found, list):
            return {"collection": [self.enrich(endpoint, row) for row in found]}
        return {"resource": self.enrich(endpoint, found)}

    def _admit(self, request: Request, sent: dict[str, str]) -> Key:
        """Return the key of a request; put the rate limit's headers into `sent`.

        Calendly: 403 without a User-Agent; 401 for an unknown or expired token; the limit is per user and
        minute, 500 on paid plans and 50 on free ones; a 429 has an empty body and no Retry-After.
        """
        limit = self.requests_per_minute or LIMITS[self.plan]
        sent |= headers(limit, limit)
        if not request.headers.get("user-agent"):
            raise Refusal(403, {"title": "Forbidden", "message": "A User-Agent header is required."})
        key = self.find_key(request.headers.get("authorization", ""))
        if key is None:
            raise unauthenticated()
        if key.expired:
            raise unauthenticated("The access token expired")
        within, counted = self.window.ask(key.seat, limit)
        sent |= counted
        if not within:
            self.refused.append((key.name, self.clock()))
            raise Refusal(429, None, {"Retry-After": counted["X-RateLimit-Reset"]} if self.send_retry_after else {})
        return key

    def _handler(self, endpoint: Endpoint) -> Callable[[Request], Any]:
        async def handle(request: Request) -> Response:
            sent: dict[str, str] = {}
            query = request.query_params.multi_items()
            with self.world.lock:
                self.served += 1
                try:
                    key = self._admit(request, sent)
                    call = self.call(endpoint, key, request.path_params, query)
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


def respond(status: int, body: Row | None, sent: dict[str, str]) -> Response:
    """Return a JSON answer, or an empty one."""
    if body is None:
        return Response(status_code=status, headers=sent)
    return Response(msgspec.json.encode(body), status, sent, "application/json")


def transcript(form: str, row: Row, sent: dict[str, str]) -> Response:
    """Return a transcript in a form other than JSON: `text`, `empty`, or `none` (204)."""
    if form == "text":
        spoken = "\n".join(f"[{one['start_seconds']}] {one['speaker']}: {one['text']}" for one in row["segments"])
        return Response(spoken, 200, sent, "text/plain; charset=utf-8")
    return Response(status_code=204 if form == "none" else 200, headers=sent)
