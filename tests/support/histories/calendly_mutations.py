"""Mutations of an organization that books with Calendly."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from choice import named

if TYPE_CHECKING:
    from choice import Choice
    from sandbox.world import World
    from sandbox.world import records as r

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def _to_come(world: World) -> list[r.Meeting]:
    return [
        one for one in world.meetings.values() if one.end > world.now and not one.cancellation and not one.elsewhere
    ]


def _standing(world: World) -> list[r.Booking]:
    """Bookings that can be canceled."""
    return [booking for meeting in _to_come(world) for booking in meeting.active_bookings]


def _begun(world: World) -> list[r.Booking]:
    return [one for one in world.bookings.values() if one.meeting.start <= world.now and not one.cancellation]


def _ours(world: World) -> list[r.Booking]:
    return [one for one in world.bookings.values() if not one.meeting.elsewhere]


def for_two(world: World) -> list[r.EventType]:
    """Event types for one guest, which can be booked."""
    return [kind for kind in world.bookable() if kind.seats == 1]


def book_soon(world: World, choice: Choice) -> None:
    world.book(choice(for_two(world)), world.now + HOUR)


def book_at_the_same_time(world: World, choice: Choice) -> None:
    start = choice(_to_come(world)).start
    world.book(choice(for_two(world)), max(start, world.now + HOUR))


def book_next_week(world: World, choice: Choice) -> None:
    world.book(choice(for_two(world)), world.now + 7 * DAY)


def book_for_next_year(world: World, choice: Choice) -> None:
    world.book(choice(for_two(world)), world.now + 380 * DAY)


def open_a_group_meeting(world: World, choice: Choice) -> None:
    world.open_meeting(choice(kind for kind in world.bookable() if kind.seats > 1), world.now + 3 * DAY)


def join_a_group_meeting(world: World, choice: Choice) -> None:
    world.join(choice(one for one in _to_come(world) if len(one.active_bookings) < one.seats and one.seats > 1))


def cancel_as_host(world: World, choice: Choice) -> None:
    world.cancel(choice(_to_come(world)), "ill")


def cancel_as_invitee(world: World, choice: Choice) -> None:
    world.cancel_booking(choice(_standing(world)), "Plans have changed")


def cancel_in_the_last_minutes(world: World, choice: Choice) -> None:
    booking = choice(_standing(world))
    world.advance_to(max(world.now, booking.meeting.start - timedelta(minutes=2)))
    world.cancel_booking(booking)


def cancel_after_the_start(world: World, choice: Choice) -> None:
    booking = choice(_standing(world))
    world.advance_to(max(world.now, booking.meeting.start + timedelta(minutes=1)))
    world.cancel_booking(booking)


def reschedule_to_later(world: World, choice: Choice) -> None:
    booking = choice(_standing(world))
    world.reschedule(booking, booking.meeting.start + 9 * DAY)


def reschedule_to_sooner(world: World, choice: Choice) -> None:
    booking = choice(_standing(world))
    world.reschedule(booking, world.now + HOUR)


def mark_a_no_show(world: World, choice: Choice) -> None:
    world.mark_no_show(choice(one for one in _begun(world) if not one.no_show))


def take_a_no_show_back(world: World, choice: Choice) -> None:
    world.unmark_no_show(choice(one for one in world.bookings.values() if one.no_show))


def edit_notes(world: World, choice: Choice) -> None:
    world.add_note(choice(_ours(world)).meeting, f"Noted at {world.now.isoformat()}")


def bring_a_guest(world: World, choice: Choice) -> None:
    world.add_guest(choice(_to_come(world)), "guest@mail.example")


def pay(world: World, choice: Choice) -> None:
    world.receive_payment(choice(_ours(world)))


def fail_to_pay(world: World, choice: Choice) -> None:
    world.receive_payment(choice(_ours(world)), successful=False)


def ask_whether_they_come(world: World, choice: Choice) -> None:
    world.ask_reconfirmation(choice(_standing(world)))


def say_that_they_come(world: World, choice: Choice) -> None:
    world.reconfirm(choice(one for one in _standing(world) if one.reconfirmation))


def erase_for_privacy(world: World, choice: Choice) -> None:
    tied = {one.meeting.id for one in world.bookings.values() if one.old or one.new or one.submission}
    world.erase(choice(one.meeting for one in _ours(world) if one.meeting.id not in tied))


def offer_an_event_type(world: World, choice: Choice) -> None:
    world.create_event_type(choice(world.memberships.values()).person)


def edit_an_event_type(world: World, choice: Choice) -> None:
    world.edit_event_type(choice(world.bookable()), name=f"Renamed at {world.now.isoformat()}")


def add_a_host(world: World, choice: Choice) -> None:
    kind, person = choice(world.bookable()), choice(world.memberships.values()).person
    if person not in [host.person for host in kind.hosts]:
        world.add_host(kind, person)


def delete_an_event_type(world: World, choice: Choice) -> None:
    world.delete_event_type(choice(kind for kind in for_two(world)[4:] if not kind.deleted_at))


def submit_a_form(world: World, choice: Choice) -> None:
    world.submit_form(choice(form for form in world.forms.values() if form.status == "published"))


def book_after_a_form(world: World, choice: Choice) -> None:
    submission = choice(one for one in world.submissions.values() if not one.submitter)
    world.book(choice(for_two(world)), world.now + DAY, submission=submission)


def edit_a_form(world: World, choice: Choice) -> None:
    world.edit_form(choice(world.forms.values()), name=f"Form of {world.now.isoformat()}")


def join_the_organization(world: World, _: Choice) -> None:
    world.add_member()


def leave_the_organization(world: World, choice: Choice) -> None:
    world.remove_member(choice(one for one in world.memberships.values() if one.person not in world.seats.values()))


def change_a_profile(world: World, choice: Choice) -> None:
    world.edit_person(choice(world.memberships.values()).person, name=f"Name of {world.now.isoformat()}")


def change_a_role(world: World, choice: Choice) -> None:
    one = choice(one for one in world.memberships.values() if one.person not in world.seats.values())
    world.set_role(one, "user" if one.role == "admin" else "admin")


def invite_somebody(world: World, _: Choice) -> None:
    world.invite()


def accept_an_invitation(world: World, choice: Choice) -> None:
    world.accept_invitation(choice(one for one in world.invitations.values() if one.status == "pending"))


def revoke_an_invitation(world: World, choice: Choice) -> None:
    world.revoke_invitation(choice(one for one in world.invitations.values() if one.status == "pending"))


def found_a_group(world: World, _: Choice) -> None:
    world.create_group(f"Group of {world.now.isoformat()}")


def dissolve_a_group(world: World, choice: Choice) -> None:
    world.delete_group(choice(list(world.groups.values())[1:]))


def enter_a_group(world: World, choice: Choice) -> None:
    world.add_to_group(choice(world.groups.values()), choice(world.memberships.values()))


def leave_a_group(world: World, choice: Choice) -> None:
    world.remove_from_group(choice(place for place in world.group_places.values() if place.role == "member"))


def add_a_contact(world: World, choice: Choice) -> None:
    world.create_contact(choice(world.memberships.values()).person)


def edit_a_contact(world: World, choice: Choice) -> None:
    world.edit_contact(choice(world.contacts.values()), company=f"Firm of {world.now.isoformat()}")


def delete_a_contact(world: World, choice: Choice) -> None:
    world.delete_contact(choice(world.contacts.values()))


def note_about_a_contact(world: World, choice: Choice) -> None:
    contact = choice(world.contacts.values())
    world.write_contact_note(contact, contact.owner)


def add_a_custom_field(world: World, _: Choice) -> None:
    world.define_custom_field(f"Field of {world.now.isoformat()}", "text")


def begin_a_recap(world: World, choice: Choice) -> None:
    world.start_recap(choice(_begun(world)).meeting)


def finish_a_recap(world: World, choice: Choice) -> None:
    world.finish_recap(choice(one for one in world.recaps.values() if one.status == "processing"))


def edit_a_recap(world: World, choice: Choice) -> None:
    world.edit_recap(choice(one for one in world.recaps.values() if one.status == "available"), "Corrected by hand.")


def delete_a_recap(world: World, choice: Choice) -> None:
    world.delete_recap(choice(world.recaps.values()))


def send_a_message(world: World, choice: Choice) -> None:
    world.send_message(choice(_standing(world)))


def add_a_webhook(world: World, _: Choice) -> None:
    world.add_webhook(f"https://hooks.example/{len(world.log)}")


def delete_a_webhook(world: World, choice: Choice) -> None:
    world.delete_webhook(choice(world.webhooks.values()))


MUTATIONS = named(
    book_soon,
    book_at_the_same_time,
    book_next_week,
    book_for_next_year,
    open_a_group_meeting,
    join_a_group_meeting,
    cancel_as_host,
    cancel_as_invitee,
    cancel_in_the_last_minutes,
    cancel_after_the_start,
    reschedule_to_later,
    reschedule_to_sooner,
    mark_a_no_show,
    take_a_no_show_back,
    edit_notes,
    bring_a_guest,
    pay,
    fail_to_pay,
    ask_whether_they_come,
    say_that_they_come,
    erase_for_privacy,
    submit_a_form,
    book_after_a_form,
    begin_a_recap,
    finish_a_recap,
    edit_a_recap,
    delete_a_recap,
)
"""Mutations of meetings and their invitees."""

CHORES = named(
    offer_an_event_type,
    edit_an_event_type,
    add_a_host,
    delete_an_event_type,
    edit_a_form,
    join_the_organization,
    leave_the_organization,
    change_a_profile,
    change_a_role,
    invite_somebody,
    accept_an_invitation,
    revoke_an_invitation,
    found_a_group,
    dissolve_a_group,
    enter_a_group,
    leave_a_group,
    add_a_contact,
    edit_a_contact,
    delete_a_contact,
    note_about_a_contact,
    add_a_custom_field,
    send_a_message,
    add_a_webhook,
    delete_a_webhook,
)
"""Mutations around them."""
