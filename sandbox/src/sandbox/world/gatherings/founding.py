"""The calendars at the world's epoch, and the fixed cases of public events that follow."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.world.gatherings import records as g
from sandbox.world.gatherings.cases import CASES
from sandbox.world.state import EPOCH

if TYPE_CHECKING:
    from sandbox.world.gatherings.attendance import Gatherings


def found(gs: Gatherings) -> None:
    """Create three calendars of the organization and one foreign calendar, all older than the epoch."""
    owner, member, group_admin, admin = (gs.world.seats[seat] for seat in ("owner", "member", "group_admin", "admin"))
    gs.world.now = EPOCH - timedelta(days=200, seconds=1.234)
    berlin = {"city": "Berlin", "region": None, "country": "Germany", "country_code": "DE", "timezone": "Europe/Berlin"}
    main = gs.add_calendar(
        "Bücher & Bäume Events",
        "buecher-baeume",
        description="Readings, breakfasts & hack nights",
        admins=[owner, member],
        place=berlin,
        coordinate=(52.52, 13.405),
        handles={"instagram": "buecherbaeume", "website": "https://baeume.example"},
    )
    second = gs.add_calendar("Akademie", "akademie", admins=[admin, member])
    gs.add_calendar("Intern", "intern", admins=[group_admin])
    neighbour = gs.add_attendee("Nadia Begić", "nadia@neighbours.example", "Europe/Kyiv")
    gs.add_calendar("Neighbours", "neighbours", ours=False, personal=True, admins=[neighbour])
    gs.world.now += timedelta(days=30)
    for calendar in (main, second):
        for name in ("Community", "Workshop ✎", "Old"):
            gs.add_event_tag(calendar, name)
        for name in ("VIP", "Presse", "Speaker"):
            gs.add_contact_tag(calendar, name)
        free = gs.add_tier(calendar, "Friends", "free", require_approval=True)
        gs.add_tier(calendar, "Lifetime", "once", amount=25000, currency="eur", description="For ever")
        gs.add_tier(calendar, "Patron", "recurring", monthly=500, yearly=5000, currency="eur")
        gs.add_tier(calendar, "Monthly", "recurring", monthly=900, currency="usd", color="#ff4f00")
        gs.add_coupon(calendar, "TENOFF", 40, percent=10)
        gs.add_coupon(calendar, "FIVER", 8, cents=500, currency="eur", valid_end=EPOCH + timedelta(days=300))
        gs.add_coupon(calendar, "ALWAYS", g.UNLIMITED, percent=100, valid_start=EPOCH)
        for status in ("approved", "pending", "approved-pending-payment", "declined"):
            contact = gs.add_contact(calendar)
            gs.edit_contact(contact, membership=(status, free if status == "pending" else None))
            gs.tag(contact, calendar.contact_tags[0])
        gs.tag(contact, calendar.contact_tags[1])
        gs.add_contact(calendar)
    gs.world.now = EPOCH


def promise(gs: Gatherings) -> None:
    """Schedule the fixed cases in the first months, so that no scale lacks one."""
    for number, case in enumerate(CASES):
        gs.at(EPOCH + timedelta(days=1 + 4 * number, hours=2, seconds=0.321 * (number + 1)), case, gs)
