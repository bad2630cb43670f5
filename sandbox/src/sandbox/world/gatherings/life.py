"""Random habits of public events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.world import words
from sandbox.world.gatherings import around
from sandbox.world.gatherings.around import DAY, LATEST, changeable, upcoming
from sandbox.world.gatherings.drawing import ONLINE, TITLES, draw_questions

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.world.gatherings import records as g
    from sandbox.world.gatherings.attendance import Gatherings

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Bustle:
    """A world's events per day, average guests per event, and guests of the fullest event."""

    events_per_day: float
    guests: int
    crowd: int


SCALES = {
    "tiny": Bustle(0.03, 2, 4),
    "test": Bustle(0.2, 9, 70),
    "demo": Bustle(0.8, 24, 140),
    "large": Bustle(5.6, 46, 420),
}


def begin(gs: Gatherings) -> None:
    """Start every habit."""
    for act, per_event in HABITS:
        recur(gs, act, per_event, first=True)


def recur(gs: Gatherings, act: Callable[[Gatherings], None], per_event: float, *, first: bool = False) -> None:
    """Act, unless this is the `first` time, and draw the time of the next act."""
    if not first:
        act(gs)
    per_day = per_event * SCALES[gs.world.scale].events_per_day
    gs.after(DAY * gs.random.expovariate(per_day), recur, gs, act, per_event)


def somebody_organises(gs: Gatherings) -> None:
    """Create an event, mostly weeks ahead, and draw its further changes."""
    ours = [calendar for calendar in gs.calendars.values() if calendar.ours]
    (calendar,) = gs.random.choices([*ours, list(gs.calendars.values())[-1]], weights=(78, 12, 5, 5))
    spans = ((3, 30), (30, 80), (80, 240), (-8, -1))
    (span,) = gs.random.choices(spans, weights=(60, 22, 12, 6))
    start = (gs.now + DAY * gs.random.uniform(*span)).replace(minute=0, second=0, microsecond=0)
    length = timedelta(days=gs.random.randrange(1, 5)) if gs.chance(0.08) else HOUR * gs.random.randrange(1, 6)
    gathering = gs.create(
        start,
        calendar=calendar,
        end=start + length,
        questions=draw_questions(gs, gs.pick((0, 0, 2, 4, 7))),
        capacity=gs.pick((None, None, None, 40, 100)),
        waitlist=gs.chance(0.5),
        hosts=gs.random.sample(calendar.admins, k=gs.random.randint(1, len(calendar.admins))),
        feedback_hours=gs.pick((None, 2, 24)),
    )
    listing = gathering.listings[0]
    if calendar.event_tags and gs.chance(0.5):
        gs.tag(listing, gs.pick(calendar.event_tags))
    if calendar is not gs.main and gs.chance(0.4):
        gs.list_on(gathering, gs.main)
    draw_offers(gs, gathering)
    if gs.chance(0.92):
        draw_guests(gs, gathering)
    draw_fate(gs, gathering)


def draw_offers(gs: Gatherings, gathering: g.Gathering) -> None:
    """Draw the prices of tickets, and whether they need approval."""
    last = f"{gathering.start:%Y-%m-%d}"
    if gs.chance(0.2):
        gs.edit_ticket_kind(gathering.kinds[0], require_approval=True)
    if gs.chance(0.3):
        gs.add_ticket_kind(gathering, "Early bird", cents=gs.pick((900, 2500)), valid_end=last, capacity=30)
        gs.add_coupon(gathering, f"FRIENDS{gathering.number}", 25, percent=20)
    if gs.chance(0.15):
        gs.add_ticket_kind(gathering, "Crew", hidden=True)
    if gs.chance(0.1):
        kind = gs.add_ticket_kind(gathering, "Sponsor", cents=90000)
        gs.at(gs.between(gs.now, gathering.start), drop_kind, gs, kind)


def draw_guests(gs: Gatherings, gathering: g.Gathering) -> None:
    """Draw the times of registrations, which become more frequent before the event."""
    bustle = SCALES[gs.world.scale]
    expected = min(bustle.crowd, 1 + int(gs.random.expovariate(1 / bustle.guests)))
    until = max(gathering.start, gs.now + 2 * DAY)
    for _ in range(expected):
        gs.at(gs.now + (until - gs.now) * gs.random.random() ** 0.6, arrives, gs, gathering)


def draw_fate(gs: Gatherings, gathering: g.Gathering) -> None:
    """Draw an event's changes, move, transfer or cancellation, and its mailings."""
    soon = gs.between(gs.now, gathering.start)
    fate = gs.random.random()
    if fate < 0.07:  # noqa: PLR2004 -- shares of the events
        gs.at(soon, called_off, gs, gathering)
    elif fate < 0.16:  # noqa: PLR2004 -- likewise
        gs.at(soon, moved, gs, gathering)
    elif fate < 0.18:  # noqa: PLR2004 -- likewise
        gs.at(soon, handed_over, gs, gathering)
    elif fate < 0.5:  # noqa: PLR2004 -- likewise
        gs.at(gs.between(gs.now, gathering.end + 20 * DAY), edited, gs, gathering)
    if gs.chance(0.5):
        gs.at(gs.between(gs.now, gathering.start), mailed, gs, gathering)
    if gs.chance(0.3):
        gs.at(gathering.end + gs.random.random() * 2 * DAY, mailed, gs, gathering)


def drop_kind(gs: Gatherings, kind: g.TicketKind) -> None:
    """Delete a kind of ticket, or hide it if tickets were issued."""
    if not changeable(gs, kind.gathering):
        return
    if kind.sold:
        gs.hide_ticket_kind(kind)
    else:
        gs.delete_ticket_kind(kind)


def called_off(gs: Gatherings, gathering: g.Gathering) -> None:
    """Cancel an event before it begins."""
    if upcoming(gs, gathering):
        gs.cancel(gathering)


def moved(gs: Gatherings, gathering: g.Gathering) -> None:
    """Move an event to another future day."""
    if upcoming(gs, gathering):
        new = gs.between(gs.now + DAY, gathering.start + 20 * DAY)
        gs.move(gathering, new.replace(minute=30, second=0, microsecond=0))


def handed_over(gs: Gatherings, gathering: g.Gathering) -> None:
    """Transfer an event to another calendar of the organization."""
    if upcoming(gs, gathering):
        gs.transfer(gathering, gs.pick([one for one in gs.calendars.values() if one.ours]))


def edited(gs: Gatherings, gathering: g.Gathering) -> None:
    """Change a property of an event."""
    if changeable(gs, gathering):
        field = gs.pick(("name", "description", "capacity", "registration_open", "visibility"))
        values = {
            "name": f"{gs.pick(TITLES)} (new)",
            "description": gs.pick(words.SENTENCES),
            "capacity": 120,
            "registration_open": not gathering.registration_open,
            "visibility": gs.pick(("public", "members-only", "private")),
        }
        gs.edit(gathering, **{field: values[field]})


def mailed(gs: Gatherings, gathering: g.Gathering) -> None:
    """Send a mailing to the guests, who open it over days."""
    if changeable(gs, gathering):
        mailing = gs.send_mailing(gathering, quarantined=gs.chance(0.05))
        for _ in range(3):
            gs.after(gs.random.random() * 8 * DAY, opened, gs, mailing)


def opened(gs: Gatherings, mailing: g.Mailing) -> None:
    """Count a few opens of a mailing."""
    if changeable(gs, mailing.gathering) and mailing.recipients:
        gs.open_mailing(mailing, gs.random.randint(1, mailing.recipients))


def arrives(gs: Gatherings, gathering: g.Gathering) -> None:
    """Invite or register an attendee."""
    if not changeable(gs, gathering):
        return
    if gs.chance(0.45):
        guest = gs.invite(gathering)
        if gs.chance(0.25):
            gs.at(gs.between(gs.now, max(gs.now, gathering.start)), registers, gs, gathering, guest.attendee)
    else:
        registers(gs, gathering, None)


def registers(gs: Gatherings, gathering: g.Gathering, attendee: g.Attendee | None) -> None:
    """Register an attendee, and draw what follows."""
    if not changeable(gs, gathering) or not gathering.kinds:
        return
    kind = gs.pick(gathering.kinds)
    coupon = None
    if kind.paid and gs.chance(0.4):
        coupon = gs.pick([*gathering.coupons, *gathering.calendar.coupons, None])
    unfinished = gs.chance(0.04)
    quantity = gs.pick((1, 1, 1, 2, 3))
    guest = gs.register(gathering, attendee, kind=kind, quantity=quantity, coupon=coupon, unfinished=unfinished)
    draw = gs.random.random()
    start, end = gathering.start, gathering.end
    if unfinished and draw < 0.5:  # noqa: PLR2004 -- half of them
        gs.after(gs.random.random() * 3 * DAY, registers, gs, gathering, guest.attendee)
        return
    if guest.status == "pending_approval" and draw < 0.8:  # noqa: PLR2004 -- most are decided about, some late
        gs.at(gs.between(gs.now, start if draw < 0.7 else end + 20 * DAY), is_decided, gs, guest)  # noqa: PLR2004
    elif guest.status == "waitlist" and draw < 0.5:  # noqa: PLR2004 -- half of them
        gs.at(gs.between(gs.now, start), is_decided, gs, guest)
    elif draw < 0.1:  # noqa: PLR2004 -- some do not come after all
        gs.at(gs.between(gs.now, end), does_not_come, gs, guest)
    elif draw < 0.16:  # noqa: PLR2004 -- some change their mind about details
        gs.at(gs.between(gs.now, end + 20 * DAY), changes, gs, guest)
    if gs.chance(0.65):
        late = gs.chance(0.1)
        gs.at(gs.between(start, end + 24 * DAY if late else min(end, start + 8 * HOUR)), comes, gs, guest)


def is_decided(gs: Gatherings, guest: g.Guest) -> None:
    """Approve or decline a waiting guest."""
    if changeable(gs, guest.gathering) and guest.status in {"pending_approval", "waitlist"}:
        if gs.chance(0.75):
            gs.approve(guest)
        else:
            gs.decline(guest)


def does_not_come(gs: Gatherings, guest: g.Guest) -> None:
    """Decline a guest."""
    if changeable(gs, guest.gathering) and not any(ticket.checked_in_at for ticket in guest.tickets):
        gs.decline(guest)


def changes(gs: Gatherings, guest: g.Guest) -> None:
    """Change a guest's answers or number of tickets."""
    if not changeable(gs, guest.gathering):
        return
    if guest.answers and gs.chance(0.4):
        gs.edit_answers(guest)
    elif guest.status == "approved" and len(guest.tickets) > 1:
        gs.change_tickets(guest, remove=guest.tickets[-1:])
    elif guest.status == "approved":
        gs.change_tickets(guest, add=guest.gathering.kinds[:1])


def comes(gs: Gatherings, guest: g.Guest) -> None:
    """Check a guest in, ticket by ticket or online; a few check-ins are undone."""
    gathering = guest.gathering
    if not changeable(gs, gathering) or guest.status != "approved":
        return
    if gs.now < gathering.start:
        gs.at(gs.between(gathering.start, gathering.end), comes, gs, guest)
        return
    if gathering.place_kind in ONLINE:
        gs.join_online(guest)
    for ticket in guest.tickets:
        if gs.chance(0.85):
            gs.check_in(ticket)
            if gs.chance(0.05):
                gs.at(gs.between(gs.now, gathering.end + LATEST), is_sent_back, gs, ticket)


def is_sent_back(gs: Gatherings, ticket: g.Ticket) -> None:
    """Undo a check-in."""
    if changeable(gs, ticket.guest.gathering) and ticket in ticket.guest.tickets:
        gs.undo_check_in(ticket)


HABITS: tuple[tuple[Callable[[Gatherings], None], float], ...] = (
    (somebody_organises, 0.82),
    (around.audience_changes, 1.5),
    (around.listings_change, 0.18),
    (around.profile_changes, 0.3),
)
"""Habits, with their frequency per event."""
