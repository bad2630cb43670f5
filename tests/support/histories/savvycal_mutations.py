"""Mutations of a company that is booked with SavvyCal."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from calendly_mutations import add_a_webhook, change_a_profile, delete_a_webhook
from choice import named
from sandbox.world.invitation_records import OVER

if TYPE_CHECKING:
    from choice import Choice
    from sandbox.world import World
    from sandbox.world import records as r
    from sandbox.world.invitations import Event

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def _in_state(world: World, *states: str) -> list[Event]:
    return [event for event in world.invites.all() if event.state in states]


def _standing(world: World) -> list[Event]:
    """Events that something can still become of."""
    return [event for event in world.invites.all() if event.state not in OVER]


def _to_come(world: World) -> list[Event]:
    return [event for event in _standing(world) if event.start > world.now]


def _not_over(world: World) -> list[Event]:
    return [event for event in _standing(world) if event.end > world.now]


def _begun(world: World) -> list[Event]:
    return [event for event in _standing(world) if event.start <= world.now]


def _joined_by_booking(world: World, event: Event) -> bool:
    """Return whether the attendees are the world's bookings, which end with their slot."""
    return event.tail.id in world.meetings


def _for_two(world: World) -> list[r.EventType]:
    return [kind for kind in world.bookable() if kind.seats == 1 and not kind.paid]


def book_soon(world: World, choice: Choice) -> None:
    world.book(choice(_for_two(world)), world.now + HOUR)


def book_for_tonight(world: World, choice: Choice) -> None:
    world.book(choice(_for_two(world)), world.now + 16 * HOUR)


def book_at_the_same_time(world: World, choice: Choice) -> None:
    start = choice(_to_come(world)).start
    world.book(choice(_for_two(world)), start)


def book_a_busy_week(world: World, choice: Choice) -> None:
    for days in range(6):
        booking = world.book(choice(_for_two(world)), world.now + days * DAY + (1 + 5 * days) * HOUR)
        world.add_guest(booking.meeting, "guest@mail.example")


def book_next_week(world: World, choice: Choice) -> None:
    world.book(choice(_for_two(world)), world.now + 7 * DAY)


def book_for_next_year(world: World, choice: Choice) -> None:
    world.book(choice(_for_two(world)), world.now + 380 * DAY)


def book_what_must_be_approved(world: World, _: Choice) -> Event:
    event = world.invites.open(start=world.now + 4 * DAY)
    world.invites.ask_approval(event)
    return event


def book_what_must_be_paid(world: World, _: Choice) -> Event:
    event = world.invites.open(start=world.now + 4 * DAY)
    world.invites.ask_checkout(event)
    return event


def propose(world: World, _: Choice) -> Event:
    return world.invites.propose(start=world.now + 5 * DAY)


def accept(world: World, choice: Choice) -> None:
    world.invites.accept(choice(_in_state(world, "tentative") or [propose(world, choice)]))


def open_a_group_session(world: World, choice: Choice) -> None:
    world.join(world.open_meeting(choice(kind for kind in world.bookable() if kind.seats > 1), world.now + 3 * DAY))


def join_a_group_session(world: World, choice: Choice) -> None:
    groups = (event for event in world.invites.all() if event.tail.seats > 1 and not event.tail.cancellation)
    world.invites.add_attendee(choice(one for one in groups if len(one.tail.active_bookings) < one.tail.seats))


def leave_a_group_session(world: World, choice: Choice) -> None:
    groups = [event for event in world.invites.all() if event.tail.seats > 1 and event.tail.active_bookings]
    left = [event for event in groups if event.tail.end > world.now or not _joined_by_booking(world, event)]
    world.invites.drop_attendee(choice(left or [world.invites.open(start=world.now + 3 * DAY, seats=5, bookings=2)]))


def bring_a_guest(world: World, choice: Choice) -> None:
    world.invites.add_attendee(choice(event for event in _standing(world) if event.tail.seats == 1))


def leave_a_guest_out(world: World, choice: Choice) -> None:
    guested = (event for event in world.invites.all() if event.tail.seats == 1 and event.tail.guests)
    world.invites.drop_attendee(choice(guested))


def cancel_as_host(world: World, choice: Choice) -> None:
    world.invites.cancel(choice(_not_over(world)), "ill")


def cancel_as_invitee(world: World, choice: Choice) -> None:
    bookings = (one for event in _not_over(world) if not event.moved for one in event.tail.active_bookings)
    world.cancel_booking(choice(one for one in bookings if one.id in world.bookings), "Plans have changed")


def cancel_in_the_last_minutes(world: World, choice: Choice) -> None:
    event = choice(_to_come(world))
    world.advance_to(max(world.now, event.start - 2 * MINUTE))
    if event.state not in OVER:
        world.invites.cancel(event)


def cancel_after_the_start(world: World, choice: Choice) -> None:
    event = choice(_to_come(world))
    world.advance_to(event.start + MINUTE)
    if event.state not in OVER:
        world.invites.cancel(event)


def move_to_later(world: World, choice: Choice) -> None:
    event = choice(_to_come(world))
    world.invites.move(event, event.start + 9 * DAY)


def move_to_next_year(world: World, choice: Choice) -> None:
    world.invites.move(choice(_to_come(world)), world.now + 300 * DAY)


def move_to_sooner(world: World, choice: Choice) -> None:
    world.invites.move(choice(_to_come(world)), world.now + HOUR)


def hold_it_once_more(world: World, choice: Choice) -> None:
    world.invites.redate(choice(_begun(world)), world.now + DAY)


def say_that_it_was_days_ago(world: World, choice: Choice) -> None:
    world.invites.redate(choice(_standing(world)), world.now - 3 * DAY)


def say_that_it_was_long_ago(world: World, choice: Choice) -> None:
    world.invites.redate(choice(_standing(world)), world.now - 100 * DAY)


def ask_for_approval(world: World, choice: Choice) -> None:
    world.invites.ask_approval(choice(_in_state(world, "confirmed")))


def _awaiting_approval(world: World, choice: Choice) -> list[Event]:
    return _in_state(world, "awaiting_approval") or [book_what_must_be_approved(world, choice)]


def approve(world: World, choice: Choice) -> None:
    world.invites.approve(choice(_awaiting_approval(world, choice)))


def decline(world: World, choice: Choice) -> None:
    world.invites.decline(choice(_awaiting_approval(world, choice)))


def ask_for_a_new_time(world: World, choice: Choice) -> None:
    world.invites.ask_new_time(choice(_in_state(world, "confirmed")))


def ask_for_money(world: World, choice: Choice) -> None:
    confirmed = (event for event in _in_state(world, "confirmed") if event.tail.seats == 1 and event.tail.bookings)
    world.invites.ask_checkout(choice(confirmed))


def _awaiting_checkout(world: World, choice: Choice) -> list[Event]:
    return _in_state(world, "awaiting_checkout") or [book_what_must_be_paid(world, choice)]


def pay(world: World, choice: Choice) -> None:
    world.invites.complete_checkout(choice(_awaiting_checkout(world, choice)))


def fail_to_pay(world: World, choice: Choice) -> None:
    world.invites.expire_checkout(choice(_awaiting_checkout(world, choice)))


def retitle(world: World, choice: Choice) -> None:
    world.invites.retitle(choice(world.invites.all()), f"Titled at {world.now.isoformat()}")


def wait_for_the_conference(world: World, choice: Choice) -> None:
    world.invites.withhold_conferencing(choice(_to_come(world)))


def learn_where_to_join(world: World, choice: Choice) -> None:
    world.invites.fill_conferencing(choice(event for event in world.invites.all() if event.join_url is None))


def erase_for_privacy(world: World, choice: Choice) -> None:
    world.invites.erase(choice(world.invites.all()))


def offer_a_link(world: World, choice: Choice) -> None:
    world.create_event_type(choice(world.memberships.values()).person)


def rename_a_link(world: World, choice: Choice) -> None:
    world.edit_event_type(choice(world.bookable()), name=f"Renamed at {world.now.isoformat()}")


def disable_a_link(world: World, choice: Choice) -> None:
    world.invites.disable_link(choice(_for_two(world)[4:]))


def enable_a_link(world: World, choice: Choice) -> None:
    closed = (kind for kind in world.event_types.values() if not kind.active and not kind.deleted_at)
    world.edit_event_type(choice(closed), active=True)


def delete_a_link(world: World, choice: Choice) -> None:
    world.invites.delete_link(choice(_for_two(world)[4:]))


def create_a_workflow(world: World, _: Choice) -> None:
    world.invites.create_workflow(f"Workflow of {world.now.isoformat()}")


def edit_a_rule(world: World, choice: Choice) -> None:
    rules = choice(world.invites.workflows.values()).rules
    world.invites.edit_rule(choice(rules), amount=len(world.log))


def delete_a_workflow(world: World, choice: Choice) -> None:
    world.invites.delete_workflow(choice(world.invites.workflows.values()))


def change_the_own_profile(world: World, _: Choice) -> None:
    world.edit_person(world.seats["owner"], name=f"Name of {world.now.isoformat()}")


MUTATIONS = named(
    book_soon,
    book_for_tonight,
    book_a_busy_week,
    book_at_the_same_time,
    book_next_week,
    book_for_next_year,
    book_what_must_be_approved,
    book_what_must_be_paid,
    propose,
    accept,
    open_a_group_session,
    join_a_group_session,
    leave_a_group_session,
    bring_a_guest,
    leave_a_guest_out,
    cancel_as_host,
    cancel_as_invitee,
    cancel_in_the_last_minutes,
    cancel_after_the_start,
    move_to_later,
    move_to_next_year,
    move_to_sooner,
    hold_it_once_more,
    say_that_it_was_days_ago,
    say_that_it_was_long_ago,
    ask_for_approval,
    approve,
    decline,
    ask_for_a_new_time,
    ask_for_money,
    pay,
    fail_to_pay,
    retitle,
    wait_for_the_conference,
    learn_where_to_join,
    erase_for_privacy,
)
"""Mutations of meetings and their attendees."""

CHORES = named(
    offer_a_link,
    rename_a_link,
    disable_a_link,
    enable_a_link,
    delete_a_link,
    create_a_workflow,
    edit_a_rule,
    delete_a_workflow,
    change_the_own_profile,
    change_a_profile,
    add_a_webhook,
    delete_a_webhook,
)
"""Mutations around them."""
