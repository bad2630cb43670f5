"""The OnceHub API v2 over a world: every endpoint that a reader could use."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from starlette.responses import Response
from starlette.routing import Route, Router

from sandbox.oncehub.bookings import BOOKINGS, CONVERSATIONS
from sandbox.oncehub.collection import Gone, once, read, read_expand
from sandbox.oncehub.limit import Window
from sandbox.oncehub.messages import SMS_NOTIFICATIONS, WEBHOOKS
from sandbox.oncehub.pages import BOOKING_CALENDARS, BOOKING_PAGES, EVENT_TYPES, MASTER_PAGES
from sandbox.oncehub.paging import Ordered, Pager
from sandbox.oncehub.people import CONTACTS, TEAMS, USERS, availability, user_id
from sandbox.oncehub.refusals import Refusal, invalid, no_access, not_found, too_many, unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from starlette.requests import Request

    from sandbox.oncehub.collection import Collection, Row
    from sandbox.world import World

COLLECTIONS: dict[str, Collection] = {
    one.name: one
    for one in (
        BOOKINGS,
        CONTACTS,
        BOOKING_CALENDARS,
        BOOKING_PAGES,
        EVENT_TYPES,
        MASTER_PAGES,
        USERS,
        TEAMS,
        SMS_NOTIFICATIONS,
        WEBHOOKS,
    )
}
OBJECTS = COLLECTIONS | {"conversations": CONVERSATIONS}
RELATIONS = {"master_page": "master_pages", "event_type": "event_types", "user": "users"}
"""By which filters booking pages are related to what."""
STREAMS = (*COLLECTIONS, "user_scheduling_availability", "booking_page_links")
KEYS = ("sandbox-admin", "sandbox-nosms", "sandbox-noapi")
PER_SECOND, PER_FIVE_MINUTES = 5, 200
STUB_DAYS = 7
"""For so many days after its deletion an object may be listed as a stub."""


class OnceHub:
    """The API and its switches; see ONCEHUB.md for what each of them does.

    `clock` counts seconds for the rate limits. `refused` lists (key name, clock) of every 429.
    """

    name: ClassVar[str] = "oncehub"
    world: World

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

        self.send_link = True
        self.send_has_more = True
        self.after_deleted_anchor = "refuse"
        self.anchor_must_match = True
        self.list_deleted_stubs = False
        self.list_expand_prefix = True
        self.many_statuses = False
        self.day_granular_filters = False
        self.trash_moves_update_time = False
        self.reassignment_moves_update_time = True
        self.approval_moves_update_time = True
        self.declined_status = "canceled"
        self.send_rescheduled_booking_id = False
        self.several_durations = "null"

        self.served = 0
        self.refused: list[tuple[str, float]] = []
        self.pager = Pager(self)
        self._second, self._minute, self._five_minutes = Window(1), Window(60), Window(300)
        self._cache: dict[str, Any] = {}
        self._cached_at: Any = None

    @property
    def silent_causes(self) -> set[str]:
        """The kinds of change that do not move a booking's update time."""
        switches = {
            "trash": self.trash_moves_update_time,
            "reassignment": self.reassignment_moves_update_time,
            "approval": self.approval_moves_update_time,
        }
        return {cause for cause, moves in switches.items() if not moves}

    def routes(self) -> Router:
        """Return the application."""
        routes = [Route("/v2/test", self._handler(self._test))]
        for one in COLLECTIONS.values():
            routes.append(Route(one.path, self._handler(self._list, one)))
            if one is not SMS_NOTIFICATIONS:
                routes.append(Route(f"{one.path}/{{id}}", self._handler(self._single, one)))
        routes.append(Route("/v2/users/{id}/scheduling-availability", self._handler(self._availability)))
        return Router([*routes, Route("/{path:path}", self._handler(self._nowhere))])

    def key_name(self, headers: Mapping[str, str]) -> str | None:
        """Return what the request log calls whoever asks; never the key of a stranger."""
        key = headers.get("api-key", "")
        return key if key in KEYS else None

    def ordered(self, collection: Collection) -> Ordered:
        """Return a collection in order, with the stubs of what was deleted lately, if those are to be shown."""
        stubs: list[Gone] = []
        if self.list_deleted_stubs and collection.has_stubs:
            since = self.world.now - timedelta(days=STUB_DAYS)
            stubs = [one for one in collection.gone(self) if one.at > since]
        found: Ordered = self._cached(f"{collection.name} {stubs}", lambda: Ordered.of(self, collection, stubs))
        return found

    def _cached(self, key: str, make: Callable[[], Any]) -> Any:
        if self._cached_at != self.world.version:
            self._cache.clear()
            self._cached_at = self.world.version
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]

    def show(self, collection: Collection, entry: Any) -> Row:
        """Show an object, or that it is gone."""
        if isinstance(entry, Gone):
            return {"id": entry.ref, "object": collection.object, "deleted": True}
        return collection.show(self, entry) | self.extra_fields.get(collection.name, {})

    def find(self, collection: Collection, address: str) -> Any:
        """Return a record by its id, or that it is gone, or None if it never was."""
        ordered = self.ordered(collection)
        if address in ordered.places:
            return ordered.entries[ordered.places[address]]
        return next((one for one in collection.gone(self) if one.ref == address), None)

    def expanded(self, collection: Collection, row: Row, paths: Iterable[Sequence[str]]) -> Row:
        """Return a row in which ids are replaced by the objects that they stand for.

        Raises:
            Refusal: a field cannot be expanded.
        """
        for field, *rest in paths:
            if field not in collection.references:
                raise invalid("expand", "This property cannot be expanded")
            value = row.get(field)
            address = value["id"] if isinstance(value, dict) else value
            for name in collection.references[field]:
                entry = self.find(OBJECTS[name], address) if address else None
                if entry is not None:
                    shown = value if isinstance(value, dict) else self.show(OBJECTS[name], entry)
                    row |= {field: self.expanded(OBJECTS[name], shown, [rest] if rest else [])}
        return row

    def truth(self, stream: str, key: str) -> list[Row]:
        """Return what a perfect sync would hold.

        Raises:
            LookupError: the stream or the key is unknown.
        """
        if stream not in STREAMS or key not in KEYS:
            raise LookupError(f"no truth about oncehub {stream} for {key}")
        if key == "sandbox-noapi" or (key == "sandbox-nosms" and stream == "sms_notifications"):
            return []
        if stream == "booking_page_links":
            return self._links()
        if stream == "user_scheduling_availability":
            extra = self.extra_fields.get(stream, {})
            users = list(USERS.rows(self))
            return [availability(self, one) | extra | {"user_id": user_id(self, one)} for one in users]
        collection = COLLECTIONS[stream]
        return [self.show(collection, one) for one in collection.rows(self)]

    def _links(self) -> list[Row]:
        found = []
        for relation, name in RELATIONS.items():
            for related in self.truth(name, KEYS[0]):
                rule = BOOKING_PAGES.filters[relation].keep(self, related["id"])
                for page in filter(rule, BOOKING_PAGES.rows(self)):
                    address = BOOKING_PAGES.ref(self, page)
                    found.append({"booking_page_id": address, "relation": relation, "related_id": related["id"]})
        return found

    def _admit(self, request: Request) -> str:
        """Return the key of a request that is within the limits: 5 a second per account, 200 in 5 minutes per address.

        Raises:
            Refusal: it is over a limit, or has no key that opens anything.
        """
        now = self.clock()
        key = self.key_name(request.headers)
        windows = [(self._five_minutes, PER_FIVE_MINUTES), (self._second, PER_SECOND)]
        if self.requests_per_minute is not None:
            windows = [(self._minute, self.requests_per_minute)]
        wait = max(window.wait(now, limit) for window, limit in windows)
        if wait:
            self.refused.append((key or "stranger", now))
            refusal = too_many()
            if self.send_retry_after:
                refusal.headers["Retry-After"] = str(int(wait) + 1)
            raise refusal
        for window, _ in windows:
            window.admit(now)
        if key is None:
            raise unauthenticated()
        if key == "sandbox-noapi":
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
                    if path.startswith(SMS_NOTIFICATIONS.path) and key == "sandbox-nosms":
                        raise no_access("Your plan does not include SMS notifications")
                    body, headers = answer(request, *args)
                    return respond(200, body, sent | headers)
                except Refusal as refusal:
                    return respond(refusal.status, refusal.body, sent | refusal.headers)

        return handle

    def _list(self, request: Request, collection: Collection) -> tuple[Row, dict[str, str]]:
        query = read(self, collection, request.query_params.multi_items())
        page = self.pager.page(query)
        rows = [self.expanded(collection, self.show(collection, one), query.expand) for one in page.entries]
        body: Row = {"object": "list", "data": rows}
        more = page.newer if query.before is not None else page.older
        if collection.has_more and self.send_has_more:
            body["has_more"] = more
        link = self.pager.link(query, page)
        return body, {"Link": link} if link and self.send_link else {}

    def _single(self, request: Request, collection: Collection) -> tuple[Row, dict[str, str]]:
        requested = once(request.query_params.multi_items())
        expand = requested.pop("expand", None)
        for name in requested:
            raise invalid(name, f"Received unknown parameter: {name}")
        paths = [] if expand is None else read_expand(collection, expand, prefixed=False)
        entry = self.find(collection, request.path_params["id"])
        if entry is None:
            raise not_found()
        return self.expanded(collection, self.show(collection, entry), paths), {}

    def _availability(self, request: Request) -> tuple[Row, dict[str, str]]:
        user = self.find(USERS, request.path_params["id"])
        if user is None or isinstance(user, Gone):
            raise not_found()
        row = availability(self, user, request.query_params.multi_items())
        return row | self.extra_fields.get("user_scheduling_availability", {}), {}

    def _test(self, request: Request) -> tuple[Row, dict[str, str]]:
        for name in request.query_params:
            raise invalid(name, f"Received unknown parameter: {name}")
        return {"message": f"The API key is valid for account: {self.world.seats['owner'].email}"}, {}

    def _nowhere(self, _: Request) -> tuple[Row, dict[str, str]]:
        raise not_found()


def respond(status: int, body: Row, sent: dict[str, str]) -> Response:
    """Return a JSON answer."""
    return Response(msgspec.json.encode(body), status, sent, "application/json")
