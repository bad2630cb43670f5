"""The base of the four APIs: their common switches, their cache, and the contract with the server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from starlette.routing import Router

    from sandbox.http import Row
    from sandbox.world import World
    from sandbox.world import records as r

T = TypeVar("T")


class Key(Protocol):
    """A credential of one API."""

    @property
    def name(self) -> str:
        """Name in the request log."""

    @property
    def seat(self) -> str:
        """Seat of the key's owner in the world."""


class Projection(ABC):
    """One of the vendors' APIs, as far as it can be read, over the world. Its public attributes are switches.

    `clock` counts seconds, for rate limits.
    """

    name: ClassVar[str]
    """First segment of the API's path."""

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        self.world = world
        self.clock = clock
        self.api_url = ""
        """Scheme, host, port and name once the API is served: the value of a tap's `api_url`."""
        self.requests_per_minute: int | None = None
        """Rate limit in place of the vendor's; None keeps the vendor's."""
        self.send_retry_after = False
        self.extra_fields: dict[str, dict[str, Any]] = {}
        """Fields added to each row of a stream, by stream name: a vendor may add a field any day."""
        self.odd: dict[str, Any] = {}
        """Undocumented values, by field name, that one of three objects has."""
        self.empty_pages = False
        """The second page of a list is empty although more follow."""
        self.repeat_token = False
        """The second page of a list names itself as the next one, for ever."""
        self.hidden: set[str] = set()
        self.forbidden: set[str] = set()
        self.refused: list[tuple[str, float]] = []
        """Key name and clock of every 429."""
        self._cache: dict[Hashable, Any] = {}
        self._cached_version = -1

    @abstractmethod
    def routes(self) -> Router:
        """Return the application."""

    @abstractmethod
    def find_key(self, headers: Mapping[str, str]) -> Key | None:
        """Return the key that a request carries, if the API knows it."""

    @abstractmethod
    def truth(self, stream: str, key: str) -> list[Row]:
        """Return the raw objects that a perfect sync of a stream with a key would hold now.

        Raises:
            LookupError: the stream or the key is unknown.
        """

    def key_name(self, headers: Mapping[str, str]) -> str | None:
        """Return the name of a request's key for the request log; None if the key is unknown, and never its text."""
        key = self.find_key(headers)
        return key.name if key else None

    def cached(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the value of `make`, computed once per change of the world."""
        if self._cached_version != self.world.version:
            self._cache.clear()
            self._cached_version = self.world.version
        if key not in self._cache:
            self._cache[key] = make()
        found: T = self._cache[key]
        return found

    def enrich(self, stream: str, row: Row) -> Row:
        """Return a row with the extra fields of its stream."""
        extra = self.extra_fields.get(stream)
        return {**row, **extra} if extra else row


A = TypeVar("A", bound=Projection)
K = TypeVar("K", bound=Key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[A, K]):
    """A valid request: its credential and its parsed query parameters."""

    api: A
    key: K
    args: Mapping[str, Any]

    @property
    def world(self) -> World:
        """World behind the API."""
        return self.api.world

    @property
    def person(self) -> r.Person:
        """Owner of the key."""
        return self.world.seats[self.key.seat]
