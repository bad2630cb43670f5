"""A world, the APIs over it, and the faults of their responses: the sandbox without its server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers

from sandbox.faults import Faults
from sandbox.odd import with_odd_values
from sandbox.signals import Signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.projection import Projection
    from sandbox.world import World

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request in the log. It never holds a credential.

    `path` is the path within the API; `status` is None if the connection was reset; `key` is the name of a known key;
    `at` is the clock's time on arrival, in seconds.
    """

    api: str
    method: str
    path: str
    query: list[tuple[str, str]]
    status: int | None
    key: str | None
    at: float


class Simulation:
    """A world, the APIs over it, and the faults of their responses.

    `clock` counts seconds, for rate limits and for the log; `flow` lets the world's time pass with it.
    """

    def __init__(
        self,
        world: World,
        clock: Callable[[], float],
        apis: Iterable[Projection],
        *,
        port: int = 0,
        flow: bool = False,
    ) -> None:
        self.world = world
        self.clock = clock
        self.apis = {api.name: api for api in apis}
        self.faults = Faults()
        self.signals = Signals()
        self.requests: list[RecordedRequest] = []
        """The log of requests, without those to /_world."""
        self.port = port
        """Port of the server; 0 until a free one is found."""
        self._flowed = clock() if flow else None
        self._meanwhile: list[tuple[int, Callable[[], None]]] = []

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://{HOST}:{self.port}"

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Move the world's time forward."""
        self.world.advance(days=days, hours=hours, minutes=minutes, seconds=seconds)

    def meanwhile(self, after: int, happen: Callable[[], None]) -> None:
        """Change the world while a client reads: `happen` is called after so many more requests, before the next."""
        self._meanwhile.append((after, happen))

    def forget_meanwhile(self) -> None:
        """Drop the changes of `meanwhile` that have not happened yet."""
        self._meanwhile.clear()

    def make_due_changes(self) -> None:
        """Make the changes that are due before this request is answered."""
        due = [happen for after, happen in self._meanwhile if after == 0]
        self._meanwhile = [(after - 1, happen) for after, happen in self._meanwhile if after]
        for happen in due:
            with self.world.lock:
                happen()

    def follow_clock(self) -> None:
        """Move the world's time forward as far as the clock's, if it flows at all."""
        if self._flowed is not None:
            now = self.clock()
            self.world.advance(seconds=now - self._flowed)
            self._flowed = now

    def key_name(self, api: str, headers: list[tuple[bytes, bytes]]) -> str | None:
        """Return the name of a request's key for the log."""
        if api not in self.apis:
            return None
        return self.apis[api].key_name(Headers(raw=headers))

    def truth(self, api: str, stream: str, key: str = "sandbox-admin") -> list[dict[str, Any]]:
        """Return the raw objects that a perfect sync with a key would hold now.

        Raises:
            LookupError: the API, the stream or the key is unknown.
        """
        if api not in self.apis:
            raise LookupError(f"there is no API {api}")
        with self.world.lock:
            truth = self.apis[api].truth(stream, key)
            odd = self.apis[api].odd
            return [with_odd_values(row, odd) for row in truth] if odd else truth
