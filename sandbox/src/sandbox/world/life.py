"""What happens by chance: bookings and what follows from them, and the organization's own coming and going."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.world import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.world import records as r
    from sandbox.world.world import World

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LATEST_NO_SHOW = 19 * DAY
"""A no-show is marked at most this long after the meeting's end, which is within 20 days of its start."""


@dataclass(frozen=True, slots=True)
class Habit:
    """Something that happens again and again, `per_booking` times as often as somebody books."""

    act: Callable[[World], None]
    per_booking: float


def begin(world: World) -> None:
    """Start every habit."""
    for habit in HABITS:
        recur(world, habit, first=True)


def recur(world: World, habit: Habit, *, first: bool = False) -> None:
    """Do it, unless this is the `first` time, and draw when it happens again."""
    if not first:
        habit.act(world)
    per_day = habit.per_booking * world.pace.bookings_per_day
    world.after(DAY * world.random.expovariate(per_day), recur, habit)


def somebody_books(world: World) -> None:
    """Book something; a group meeting that still has seats is joined as a rule."""
    kind = world.pick(world.bookable())
    if kind.seats == 1:
        follow(world, world.book(kind))
        return
    open_ones = world.group_meetings[kind.id]
    open_ones[:] = [m for m in open_ones if m.start > world.now and not m.cancellation and m.id in world.meetings]
    roomy = [meeting for meeting in open_ones if len(meeting.active_bookings) < meeting.seats]
    if roomy and world.chance(0.7):
        follow(world, world.join(world.pick(roomy)))
        return
    meeting = world.open_meeting(kind)
    open_ones.append(meeting)
    if world.chance(0.9):
        follow(world, world.join(meeting))


def follow(world: World, booking: r.Booking) -> None:
    """Draw what is going to become of a booking."""
    draw_fate(world, booking)
    draw_messages(world, booking)
    draw_aftermath(world, booking)
    if booking.email not in world.known_emails and world.chance(0.4):
        world.known_emails.add(booking.email)
        world.create_contact(booking.meeting.hosts[0], booking.name, booking.email)


def draw_fate(world: World, booking: r.Booking) -> None:
    """Draw whether it is canceled or moved, and whether somebody comes along."""
    lead = booking.meeting.start - world.now
    fate = world.random.random()
    early = world.random.uniform(0.02, 0.95)
    if fate < FATES["host cancels"]:
        world.after(lead * early, host_cancels, booking.meeting)
    elif fate < FATES["invitee cancels"]:
        world.after(lead * early, invitee_cancels, booking)
    elif fate < FATES["reschedule"]:
        world.after(lead * early, reschedules, booking)
    if world.chance(0.1):
        world.after(lead * world.random.random(), brings_a_guest, booking)


def draw_messages(world: World, booking: r.Booking) -> None:
    """Draw what is said and paid before the meeting."""
    start = booking.meeting.start
    if world.chance(0.3):
        world.send_message(booking)
    if world.chance(0.2) and start - world.now > HOUR:
        world.at(start - HOUR, is_reminded, booking)
    if world.chance(0.2) and start - world.now > 2 * DAY:
        world.at(start - DAY, is_requested, booking)
    if booking.meeting.event_type.paid:
        world.after(world.later(2 * MINUTE, 3 * DAY), pays, booking)


def draw_aftermath(world: World, booking: r.Booking) -> None:
    """Draw what comes after the meeting."""
    meeting = booking.meeting
    if world.chance(0.08):
        world.at(meeting.end + world.later(5 * MINUTE, LATEST_NO_SHOW), stays_away, booking)
    if world.chance(0.1):
        world.at(meeting.end + world.later(MINUTE, 30 * DAY), is_noted, meeting)
    if world.chance(0.12):
        world.at(meeting.end, is_recapped, meeting)


FATES = {"host cancels": 0.05, "invitee cancels": 0.13, "reschedule": 0.21}
"""Upper bounds of the draw that decides a booking's fate."""


def host_cancels(world: World, meeting: r.Meeting) -> None:
    """Call a meeting off; now and then the host is ill and calls off the whole day."""
    if meeting.cancellation or meeting.id not in world.meetings:
        return
    day = [meeting]
    if world.chance(0.1):
        day = [
            other
            for other in world.meetings.values()
            if not other.cancellation
            and other.end > world.now
            and other.start.date() == meeting.start.date()
            and other.hosts[0] is meeting.hosts[0]
        ]
    reason = world.pick(words.REASONS)
    for each in day:
        world.cancel(each, reason)


def invitee_cancels(world: World, booking: r.Booking) -> None:
    """Cancel a booking."""
    if world.stands(booking):
        world.cancel_booking(booking, world.pick(words.REASONS))


def reschedules(world: World, booking: r.Booking) -> None:
    """Move a booking, whose new self has a fate of its own."""
    if world.stands(booking):
        follow(world, world.reschedule(booking))


def brings_a_guest(world: World, booking: r.Booking) -> None:
    """Bring a guest."""
    if world.stands(booking):
        world.add_guest(booking.meeting, f"guest{booking.serial}@mail.example")


def is_requested(world: World, booking: r.Booking) -> None:
    """Be asked to reconfirm, and mostly do."""
    if world.stands(booking):
        world.ask_reconfirmation(booking)
        if world.chance(0.7):
            world.after(world.later(MINUTE, 20 * HOUR), reconfirms, booking)


def reconfirms(world: World, booking: r.Booking) -> None:
    """Reconfirm."""
    if world.stands(booking):
        world.reconfirm(booking)


def pays(world: World, booking: r.Booking) -> None:
    """Learn whether the payment worked."""
    if booking.id in world.bookings:
        world.receive_payment(booking, successful=world.chance(0.9))


def is_reminded(world: World, booking: r.Booking) -> None:
    """Get a text message."""
    if world.stands(booking):
        world.send_message(booking, "sms")


def stays_away(world: World, booking: r.Booking) -> None:
    """Be marked as a no-show, which is sometimes taken back within the same span."""
    if world.stands(booking):
        world.mark_no_show(booking)
        latest = booking.meeting.end + LATEST_NO_SHOW - world.now
        if world.chance(0.15):
            world.after(latest * world.random.random(), is_pardoned, booking)


def is_pardoned(world: World, booking: r.Booking) -> None:
    """Have the no-show taken back."""
    if world.stands(booking):
        world.unmark_no_show(booking)


def is_noted(world: World, meeting: r.Meeting) -> None:
    """Get meeting notes."""
    if meeting.id in world.meetings:
        world.add_note(meeting, world.pick(words.NOTES))


def is_recapped(world: World, meeting: r.Meeting) -> None:
    """Get a recap, which takes from minutes to days."""
    if not meeting.cancellation and meeting.id in world.meetings:
        recap = world.start_recap(meeting)
        world.after(world.later(10 * MINUTE, 2 * DAY), recap_ends, recap)


def recap_ends(world: World, recap: r.Recap) -> None:
    """Finish a recap; some are edited later and some deleted."""
    if recap.id not in world.recaps:
        return
    world.finish_recap(recap, worked=world.chance(0.85))
    if recap.status == "available" and world.chance(0.2):
        world.after(world.later(HOUR, 20 * DAY), recap_changes, recap)


def recap_changes(world: World, recap: r.Recap) -> None:
    """Edit or delete a recap."""
    if recap.id not in world.recaps:
        return
    if world.chance(0.3):
        world.delete_recap(recap)
    else:
        world.edit_recap(recap, "## Summary\n\nCorrected by hand.")


def somebody_submits(world: World) -> None:
    """Fill in a form, and perhaps book within 20 days."""
    submission = world.submit_form()
    if world.chance(0.5):
        world.after(world.later(MINUTE, 20 * DAY), submitter_books, submission)


def submitter_books(world: World, submission: r.Submission) -> None:
    """Book as the one who filled in a form."""
    singles = [kind for kind in world.bookable() if kind.seats == 1]
    follow(world, world.book(world.pick(singles), submission=submission))


def member_changes(world: World) -> None:
    """Somebody joins, leaves, or changes their name."""
    others = [one for one in world.memberships.values() if one.person not in world.seats.values()]
    draw = world.random.randrange(4)
    if draw == 0 or not others:
        world.create_event_type(world.add_member().person)
    elif draw == 1 and len(others) > 1:
        world.remove_member(world.pick(others))
    elif draw == 2:  # noqa: PLR2004 -- the third of four sides
        world.edit_person(world.pick(others).person, name=f"{world.pick(words.FIRST_NAMES)} Neu")
    else:
        invitation = world.invite()
        ending = world.pick((world.accept_invitation, world.revoke_invitation, world.decline_invitation, None))
        if ending:
            world.after(world.later(HOUR, 9 * DAY), invitation_ends, ending, invitation)


def invitation_ends(world: World, ending: Callable[[r.Invitation], object], invitation: r.Invitation) -> None:
    """Accept, decline or revoke an invitation."""
    if invitation.id in world.invitations:
        ending(invitation)


def group_changes(world: World) -> None:
    """Somebody enters or leaves a group, or one is founded or dissolved."""
    places = [place for place in world.group_places.values() if place.role == "member"]
    if world.chance(0.2):
        group = world.create_group(f"Projekt {len(world.log)}")
        world.after(world.later(DAY, 60 * DAY), lambda w: w.delete_group(group))
    elif world.chance(0.4) and len(places) > 2:  # noqa: PLR2004 -- a few stay
        world.remove_from_group(world.pick(places))
    else:
        world.add_to_group(world.pick(list(world.groups.values())), world.pick(list(world.memberships.values())))


def event_type_changes(world: World) -> None:
    """An event type is created, edited, gets a host, or is deleted."""
    members = [membership.person for membership in world.memberships.values()]
    kinds = world.bookable()
    draw = world.random.randrange(6)
    if draw == 0:
        world.create_event_type(world.pick(members), one_off=world.chance(0.3))
    elif draw == 1 and len(kinds) > 2 * len(world.seats):
        spare = [kind for kind in kinds if kind.position > len(world.seats) + 6 and kind.kind == "solo"]
        if spare:
            world.delete_event_type(world.pick(spare))
    elif draw == 2:  # noqa: PLR2004 -- the third of six sides
        world.add_host(world.pick(kinds), world.pick(members))
    else:
        world.edit_event_type(world.pick(kinds), name=f"{world.pick(words.EVENT_NAMES)} 2")


def contact_changes(world: World) -> None:
    """A contact is edited, written about, put on a list, or deleted."""
    contacts = list(world.contacts.values())
    contact = world.pick(contacts)
    draw = world.random.randrange(6)
    if draw == 0 and len(contacts) > 12:  # noqa: PLR2004 -- the founding dozen stays
        world.delete_contact(contact)
    elif draw == 1:
        world.write_contact_note(contact, contact.owner)
    elif draw == 2:  # noqa: PLR2004 -- the third of six sides
        lists = [one for one in world.contact_lists.values() if not one.view and one.owner is contact.owner]
        if lists and contact not in lists[0].contacts:
            world.add_to_list(lists[0], contact)
    else:
        world.edit_contact(contact, company=world.pick(words.COMPANIES), phones=[])


def somebody_is_erased(world: World) -> None:
    """Erase an old meeting for data protection, if a few draws find one; small worlds keep their history."""
    meetings = list(world.meetings.values())
    for meeting in world.random.sample(meetings, k=min(20, len(meetings) // 4)):
        tied = any(one.old or one.new or one.submission for one in meeting.bookings)
        if meeting.end < world.now - 30 * DAY and not tied and not meeting.elsewhere:
            world.erase(meeting)
            return


def webhook_changes(world: World) -> None:
    """A webhook comes, fails or goes."""
    hooks = list(world.webhooks.values())[2:]
    if hooks and world.chance(0.5):
        hook = world.pick(hooks)
        if hook.active:
            world.disable_webhook(hook)
        else:
            world.delete_webhook(hook)
    else:
        world.add_webhook(f"https://hooks.example/{len(world.log)}")


HABITS = (
    Habit(somebody_books, 0.82),
    Habit(somebody_submits, 0.15),
    Habit(member_changes, 0.015),
    Habit(group_changes, 0.015),
    Habit(event_type_changes, 0.04),
    Habit(contact_changes, 0.1),
    Habit(somebody_is_erased, 0.01),
    Habit(webhook_changes, 0.01),
)
