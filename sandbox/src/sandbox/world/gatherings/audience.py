"""Calendars and their audience: members, tags, tiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.world.extension import change
from sandbox.world.gatherings import records as g
from sandbox.world.gatherings.state import Ledger

if TYPE_CHECKING:
    from sandbox.world.gatherings.records import Host

COLORS = ("cranberry", "barney", "red", "green", "blue", "purple", "yellow", "orange")
MEMBERSHIPS = ("approved", "pending", "approved-pending-payment", "declined")


class Audience(Ledger):
    """Changes of calendars and their audience."""

    @change
    def add_calendar(self, /, name: str, slug: str, **fields: Any) -> g.Calendar:
        """Create a calendar."""
        defaults: dict[str, Any] = {
            "description": None,
            "ours": True,
            "admins": self.people[:1],
            "place": None,
            "coordinate": None,
        }
        calendar = self.new(g.Calendar, name=name, slug=slug, **(defaults | fields))
        self.calendars[calendar.id] = calendar
        return calendar

    @change
    def edit_calendar(self, calendar: g.Calendar, /, **changes: Any) -> None:
        """Edit a calendar."""
        for field, value in changes.items():
            setattr(calendar, field, value)

    @change
    def add_admin(self, calendar: g.Calendar, person: Host) -> None:
        """Add an admin of a calendar."""
        calendar.admins.append(person)

    @change
    def remove_admin(self, calendar: g.Calendar, person: Host) -> None:
        """Remove an admin of a calendar.

        Raises:
            ValueError: no admin would be left.
        """
        if calendar.admins == [person]:
            raise ValueError(f"{calendar.name} would have no admin left")
        calendar.admins.remove(person)

    @change
    def add_event_tag(self, calendar: g.Calendar, name: str) -> g.Tag:
        """Create a tag of a calendar's events."""
        tag = self.new(g.Tag, name=name, color=COLORS[len(calendar.event_tags) % len(COLORS)])
        calendar.event_tags.append(tag)
        return tag

    @change
    def add_contact_tag(self, calendar: g.Calendar, name: str) -> g.Tag:
        """Create a tag of a calendar's audience."""
        tag = self.new(g.Tag, name=name, color=COLORS[-1 - len(calendar.contact_tags) % len(COLORS)])
        calendar.contact_tags.append(tag)
        return tag

    @change
    def edit_tag(self, tag: g.Tag, name: str) -> None:
        """Rename a tag, wherever it is used."""
        tag.name = name

    @change
    def delete_tag(self, calendar: g.Calendar, tag: g.Tag) -> None:
        """Delete a tag, which removes it from everything."""
        for tags in (calendar.event_tags, calendar.contact_tags):
            if tag in tags:
                tags.remove(tag)
        everything: list[g.Listing | g.Contact] = [*calendar.listings, *calendar.contacts.values()]
        for labelled in everything:
            if tag in labelled.tags:
                labelled.tags.remove(tag)

    @change
    def tag(self, labelled: g.Listing | g.Contact, tag: g.Tag) -> None:
        """Tag an event's place on a calendar, or a member of its audience."""
        if tag not in labelled.tags:
            labelled.tags.append(tag)

    @change
    def untag(self, labelled: g.Listing | g.Contact, tag: g.Tag) -> None:
        """Remove a tag."""
        if tag in labelled.tags:
            labelled.tags.remove(tag)

    @change
    def add_tier(self, /, calendar: g.Calendar, name: str, kind: str = "free", **fields: Any) -> g.Tier:
        """Create a membership tier."""
        defaults: dict[str, Any] = {"color": "#8247f5", "description": None, "require_approval": False}
        tier = self.new(g.Tier, name=name, kind=kind, **(defaults | fields))
        calendar.tiers.append(tier)
        return tier

    @change
    def edit_tier(self, tier: g.Tier, /, **changes: Any) -> None:
        """Edit a membership tier."""
        for field, value in changes.items():
            setattr(tier, field, value)

    @change
    def add_contact(self, calendar: g.Calendar, attendee: g.Attendee | None = None) -> g.Contact:
        """Add an attendee to a calendar's audience, unless already in it."""
        attendee = attendee or self.draw_attendee(calendar.contacts)
        if attendee.id not in calendar.contacts:
            calendar.contacts[attendee.id] = self.new(g.Contact, calendar=calendar, attendee=attendee)
        return calendar.contacts[attendee.id]

    @change
    def edit_contact(self, contact: g.Contact, *, membership: tuple[str, g.Tier | None] | None) -> None:
        """Set or end (None) a contact's membership."""
        contact.membership = membership

    @change
    def remove_contact(self, contact: g.Contact) -> None:
        """Remove a contact from the audience; the places at events stay."""
        contact.calendar.contacts.pop(contact.attendee.id, None)

    @change
    def edit_profile(self, attendee: g.Attendee, /, **changes: str | None) -> None:
        """Change an attendee's name, e-mail address, phone or wallets, at once at all of their events."""
        for field, value in changes.items():
            setattr(attendee, field, value)
