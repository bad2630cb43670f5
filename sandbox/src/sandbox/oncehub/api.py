"""The OnceHub API v2 over a world: every endpoint that a reader could use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from starlette.routing import Route, Router
from typing_extensions import override

from sandbox.http import Refusal, respond
from sandbox.oncehub.collection import Gone, once, read, read_expand
from sandbox.oncehub.endpoints import COLLECTIONS
from sandbox.oncehub.keys import KEYS
from sandbox.oncehub.limit import Window
from sandbox.oncehub.messages import SMS_NOTIFICATIONS
from sandbox.oncehub.objects import expanded, find, show
from sandbox.oncehub.paging import Pager
from sandbox.oncehub.people import USERS, availability
from sandbox.oncehub.refusals import invalid, no_access, not_found, too_many, unauthenticated
from sandbox.oncehub.switches import Switches
from sandbox.oncehub.truth import STREAMS, truth

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.http import Row
    from sandbox.oncehub.collection import Collection
    from sandbox.oncehub.keys import Key
    from sandbox.world import World

PER_SECOND, PER_FIVE_MINUTES = 5, 200


class OnceHub(Switches):
    """The API and its switches; see ONCEHUB.md for their meaning."""

    name: ClassVar[str] = "oncehub"

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        super().__init__(world, clock)
        self.served = 0
        self.pager = Pager(self)
        self._second, self._minute, self._five_minutes = Window(1), Window(60), Window(300)

    @override
    def routes(self) -> Router:
        routes = [Route("/v2/test", self._handler(self._test))]
        for one in COLLECTIONS.values():
            routes.append(Route(one.path, self._handler(self._list, one)))
            if one is not SMS_NOTIFICATIONS:
                routes.append(Route(f"{one.path}/{{id}}", self._handler(self._single, one)))
        routes.append(Route("/v2/users/{id}/scheduling-availability", self._handler(self._availability)))
        return Router([*routes, Route("/{path:path}", self._handler(self._nowhere))])

    @override
    def find_key(self, headers: Mapping[str, str]) -> Key | None:
        return KEYS.get(headers.get("api-key", ""))

    @override
    def truth(self, stream: str, key: str) -> list[Row]:
        if stream not in STREAMS or key not in KEYS:
            raise LookupError(f"no truth about oncehub {stream} for {key}")
        return truth(self, stream, KEYS[key])

    def _admit(self, request: Request) -> Key:
        """Return the key of a request within the rate limits.

        OnceHub: 5 requests a second per account, and 200 in 5 minutes per address.

        Raises:
            Refusal: it is over a limit, or its key gives no access.
        """
        now = self.clock()
        key = self.find_key(request.headers)
        windows = [(self._five_minutes, PER_FIVE_MINUTES), (self._second, PER_SECOND)]
        if self.requests_per_minute is not None:
            windows = [(self._minute, self.requests_per_minute)]
        wait = max(window.wait(now, limit) for window, limit in windows)
        if wait:
            self.refused.append((key.name if key else "stranger", now))
            raise too_many(int(wait) + 1 if self.send_retry_after else None)
        for window, _ in windows:
            window.admit(now)
        if key is None:
            raise unauthenticated()
        if not key.api:
            raise no_access()
        return key

    def _check_switches(self, path: str) -> None:
        parts = path.split("/")
        above = {"/".join(parts[: length + 1]) for length in range(1, len(parts))}
        if above & self.forbidden:
            raise no_access("You have no access to this resource")
        if above & self.hidden:
            raise not_found()

    def _handler(self, answer: Callable[..., tuple[Row, dict[str, str]]], *args: Any) -> Callable[[Request], Any]:
        async def handle(request: Request) -> Response:
            with self.world.lock:
                self.served += 1
                sent = {"Request-Id": f"req-{self.served:08x}"}
                try:
                    key = self._admit(request)
                    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
                    self._check_switches(path)
                    if path.startswith(SMS_NOTIFICATIONS.path) and not key.sms:
                        raise no_access("Your plan does not include SMS notifications")
                    body, headers = answer(request, *args)
                    return respond(200, body, sent | headers)
                except Refusal as refusal:
                    return respond(refusal.status, refusal.body, sent | refusal.headers)

        return handle

    def _list(self, request: Request, collection: Collection) -> tuple[Row, dict[str, str]]:
        query = read(self, collection, request.query_params.multi_items())
        page = self.pager.page(query)
        rows = [expanded(self, collection, show(self, collection, one), query.expand) for one in page.entries]
        body: Row = {"object": "list", "data": rows}
        more = page.newer if query.before is not None else page.older
        if collection.has_more and self.send_has_more:
            body["has_more"] = more
        link = self.pager.link(query, page)
        return body, {"Link": link} if link and self.send_link else {}

    def _single(self, request: Request, collection: Collection) -> tuple[Row, dict[str, str]]:
        params = once(request.query_params.multi_items())
        expand = params.pop("expand", None)
        for name in params:
            raise invalid(name, f"Received unknown parameter: {name}")
        paths = [] if expand is None else read_expand(collection, expand, prefixed=False)
        entry = find(self, collection, request.path_params["id"])
        if entry is None:
            raise not_found()
        return expanded(self, collection, show(self, collection, entry), paths), {}

    def _availability(self, request: Request) -> tuple[Row, dict[str, str]]:
        user = find(self, USERS, request.path_params["id"])
        if user is None or isinstance(user, Gone):
            raise not_found()
        row = availability(self, user, request.query_params.multi_items())
        return self.enrich("user_scheduling_availability", row), {}

    def _test(self, request: Request) -> tuple[Row, dict[str, str]]:
        for name in request.query_params:
            raise invalid(name, f"Received unknown parameter: {name}")
        return {"message": f"The API key is valid for account: {self.world.seats['owner'].email}"}, {}

    def _nowhere(self, _: Request) -> tuple[Row, dict[str, str]]:
        raise not_found()
