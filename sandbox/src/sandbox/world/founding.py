"""How the world stands at its epoch, and the things that certainly happen to it afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.world import records as r
from sandbox.world import words
from sandbox.world.state import EPOCH

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sandbox.world.world import World

KINDS = ("solo", "group", "round_robin", "collective")
CLIENTS_PER_BOOKING_A_DAY = 60


def found(world: World) -> None:
    """Found the organization: everything in it is older than the epoch."""
    world.now = EPOCH - timedelta(days=400)
    world.organization = world.new(r.Organization, name="Bücher & Bäume GmbH")
    draw_clients(world)
    world.now += timedelta(days=1, seconds=1.25)
    memberships = [world.add_member("Ada Müller-O'Neill", "owner")]
    names = ("李 小龍", "Şebnem Öz", "José Ñandú")
    for name, seat in zip(names, ("member", "group_admin", "admin"), strict=True):
        world.now += timedelta(days=3, seconds=7.5)
        memberships.append(world.add_member(name, "admin" if seat == "admin" else "user"))
        world.seats[seat] = memberships[-1].person
    while len(memberships) < world.pace.members:
        world.now += world.later(timedelta(hours=1), timedelta(days=4))
        memberships.append(world.add_member())
    found_groups(world, memberships)
    found_event_types(world, [membership.person for membership in memberships])
    found_papers(world)
    for seat in ("owner", "member"):
        kind = next(kind for kind in world.bookable() if kind.owner is world.seats[seat])
        for days in (30, 31):
            meeting = world.open_meeting(kind, EPOCH - timedelta(days=days), elsewhere=True)
            world.join(meeting)
    world.now = EPOCH


def draw_clients(world: World) -> None:
    """Draw the people who book."""
    for number in range(20 + int(CLIENTS_PER_BOOKING_A_DAY * world.pace.bookings_per_day)):
        name = f"{world.pick(words.FIRST_NAMES)} {world.pick(words.LAST_NAMES)}"
        world.clients.append((name, f"client{number}@mail.example", world.pick(words.ZONES)))


def found_groups(world: World, memberships: list[r.Membership]) -> None:
    """Found groups, one of which has an admin of its own, and the first team."""
    groups = [world.create_group(name) for name in words.GROUP_NAMES[: 2 + len(memberships) // 8]]
    for membership in memberships:
        role = "admin" if membership.person is world.seats["group_admin"] else "member"
        world.add_to_group(groups[0] if role == "admin" else world.pick(groups), membership, role)
    world.add_to_group(groups[0], world.invite("pending@sandbox.example"))
    people = [membership.person for membership in memberships]
    world.create_team("Vertrieb", people[:3])
    world.create_team("Support ☎", people[2:5])


def found_event_types(world: World, people: list[r.Person]) -> None:
    """Offer every kind of event type, and a few per host."""
    teams = list(world.teams.values())
    for kind in KINDS:
        world.now += timedelta(days=1, seconds=3.125)
        shared = kind in {"round_robin", "collective"}
        world.create_event_type(teams[KINDS.index(kind) % 2] if shared else people[0], kind)
    world.create_event_type(people[0], name="Paid advice", paid=True)
    world.create_event_type(people[1], name="Just once", one_off=True)
    for person in people[1:]:
        world.create_event_type(person)
        if world.chance(0.3):
            world.create_event_type(person, "group")
    world.edit_event_type(world.create_event_type(people[0]), active=False)


def found_papers(world: World) -> None:
    """Start forms, custom fields, contacts, lists and webhooks."""
    for name, status in (("Contact sales", "published"), ("Support-Anfrage", "published"), ("Idea", "draft")):
        world.create_form(name, status)
    kinds = ("text", "number", "currency", "tags", "date", "single_select", "invitee_question", "boolean")
    for kind in kinds:
        world.define_custom_field(f"Our {kind}", kind)
    owners = list(world.people.values())[:3]
    for owner in owners:
        for _ in range(4):
            contact = world.create_contact(owner)
            world.write_contact_note(contact, owner)
        world.create_contact_list(owner, "VIP")
        world.create_contact_list(owner, "Recent", view=True)
    world.add_webhook("https://hooks.example/organization")
    world.add_webhook("https://hooks.example/mine", world.seats["owner"])


def promise(world: World) -> None:
    """Let one of everything happen in the first months, so that no scale lacks a case."""
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
        world.at(EPOCH + timedelta(days=3 + 9 * number, hours=1, seconds=0.5 + number), case)
    world.at(EPOCH + timedelta(days=140, seconds=0.75), still_recapping)


def _kind(world: World, kind: str = "solo") -> r.EventType:
    return next(one for one in world.bookable() if one.kind == kind and one.owner in world.people.values())


def _start(world: World, days: int = 2) -> datetime:
    return (world.now + timedelta(days=days)).replace(hour=10, minute=0, second=0, microsecond=0)


def if_stands(world: World, booking: r.Booking, act: Callable[[r.Booking], object]) -> None:
    """Do something about a booking, unless chance has canceled it."""
    if world.stands(booking):
        act(booking)


def twins(world: World) -> None:
    """Book three meetings at one instant for one hour: same start, same update time."""
    for person in list(world.people.values())[:3]:
        kind = next(kind for kind in world.bookable() if kind.owner is person)
        world.book(kind, _start(world))


def group_with_a_dropout(world: World) -> None:
    """Fill a group meeting, of which one invitee drops out."""
    meeting = world.open_meeting(_kind(world, "group"), _start(world, 5))
    bookings = [world.join(meeting) for _ in range(4)]
    world.after(timedelta(days=1), if_stands, bookings[1], world.cancel_booking)


def empty_slot(world: World) -> None:
    """Open a group meeting to which nobody ever comes."""
    world.open_meeting(_kind(world, "group"), _start(world, 12))


def paid_and_failed(world: World) -> None:
    """Pay for one meeting and fail to pay for another."""
    paid = next(kind for kind in world.bookable() if kind.paid)
    for days, successful in ((3, True), (4, False)):
        booking = world.book(paid, _start(world, days))
        world.after(timedelta(hours=days), lambda w, b, s: w.receive_payment(b, successful=s), booking, successful)


def no_show_and_pardon(world: World) -> None:
    """Let two invitees stay away, and forgive one."""
    first, second = (world.book(_kind(world), _start(world, days)) for days in (1, 2))
    world.at(first.meeting.end + timedelta(days=18), if_stands, first, world.mark_no_show)
    world.at(second.meeting.end + timedelta(hours=2), if_stands, second, world.mark_no_show)
    world.at(second.meeting.end + timedelta(days=3), if_stands, second, world.unmark_no_show)


def moved(world: World) -> None:
    """Reschedule one booking twice."""
    booking = world.book(_kind(world), _start(world, 6))
    world.add_guest(booking.meeting, "guest@mail.example")

    def move(world: World, booking: r.Booking, times: int) -> None:
        if not world.stands(booking):
            return
        new = world.reschedule(booking, _start(world, 6 + times))
        if times:
            world.after(timedelta(days=1, seconds=0.25), move, new, times - 1)

    world.after(timedelta(days=1), move, booking, 1)


def called_off(world: World) -> None:
    """Cancel once by the host and once by the invitee, and reconfirm a third."""
    first, second, third = (world.book(_kind(world), _start(world, days)) for days in (20, 21, 22))
    world.after(timedelta(days=2), if_stands, first, lambda one: world.cancel(one.meeting, "Line one\nline two"))
    world.after(timedelta(days=3), if_stands, second, world.cancel_booking)
    world.after(timedelta(days=20), if_stands, third, world.ask_reconfirmation)
    world.after(timedelta(days=21), if_stands, third, world.reconfirm)


def recapped(world: World) -> None:
    """Summarise a meeting, remind its invitee, and take notes long after it."""
    booking = world.book(_kind(world), _start(world, 1))
    world.send_message(booking, "email")
    world.send_message(booking, "sms")

    def summarise(world: World) -> None:
        recap = world.start_recap(booking.meeting)
        world.after(timedelta(minutes=20), lambda w: w.finish_recap(recap))

    world.at(booking.meeting.end, summarise)
    world.at(
        booking.meeting.end + timedelta(days=9),
        if_stands,
        booking,
        lambda one: world.add_note(one.meeting, words.NOTES[1]),
    )


def give_up_recap(world: World) -> None:
    """Fail to summarise a call that nobody booked here."""
    world.finish_recap(world.start_recap(), worked=False)


def still_recapping(world: World) -> None:
    """Begin a summary that never ends."""
    world.start_recap()


def routed(world: World) -> None:
    """Fill in forms: one leads to a booking a week later."""
    form = next(iter(world.forms.values()))
    submissions = [world.submit_form(form) for _ in range(3)]
    world.after(timedelta(days=7), lambda w: w.book(_kind(w), submission=submissions[0]))


def retired_type(world: World) -> None:
    """Delete an event type that a meeting refers to."""
    kind = world.create_event_type(world.seats["owner"], name="Retired")
    world.book(kind, _start(world, 2))
    world.after(timedelta(days=4), lambda w: w.delete_event_type(kind))


def everywhere(world: World) -> None:
    """Meet once in every kind of place, and once nowhere."""
    for days, kind in enumerate((*words.PLACES, None)):
        meeting = world.book(_kind(world), _start(world, 1 + days)).meeting
        meeting.place = None if kind is None else world.draw_place(kind)
