"""Random changes of invitations, and the fixed cases that every world has.

Nothing random changes an event that began more than 29 days ago.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sandbox.world import words
from sandbox.world.state import EPOCH

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sandbox.world.invitation_records import Event, Workflow
    from sandbox.world.invitations import Invites

CONFERENCES = frozenset({"google", "zoom", "gotomeeting", "teams", "webex"})
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LATEST = timedelta(days=28)
"""Time after its start in which an event may still change at random."""
PROPOSALS_PER_BOOKING = 0.03


def begin(invites: Invites) -> None:
    """Follow all meetings, create workflows, and schedule proposals and fixed cases."""
    world = invites.world
    for meeting in world.meetings.values():
        follow(invites, invites.adopt(meeting))
    world.meeting_watchers.append(lambda meeting: follow(invites, invites.adopt(meeting)))
    seats = (("Erinnerung", "owner"), ("Follow-up", "owner"), ("Retired", "owner"), ("Mine", "member"))
    edited, disabled, retired, _ = [invites.create_workflow(name, invites.world.seats[seat]) for name, seat in seats]
    disabled.active = False
    invites.at(EPOCH + timedelta(days=70), edits_workflows, invites, edited, retired)
    for number, case in enumerate(PROMISES):
        invites.at(EPOCH + timedelta(days=6 + 17 * number, hours=3, seconds=0.25 + number), case, invites)
    per_day = PROPOSALS_PER_BOOKING * invites.world.pace.bookings_per_day
    invites.after(DAY * invites.random.expovariate(per_day), proposes, invites)


def follow(invites: Invites, event: Event) -> None:
    """Draw the changes of an event to come."""
    _world, draw = invites.world, invites.random
    lead = event.start - invites.now
    if lead < timedelta(0):
        return
    fate = draw.random()
    if fate < FATES["approval"]:
        event.standing = "awaiting_approval"
        invites.after(lead * draw.uniform(0.02, 0.95), is_decided, invites, event, draw.random())
    elif fate < FATES["new time"]:
        invites.after(lead * draw.uniform(0.02, 0.95), is_sent_back, invites, event)
    elif fate < FATES["withheld"]:
        event.withheld = True
    if draw.random() < 0.06:  # noqa: PLR2004 -- a few
        title = f"{draw.choice(words.EVENT_NAMES)} (neu)"
        invites.after(draw.random() * (lead + LATEST), is_retitled, invites, event, title)
    if draw.random() < 0.5:  # noqa: PLR2004 -- the other half is never told
        invites.after(draw.choice((HOUR, DAY, lead + draw.random() * LATEST)), learns_where, invites, event)


FATES = {"approval": 0.05, "new time": 0.08, "withheld": 0.2}
"""Upper bounds of the draw that decides an event's fate."""


def fresh(invites: Invites, event: Event) -> bool:
    """Return True if an event may still change."""
    return invites.now <= event.start + LATEST


def is_decided(invites: Invites, event: Event, luck: float) -> None:
    """Approve or decline an event, or leave it waiting."""
    if event.state == "awaiting_approval" and fresh(invites, event) and luck < 0.9:  # noqa: PLR2004 -- mostly
        decide = invites.approve if luck < 0.65 else invites.decline  # noqa: PLR2004 -- two of three
        decide(event)


def is_sent_back(invites: Invites, event: Event) -> None:
    """Ask for a new time of an event."""
    if event.state == "confirmed" and fresh(invites, event):
        invites.ask_new_time(event)


def is_retitled(invites: Invites, event: Event, title: str) -> None:
    """Change the title of an event, perhaps weeks after it."""
    if fresh(invites, event):
        invites.retitle(event, title)


def learns_where(invites: Invites, event: Event) -> None:
    """Fill in a missing conference address."""
    place = event.tail.place
    if place and place.kind in CONFERENCES and event.join_url is None and fresh(invites, event):
        invites.fill_conferencing(event)


def proposes(invites: Invites) -> None:
    """Propose an event, and draw the time of the next proposal."""
    draw = invites.random
    start = (invites.now + timedelta(days=draw.randrange(2, 120))).replace(minute=30, second=0, microsecond=0)
    event = invites.propose(draw.choice((invites.world.seats["owner"], invites.world.seats["member"])), start)
    lead = start - invites.now
    ending = draw.choice((invites.accept, invites.accept, invites.cancel, None))
    if ending:
        invites.after(lead * draw.random(), if_before, invites, event, ("tentative",), ending)
    if draw.random() < 0.3:  # noqa: PLR2004 -- some
        to = start + timedelta(days=draw.randrange(-1, 200))
        invites.after(
            lead * draw.random() * 0.5, if_before, invites, event, ("tentative", "confirmed"), to_another(invites, to)
        )
    invites.after(
        DAY * draw.expovariate(PROPOSALS_PER_BOOKING * invites.world.pace.bookings_per_day), proposes, invites
    )


def to_another(invites: Invites, start: datetime) -> Callable[[Event], None]:
    """Return the function that moves an event to another time, unless that is past by then."""

    def move(event: Event) -> None:
        if start > invites.now:
            invites.move(event, start)

    return move


def if_before(invites: Invites, event: Event, states: tuple[str, ...], act: Callable[[Event], object]) -> None:
    """Call `act` with an event that is still to come and in one of the states."""
    if event.state in states and event.start > invites.now:
        act(event)


def attempt(act: Callable[..., object], *args: Any) -> None:
    """Call `act`, unless the event's state does not allow it any more."""
    with suppress(ValueError):
        act(*args)


def proposed(invites: Invites) -> None:
    """Propose an event that nobody answers."""
    invites.propose(start=_start(invites, 200))


def decided(invites: Invites) -> None:
    """Request approval of two events: one waits for ever, one is declined."""
    waiting, declined = (
        invites.open(start=_start(invites, 190)),
        invites.open(invites.world.seats["member"], _start(invites, 12)),
    )
    for event in (waiting, declined):
        invites.ask_approval(event)
    invites.after(2 * DAY, attempt, invites.decline, declined)


def checked_out(invites: Invites) -> None:
    """Request payment of two events: one waits for ever, one expires."""
    waiting, expired = (
        invites.open(invites.world.seats["member"], _start(invites, 180)),
        invites.open(start=_start(invites, 9)),
    )
    for event in (waiting, expired):
        invites.ask_checkout(event)
    invites.after(DAY, attempt, invites.expire_checkout, expired)


def back_and_forth(invites: Invites) -> None:
    """Pay for an event, move it half a year ahead and back, and ask for another time in the end."""
    event, start = invites.open(), invites.now
    invites.ask_checkout(event)
    invites.after(HOUR, attempt, invites.complete_checkout, event)
    invites.after(DAY, attempt, invites.move, event, start + 150 * DAY)
    invites.after(3 * DAY, attempt, invites.move, event, start + 10 * DAY)
    invites.after(5 * DAY, attempt, invites.ask_new_time, event)


def gathered(invites: Invites) -> None:
    """Hold a group session; an attendee leaves before it, and others are added before and long after it."""
    event = invites.open(start=_start(invites, 5), seats=8, bookings=2)
    invites.after(DAY, attempt, invites.drop_attendee, event)
    invites.after(2 * DAY, attempt, invites.add_attendee, event)
    invites.after(30 * DAY, attempt, invites.add_attendee, event)


def polled(invites: Invites) -> None:
    """Find a time by poll, approve the event, pay without amounts, and edit the event after its end."""
    event = invites.propose(invites.world.seats["member"], _start(invites, 6))
    event.poll, event.organized = "Wann passt es euch?", False
    invites.withhold_conferencing(event)
    invites.after(DAY, attempt, invites.accept, event)
    invites.after(2 * DAY, attempt, invites.ask_approval, event)
    invites.after(3 * DAY, attempt, invites.approve, event)
    invites.after(4 * DAY, attempt, invites.ask_checkout, event)
    invites.after(5 * DAY, attempt, invites.complete_checkout, event, None)
    invites.after(26 * DAY, attempt, invites.fill_conferencing, event)
    invites.after(33 * DAY, attempt, invites.retitle, event, "Nachbesprechung — überarbeitet")


PROMISES = (proposed, decided, checked_out, back_and_forth, gathered, polled)


def edits_workflows(invites: Invites, edited: Workflow, retired: Workflow) -> None:
    """Edit a rule, and delete a workflow."""
    invites.edit_rule(edited.rules[0], amount=15)
    if retired.id in invites.workflows:
        invites.delete_workflow(retired)


def _start(invites: Invites, days: int) -> datetime:
    return (invites.now + timedelta(days=days)).replace(hour=13, minute=0, second=0, microsecond=0)
