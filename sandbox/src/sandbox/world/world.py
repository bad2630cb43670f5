"""The simulated world as a whole."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sandbox.world import founding, gatherings, life
from sandbox.world.contacts import Contacts
from sandbox.world.desk import Desk
from sandbox.world.documents import Documents
from sandbox.world.invitations import Invites
from sandbox.world.people import People
from sandbox.world.state import DEFAULT_NOW, EPOCH

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.world import records as r


class World(People, Documents, Contacts):
    """An organization that is booked, from 2026-01-01T08:00Z on.

    Two worlds of the same seed and scale are the same at the same moment, however they got there.

    Raises:
        ValueError: the scale is unknown, or `now` is before the epoch.
    """

    def __init__(self, seed: int = 7, scale: str = "test", now: datetime | None = None) -> None:
        super().__init__(seed, scale)
        self.group_meetings: defaultdict[str, list[r.Meeting]] = defaultdict(list)
        self.known_emails: set[str] = set()
        founding.found(self)
        founding.promise(self)
        life.begin(self)
        self.invites = Invites(self)
        self.gatherings = gatherings.begin(self)
        self.desk = Desk(self)
        self.advance_to(now or DEFAULT_NOW)


__all__ = ["DEFAULT_NOW", "EPOCH", "World"]
