"""Mutations of an organization that books with OnceHub."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from calendly_mutations import book_for_next_year, book_next_week, book_soon, for_two
from choice import named
from oncehub_other_mutations import CHORES

if TYPE_CHECKING:
    from choice import Choice
    from sandbox.world import World
    from sandbox.world import records as r
    from sandbox.world.desk_records import Ticket

__all__ = ["CHORES", "MUTATIONS"]

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OUTCOMES = ("delivered", "failed", "rejected")


def _tickets(world: World) -> list[Ticket]:
    return list(world.desk.tickets.values())


def _standing(world: World) -> list[Ticket]:
    """Bookings that are not called off, and not over."""
    return [one for one in _tickets(world) if not one.called_off and one.meeting.end > world.now]


def _waiting(world: World, choice: Choice) -> r.Booking:
    """A booking that waits for approval; where there is none, one begins to."""
    if not any(one.approval for one in _standing(world)):
        ask_for_approval(world, choice)
    return choice(one for one in _standing(world) if one.approval).booking


def book_at_the_same_time(world: World, choice: Choice) -> None:
    start = choice(_standing(world)).meeting.start
    world.book(choice(for_two(world)), max(start, world.now + HOUR))


def book_as_a_stranger(world: World, choice: Choice) -> None:
    name = f"stranger{len(world.desk.tickets)}"
    world.book(choice(for_two(world)), world.now + 2 * DAY, name=name, email=f"{name}@mail.example")


def book_twice_a_season(world: World, choice: Choice) -> None:
    """Two at once by strangers, then nothing for as long as a slice of a first load covers, or longer: three times."""
    for days in (30, 40, 30):
        book_as_a_stranger(world, choice)
        book_as_a_stranger(world, choice)
        world.advance(days=days)


def join_a_group_meeting(world: World, choice: Choice) -> None:
    of_groups = [one for one in world.meetings.values() if one.seats > 1 and one.start > world.now]
    free = [one for one in of_groups if not one.cancellation and len(one.active_bookings) < one.seats]
    group = choice(kind for kind in world.bookable() if kind.seats > 1)
    world.join(choice(free) if free else world.open_meeting(group, world.now + 3 * DAY))


def cancel_as_host(world: World, choice: Choice) -> None:
    world.cancel(choice(_standing(world)).meeting, "ill")


def cancel_as_guest(world: World, choice: Choice) -> None:
    world.cancel_booking(choice(_standing(world)).booking, "Plans have changed")


def cancel_in_the_last_minutes(world: World, choice: Choice) -> None:
    booking = choice(_standing(world)).booking
    world.advance_to(max(world.now, booking.meeting.start - 2 * MINUTE))
    _cancel_if_still_there(world, booking)


def cancel_after_the_start(world: World, choice: Choice) -> None:
    booking = choice(_standing(world)).booking
    world.advance_to(max(world.now, booking.meeting.start + MINUTE))
    _cancel_if_still_there(world, booking)


def _cancel_if_still_there(world: World, booking: r.Booking) -> None:
    """Cancel, unless the booking was destroyed on the way there."""
    if any(one.booking is booking for one in _tickets(world)):
        world.cancel_booking(booking)


def reschedule_to_later(world: World, choice: Choice) -> None:
    booking = choice(_standing(world)).booking
    world.reschedule(booking, booking.meeting.start + 9 * DAY)


def reschedule_to_sooner(world: World, choice: Choice) -> None:
    world.reschedule(choice(_standing(world)).booking, world.now + HOUR)


def mark_a_no_show(world: World, choice: Choice) -> None:
    begun = [one for one in _tickets(world) if one.meeting.start <= world.now and not one.called_off]
    world.mark_no_show(choice(one for one in begun if not one.missed_at and not one.approval).booking)


def ask_for_approval(world: World, choice: Choice) -> None:
    world.desk.request_approval(choice(one for one in _standing(world) if not one.approval).booking)


def approve(world: World, choice: Choice) -> None:
    world.desk.approve(_waiting(world, choice))


def decline(world: World, choice: Choice) -> None:
    world.desk.decline(_waiting(world, choice))


def hand_over(world: World, choice: Choice) -> None:
    ticket = choice(_tickets(world))
    people = [one.person for one in world.memberships.values()]
    world.desk.reassign(ticket.booking, choice(one for one in people if one is not ticket.owner))


def correct_the_form(world: World, choice: Choice) -> None:
    world.desk.edit_booking_form(choice(_tickets(world)).booking, note=f"Noted at {world.now.isoformat()}")


def correct_one_form_a_day(world: World, _: Choice) -> None:
    """From the newest booking to the oldest, as a list shows them: some change after they were read, others before."""
    for ticket in _tickets(world)[:-7:-1]:
        world.desk.edit_booking_form(ticket.booking, company=f"Firm of {world.now.isoformat()}")
        world.advance(hours=26)


def bring_a_guest(world: World, choice: Choice) -> None:
    world.add_guest(choice(_standing(world)).meeting, "guest@mail.example")


def pay(world: World, choice: Choice) -> None:
    world.receive_payment(choice(_tickets(world)).booking)


def throw_away(world: World, choice: Choice) -> None:
    world.desk.trash(choice(one for one in _tickets(world) if not one.trashed_at).booking)


def _thrown_away(world: World, choice: Choice) -> Ticket:
    """A booking in the trash; where there is none, one is moved there."""
    if not any(one.trashed_at for one in _tickets(world)):
        throw_away(world, choice)
    return choice(one for one in _tickets(world) if one.trashed_at)


def take_out_of_the_trash(world: World, choice: Choice) -> None:
    world.desk.restore(_thrown_away(world, choice).booking)


def destroy(world: World, choice: Choice) -> None:
    world.desk.destroy(_thrown_away(world, choice))


def destroy_all_but_the_oldest(world: World, _: Choice) -> None:
    """Also the row that the next page of a list begins after, if one is being read."""
    for ticket in _tickets(world)[2:]:
        world.desk.destroy(ticket)


def erase_for_privacy(world: World, choice: Choice) -> None:
    world.erase(choice(one for one in _tickets(world) if not one.previous and not one.booking.old).meeting)


def text_the_guest(world: World, choice: Choice) -> None:
    world.desk.send_sms(choice(_tickets(world)).booking, settles=False)


def text_a_guest_each_day(world: World, choice: Choice) -> None:
    text_the_guest(world, choice)
    for _ in range(2):
        world.advance(hours=26)
        text_the_guest(world, choice)


def text_the_host(world: World, choice: Choice) -> None:
    world.desk.send_sms(choice(_tickets(world)).booking, to_host=True, settles=False)


def reach_a_phone_or_not(world: World, choice: Choice) -> None:
    text = choice(one for one in world.desk.texts.values() if one.status == "sent")
    world.desk.settle_sms(text, choice(OUTCOMES))


def add_a_contact(world: World, choice: Choice) -> None:
    email = f"contact{len(world.contacts)}-{world.version}@mail.example"
    world.create_contact(choice(world.memberships.values()).person, email=email)


def edit_a_contact(world: World, choice: Choice) -> None:
    world.edit_contact(choice(world.desk.cards.values()).record, company=f"Firm of {world.now.isoformat()}")


def note_about_a_contact(world: World, choice: Choice) -> None:
    world.desk.set_custom_field(choice(world.desk.cards.values()), "Noted at", world.now.isoformat())


def merge_two_contacts(world: World, choice: Choice) -> None:
    gone = choice(world.desk.cards.values())
    world.desk.merge_contacts(choice(one for one in world.desk.cards.values() if one is not gone), gone)


def delete_a_contact(world: World, choice: Choice) -> None:
    world.desk.delete_contact(choice(world.desk.cards.values()))


MUTATIONS = named(
    book_soon,
    book_at_the_same_time,
    book_next_week,
    book_for_next_year,
    book_as_a_stranger,
    book_twice_a_season,
    join_a_group_meeting,
    cancel_as_host,
    cancel_as_guest,
    cancel_in_the_last_minutes,
    cancel_after_the_start,
    reschedule_to_later,
    reschedule_to_sooner,
    mark_a_no_show,
    ask_for_approval,
    approve,
    decline,
    hand_over,
    correct_the_form,
    correct_one_form_a_day,
    bring_a_guest,
    pay,
    throw_away,
    take_out_of_the_trash,
    destroy,
    destroy_all_but_the_oldest,
    erase_for_privacy,
    text_the_guest,
    text_a_guest_each_day,
    text_the_host,
    reach_a_phone_or_not,
    add_a_contact,
    edit_a_contact,
    note_about_a_contact,
    merge_two_contacts,
    delete_a_contact,
)
"""Mutations of bookings, contacts and messages."""
