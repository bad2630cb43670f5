"""The SavvyCal API v1 over a world: every endpoint that a reader could use, but for free slots."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import msgspec
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router

from sandbox.calendly.limit import Window
from sandbox.savvycal import events, resources, zones
from sandbox.savvycal.paging import Listing, Turn
from sandbox.savvycal.request import DEFAULT_PER_PAGE, KEYS, Call, Key
from sandbox.savvycal.text import Refusal, Row, forbidden, not_found, unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from sandbox.savvycal.request import Endpoint
    from sandbox.world import World

T = TypeVar("T")

ENDPOINTS: dict[str, Endpoint] = {
    endpoint.path: endpoint for module in (events, resources, zones) for endpoint in module.ENDPOINTS
}
WIDEST = {"state": "all", "period": "all", "attendance": "any"}
"""What a perfect sync asks of the events."""


class SavvyCal:
    """The API and its switches; see SAVVYCAL.md for what each of them does.

    `clock` counts seconds for the rate limit. `refused` lists (key name, clock) of every 429, `unknown_parameters`
    counts the parameters that were ignored because they mean nothing.
    """

    name: ClassVar[str] = "savvycal"

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        self.world = world
        self.clock = clock
        self.api_url = ""
        self.requests_per_minute: int | None = None
        self.send_retry_after = False
        self.extra_fields: dict[str, dict[str, Any]] = {}
        self.odd: dict[str, Any] = {}
        self.empty_pages = False
        self.repeat_token = False
        self.hidden: set[str] = set()
        self.forbidden: set[str] = set()
        self.time_zones_need_key = True
        self.links_list_all = True
        self.from_zone: str | None = None
        self.until_inclusive = False
        self.from_alone_refused = False
        self.fixed_refused = False
        self.send_uuid = True
        self.keep_dropped = False

        self.refused: list[tuple[str, float]] = []
        self.unknown_parameters: Counter[str] = Counter()
        self.window = Window(clock)
        self._cache: dict[str, Any] = {}
        self._cached_version = -1

    def routes(self) -> Router:
        """Return the application."""
        routes = [Route(one.path, self._handler(one), methods=["GET"]) for one in ENDPOINTS.values()]
        return Router([*routes, Route("/{path:path}", self._nowhere)])

    def cached(self, name: str, make: Callable[[], T]) -> T:
        """Return something that is made once per change of the world."""
        if self._cached_version != self.world.version:
            self._cache.clear()
            self._cached_version = self.world.version
        if name not in self._cache:
            self._cache[name] = make()
        found: T = self._cache[name]
        return found

    def find_key(self, headers: Mapping[str, str]) -> Key | None:
        """Return the key that a request carries, if it is one of ours."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return KEYS.get(token) if scheme.lower() == "bearer" else None

    def key_name(self, headers: Mapping[str, str]) -> str | None:
        """Return what the request log calls whoever asks; never the token of a stranger."""
        key = self.find_key(headers)
        return key.name if key else None

    def truth(self, stream: str, key: str) -> list[Row]:
        """Return what a perfect sync would hold.

        Raises:
            LookupError: the stream or the key is unknown.
        """
        if key not in KEYS:
            raise LookupError(f"there is no savvycal key {key}")
        who = KEYS[key]
        if who.expired:
            return []
        if stream == "workflow_rules":
            return [
                {**rule, "workflow_id": parent["id"]}
                for parent in self.truth("workflows", key)
                for rule in self._all("/v1/workflows/{id}/rules", who, path={"id": parent["id"]})
            ]
        if stream == "event_attendees":
            return [
                {**attendee, "event_id": event["id"], "event_start_at": event["start_at"]}
                for event in self.truth("events", key)
                for attendee in event["attendees"]
            ]
        if stream == "scheduling_links":
            return [row for state in ("active", "disabled") for row in self._all("/v1/links", who, {"state": state})]
        for path, endpoint in ENDPOINTS.items():
            if endpoint.stream == stream:
                return self._all(path, who, WIDEST if stream == "events" else None)
        raise LookupError(f"no truth about savvycal {stream}")

    def _all(
        self, template: str, key: Key, query: Mapping[str, str] | None = None, path: Mapping[str, str] | None = None
    ) -> list[Row]:
        endpoint = ENDPOINTS[template]
        try:
            self._check_switches(template.format(**(path or {})))
            found = endpoint.answer(Call(self, key, path or {}, endpoint.read(list((query or {}).items()))))
        except Refusal as refusal:
            if refusal.status in {403, 404}:
                return []
            raise
        rows = found.everything() if isinstance(found, Listing) else found
        return [self._enrich(endpoint, row) for row in ([rows] if isinstance(rows, dict) else rows)]

    def _enrich(self, endpoint: Endpoint, row: Row) -> Row:
        extra = self.extra_fields.get(endpoint.stream)
        return {**row, **extra} if extra else row

    def _admit(self, request: Request, endpoint: Endpoint | None = None) -> Key:
        """Return the key of a request, who must not be too hasty (SavvyCal: no limit is published)."""
        key = self.find_key(request.headers)
        if key is None or key.expired:
            if endpoint and endpoint.stream == "timezones" and not self.time_zones_need_key:
                return KEYS["sandbox-admin"]
            raise unauthenticated()
        if self.requests_per_minute is not None:
            within, counted = self.window.ask(key.seat, self.requests_per_minute)
            if not within:
                self.refused.append((key.name, self.clock()))
                wait = {"Retry-After": counted["X-RateLimit-Reset"]} if self.send_retry_after else {}
                raise Refusal(429, "Too Many Requests", wait)
        return key

    def _check_switches(self, path: str) -> None:
        """Refuse what a test has hidden (404) or forbidden (403), and everything below it."""
        for subjects, refusal in ((self.hidden, not_found), (self.forbidden, forbidden)):
            for subject in subjects:
                if f"{path}/".startswith(f"/{subject.strip('/')}/"):
                    raise refusal()

    def _answer(self, endpoint: Endpoint, key: Key, path: Mapping[str, str], query: list[tuple[str, str]]) -> Any:
        self.unknown_parameters.update(name for name, _ in query if name not in endpoint.known)
        self._check_switches(endpoint.path.replace(":path", "").format(**path))
        args = endpoint.read(query)
        found = endpoint.answer(Call(self, key, path, args))
        if isinstance(found, list):
            return [self._enrich(endpoint, row) for row in found]
        if isinstance(found, dict):
            return self._enrich(endpoint, found)
        filters = {name: str(value) for name, value in args.items() if name not in {"limit", "after", "before"}}
        turn = Turn(
            f"{self.world.seed} {key.seat} {endpoint.path} {sorted(filters.items())}",
            args.get("limit", DEFAULT_PER_PAGE),
            args.get("after"),
            args.get("before"),
            self.empty_pages,
            self.repeat_token,
        )
        page = turn.page(found)
        page["entries"] = [self._enrich(endpoint, row) for row in page["entries"]]
        return page

    def _handler(self, endpoint: Endpoint) -> Callable[[Request], Any]:
        async def handle(request: Request) -> Response:
            with self.world.lock:
                try:
                    key = self._admit(request, endpoint)
                    found = self._answer(endpoint, key, request.path_params, request.query_params.multi_items())
                    return Response(msgspec.json.encode(found), media_type="application/json")
                except Refusal as refusal:
                    return refuse(refusal)

        return handle

    async def _nowhere(self, request: Request) -> Response:
        try:
            self._admit(request)
        except Refusal as refusal:
            return refuse(refusal)
        return refuse(not_found())


def refuse(refusal: Refusal) -> Response:
    """Return a refusal: JSON, or plain text."""
    if isinstance(refusal.body, str):
        return PlainTextResponse(refusal.body, refusal.status, refusal.headers)
    return Response(msgspec.json.encode(refusal.body), refusal.status, refusal.headers, "application/json")
