"""The base of public events: their ids and collections."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from sandbox.world import words
from sandbox.world.extension import Extension, change
from sandbox.world.gatherings import records as g
from sandbox.world.state import ALPHANUMERICS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sandbox.world.company import Company
    from sandbox.world.records import Person

LETTERS = ALPHANUMERICS + ALPHANUMERICS[:26].lower()

N = TypeVar("N", bound=g.Thing)


class Ledger(Extension):
    """All records around public events, by id and in order of creation.

    `reregistering_moves_stamp` gives a guest who registers again after declining a new time of registration.
    """

    def __init__(self, world: Company) -> None:
        super().__init__(world, "gatherings")
        self.reregistering_moves_stamp = False
        self.gatherings: dict[str, g.Gathering] = {}
        self.calendars: dict[str, g.Calendar] = {}
        self.attendees: dict[str, g.Attendee] = {}
        self._serials = count(1)
        self._numbers = count(1)
        self._guest_numbers = count(1)
        self._by_client: dict[int, g.Attendee] = {}

    @property
    def people(self) -> list[Person]:
        """Hosts: members who never leave, and whose profile changes only on demand."""
        return list(self.world.seats.values())

    def new_id(self) -> str:
        """Return a fresh id, without a vendor's prefix."""
        return "".join(self.random.choices(LETTERS, k=15))

    def new(self, kind: type[N], /, **fields: Any) -> N:
        """Return a new thing of a kind, created now."""
        return kind(id=self.new_id(), serial=next(self._serials), created_at=self.now, **fields)

    def between(self, low: datetime, high: datetime) -> datetime:
        """Draw a time between two."""
        return low + (high - low) * self.random.random()

    @override
    def at(self, when: datetime, act: Callable[..., object], *args: Any) -> None:
        """Call `act(*args)` at a time to come, or at once, if all events that it is about still exist by then."""
        super().at(max(when, self.now), self._act, act, *args)

    def _act(self, act: Callable[..., object], *args: Any) -> None:
        if all(self.stands(event) for event in map(event_of, args) if event):
            act(*args)

    def stands(self, gathering: g.Gathering) -> bool:
        """Return True if an event still exists."""
        return gathering.id in self.gatherings

    @change
    def add_attendee(self, name: str | None, email: str, timezone: str = "UTC") -> g.Attendee:
        """Create an account."""
        attendee = self.new(
            g.Attendee,
            name=name,
            email=email,
            timezone=timezone,
            phone=f"+4930{self.random.randrange(10**7):07}" if self.chance(0.4) else None,
            ethereum=f"0x{self.random.getrandbits(160):040x}" if self.chance(0.2) else None,
            solana=self.new_id() + self.new_id() if self.chance(0.1) else None,
        )
        self.attendees[attendee.id] = attendee
        return attendee

    def draw_attendee(self, taken: dict[str, Any]) -> g.Attendee:
        """Draw one of the world's clients whose account is not `taken`, or create a new one."""
        clients = self.world.clients
        for _ in range(8):
            number = self.random.randrange(len(clients))
            found = self._by_client.get(number)
            if found is None:
                name, email, zone = clients[number]
                found = self._by_client[number] = self.add_attendee(None if number % 11 == 0 else name, email, zone)
            if found.id not in taken:
                return found
        name = f"{self.pick(words.FIRST_NAMES)} {self.pick(words.LAST_NAMES)}"
        return self.add_attendee(name, f"visitor{len(self.attendees)}@mail.example", self.pick(words.ZONES))


def event_of(thing: object) -> g.Gathering | None:
    """Return the event that a record belongs to, if any."""
    if isinstance(thing, g.Ticket | g.Order):
        return thing.guest.gathering
    if isinstance(thing, g.Guest | g.TicketKind | g.Mailing | g.Listing):
        return thing.gathering
    return thing if isinstance(thing, g.Gathering) else None
