"""The SavvyCal API v1 over a world: every endpoint that a reader could use, except available slots."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

from starlette.routing import Route, Router
from typing_extensions import override

from sandbox.http import Refusal, bearer_token, respond
from sandbox.rate_limit import FixedWindow
from sandbox.savvycal.endpoints import ENDPOINTS
from sandbox.savvycal.keys import KEYS
from sandbox.savvycal.paging import Turn
from sandbox.savvycal.refusals import not_found, unauthenticated
from sandbox.savvycal.request import DEFAULT_PER_PAGE, Call
from sandbox.savvycal.switches import Switches
from sandbox.savvycal.truth import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.http import Row
    from sandbox.savvycal.keys import Key
    from sandbox.savvycal.request import Endpoint
    from sandbox.world import World


class SavvyCal(Switches):
    """The API and its switches; see SAVVYCAL.md for their meaning.

    `unknown_parameters` counts the query parameters that the API ignored because it does not know them.
    """

    name: ClassVar[str] = "savvycal"

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        super().__init__(world, clock)
        self.unknown_parameters: Counter[str] = Counter()
        self.window = FixedWindow(clock)

    @override
    def routes(self) -> Router:
        routes = [Route(one.path, self._handler(one), methods=["GET"]) for one in ENDPOINTS.values()]
        return Router([*routes, Route("/{path:path}", self._nowhere)])

    @override
    def find_key(self, headers: Mapping[str, str]) -> Key | None:
        return KEYS.get(bearer_token(headers) or "")

    @override
    def truth(self, stream: str, key: str) -> list[Row]:
        if key not in KEYS:
            raise LookupError(f"there is no savvycal key {key}")
        return Reader(self, KEYS[key]).stream(stream)

    def _admit(self, request: Request, endpoint: Endpoint | None = None) -> Key:
        """Return the key of a request within the rate limit (SavvyCal publishes none)."""
        key = self.find_key(request.headers)
        if key is None or key.expired:
            if endpoint and endpoint.stream == "timezones" and not self.time_zones_need_key:
                return KEYS["sandbox-admin"]
            raise unauthenticated()
        if self.requests_per_minute is not None:
            count = self.window.count(key.seat, self.requests_per_minute)
            if not count.allowed:
                self.refused.append((key.name, self.clock()))
                wait = {"Retry-After": str(count.reset)} if self.send_retry_after else {}
                raise Refusal(429, "Too Many Requests", wait)
        return key

    def _answer(self, endpoint: Endpoint, key: Key, path: Mapping[str, str], query: list[tuple[str, str]]) -> Any:
        self.unknown_parameters.update(name for name, _ in query if name not in endpoint.known)
        call = Call.of(self, key, endpoint, path, query)
        args, found = call.args, endpoint.answer(call)
        if isinstance(found, list):
            return [self.enrich(endpoint.stream, row) for row in found]
        if isinstance(found, dict):
            return self.enrich(endpoint.stream, found)
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
        page["entries"] = [self.enrich(endpoint.stream, row) for row in page["entries"]]
        return page

    def _handler(self, endpoint: Endpoint) -> Callable[[Request], Any]:
        async def handle(request: Request) -> Response:
            with self.world.lock:
                try:
                    key = self._admit(request, endpoint)
                    found = self._answer(endpoint, key, request.path_params, request.query_params.multi_items())
                    return respond(200, found)
                except Refusal as refusal:
                    return respond(refusal.status, refusal.body, refusal.headers)

        return handle

    async def _nowhere(self, request: Request) -> Response:
        try:
            self._admit(request)
            raise not_found()
        except Refusal as refusal:
            return respond(refusal.status, refusal.body, refusal.headers)
