"""The state of the simulated Calendly: its switches, and records of the world in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.calendly.listing import Ordered
from sandbox.calendly.text import uri, user_uri
from sandbox.projection import Projection

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.calendly.keys import Key
    from sandbox.world import World
    from sandbox.world import records as r


class Switches(Projection):
    """The switches of Calendly; see the README for their meaning."""

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        super().__init__(world, clock)
        self.plan = "enterprise"
        self.page_token_requests: int | None = 400
        self.unreadable_calendars: set[str] = set()
        self.scope_refusal = "required_scopes"
        self.transcripts = "resource"
        self.served = 0
        """Requests so far."""

    @property
    def organization_uri(self) -> str:
        """The organization's address."""
        return uri("organizations", self.world.organization)

    def user_uri(self, key: Key) -> str:
        """Return the address of the user whose key it is."""
        return user_uri(self.world.seats[key.seat])

    def ordered(self, collection: str, sort: str) -> Ordered:
        """Return a collection of the world in order, sorted once per change of the world."""
        return self.cached((collection, sort), lambda: Ordered.by(sort, getattr(self.world, collection).values()))

    def hosted(self, person: r.Person) -> list[r.Meeting]:
        """Return the meetings that a person hosts."""

        def index() -> dict[r.Person, list[r.Meeting]]:
            hosted: dict[r.Person, list[r.Meeting]] = {}
            for meeting in self.world.meetings.values():
                for host in meeting.hosts:
                    hosted.setdefault(host, []).append(meeting)
            return hosted

        return self.cached(("meetings", "by host"), index).get(person, [])
