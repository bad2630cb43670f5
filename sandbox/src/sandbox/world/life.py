"""Random habits: bookings and what follows from them, and changes of the organization."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.world import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.world import records as r
    from sandbox.world.company import Company

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LATEST_NO_SHOW = 19 * DAY
"""A no-show is marked at most this long after the meeting's end, which is within 20 days of its start."""


@dataclass(frozen=True, slots=True)
class Habit:
    """An act that recurs, `per_booking` times as often as bookings."""

    act: Callable[[Company], None]
    per_booking: float


def begin(company: Company) -> None:
    """Start every habit."""
    for habit in HABITS:
        recur(company, habit, first=True)


def recur(company: Company, habit: Habit, *, first: bool = False) -> None:
    """Act, unless this is the `first` time, and draw the time of the next act."""
    if not first:
        habit.act(company)
    per_day = habit.per_booking * company.pace.bookings_per_day
    company.after(DAY * company.random.expovariate(per_day), recur, habit)


def somebody_books(company: Company) -> None:
    """Book a meeting; an open group meeting with free seats is joined in most cases."""
    kind = company.pick(company.bookable())
    if kind.seats == 1:
        follow(company, company.book(kind))
        return
    open_ones = company.group_meetings[kind.id]
    open_ones[:] = [m for m in open_ones if m.start > company.now and not m.cancellation and m.id in company.meetings]
    roomy = [meeting for meeting in open_ones if len(meeting.active_bookings) < meeting.seats]
    if roomy and company.chance(0.7):
        follow(company, company.join(company.pick(roomy)))
        return
    meeting = company.open_meeting(kind)
    open_ones.append(meeting)
    if company.chance(0.9):
        follow(company, company.join(meeting))


def follow(company: Company, booking: r.Booking) -> None:
    """Draw the further events of a booking."""
    draw_fate(company, booking)
    draw_messages(company, booking)
    draw_aftermath(company, booking)
    if booking.email not in company.known_emails and company.chance(0.4):
        company.known_emails.add(booking.email)
        company.create_contact(booking.meeting.hosts[0], booking.name, booking.email)


def draw_fate(company: Company, booking: r.Booking) -> None:
    """Draw a booking's cancellation or move, and its guest."""
    lead = booking.meeting.start - company.now
    fate = company.random.random()
    early = company.random.uniform(0.02, 0.95)
    if fate < FATES["host cancels"]:
        company.after(lead * early, host_cancels, booking.meeting)
    elif fate < FATES["invitee cancels"]:
        company.after(lead * early, invitee_cancels, booking)
    elif fate < FATES["reschedule"]:
        company.after(lead * early, reschedules, booking)
    if company.chance(0.1):
        company.after(lead * company.random.random(), brings_a_guest, booking)


def draw_messages(company: Company, booking: r.Booking) -> None:
    """Draw messages, reconfirmation and payment before the meeting."""
    start = booking.meeting.start
    if company.chance(0.3):
        company.send_message(booking)
    if company.chance(0.2) and start - company.now > HOUR:
        company.at(start - HOUR, is_reminded, booking)
    if company.chance(0.2) and start - company.now > 2 * DAY:
        company.at(start - DAY, is_requested, booking)
    if booking.meeting.event_type.paid:
        company.after(company.later(2 * MINUTE, 3 * DAY), pays, booking)


def draw_aftermath(company: Company, booking: r.Booking) -> None:
    """Draw no-show, notes and recap after the meeting."""
    meeting = booking.meeting
    if company.chance(0.08):
        company.at(meeting.end + company.later(5 * MINUTE, LATEST_NO_SHOW), stays_away, booking)
    if company.chance(0.1):
        company.at(meeting.end + company.later(MINUTE, 30 * DAY), is_noted, meeting)
    if company.chance(0.12):
        company.at(meeting.end, is_recapped, meeting)


FATES = {"host cancels": 0.05, "invitee cancels": 0.13, "reschedule": 0.21}
"""Upper bounds of the draw that decides a booking's fate."""


def host_cancels(company: Company, meeting: r.Meeting) -> None:
    """Cancel a meeting, or now and then all of the host's meetings of that day."""
    if meeting.cancellation or meeting.id not in company.meetings:
        return
    day = [meeting]
    if company.chance(0.1):
        day = [
            other
            for other in company.meetings.values()
            if not other.cancellation
            and other.end > company.now
            and other.start.date() == meeting.start.date()
            and other.hosts[0] is meeting.hosts[0]
        ]
    reason = company.pick(words.REASONS)
    for each in day:
        company.cancel(each, reason)


def invitee_cancels(company: Company, booking: r.Booking) -> None:
    """Cancel a booking."""
    if company.stands(booking):
        company.cancel_booking(booking, company.pick(words.REASONS))


def reschedules(company: Company, booking: r.Booking) -> None:
    """Move a booking; the new one has a fate of its own."""
    if company.stands(booking):
        follow(company, company.reschedule(booking))


def brings_a_guest(company: Company, booking: r.Booking) -> None:
    """Add a guest to the meeting."""
    if company.stands(booking):
        company.add_guest(booking.meeting, f"guest{booking.serial}@mail.example")


def is_requested(company: Company, booking: r.Booking) -> None:
    """Ask the invitee to reconfirm; most do."""
    if company.stands(booking):
        company.ask_reconfirmation(booking)
        if company.chance(0.7):
            company.after(company.later(MINUTE, 20 * HOUR), reconfirms, booking)


def reconfirms(company: Company, booking: r.Booking) -> None:
    """Reconfirm a booking."""
    if company.stands(booking):
        company.reconfirm(booking)


def pays(company: Company, booking: r.Booking) -> None:
    """Receive the result of a payment."""
    if booking.id in company.bookings:
        company.receive_payment(booking, successful=company.chance(0.9))


def is_reminded(company: Company, booking: r.Booking) -> None:
    """Send a reminder by text message."""
    if company.stands(booking):
        company.send_message(booking, "sms")


def stays_away(company: Company, booking: r.Booking) -> None:
    """Mark a no-show; some are unmarked within the same span."""
    if company.stands(booking):
        company.mark_no_show(booking)
        latest = booking.meeting.end + LATEST_NO_SHOW - company.now
        if company.chance(0.15):
            company.after(latest * company.random.random(), is_pardoned, booking)


def is_pardoned(company: Company, booking: r.Booking) -> None:
    """Unmark a no-show."""
    if company.stands(booking):
        company.unmark_no_show(booking)


def is_noted(company: Company, meeting: r.Meeting) -> None:
    """Add meeting notes."""
    if meeting.id in company.meetings:
        company.add_note(meeting, company.pick(words.NOTES))


def is_recapped(company: Company, meeting: r.Meeting) -> None:
    """Start a recap, which takes from minutes to days."""
    if not meeting.cancellation and meeting.id in company.meetings:
        recap = company.start_recap(meeting)
        company.after(company.later(10 * MINUTE, 2 * DAY), recap_ends, recap)


def recap_ends(company: Company, recap: r.Recap) -> None:
    """Finish a recap; some are edited later and some deleted."""
    if recap.id not in company.recaps:
        return
    company.finish_recap(recap, worked=company.chance(0.85))
    if recap.status == "available" and company.chance(0.2):
        company.after(company.later(HOUR, 20 * DAY), recap_changes, recap)


def recap_changes(company: Company, recap: r.Recap) -> None:
    """Edit or delete a recap."""
    if recap.id not in company.recaps:
        return
    if company.chance(0.3):
        company.delete_recap(recap)
    else:
        company.edit_recap(recap, "## Summary\n\nCorrected by hand.")


def somebody_submits(company: Company) -> None:
    """Submit a form, and perhaps book within 20 days."""
    submission = company.submit_form()
    if company.chance(0.5):
        company.after(company.later(MINUTE, 20 * DAY), submitter_books, submission)


def submitter_books(company: Company, submission: r.Submission) -> None:
    """Book as the submitter of a form."""
    singles = [kind for kind in company.bookable() if kind.seats == 1]
    follow(company, company.book(company.pick(singles), submission=submission))


def member_changes(company: Company) -> None:
    """Add, remove, rename or invite a member."""
    others = [one for one in company.memberships.values() if one.person not in company.seats.values()]
    draw = company.random.randrange(4)
    if draw == 0 or not others:
        company.create_event_type(company.add_member().person)
    elif draw == 1 and len(others) > 1:
        company.remove_member(company.pick(others))
    elif draw == 2:  # noqa: PLR2004 -- the third of four sides
        company.edit_person(company.pick(others).person, name=f"{company.pick(words.FIRST_NAMES)} Neu")
    else:
        invitation = company.invite()
        ending = company.pick((company.accept_invitation, company.revoke_invitation, company.decline_invitation, None))
        if ending:
            company.after(company.later(HOUR, 9 * DAY), invitation_ends, ending, invitation)


def invitation_ends(company: Company, ending: Callable[[r.Invitation], object], invitation: r.Invitation) -> None:
    """Accept, decline or revoke an invitation."""
    if invitation.id in company.invitations:
        ending(invitation)


def group_changes(company: Company) -> None:
    """Create a group for a while, or add or remove a member of one."""
    places = [place for place in company.group_places.values() if place.role == "member"]
    if company.chance(0.2):
        group = company.create_group(f"Projekt {len(company.log)}")
        company.after(company.later(DAY, 60 * DAY), lambda w: w.delete_group(group))
    elif company.chance(0.4) and len(places) > 2:  # noqa: PLR2004 -- a few stay
        company.remove_from_group(company.pick(places))
    else:
        company.add_to_group(
            company.pick(list(company.groups.values())), company.pick(list(company.memberships.values()))
        )


def event_type_changes(company: Company) -> None:
    """Create, edit or delete an event type, or add a host."""
    members = [membership.person for membership in company.memberships.values()]
    kinds = company.bookable()
    draw = company.random.randrange(6)
    if draw == 0:
        company.create_event_type(company.pick(members), one_off=company.chance(0.3))
    elif draw == 1 and len(kinds) > 2 * len(company.seats):
        spare = [kind for kind in kinds if kind.position > len(company.seats) + 6 and kind.kind == "solo"]
        if spare:
            company.delete_event_type(company.pick(spare))
    elif draw == 2:  # noqa: PLR2004 -- the third of six sides
        company.add_host(company.pick(kinds), company.pick(members))
    else:
        company.edit_event_type(company.pick(kinds), name=f"{company.pick(words.EVENT_NAMES)} 2")


def contact_changes(company: Company) -> None:
    """Edit or delete a contact, write a note about one, or add one to a list."""
    contacts = list(company.contacts.values())
    contact = company.pick(contacts)
    draw = company.random.randrange(6)
    if draw == 0 and len(contacts) > 12:  # noqa: PLR2004 -- the founding dozen stays
        company.delete_contact(contact)
    elif draw == 1:
        company.write_contact_note(contact, contact.owner)
    elif draw == 2:  # noqa: PLR2004 -- the third of six sides
        lists = [one for one in company.contact_lists.values() if not one.view and one.owner is contact.owner]
        if lists and contact not in lists[0].contacts:
            company.add_to_list(lists[0], contact)
    else:
        company.edit_contact(contact, company=company.pick(words.COMPANIES), phones=[])


def somebody_is_erased(company: Company) -> None:
    """Erase an old meeting for data protection, if a few draws find one; small worlds rarely do."""
    meetings = list(company.meetings.values())
    for meeting in company.random.sample(meetings, k=min(20, len(meetings) // 4)):
        tied = any(one.old or one.new or one.submission for one in meeting.bookings)
        if meeting.end < company.now - 30 * DAY and not tied and not meeting.elsewhere:
            company.erase(meeting)
            return


def webhook_changes(company: Company) -> None:
    """Add, disable or delete a webhook."""
    hooks = list(company.webhooks.values())[2:]
    if hooks and company.chance(0.5):
        hook = company.pick(hooks)
        if hook.active:
            company.disable_webhook(hook)
        else:
            company.delete_webhook(hook)
    else:
        company.add_webhook(f"https://hooks.example/{len(company.log)}")


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
