"""The base of the world: its clock, its random generator, its schedule, and its records."""

from __future__ import annotations

import heapq
import random
import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from itertools import count
from threading import RLock
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from sandbox.world import records as r

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EPOCH = datetime(2026, 1, 1, 8, tzinfo=UTC)
DEFAULT_NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
ALPHANUMERICS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

T = TypeVar("T")
R = TypeVar("R", bound=r.Record)
P = ParamSpec("P")
S = TypeVar("S", bound="State")


@dataclass(frozen=True, slots=True)
class Scale:
    """The size of the organization: its first members, and its bookings per day."""

    members: int
    bookings_per_day: float


SCALES = {
    "tiny": Scale(members=6, bookings_per_day=0.1),
    "test": Scale(members=9, bookings_per_day=1.5),
    "demo": Scale(members=24, bookings_per_day=15.5),
    "large": Scale(members=60, bookings_per_day=146.0),
}


def change(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Mark a method that changes the world: changes come one at a time, and caches of the old state are void."""

    @wraps(method)
    def changing(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self.lock:
            self.version += 1
            done = method(self, *args, **kwargs)
            for listen in self.listeners:
                listen(method.__name__, [*args, *kwargs.values(), None][0], done)
            return done

    return changing


class State:
    """All records of the world, by id and in order of creation.

    `version` counts changes; `lock` is held during a change and while a page is read.
    `seats` are the owners of API keys, who never leave.
    `meeting_watchers` are called with each new meeting; they must not draw from `random`.
    """

    def __init__(self, seed: int, scale: str) -> None:
        if scale not in SCALES:
            raise ValueError(f"scale {scale!r} is unknown; choose one of {', '.join(SCALES)}")
        self.seed = seed
        self.scale = scale
        self.pace = SCALES[scale]
        self.random = random.Random(seed)  # noqa: S311 -- a reproducible world, no secret
        self.now = EPOCH
        self.version = 0
        self.lock = RLock()
        self._serials = count(1)
        self._happenings: list[tuple[datetime, int, Callable[..., object], tuple[Any, ...]]] = []
        self._turns = count()

        self.no_show_moves_invitee = False
        self.invitee_changes_move_event = False
        self.listeners: list[Callable[[str, Any, Any], None]] = []
        """Called after every change, with the method's name, its first argument and its result."""
        self.meeting_watchers: list[Callable[[r.Meeting], None]] = []

        self.organization: r.Organization
        self.seats: dict[str, r.Person] = {}
        self.clients: list[tuple[str, str, str]] = []
        self.people: dict[str, r.Person] = {}
        self.memberships: dict[str, r.Membership] = {}
        self.invitations: dict[str, r.Invitation] = {}
        self.groups: dict[str, r.Group] = {}
        self.group_places: dict[str, r.GroupPlace] = {}
        self.teams: dict[str, r.Team] = {}
        self.schedules: dict[str, r.Schedule] = {}
        self.saved_places: dict[str, r.SavedPlace] = {}
        self.event_types: dict[str, r.EventType] = {}
        self.meetings: dict[str, r.Meeting] = {}
        self.bookings: dict[str, r.Booking] = {}
        self.bookings_by_email: defaultdict[str, list[r.Booking]] = defaultdict(list)
        self.forms: dict[str, r.Form] = {}
        self.submissions: dict[str, r.Submission] = {}
        self.custom_fields: dict[str, r.CustomField] = {}
        self.contacts: dict[str, r.Contact] = {}
        self.contact_lists: dict[str, r.ContactList] = {}
        self.contact_notes: dict[str, r.ContactNote] = {}
        self.recaps: dict[str, r.Recap] = {}
        self.log: dict[str, r.LogEntry] = {}
        self.messages: dict[str, r.Message] = {}
        self.webhooks: dict[str, r.Webhook] = {}

    def new_id(self) -> str:
        """Return a new id, in one of the two formats that the vendors use side by side."""
        if self.random.random() < 0.5:  # noqa: PLR2004 -- a fair coin
            return "".join(self.random.choices(ALPHANUMERICS, k=16))
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def new(self, kind: type[R], at: datetime | None = None, /, **fields: Any) -> R:
        """Return a new record of a kind, created `at` (default: now)."""
        at = at or self.now
        stamps: dict[str, Any] = {
            "id": self.new_id(),
            "serial": next(self._serials),
            "created_at": at,
            "updated_at": at,
        }
        return kind(**stamps, **fields)

    def chance(self, probability: float) -> bool:
        """Return True with a probability."""
        return self.random.random() < probability

    def pick(self, options: Sequence[T]) -> T:
        """Draw one of several options."""
        return self.random.choice(options)

    def later(self, low: timedelta, high: timedelta) -> timedelta:
        """Draw a duration between two."""
        return timedelta(seconds=self.random.uniform(low.total_seconds(), high.total_seconds()))

    def at(self, when: datetime, happening: Callable[..., object], *args: Any) -> None:
        """Call `happening(world, *args)` at a time to come."""
        heapq.heappush(self._happenings, (when, next(self._turns), happening, args))

    def after(self, delay: timedelta, happening: Callable[..., object], *args: Any) -> None:
        """Call `happening(world, *args)` after a while."""
        self.at(self.now + delay, happening, *args)

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Move the world's time forward."""
        self.advance_to(self.now + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds))

    def advance_to(self, moment: datetime) -> None:
        """Move the world's time forward to a moment; the world there does not depend on the steps.

        Raises:
            ValueError: the moment lies in the past.
        """
        with self.lock:
            if moment < self.now:
                raise ValueError(f"the world is at {self.now.isoformat()} and cannot go back to {moment.isoformat()}")
            while self._happenings and self._happenings[0][0] <= moment:
                when, _, happening, args = heapq.heappop(self._happenings)
                self.now = max(when, self.now)
                happening(self, *args)
            self.now = moment

    def rest(self) -> None:
        """Stop all random habits and fixed cases; changes still have their consequences."""
        with self.lock:
            self._happenings.clear()

    def record(self, actor: r.Person | None, namespace: str, action: str, /, **details: Any) -> None:
        """Add an entry to the activity log."""
        entry = self.new(r.LogEntry, namespace=namespace, action=action, actor=actor, details=details)
        self.log[entry.id] = entry
