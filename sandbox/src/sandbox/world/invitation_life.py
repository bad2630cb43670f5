"""What becomes of invitations by chance, and what every world is promised; it draws from the invitations' own chance.

Nothing changes by chance on an event that began more than 29 days ago.
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
    from sandbox.world.world import World

CONFERENCES = frozenset({"google", "zoom", "gotomeeting", "teams", "webex"})
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LATEST = timedelta(days=28)
"""How long after its start an event may still change by chance."""
PROPOSALS_PER_BOOKING = 0.03


def begin(invites: Invites) -> None:
    """Start the workflows, the proposals and the promises."""
    world = invites.world
    seats = (("Erinnerung", "owner"), ("Follow-up", "owner"), ("Retired", "owner"), ("Mine", "member"))
    edited, disabled, retired, _ = [invites.create_workflow(name, world.seats[seat]) for name, seat in seats]
    disabled.active = False
    world.at(EPOCH + timedelta(days=70), edits_workflows, edited, retired)
    for number, case in enumerate(PROMISES):
        world.at(EPOCH + timedelta(days=6 + 17 * number, hours=3, seconds=0.25 + number), case)
    per_day = PROPOSALS_PER_BOOKING * world.pace.bookings_per_day
    world.after(DAY * invites.random.expovariate(per_day), proposes)


def follow(invites: Invites, event: Event) -> None:
    """Draw what is going to become of an event; one that is over already stays as it is."""
    world, draw = invites.world, invites.random
    lead = event.start - world.now
    if lead < timedelta(0):
        return
    fate = draw.random()
    if fate < FATES["approval"]:
        event.standing = "awaiting_approval"
        world.after(lead * draw.uniform(0.02, 0.95), is_decided, event, draw.random())
    elif fate < FATES["new time"]:
        world.after(lead * draw.uniform(0.02, 0.95), is_sent_back, event)
    elif fate < FATES["withheld"]:
        event.withheld = True
    if draw.random() < 0.06:  # noqa: PLR2004 -- a few
        title = f"{draw.choice(words.EVENT_NAMES)} (neu)"
        world.after(draw.random() * (lead + LATEST), is_retitled, event, title)
    if draw.random() < 0.5:  # noqa: PLR2004 -- the other half is never told
        world.after(draw.choice((HOUR, DAY, lead + draw.random() * LATEST)), learns_where, event)


FATES = {"approval": 0.05, "new time": 0.08, "withheld": 0.2}
"""Upper bounds of the draw that decides an event's fate."""


def fresh(world: World, event: Event) -> bool:
    """Whether it may still change."""
    return world.now <= event.start + LATEST


def is_decided(world: World, event: Event, luck: float) -> None:
    """Approve or decline it, or never come to that."""
    if event.state == "awaiting_approval" and fresh(world, event) and luck < 0.9:  # noqa: PLR2004 -- mostly
        decide = world.invites.approve if luck < 0.65 else world.invites.decline  # noqa: PLR2004 -- two of three
        decide(event)


def is_sent_back(world: World, event: Event) -> None:
    """Be asked for a new time."""
    if event.state == "confirmed" and fresh(world, event):
        world.invites.ask_new_time(event)


def is_retitled(world: World, event: Event, title: str) -> None:
    """Get another title, perhaps weeks after it was held."""
    if fresh(world, event):
        world.invites.retitle(event, title)


def learns_where(world: World, event: Event) -> None:
    """Get the conference's address that was missing."""
    place = event.tail.place
    if place and place.kind in CONFERENCES and event.join_url is None and fresh(world, event):
        world.invites.fill_conferencing(event)


def proposes(world: World) -> None:
    """Propose an event, and draw when the next one is proposed."""
    invites = world.invites
    draw = invites.random
    start = (world.now + timedelta(days=draw.randrange(2, 120))).replace(minute=30, second=0, microsecond=0)
    event = invites.propose(draw.choice((world.seats["owner"], world.seats["member"])), start)
    lead = start - world.now
    ending = draw.choice((invites.accept, invites.accept, invites.cancel, None))
    if ending:
        world.after(lead * draw.random(), if_before, event, ("tentative",), ending)
    if draw.random() < 0.3:  # noqa: PLR2004 -- some
        to = start + timedelta(days=draw.randrange(-1, 200))
        world.after(lead * draw.random() * 0.5, if_before, event, ("tentative", "confirmed"), to_another(world, to))
    world.after(DAY * draw.expovariate(PROPOSALS_PER_BOOKING * world.pace.bookings_per_day), proposes)


def to_another(world: World, start: datetime) -> Callable[[Event], None]:
    """Return what moves an event to another time, unless that is past by then."""

    def move(event: Event) -> None:
        if start > world.now:
            world.invites.move(event, start)

    return move


def if_before(world: World, event: Event, states: tuple[str, ...], act: Callable[[Event], object]) -> None:
    """Do something about an event that is still to come and in one of the states."""
    if event.state in states and event.start > world.now:
        act(event)


def attempt(world: World, act: Callable[..., object], *args: Any) -> None:  # noqa: ARG001 -- a happening's first
    """Do what was promised, unless somebody has canceled the event or the like meanwhile."""
    with suppress(ValueError):
        act(*args)


def proposed(world: World) -> None:
    """Propose what nobody ever answers."""
    world.invites.propose(start=_start(world, 200))


def decided(world: World) -> None:
    """Wait for approval: in vain, and for a no."""
    invites = world.invites
    waiting, declined = invites.open(start=_start(world, 190)), invites.open(world.seats["member"], _start(world, 12))
    for event in (waiting, declined):
        invites.ask_approval(event)
    world.after(2 * DAY, attempt, invites.decline, declined)


def checked_out(world: World) -> None:
    """Wait for money: in vain, and too long."""
    invites = world.invites
    waiting, expired = invites.open(world.seats["member"], _start(world, 180)), invites.open(start=_start(world, 9))
    for event in (waiting, expired):
        invites.ask_checkout(event)
    world.after(DAY, attempt, invites.expire_checkout, expired)


def back_and_forth(world: World) -> None:
    """Pay for an event, move it half a year ahead, back again, and ask for another time in the end."""
    invites = world.invites
    event, start = invites.open(), world.now
    invites.ask_checkout(event)
    world.after(HOUR, attempt, invites.complete_checkout, event)
    world.after(DAY, attempt, invites.move, event, start + 150 * DAY)
    world.after(3 * DAY, attempt, invites.move, event, start + 10 * DAY)
    world.after(5 * DAY, attempt, invites.ask_new_time, event)


def gathered(world: World) -> None:
    """Hold a group session that one leaves before and one joins long after it."""
    invites = world.invites
    event = invites.open(start=_start(world, 5), seats=8, bookings=2)
    world.after(DAY, attempt, invites.drop_attendee, event)
    world.after(2 * DAY, attempt, invites.add_attendee, event)
    world.after(30 * DAY, attempt, invites.add_attendee, event)


def polled(world: World) -> None:
    """Agree on a time by poll, whoever organizes it; approve it, pay without amounts, and mend it when it is over."""
    invites = world.invites
    event = invites.propose(world.seats["member"], _start(world, 6))
    event.poll, event.organized = "Wann passt es euch?", False
    invites.withhold_conferencing(event)
    world.after(DAY, attempt, invites.accept, event)
    world.after(2 * DAY, attempt, invites.ask_approval, event)
    world.after(3 * DAY, attempt, invites.approve, event)
    world.after(4 * DAY, attempt, invites.ask_checkout, event)
    world.after(5 * DAY, attempt, invites.complete_checkout, event, None)
    world.after(26 * DAY, attempt, invites.fill_conferencing, event)
    world.after(33 * DAY, attempt, invites.retitle, event, "Nachbesprechung — überarbeitet")


PROMISES = (proposed, decided, checked_out, back_and_forth, gathered, polled)


def edits_workflows(world: World, edited: Workflow, retired: Workflow) -> None:
    """Change one rule, and delete the workflow that nobody needs."""
    invites = world.invites
    invites.edit_rule(edited.rules[0], amount=15)
    if retired.id in invites.workflows:
        invites.delete_workflow(retired)


def _start(world: World, days: int) -> datetime:
    return (world.now + timedelta(days=days)).replace(hour=13, minute=0, second=0, microsecond=0)
