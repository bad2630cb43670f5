"""The world at its epoch, and the fixed cases that follow."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.world import records as r
from sandbox.world import words
from sandbox.world.state import EPOCH

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sandbox.world.company import Company

KINDS = ("solo", "group", "round_robin", "collective")
CLIENTS_PER_BOOKING_A_DAY = 60


def found(company: Company) -> None:
    """Found the organization, with records older than the epoch."""
    company.now = EPOCH - timedelta(days=400)
    company.organization = company.new(r.Organization, name="Bücher & Bäume GmbH")
    draw_clients(company)
    company.now += timedelta(days=1, seconds=1.25)
    memberships = [company.add_member("Ada Müller-O'Neill", "owner")]
    names = ("李 小龍", "Şebnem Öz", "José Ñandú")
    for name, seat in zip(names, ("member", "group_admin", "admin"), strict=True):
        company.now += timedelta(days=3, seconds=7.5)
        memberships.append(company.add_member(name, "admin" if seat == "admin" else "user"))
        company.seats[seat] = memberships[-1].person
    while len(memberships) < company.pace.members:
        company.now += company.later(timedelta(hours=1), timedelta(days=4))
        memberships.append(company.add_member())
    found_groups(company, memberships)
    found_event_types(company, [membership.person for membership in memberships])
    found_documents(company)
    for seat in ("owner", "member"):
        kind = next(kind for kind in company.bookable() if kind.owner is company.seats[seat])
        for days in (30, 31):
            meeting = company.open_meeting(kind, EPOCH - timedelta(days=days), elsewhere=True)
            company.join(meeting)
    company.now = EPOCH


def draw_clients(company: Company) -> None:
    """Draw the clients who book."""
    for number in range(20 + int(CLIENTS_PER_BOOKING_A_DAY * company.pace.bookings_per_day)):
        name = f"{company.pick(words.FIRST_NAMES)} {company.pick(words.LAST_NAMES)}"
        company.clients.append((name, f"client{number}@mail.example", company.pick(words.ZONES)))


def found_groups(company: Company, memberships: list[r.Membership]) -> None:
    """Create groups, one with a group admin, and two teams."""
    groups = [company.create_group(name) for name in words.GROUP_NAMES[: 2 + len(memberships) // 8]]
    for membership in memberships:
        role = "admin" if membership.person is company.seats["group_admin"] else "member"
        company.add_to_group(groups[0] if role == "admin" else company.pick(groups), membership, role)
    company.add_to_group(groups[0], company.invite("pending@sandbox.example"))
    people = [membership.person for membership in memberships]
    company.create_team("Vertrieb", people[:3])
    company.create_team("Support ☎", people[2:5])


def found_event_types(company: Company, people: list[r.Person]) -> None:
    """Create every kind of event type, and a few per host."""
    teams = list(company.teams.values())
    for kind in KINDS:
        company.now += timedelta(days=1, seconds=3.125)
        shared = kind in {"round_robin", "collective"}
        company.create_event_type(teams[KINDS.index(kind) % 2] if shared else people[0], kind)
    company.create_event_type(people[0], name="Paid advice", paid=True)
    company.create_event_type(people[1], name="Just once", one_off=True)
    for person in people[1:]:
        company.create_event_type(person)
        if company.chance(0.3):
            company.create_event_type(person, "group")
    company.edit_event_type(company.create_event_type(people[0]), active=False)


def found_documents(company: Company) -> None:
    """Create forms, custom fields, contacts, lists and webhooks."""
    for name, status in (("Contact sales", "published"), ("Support-Anfrage", "published"), ("Idea", "draft")):
        company.create_form(name, status)
    kinds = ("text", "number", "currency", "tags", "date", "single_select", "invitee_question", "boolean")
    for kind in kinds:
        company.define_custom_field(f"Our {kind}", kind)
    owners = list(company.people.values())[:3]
    for owner in owners:
        for _ in range(4):
            contact = company.create_contact(owner)
            company.write_contact_note(contact, owner)
        company.create_contact_list(owner, "VIP")
        company.create_contact_list(owner, "Recent", view=True)
    company.add_webhook("https://hooks.example/organization")
    company.add_webhook("https://hooks.example/mine", company.seats["owner"])


def promise(company: Company) -> None:
    """Schedule one case of everything in the first months, so that no scale lacks one."""
    cases = (
        twins,
        group_with_a_dropout,
        empty_slot,
        paid_and_failed,
        no_show_and_pardon,
        moved,
        called_off,
        recapped,
        give_up_recap,
        routed,
        retired_type,
        everywhere,
    )
    for number, case in enumerate(cases):
        company.at(EPOCH + timedelta(days=3 + 9 * number, hours=1, seconds=0.5 + number), case)
    company.at(EPOCH + timedelta(days=140, seconds=0.75), still_recapping)


def _kind(company: Company, kind: str = "solo") -> r.EventType:
    return next(one for one in company.bookable() if one.kind == kind and one.owner in company.people.values())


def _start(company: Company, days: int = 2) -> datetime:
    return (company.now + timedelta(days=days)).replace(hour=10, minute=0, second=0, microsecond=0)


def if_stands(company: Company, booking: r.Booking, act: Callable[[r.Booking], object]) -> None:
    """Call `act` with a booking, unless it has been canceled."""
    if company.stands(booking):
        act(booking)


def twins(company: Company) -> None:
    """Book three meetings at once with the same start, so that their update times are equal too."""
    for person in list(company.people.values())[:3]:
        kind = next(kind for kind in company.bookable() if kind.owner is person)
        company.book(kind, _start(company))


def group_with_a_dropout(company: Company) -> None:
    """Book four seats of a group meeting; one invitee cancels."""
    meeting = company.open_meeting(_kind(company, "group"), _start(company, 5))
    bookings = [company.join(meeting) for _ in range(4)]
    company.after(timedelta(days=1), if_stands, bookings[1], company.cancel_booking)


def empty_slot(company: Company) -> None:
    """Open a group meeting without invitees."""
    company.open_meeting(_kind(company, "group"), _start(company, 12))


def paid_and_failed(company: Company) -> None:
    """Pay for one meeting and fail to pay for another."""
    paid = next(kind for kind in company.bookable() if kind.paid)
    for days, successful in ((3, True), (4, False)):
        booking = company.book(paid, _start(company, days))
        company.after(timedelta(hours=days), lambda w, b, s: w.receive_payment(b, successful=s), booking, successful)


def no_show_and_pardon(company: Company) -> None:
    """Mark two invitees as no-shows, and unmark one."""
    first, second = (company.book(_kind(company), _start(company, days)) for days in (1, 2))
    company.at(first.meeting.end + timedelta(days=18), if_stands, first, company.mark_no_show)
    company.at(second.meeting.end + timedelta(hours=2), if_stands, second, company.mark_no_show)
    company.at(second.meeting.end + timedelta(days=3), if_stands, second, company.unmark_no_show)


def moved(company: Company) -> None:
    """Reschedule one booking twice."""
    booking = company.book(_kind(company), _start(company, 6))
    company.add_guest(booking.meeting, "guest@mail.example")

    def move(company: Company, booking: r.Booking, times: int) -> None:
        if not company.stands(booking):
            return
        new = company.reschedule(booking, _start(company, 6 + times))
        if times:
            company.after(timedelta(days=1, seconds=0.25), move, new, times - 1)

    company.after(timedelta(days=1), move, booking, 1)


def called_off(company: Company) -> None:
    """Cancel once by the host and once by the invitee, and reconfirm a third."""
    first, second, third = (company.book(_kind(company), _start(company, days)) for days in (20, 21, 22))
    company.after(timedelta(days=2), if_stands, first, lambda one: company.cancel(one.meeting, "Line one\nline two"))
    company.after(timedelta(days=3), if_stands, second, company.cancel_booking)
    company.after(timedelta(days=20), if_stands, third, company.ask_reconfirmation)
    company.after(timedelta(days=21), if_stands, third, company.reconfirm)


def recapped(company: Company) -> None:
    """Recap a meeting, remind its invitee, and write notes long after it."""
    booking = company.book(_kind(company), _start(company, 1))
    company.send_message(booking, "email")
    company.send_message(booking, "sms")

    def summarise(company: Company) -> None:
        recap = company.start_recap(booking.meeting)
        company.after(timedelta(minutes=20), lambda w: w.finish_recap(recap))

    company.at(booking.meeting.end, summarise)
    company.at(
        booking.meeting.end + timedelta(days=9),
        if_stands,
        booking,
        lambda one: company.add_note(one.meeting, words.NOTES[1]),
    )


def give_up_recap(company: Company) -> None:
    """Start a recap of a call without a booking, which fails."""
    company.finish_recap(company.start_recap(), worked=False)


def still_recapping(company: Company) -> None:
    """Start a recap that never finishes."""
    company.start_recap()


def routed(company: Company) -> None:
    """Submit a form three times; one submission leads to a booking a week later."""
    form = next(iter(company.forms.values()))
    submissions = [company.submit_form(form) for _ in range(3)]
    company.after(timedelta(days=7), lambda w: w.book(_kind(w), submission=submissions[0]))


def retired_type(company: Company) -> None:
    """Delete an event type to which a meeting refers."""
    kind = company.create_event_type(company.seats["owner"], name="Retired")
    company.book(kind, _start(company, 2))
    company.after(timedelta(days=4), lambda w: w.delete_event_type(kind))


def everywhere(company: Company) -> None:
    """Book a meeting in every kind of place, and one without a place."""
    for days, kind in enumerate((*words.PLACES, None)):
        meeting = company.book(_kind(company), _start(company, 1 + days)).meeting
        meeting.place = None if kind is None else company.draw_place(kind)
