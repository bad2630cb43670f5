"""Public events: created, changed, moved, listed, transferred, canceled."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sandbox.world import words
from sandbox.world.extension import change
from sandbox.world.gatherings import records as g
from sandbox.world.gatherings.drawing import PLACES, TITLES, draw_place
from sandbox.world.gatherings.offers import Offers

if TYPE_CHECKING:
    from datetime import datetime


class Events(Offers):
    """Changes of public events."""

    @property
    def main(self) -> g.Calendar:
        """The organization's first calendar."""
        return next(iter(self.calendars.values()))

    @change
    def create(
        self,
        /,
        start: datetime | None = None,
        *,
        calendar: g.Calendar | None = None,
        status: str = "approved",
        submitter: g.Attendee | None = None,
        **fields: Any,
    ) -> g.Gathering:
        """Create an event on a calendar (default: the main one), by default in ten days for two hours.

        `end` and every other property of a gathering may be given; the others are drawn. The event has one free kind
        of ticket, unless it is `external`. `status` is that of its place on the calendar.
        """
        calendar = calendar or self.main
        number = next(self._numbers)
        start = start or (self.now + timedelta(days=10)).replace(minute=0, second=0, microsecond=0)
        where = {} if fields.keys() & {"address", "meeting_url"} else self._draw_place(number, fields)
        defaults: dict[str, Any] = {
            "name": f"{self.pick(TITLES)} #{number}",
            "description": f"## Welcome\n\n{self.pick(words.SENTENCES)}",
            "end": start + timedelta(hours=2),
            "timezone": self.pick(words.ZONES),
            "creator": calendar.admins[0],
            "hosts": [calendar.admins[0]],
            "slug": self.new_id()[:8].lower(),
        }
        gathering = self.new(g.Gathering, number=number, calendar=calendar, start=start, **(defaults | where | fields))
        self.gatherings[gathering.id] = gathering
        self.list_on(gathering, calendar, status=status, submitter=submitter)
        if not gathering.external:
            self.add_ticket_kind(gathering)
        return gathering

    def _draw_place(self, number: int, fields: dict[str, Any]) -> dict[str, Any]:
        return draw_place(self, fields.get("place_kind") or PLACES[number % len(PLACES)])

    @change
    def edit(self, gathering: g.Gathering, /, **changes: Any) -> None:
        """Change an event, which moves no time."""
        for field, value in changes.items():
            setattr(gathering, field, value)

    @change
    def move(self, gathering: g.Gathering, start: datetime) -> None:
        """Move an event to another time, with the same duration."""
        gathering.start, gathering.end = start, start + (gathering.end - gathering.start)

    @change
    def cancel(self, gathering: g.Gathering) -> None:
        """Cancel an event: it is deleted without a trace, with its guests and everything else."""
        del self.gatherings[gathering.id]
        for listing in gathering.listings:
            listing.calendar.listings.remove(listing)
        for guest in gathering.guests.values():
            guest.attendee.guests.remove(guest)

    @change
    def list_on(
        self,
        gathering: g.Gathering,
        calendar: g.Calendar,
        *,
        status: str = "approved",
        submitter: g.Attendee | None = None,
    ) -> g.Listing:
        """List an event on a calendar, or suggest it (pending)."""
        listing = self.new(g.Listing, calendar=calendar, gathering=gathering, status=status, submitter=submitter)
        gathering.listings.append(listing)
        calendar.listings.append(listing)
        return listing

    @change
    def decide(self, listing: g.Listing, status: str) -> None:
        """Approve or reject an event on a calendar."""
        listing.status = status

    @change
    def unlist(self, listing: g.Listing) -> None:
        """Remove an event from a calendar that does not run it.

        Raises:
            ValueError: the calendar runs it.
        """
        if listing.calendar is listing.gathering.calendar:
            raise ValueError("this calendar runs the event; transfer or cancel it instead")
        listing.gathering.listings.remove(listing)
        listing.calendar.listings.remove(listing)

    @change
    def transfer(self, gathering: g.Gathering, calendar: g.Calendar) -> None:
        """Transfer an event to another calendar: it leaves the old one's list, with its tags there.

        Raises:
            ValueError: the event is external.
        """
        if gathering.external is not None:
            raise ValueError(f"{gathering.name} is external and cannot be transferred")
        old = gathering.listing(gathering.calendar)
        if calendar is gathering.calendar or old is None:
            return
        gathering.calendar = calendar
        gathering.listings.remove(old)
        old.calendar.listings.remove(old)
        new = gathering.listing(calendar) or self.list_on(gathering, calendar)
        new.status = "approved"
