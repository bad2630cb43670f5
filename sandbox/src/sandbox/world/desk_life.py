"""Events at the booking desk: fixed cases, so that no scale lacks one, and random habits."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from sandbox.world import records as r
from sandbox.world.desk import OUTCOMES, Desk
from sandbox.world.state import EPOCH

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sandbox.world.desk_records import Ticket

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
VALUES: tuple[Any, ...] = ("VIP", 3, 2.5, True, ["a", "b"], {"channel": "sms", "opt in": False}, None, "")
"""Values of custom fields, one of each type."""
RECENT = 400
"""Number of the latest tickets and cards that habits choose from."""
CLEANUP = 25 * DAY


def begin(desk: Desk) -> None:
    """Schedule the fixed cases and start the habits."""
    cases = ((10, waiting), (15, noted), (30, texted), (50, handed_over), (60, merged), (140, thrown_away))
    for days, case in cases:
        desk.at(EPOCH + timedelta(days=days, hours=2, seconds=0.625), case, desk)
    desk.at(EPOCH + CLEANUP, clean_up, desk)
    for act, per_booking in HABITS:
        recur(desk, act, per_booking, first=True)


def recur(desk: Desk, act: Callable[[Desk], None], per_booking: float, *, first: bool = False) -> None:
    """Act, unless this is the `first` time, and draw the time of the next act."""
    if not first:
        act(desk)
    per_day = per_booking * desk.world.pace.bookings_per_day
    desk.after(DAY * desk.random.expovariate(per_day), recur, desk, act, per_booking)


def walk_in(desk: Desk, days: int, number: int = 0, *, by_phone: bool = False) -> Ticket:
    """Book a slot that only the desk knows, so that nothing else changes it."""
    world, draw = desk.world, desk.random
    world.version += 1
    kinds = [kind for kind in world.bookable() if isinstance(kind.owner, r.Person)]
    name, email, timezone = draw.choice(world.clients)
    start = (desk.now + timedelta(days=days)).replace(hour=10, minute=0, second=0, microsecond=0)
    meeting = new_slot(desk, kinds[number % len(kinds)], start)
    booking = desk.new(
        r.Booking,
        meeting=meeting,
        email=f"walk-in{number}@mail.example" if by_phone else email,
        name=name,
        first_name=None,
        last_name=None,
        timezone=timezone,
        phone="+15550199",
        answers=[],
        tracking={"source": "newsletter", "campaign": None},
        method=None,
        booked_by=None,
    )
    meeting.bookings.append(booking)
    return desk.open_ticket(booking, by_phone=by_phone)


def new_slot(desk: Desk, kind: r.EventType, start: datetime) -> r.Meeting:
    """Return a meeting that is in no calendar."""
    return desk.new(
        r.Meeting,
        name=kind.name,
        event_type=kind,
        start=start,
        end=start + timedelta(minutes=kind.minutes),
        hosts=[kind.hosts[0].person],
        place=None,
        seats=1,
        buffer_minutes=0,
        calendar=None,
    )


def waiting(desk: Desk) -> None:
    """Book seven times, far ahead: one waits for ever, one is approved, two are declined, one is moved."""
    tickets = [walk_in(desk, 700 + number, number) for number in range(6)]
    walk_in(desk, 706, 6, by_phone=True)
    for ticket in tickets[1:5]:
        desk.request_approval(ticket.booking)
    desk.after(5 * HOUR, desk.approve, tickets[2].booking)
    for ticket in tickets[3:5]:
        desk.after(6 * HOUR, desk.decline, ticket.booking)
    desk.after(DAY, moves, desk, tickets[5])


def moves(desk: Desk, ticket: Ticket) -> None:
    """Move a walk-in by a day."""
    desk.world.version += 1
    ticket.booking.meeting = new_slot(desk, ticket.meeting.event_type, ticket.meeting.start + DAY)
    desk.move_ticket(ticket, ticket.booking)


def noted(desk: Desk) -> None:
    """Set custom fields of every type."""
    cards = list(desk.cards.values())[:4]
    for number, value in enumerate(VALUES):
        desk.set_custom_field(cards[number % len(cards)], f"Note {number}", value)


def texted(desk: Desk) -> None:
    """Send a text message for each final status."""
    tickets = list(desk.tickets.values())
    for number, outcome in enumerate(OUTCOMES):
        booking = tickets[number % len(tickets)].booking
        text = desk.send_sms(booking, to_host=outcome in {"delivered", None}, settles=False)
        if outcome:
            desk.after(9 * HOUR, desk.settle_if_sent, text, outcome)


def handed_over(desk: Desk) -> None:
    """Give a walk-in to another host, and edit its form."""
    ticket = next(one for one in desk.tickets.values() if one.meeting.start > desk.now + 600 * DAY)
    desk.reassign(ticket.booking, desk.world.seats["member"])
    desk.edit_booking_form(ticket.booking, note="Corrected: ☎ first", company="Ærø Marine")


def merged(desk: Desk) -> None:
    """Merge two of the oldest contacts."""
    *_others, kept, gone = (card for card in desk.cards.values() if card.early)
    desk.merge_contacts(kept, gone)


def thrown_away(desk: Desk) -> None:
    """Trash two walk-ins and restore one."""
    first, second = (walk_in(desk, 1, number) for number in (7, 8))
    for ticket in (first, second):
        desk.trash(ticket.booking)
    desk.restore(second.booking)


def clean_up(desk: Desk) -> None:
    """Trash a booking at regular intervals, however small the world is."""
    somebody_tidies(desk)
    desk.after(CLEANUP, clean_up, desk)


def is_plain(desk: Desk, ticket: Ticket) -> bool:
    """Return True if a ticket is over and has no rare property."""
    rare = ticket.called_off or ticket.moved or ticket.missed_at or ticket.previous or ticket.booking.payment
    return not (rare or ticket.trashed_at or ticket.approval) and ticket.meeting.end < desk.now


def latest(records: dict[str, Any]) -> list[Any]:
    """Return the latest records."""
    return list(islice(reversed(records.values()), RECENT))


def somebody_tidies(desk: Desk) -> None:
    """Trash a booking that is over; one in three is restored."""
    plain = [ticket for ticket in latest(desk.tickets) if is_plain(desk, ticket)]
    if not plain:
        return
    ticket = desk.random.choice(plain)
    desk.trash(ticket.booking)
    if desk.random.random() < 1 / 3:
        desk.after(DAY * desk.random.uniform(0.1, 20), comes_back, desk, ticket, ticket.trashed_at)


def comes_back(desk: Desk, ticket: Ticket, since: datetime) -> None:
    """Restore a ticket from the trash, if it is still there since the same time."""
    if ticket.id in desk.tickets and ticket.trashed_at == since:
        desk.restore(ticket.booking)


def somebody_asks(desk: Desk) -> None:
    """Request approval of a booking to come; two in three get it."""
    ahead = [
        one
        for one in latest(desk.tickets)
        if one.meeting.start > desk.now + DAY and one.meeting.id in desk.world.meetings
    ]
    ahead = [one for one in ahead if not (one.called_off or one.approval or one.trashed_at)]
    if ahead:
        ticket = desk.random.choice(ahead)
        desk.request_approval(ticket.booking)
        desk.after(HOUR * desk.random.uniform(0.1, 30), is_answered, desk, ticket, desk.random.random() < 2 / 3)


def is_answered(desk: Desk, ticket: Ticket, accepted: bool) -> None:  # noqa: FBT001 -- a happening's argument
    """Approve or decline a ticket, if it still waits."""
    if ticket.id in desk.tickets and ticket.approval == "requested" and not ticket.called_off:
        (desk.approve if accepted else desk.decline)(ticket.booking)


def somebody_is_texted(desk: Desk) -> None:
    """Send a text message about a booking to its guest or its host."""
    tickets = latest(desk.tickets)
    if tickets:
        desk.send_sms(desk.random.choice(tickets).booking, to_host=desk.random.random() < 0.4)  # noqa: PLR2004 -- odds


def somebody_hands_over(desk: Desk) -> None:
    """Give a booking to another host."""
    tickets = latest(desk.tickets)
    people = [one.person for one in desk.world.memberships.values()]
    if tickets:
        desk.reassign(desk.random.choice(tickets).booking, desk.random.choice(people))


def somebody_corrects(desk: Desk) -> None:
    """Edit a booking's form."""
    tickets = latest(desk.tickets)
    if tickets:
        desk.edit_booking_form(desk.random.choice(tickets).booking, note=f"Corrected {len(desk.tickets)}")


def somebody_notes(desk: Desk) -> None:
    """Set a custom field of a contact."""
    draw = desk.random
    desk.set_custom_field(draw.choice(latest(desk.cards)), f"Note {draw.randrange(8)}", draw.choice(VALUES))


def duplicates_merge(desk: Desk) -> None:
    """Merge two contacts."""
    cards = latest(desk.cards)
    if len(cards) > 20:  # noqa: PLR2004 -- a small card index is left alone
        desk.merge_contacts(*desk.random.sample(cards, 2))


HABITS: tuple[tuple[Callable[[Desk], None], float], ...] = (
    (somebody_tidies, 0.03),
    (somebody_asks, 0.06),
    (somebody_is_texted, 0.15),
    (somebody_hands_over, 0.03),
    (somebody_corrects, 0.03),
    (somebody_notes, 0.06),
    (duplicates_merge, 0.01),
)
