"""Public events that calendars run, beside the meetings that are booked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.world.gatherings import founding, life
from sandbox.world.gatherings.attendance import Gatherings

if TYPE_CHECKING:
    from sandbox.world.company import Company

__all__ = ["Gatherings", "begin"]


def begin(world: Company) -> Gatherings:
    """Create the calendars of a world, and start the habits of public events."""
    gatherings = Gatherings(world)
    founding.found(gatherings)
    founding.promise(gatherings)
    life.begin(gatherings)
    return gatherings
