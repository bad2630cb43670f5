"""The simulated world as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.world import desk_life, founding, gatherings, invitation_life, life
from sandbox.world.company import Company
from sandbox.world.desk import Desk
from sandbox.world.invitations import Invites
from sandbox.world.state import DEFAULT_NOW

if TYPE_CHECKING:
    from datetime import datetime


class World(Company):
    """A company that is booked from 2026-01-01T08:00Z on, with its invitations, public events and booking desk.

    Two worlds of the same seed and scale are the same at the same moment, however they got there.

    Raises:
        ValueError: the scale is unknown, or `now` is before the epoch.
    """

    def __init__(self, seed: int = 7, scale: str = "test", now: datetime | None = None) -> None:
        super().__init__(seed, scale)
        founding.found(self)
        founding.promise(self)
        life.begin(self)
        self.invites = Invites(self)
        invitation_life.begin(self.invites)
        self.gatherings = gatherings.begin(self)
        self.desk = Desk(self)
        desk_life.begin(self.desk)
        self.advance_to(now or DEFAULT_NOW)
