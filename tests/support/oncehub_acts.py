"""What can happen to an organization that books with OnceHub."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from calendly_acts import book_for_next_year, book_next_week, book_soon, for_two
from oncehub_around_acts import CHORES
from pick import named

if TYPE_CHECKING:
    from pick import Pick
    from sandbox.world import World
    from sandbox.world import records as r
    from sandbox.world.desk_records import Ticket

__all__ = ["ACTS", "CHORES"]

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OUTCOMES = ("delivered", "failed", "rejected")


def _tickets(world: World) -> list[Ticket]:
    return list(world.desk.tickets.values())


def _standing(world: World) -> list[Ticket]:
    """Bookings that are not called off, and not over."""
    return [one for one in _tickets(world) if not one.called_off and one.meeting.end > world.now]


def _waiting(world: World, pick: Pick) -> r.Booking:
    """A booking that waits for approval; where there is none, one begins to."""
    if not any(one.approval for one in _standing(world)):
        ask_for_approval(world, pick)
    return pick(one for one in _standing(world) if one.approval).booking


def book_at_the_same_time(world: World, pick: Pick) -> None:
    start = pick(_standing(world)).meeting.start
    world.book(pick(for_two(world)), max(start, world.now + HOUR))


def book_as_a_stranger(world: World, pick: Pick) -> None:
    name = f"stranger{len(world.desk.tickets)}"
    world.book(pick(for_two(world)), world.now + 2 * DAY, name=name, email=f"{name}@mail.example")


def book_twice_a_season(world: World, pick: Pick) -> None:
    """Two at once by strangers, then nothing for as long as a slice of a first load covers, or longer: three times."""
    for days in (30, 40, 30):
        book_as_a_stranger(world, pick)
        book_as_a_stranger(world, pick)
        world.advance(days=days)


def join_a_group_meeting(world: World, pick: Pick) -> None:
    of_groups = [one for one in world.meetings.values() if one.seats > 1 and one.start > world.now]
    free = [one for one in of_groups if not one.cancellation and len(one.active_bookings) < one.seats]
    group = pick(kind for kind in world.bookable() if kind.seats > 1)
    world.join(pick(free) if free else world.open_meeting(group, world.now + 3 * DAY))


def cancel_as_host(world: World, pick: Pick) -> None:
    world.cancel(pick(_standing(world)).meeting, "ill")


def cancel_as_guest(world: World, pick: Pick) -> None:
    world.cancel_booking(pick(_standing(world)).booking, "Plans have changed")


def cancel_in_the_last_minutes(world: World, pick: Pick) -> None:
    booking = pick(_standing(world)).booking
    world.advance_to(max(world.now, booking.meeting.start - 2 * MINUTE))
    _cancel_if_still_there(world, booking)


def cancel_after_the_start(world: World, pick: Pick) -> None:
    booking = pick(_standing(world)).booking
    world.advance_to(max(world.now, booking.meeting.start + MINUTE))
    _cancel_if_still_there(world, booking)


def _cancel_if_still_there(world: World, booking: r.Booking) -> None:
    """Cancel, unless the booking was destroyed on the way there."""
    if any(one.booking is booking for one in _tickets(world)):
        world.cancel_booking(booking)


def reschedule_to_later(world: World, pick: Pick) -> None:
    booking = pick(_standing(world)).booking
    world.reschedule(booking, booking.meeting.start + 9 * DAY)


def reschedule_to_sooner(world: World, pick: Pick) -> None:
    world.reschedule(pick(_standing(world)).booking, world.now + HOUR)


def mark_a_no_show(world: World, pick: Pick) -> None:
    begun = [one for one in _tickets(world) if one.meeting.start <= world.now and not one.called_off]
    world.mark_no_show(pick(one for one in begun if not one.missed_at and not one.approval).booking)


def ask_for_approval(world: World, pick: Pick) -> None:
    world.desk.request_approval(pick(one for one in _standing(world) if not one.approval).booking)


def approve(world: World, pick: Pick) -> None:
    world.desk.approve(_waiting(world, pick))


def decline(world: World, pick: Pick) -> None:
    world.desk.decline(_waiting(world, pick))


def hand_over(world: World, pick: Pick) -> None:
    ticket = pick(_tickets(world))
    people = [one.person for one in world.memberships.values()]
    world.desk.reassign(ticket.booking, pick(one for one in people if one is not ticket.owner))


def correct_the_form(world: World, pick: Pick) -> None:
    world.desk.edit_booking_form(pick(_tickets(world)).booking, note=f"Noted at {world.now.isoformat()}")


def correct_one_form_a_day(world: World, _: Pick) -> None:
    """From the newest booking to the oldest, as a list shows them: some change after they were read, others before."""
    for ticket in _tickets(world)[:-7:-1]:
        world.desk.edit_booking_form(ticket.booking, company=f"Firm of {world.now.isoformat()}")
        world.advance(hours=26)


def bring_a_guest(world: World, pick: Pick) -> None:
    world.add_guest(pick(_standing(world)).meeting, "guest@mail.example")


def pay(world: World, pick: Pick) -> None:
    world.receive_payment(pick(_tickets(world)).booking)


def throw_away(world: World, pick: Pick) -> None:
    world.desk.trash(pick(one for one in _tickets(world) if not one.trashed_at).booking)


def _thrown_away(world: World, pick: Pick) -> Ticket:
    """A booking in the trash; where there is none, one is moved there."""
    if not any(one.trashed_at for one in _tickets(world)):
        throw_away(world, pick)
    return pick(one for one in _tickets(world) if one.trashed_at)


def take_out_of_the_trash(world: World, pick: Pick) -> None:
    world.desk.restore(_thrown_away(world, pick).booking)


def destroy(world: World, pick: Pick) -> None:
    world.desk.destroy(_thrown_away(world, pick))


def destroy_all_but_the_oldest(world: World, _: Pick) -> None:
    """Also the row after which the next page of a list is asked for, if one is being read."""
    for ticket in _tickets(world)[2:]:
        world.desk.destroy(ticket)


def erase_for_privacy(world: World, pick: Pick) -> None:
    world.erase(pick(one for one in _tickets(world) if not one.previous and not one.booking.old).meeting)


def text_the_guest(world: World, pick: Pick) -> None:
    world.desk.send_sms(pick(_tickets(world)).booking, settles=False)


def text_a_guest_each_day(world: World, pick: Pick) -> None:
    text_the_guest(world, pick)
    for _ in range(2):
        world.advance(hours=26)
        text_the_guest(world, pick)


def text_the_host(world: World, pick: Pick) -> None:
    world.desk.send_sms(pick(_tickets(world)).booking, to_host=True, settles=False)


def reach_a_phone_or_not(world: World, pick: Pick) -> None:
    text = pick(one for one in world.desk.texts.values() if one.status == "sent")
    world.desk.settle_sms(text, pick(OUTCOMES))


def add_a_contact(world: World, pick: Pick) -> None:
    email = f"contact{len(world.contacts)}-{world.version}@mail.example"
    world.create_contact(pick(world.memberships.values()).person, email=email)


def edit_a_contact(world: World, pick: Pick) -> None:
    world.edit_contact(pick(world.desk.cards.values()).record, company=f"Firm of {world.now.isoformat()}")


def note_about_a_contact(world: World, pick: Pick) -> None:
    world.desk.set_custom_field(pick(world.desk.cards.values()), "Noted at", world.now.isoformat())


def merge_two_contacts(world: World, pick: Pick) -> None:
    gone = pick(world.desk.cards.values())
    world.desk.merge_contacts(pick(one for one in world.desk.cards.values() if one is not gone), gone)


def delete_a_contact(world: World, pick: Pick) -> None:
    world.desk.delete_contact(pick(world.desk.cards.values()))


ACTS = named(
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
"""What happens to bookings, to the contacts who book, and to the messages about it."""
