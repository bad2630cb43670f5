"""Mutations of events on Luma and their guests."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from choice import named
from sandbox.world import words
from sandbox.world.gatherings.drawing import draw_questions

if TYPE_CHECKING:
    from choice import Choice
    from sandbox.world import World
    from sandbox.world.gatherings import records as g

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def events(world: World) -> list[g.Gathering]:
    """Events that are run on Luma, by any calendar."""
    return [one for one in world.gatherings.gatherings.values() if one.external is None]


def guests(world: World, *statuses: str) -> list[g.Guest]:
    """Guests of all events, of some statuses or of any."""
    found = sorted((guest for event in events(world) for guest in event.guests.values()), key=lambda one: one.serial)
    return [guest for guest in found if not statuses or guest.status in statuses]


def _tickets(world: World) -> list[g.Ticket]:
    return [ticket for guest in guests(world, "approved") for ticket in guest.tickets]


def _own(world: World) -> list[g.Gathering]:
    return [one for one in events(world) if one.calendar is world.gatherings.main]


def _to_come(world: World) -> list[g.Gathering]:
    return [one for one in events(world) if one.start > world.now]


def _plan(world: World, away: timedelta, last: timedelta = 2 * HOUR, **fields: Any) -> g.Gathering:
    return world.gatherings.create(world.now + away, end=world.now + away + last, **fields)


def plan_for_soon(world: World, _: Choice) -> None:
    event = _plan(world, HOUR, questions=draw_questions(world.gatherings, 4), hosts=world.gatherings.people[:2])
    world.gatherings.register(event, quantity=2)
    world.gatherings.schedule_mailing(event)


def plan_for_next_week(world: World, _: Choice) -> None:
    event = _plan(world, 7 * DAY)
    world.gatherings.register(event)
    by_approval = world.gatherings.add_ticket_kind(event, "By approval", require_approval=True)
    world.gatherings.register(event, kind=by_approval)
    world.gatherings.add_ticket_kind(event, "Paid", cents=1000)


def plan_for_next_year(world: World, _: Choice) -> None:
    world.gatherings.invite(_plan(world, 380 * DAY))


def plan_for_weeks(world: World, _: Choice) -> None:
    _plan(world, DAY, 20 * DAY)


def enter_after_the_fact(world: World, _: Choice) -> None:
    guest = world.gatherings.register(_plan(world, -100 * DAY), quantity=2)
    world.gatherings.check_in(guest.tickets[0])


def move_to_later(world: World, choice: Choice) -> None:
    event = choice(events(world))
    world.gatherings.move(event, event.start + 9 * DAY)


def move_to_sooner(world: World, choice: Choice) -> None:
    world.gatherings.move(choice(events(world)), world.now + HOUR)


def move_into_the_past(world: World, choice: Choice) -> None:
    event = choice(events(world))
    world.gatherings.move(event, event.start - 45 * DAY)


def edit_an_event(world: World, choice: Choice) -> None:
    world.gatherings.edit(choice(events(world)), name=f"Event of {world.now.isoformat()}", capacity=2, waitlist=True)


def ask_questions(world: World, choice: Choice) -> None:
    event = choice(events(world))
    world.gatherings.edit(event, questions=draw_questions(world.gatherings, 1 + (len(event.questions) + 3) % 8))


def close_registration(world: World, choice: Choice) -> None:
    event = choice(events(world))
    world.gatherings.edit(event, registration_open=not event.registration_open)


def add_a_host(world: World, choice: Choice) -> None:
    event = choice(events(world))
    host = choice(one for one in world.gatherings.people if one not in event.hosts)
    world.gatherings.edit(event, hosts=[*event.hosts, host])


def remove_a_host(world: World, choice: Choice) -> None:
    event = choice(one for one in events(world) if len(one.hosts) > 1)
    world.gatherings.edit(event, hosts=event.hosts[1:])


def cancel_an_event(world: World, choice: Choice) -> None:
    world.gatherings.cancel(choice(events(world)))


def hand_over(world: World, choice: Choice) -> None:
    _, other, *_ = world.gatherings.calendars.values()
    world.gatherings.transfer(choice(_own(world)), other)


def take_back(world: World, choice: Choice) -> None:
    event = choice(one for one in events(world) if one.calendar is not world.gatherings.main and one.calendar.ours)
    world.gatherings.transfer(event, world.gatherings.main)


def suggest_an_event(world: World, _: Choice) -> None:
    _plan(world, 2 * DAY, status="pending", submitter=world.gatherings.draw_attendee({}))


def accept_an_event(world: World, choice: Choice) -> None:
    places = [one.listings[0] for one in _own(world)]
    world.gatherings.decide(choice(one for one in places if one.status != "approved"), "approved")


def reject_an_event(world: World, choice: Choice) -> None:
    world.gatherings.decide(choice(one.listings[0] for one in _own(world)), "rejected")


def invite(world: World, choice: Choice) -> None:
    world.gatherings.invite(choice(events(world)))


def register(world: World, choice: Choice) -> None:
    event = choice(events(world))
    world.gatherings.register(event, kind=choice(event.kinds))


def register_for_three(world: World, choice: Choice) -> None:
    event = choice(events(world))
    world.gatherings.register(event, kind=choice(event.kinds), quantity=3)


def register_before_the_start(world: World, choice: Choice) -> None:
    event = choice(_to_come(world))
    world.advance_to(max(world.now, event.start - 2 * MINUTE))
    world.gatherings.register(event, kind=choice(event.kinds))


def register_with_a_coupon(world: World, choice: Choice) -> None:
    event = choice(events(world))
    coupon = choice([*event.calendar.coupons, *event.coupons])
    world.gatherings.register(event, kind=choice(event.kinds), coupon=coupon)


def register_half_way(world: World, choice: Choice) -> None:
    world.gatherings.register(choice(events(world)), unfinished=True)


def register_after_all(world: World, choice: Choice) -> None:
    guest = choice(guests(world, "invited", "session", "declined"))
    world.gatherings.register(guest.gathering, guest.attendee)


def approve(world: World, choice: Choice) -> None:
    world.gatherings.approve(choice(guests(world, "pending_approval", "waitlist", "invited")))


def decline(world: World, choice: Choice) -> None:
    world.gatherings.decline(choice(guests(world, "approved", "pending_approval", "waitlist", "invited")))


def decline_after_the_start(world: World, choice: Choice) -> None:
    guest = choice(guests(world, "approved"))
    world.advance_to(max(world.now, min(guest.gathering.start, world.now + 9 * DAY) + MINUTE))
    world.gatherings.decline(guest)


def put_on_the_waiting_list(world: World, choice: Choice) -> None:
    world.gatherings.waitlist(choice(guests(world, "approved", "pending_approval")))


def add_a_ticket(world: World, choice: Choice) -> None:
    guest = choice(guests(world, "approved"))
    world.gatherings.change_tickets(guest, add=[choice(guest.gathering.kinds)])


def take_a_ticket_away(world: World, choice: Choice) -> None:
    ticket = choice(one for one in _tickets(world) if len(one.guest.tickets) > 1)
    world.gatherings.change_tickets(ticket.guest, remove=[ticket])


def check_in(world: World, choice: Choice) -> None:
    world.gatherings.check_in(choice(one for one in _tickets(world) if not one.checked_in_at))


def check_in_at_the_door(world: World, choice: Choice) -> None:
    ticket = choice(one for one in _tickets(world) if not one.checked_in_at and one.guest.gathering.start > world.now)
    world.advance_to(ticket.guest.gathering.start + MINUTE)
    world.gatherings.check_in(ticket)


def check_in_one_of_several(world: World, choice: Choice) -> None:
    several = [one for one in _tickets(world) if len(one.guest.tickets) > 1 and not one.checked_in_at]
    world.gatherings.check_in(choice(several))


def undo_a_check_in(world: World, choice: Choice) -> None:
    world.gatherings.undo_check_in(choice(one for one in _tickets(world) if one.checked_in_at))


def edit_answers(world: World, choice: Choice) -> None:
    world.gatherings.edit_answers(choice(one for one in guests(world) if one.gathering.questions))


def join_online(world: World, choice: Choice) -> None:
    world.gatherings.join_online(choice(one for one in guests(world, "approved") if not one.joined_at))


def change_a_name(world: World, choice: Choice) -> None:
    attendee = choice(guests(world)).attendee
    name = f"{words.FIRST_NAMES[0]} of {world.now.isoformat()}"
    world.gatherings.edit_profile(attendee, name=name, email=f"{len(name)}{attendee.email}", phone="+49301")


MUTATIONS = named(
    plan_for_soon,
    plan_for_next_week,
    plan_for_next_year,
    plan_for_weeks,
    enter_after_the_fact,
    move_to_later,
    move_to_sooner,
    move_into_the_past,
    edit_an_event,
    ask_questions,
    close_registration,
    add_a_host,
    remove_a_host,
    cancel_an_event,
    hand_over,
    take_back,
    suggest_an_event,
    accept_an_event,
    reject_an_event,
    invite,
    register,
    register_for_three,
    register_before_the_start,
    register_with_a_coupon,
    register_half_way,
    register_after_all,
    approve,
    decline,
    decline_after_the_start,
    put_on_the_waiting_list,
    add_a_ticket,
    take_a_ticket_away,
    check_in,
    check_in_at_the_door,
    check_in_one_of_several,
    undo_a_check_in,
    edit_answers,
    join_online,
    change_a_name,
)
"""Mutations of events and their guests."""
