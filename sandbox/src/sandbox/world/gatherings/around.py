"""Random habits around public events: their audience, lists and profiles.

A habit changes an event's guests, tickets, coupons or mailings at most `LATEST` after the event's end, so that a
reader who reads an event again for thirty days sees the change.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.world import words
from sandbox.world.gatherings.audience import MEMBERSHIPS

if TYPE_CHECKING:
    from sandbox.world.gatherings import records as g
    from sandbox.world.gatherings.attendance import Gatherings

DAY = timedelta(days=1)
LATEST = 25 * DAY
FOUNDERS = 5
"""Number of each audience's first members that habits leave unchanged, so that no world lacks a kind of membership."""


def changeable(gs: Gatherings, gathering: g.Gathering) -> bool:
    """Return True if a habit may still change an event."""
    return gs.stands(gathering) and gs.now <= gathering.end + LATEST


def upcoming(gs: Gatherings, gathering: g.Gathering) -> bool:
    """Return True if an event exists and has not begun."""
    return gs.stands(gathering) and gs.now < gathering.start


def audience_changes(gs: Gatherings) -> None:
    """Change a calendar's audience: a follower comes, is tagged, becomes a member, or leaves."""
    calendar = gs.pick([one for one in gs.calendars.values() if one.ours][:2])
    later = list(calendar.contacts.values())[FOUNDERS:]
    contact = gs.pick(later) if later and gs.chance(0.6) else gs.add_contact(calendar)
    draw = gs.random.randrange(5)
    if draw == 0:
        gs.remove_contact(contact)
    elif draw == 1 and contact.tags:
        gs.untag(contact, contact.tags[0])
    elif draw < 4 and calendar.contact_tags:  # noqa: PLR2004 -- four of five sides
        gs.tag(contact, gs.pick(calendar.contact_tags))
    else:
        gs.edit_contact(contact, membership=(gs.pick(MEMBERSHIPS), gs.pick([*calendar.tiers, None])))


def listings_change(gs: Gatherings) -> None:
    """Suggest an event, tag it, or list an external one."""
    draw = gs.random.randrange(3)
    start = (gs.now + DAY * gs.random.uniform(5, 60)).replace(minute=0, second=0, microsecond=0)
    if draw == 0:
        gs.create(start, external=gs.pick(words.COMPANIES))
    elif draw == 1:
        gathering = gs.create(start, status="pending", submitter=gs.draw_attendee({}))
        decision = gs.pick(("approved", "rejected", "pending"))
        gs.at(gs.between(gs.now, start), is_accepted, gs, gathering, decision)
    elif gs.main.listings and gs.main.event_tags:
        gs.tag(gs.pick(gs.main.listings), gs.pick(gs.main.event_tags))


def is_accepted(gs: Gatherings, gathering: g.Gathering, decision: str) -> None:
    """Approve or reject a suggested event."""
    if upcoming(gs, gathering):
        gs.decide(gathering.listings[0], decision)


def profile_changes(gs: Gatherings) -> None:
    """Change the name or address of an attendee whose events are all recent or to come."""
    attendees = list(gs.attendees.values())
    for _ in range(12):
        attendee = gs.pick(attendees)
        if all(changeable(gs, guest.gathering) for guest in attendee.guests):
            gs.edit_profile(attendee, name=f"{gs.pick(words.FIRST_NAMES)} {gs.pick(words.LAST_NAMES)}")
            return
