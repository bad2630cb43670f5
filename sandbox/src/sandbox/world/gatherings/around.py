"""What happens around public events by chance: to their audience, to lists, to profiles.

Whatever chance changes about an event's guests, tickets, coupons or mailings, it changes at most `LATEST` after the
event's end, so that a reader who looks at every event once more for thirty days sees it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.world.gatherings import records as g
    from sandbox.world.gatherings.attendance import Gatherings

DAY = timedelta(days=1)
LATEST = 25 * DAY


def changeable(gs: Gatherings, gathering: g.Gathering) -> bool:
    """Tell whether chance may still change anything about an event."""
    return gs.stands(gathering) and gs.now <= gathering.end + LATEST


def upcoming(gs: Gatherings, gathering: g.Gathering) -> bool:
    """Tell whether an event exists and has not begun."""
    return gs.stands(gathering) and gs.now < gathering.start
