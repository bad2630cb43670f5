"""Fixed cases of public events, which every world has."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.world.gatherings import records as g
from sandbox.world.gatherings.around import DAY
from sandbox.world.gatherings.drawing import QUESTIONS, draw_questions
from sandbox.world.gatherings.life import HOUR, SCALES, drop_kind

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Any

    from sandbox.world.gatherings.attendance import Gatherings


def in_days(gs: Gatherings, days: int, hour: int = 17) -> datetime:
    """Return a full hour, some days from now."""
    return (gs.now + timedelta(days=days)).replace(hour=hour, minute=0, second=0, microsecond=0)


def fair(gs: Gatherings) -> None:
    """Ask every kind of question, sell every kind of ticket, and let one guest hold three."""
    fair = gs.create(
        in_days(gs, 12),
        place_kind="offline",
        questions=draw_questions(gs, len(QUESTIONS)),
        several_tickets=True,
        timezone="Europe/Berlin",
        hosts=gs.main.admins[:2],
    )
    day = f"{fair.end:%Y-%m-%d}"
    gs.tag(fair.listings[0], gs.main.event_tags[0])
    gs.tag(fair.listings[0], gs.main.event_tags[1])
    standard = fair.kinds[0]
    paid = gs.add_ticket_kind(fair, "Supporter", cents=4900, capacity=50, valid_end=day, description="With dinner")
    crew = gs.add_ticket_kind(fair, "Crew", hidden=True)
    gs.add_ticket_kind(
        fair, "Pay what you want", cents=1000, least_cents=300, flexible=True, valid_start=f"{gs.now:%Y-%m-%d}"
    )
    spare = gs.add_ticket_kind(fair, "Nobody wants this", cents=99900)
    coupon = gs.add_coupon(fair, "FRIENDS", 10, percent=20)
    gs.add_coupon(fair, "TENOFF", 5, cents=1000, currency="eur", valid_start=gs.now, valid_end=fair.end)
    gs.add_coupon(fair, "BACKSTAGE", g.UNLIMITED, kind=crew)
    gs.add_coupon(fair, "MISPRINT", 3, percent=90)
    family, supporter, helper, canceler = (
        gs.register(fair, kind=standard, quantity=3),
        gs.register(fair, kind=paid, coupon=coupon),
        gs.register(fair, kind=crew),
        gs.register(fair, kind=paid, coupon=gs.main.coupons[0], quantity=2),
    )
    gs.edit_answers(family, [g.Answer(question, always(question)) for question in fair.questions])
    gs.edit_answers(helper, [g.Answer(question, never(question)) for question in fair.questions])
    gs.invite(fair)
    gs.after(DAY, drop_kind, gs, spare)
    gs.after(DAY, gs.delete_coupon, fair.coupons[-1])
    gs.after(2 * DAY, gs.decline, canceler)
    gs.after(3 * DAY, gs.change_tickets, family, (paid,))
    gs.at(fair.start, gs.check_in, family.tickets[0])
    gs.at(fair.start + 0.1 * HOUR, gs.check_in, family.tickets[2])
    gs.at(fair.start + HOUR, gs.check_in, supporter.tickets[0])
    gs.at(fair.end + 24 * DAY, gs.undo_check_in, supporter.tickets[0])
    gs.at(fair.end + 20 * DAY, gs.check_in, helper.tickets[0])


def always(question: g.Question) -> Any:
    """Return an answer to a question, never an empty one."""
    answers: dict[str, Any] = {
        "agree-check": True,
        "company": {"company": "Globex", "job_title": ""},
        "multi-select": question.details.get("options", [])[:2],
        "terms": "Ada Müller" if question.details.get("terms", {}).get("collect_signature") else True,
    }
    return answers.get(question.kind, question.details.get("options", ["https://profile.example/ada"])[0])


def never(question: g.Question) -> Any:
    """Return an answer, or none to an optional question."""
    answers: dict[str, Any] = {"agree-check": False, "company": {"company": "", "job_title": ""}}
    return answers.get(question.kind)


def online(gs: Gatherings) -> None:
    """Hold an event on Zoom: one guest, without a name, joins; another only registers."""
    event = gs.create(in_days(gs, 9), place_kind="zoom", timezone="Asia/Kolkata", feedback_hours=2)
    nameless = gs.add_attendee(None, "nameless@mail.example")
    gs.edit_profile(nameless, phone="+493000000000", ethereum=f"0x{7:040x}", solana="So" + "1" * 40)
    guest = gs.register(event, nameless)
    gs.register(event)
    gs.at(event.start + 0.2 * HOUR, gs.join_online, guest)


def by_approval(gs: Gatherings) -> None:
    """Approve one guest long after the end, decline another, and leave the third pending."""
    event = gs.create(in_days(gs, 8), place_kind="meet", creator=gs.main.admins[-1])
    gs.edit_ticket_kind(event.kinds[0], require_approval=True)
    late, turned_down, _ = (gs.register(event) for _ in range(3))
    gs.at(event.end + 20 * DAY, gs.approve, late)
    gs.after(DAY, gs.decline, turned_down)


def full(gs: Gatherings) -> None:
    """Fill two places; a guest cancels, and one of three on the waiting list moves up."""
    event = gs.create(in_days(gs, 10), place_kind="offline", capacity=2, waitlist=True, place_visibility="guests-only")
    guests = [gs.register(event) for _ in range(4)]
    gs.after(2 * DAY, gs.decline, guests[0])
    gs.after(2.1 * DAY, gs.promote, guests[2])


def by_invitation(gs: Gatherings) -> None:
    """Invite several attendees; one registers."""
    event = gs.create(in_days(gs, 14), place_kind="youtube", visibility="private")
    guests = [gs.invite(event) for _ in range(5)]
    gs.after(3 * DAY, gs.register, event, guests[1].attendee)


def empty(gs: Gatherings) -> None:
    """Hold an event without guests."""
    gs.create(in_days(gs, 6), place_kind="discord", visibility="members-only", registration_open=False)


def conference(gs: Gatherings) -> None:
    """Hold an event of ten days, with paid tickets only."""
    event = gs.create(in_days(gs, 20), end=in_days(gs, 30, hour=20) + 0.5 * HOUR, place_kind="twitch")
    gs.edit_ticket_kind(event.kinds[0], paid=True, cents=12000, currency="usd")
    guest = gs.register(event)
    gs.at(event.start + 9 * DAY, gs.check_in, guest.tickets[0])


def far_ahead(gs: Gatherings) -> None:
    """Plan an event for next year."""
    gs.invite(gs.create(in_days(gs, 400), place_kind="missing"))


def back_dated(gs: Gatherings) -> None:
    """Create an event that is over already."""
    event = gs.create(in_days(gs, -6), place_kind="twitter")
    gs.check_in(gs.register(event).tickets[0])


def unfinished(gs: Gatherings) -> None:
    """Stop half-way through a registration, and register again after declining."""
    event = gs.create(in_days(gs, 11), place_kind="unknown")
    gs.register(event, unfinished=True)
    back = gs.register(event)
    gs.after(DAY, gs.decline, back)
    gs.after(3 * DAY, gs.register, event, back.attendee)


def called_off(gs: Gatherings) -> None:
    """Cancel an event with guests."""
    event = gs.create(in_days(gs, 15))
    for _ in range(2):
        gs.register(event)
    gs.after(5 * DAY, gs.cancel, event)


def handed_over(gs: Gatherings) -> None:
    """Transfer two events between the first two calendars."""
    main, second, *_ = gs.calendars.values()
    for here, there in ((main, second), (second, main)):
        event = gs.create(in_days(gs, 25), calendar=here)
        gs.register(event)
        gs.after(4 * DAY, gs.transfer, event, there)


def elsewhere(gs: Gatherings) -> None:
    """List other calendars' events on the main calendar; a private one is never shown."""
    main, second, third, neighbours = gs.calendars.values()
    ours = gs.create(in_days(gs, 18), calendar=second, place_kind="offline", place_visibility="guests-only")
    theirs = gs.create(in_days(gs, 19), calendar=neighbours, place_kind="zoom")
    private = gs.create(in_days(gs, 19), calendar=neighbours, visibility="private")
    gs.create(in_days(gs, 21), calendar=third)
    for event in (ours, theirs, private):
        gs.list_on(event, main)
        gs.register(event)


def external(gs: Gatherings) -> None:
    """List events of another platform, one with and one without a place, one not approved yet, one rejected."""
    submitter = gs.draw_attendee({})
    gs.tag(gs.create(in_days(gs, 10), external="Nordlys A/S", place_kind="offline").listings[0], gs.main.event_tags[0])
    gs.create(in_days(gs, 12), external="", place_kind="missing")
    gs.create(in_days(gs, 13), external="Globex", status="pending", submitter=submitter)
    gs.create(in_days(gs, 14), external="Globex", status="rejected", submitter=submitter)


def suggested(gs: Gatherings) -> None:
    """Suggest four events to the main calendar: two are decided about, two wait."""
    main, second, _, neighbours = gs.calendars.values()
    submitter = gs.draw_attendee({})
    accepted, rejected, waiting = (
        gs.create(in_days(gs, 30 + days), status="pending", submitter=submitter) for days in range(3)
    )
    gs.register(accepted)
    gs.register(waiting)
    gs.list_on(gs.create(in_days(gs, 200), calendar=neighbours), main, status="pending", submitter=submitter)
    gs.list_on(gs.create(in_days(gs, 30), calendar=second), main, status="pending")
    gs.after(2 * DAY, gs.decide, accepted.listings[0], "approved")
    gs.after(2 * DAY, gs.decide, rejected.listings[0], "rejected")


def mailed(gs: Gatherings) -> None:
    """Send mailings: one now, one next year, one that is quarantined."""
    event = gs.create(in_days(gs, 7), place_kind="offline")
    for _ in range(2):
        gs.register(event)
    sent = gs.send_mailing(event)
    for days in (1, 3, 6):
        gs.after(days * DAY, gs.open_mailing, sent)
    groups: list[tuple[str, g.TicketKind | None]] = [("invited", None), ("checked_in", event.kinds[0])]
    gs.edit_mailing(gs.schedule_mailing(event, in_days(gs, 400), None, groups), sender=None)
    gs.send_mailing(gs.schedule_mailing(event, in_days(gs, 1)), quarantined=True)
    gs.after(2 * DAY, lambda: gs.edit_mailing(sent, subject="See you sooner", sender=event.hosts[0]))


def crowded(gs: Gatherings) -> None:
    """Hold an event with more guests than fit on a page, if the world is large enough."""
    event = gs.create(in_days(gs, 16), place_kind="offline", address=None)
    for number in range(SCALES[gs.world.scale].crowd):
        if number % 3 == 1:
            gs.invite(event)
        else:
            gs.register(event)
    for number, guest in enumerate(list(event.guests.values())):
        if guest.tickets and number % 2 == 0:
            gs.at(event.start + number * timedelta(seconds=20), gs.check_in, guest.tickets[0])


def moved_earlier(gs: Gatherings) -> None:
    """Move an event to an earlier day; its only guest changes name and address."""
    event = gs.create(in_days(gs, 40), place_kind="zoom")
    attendee = gs.add_attendee("Alt Benannt", "old@mail.example")
    gs.register(event, attendee)
    gs.after(2 * DAY, gs.move, event, in_days(gs, 20))
    gs.after(3 * DAY, lambda: gs.edit_profile(attendee, name="Neu Benannt", email="new@mail.example"))


def followed(gs: Gatherings) -> None:
    """Tag a follower, change the follower's membership, and remove another one."""
    first, *_, last = gs.main.contacts.values()
    gs.tag(first, gs.main.contact_tags[-1])
    gs.edit_contact(first, membership=("approved", gs.main.tiers[-1]))
    gs.remove_contact(last)
    gs.delete_tag(gs.main, gs.main.event_tags[-1])
    gs.add_event_tag(gs.main, "New ☀")


CASES: tuple[Callable[[Gatherings], None], ...] = (
    fair,
    online,
    by_approval,
    full,
    by_invitation,
    empty,
    conference,
    far_ahead,
    back_dated,
    unfinished,
    called_off,
    handed_over,
    elsewhere,
    external,
    suggested,
    mailed,
    crowded,
    moved_earlier,
    followed,
)
