"""Public events: reproducible, independent of everything else in the world, and without late random changes."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from sandbox import Sandbox, World
from sandbox.calendly.truth import STREAMS as CALENDLY
from sandbox.luma.truth import STREAMS
from sandbox.world import DEFAULT_NOW

if TYPE_CHECKING:
    from sandbox.world.gatherings import Gatherings

WINDOW = timedelta(days=30)
STANDING = ("event_guests", "event_details", "ticket_types", "event_coupons", "event_blasts")
"""Streams that an incremental reader reads again until `WINDOW` after an event's end."""


def everything(sandbox: Sandbox) -> bytes:
    """Return the whole truth as bytes."""
    keys = ("sandbox-admin", "sandbox-second")
    return msgspec.json.encode([sandbox.truth("luma", stream, key) for key in keys for stream in STREAMS])


@pytest.mark.parametrize("scale", ["tiny", "test"])
def test_one_seed_is_one_world_however_it_got_there(scale: str) -> None:
    leap, walk = Sandbox(scale=scale), Sandbox(scale=scale)
    leap.advance(days=60)
    for hours in (1, 24, 47, 0.5, 1367.5):
        walk.advance(hours=hours)
    late = Sandbox(scale=scale, now=DEFAULT_NOW + timedelta(days=60))
    assert everything(leap) == everything(walk) == everything(late)
    assert everything(leap) != everything(Sandbox(seed=8, scale=scale, now=leap.world.now))


@pytest.mark.parametrize(
    ("scale", "digest"),
    [
        ("tiny", "c606c23d453ca1fd9d4755141f5f6d5d6f05845e4ded5074398029c21c28f03f"),
        ("test", "16304433e3aac7d1fca1e15b211896562e79e8e0155e066027106ce51fad1977"),
    ],
)
def test_meetings_are_what_they_were_without_public_events(scale: str, digest: str) -> None:
    sandbox = Sandbox(7, scale)
    rows = msgspec.json.encode({stream: sandbox.truth("calendly", stream) for stream in CALENDLY})
    assert hashlib.sha256(rows).hexdigest() == digest


@pytest.mark.parametrize("seed", range(1, 6))
def test_even_the_smallest_world_has_something_of_everything(seed: int) -> None:
    sandbox = Sandbox(seed, "tiny")
    assert [stream for stream in STREAMS if not sandbox.truth("luma", stream)] == []
    assert 20 < len(sandbox.truth("luma", "event_guests")) < 60
    assert 10 < len(sandbox.truth("luma", "events")) < 30
    second = ("events", "event_guests", "contacts", "calendar")
    assert all(sandbox.truth("luma", stream, "sandbox-second") for stream in second)
    assert sandbox.truth("luma", "events", "sandbox-organization") == []
    with pytest.raises(LookupError, match="no truth about luma nothing"):
        sandbox.truth("luma", "nothing")
    with pytest.raises(LookupError, match="sandbox-stranger"):
        sandbox.truth("luma", "events", "sandbox-stranger")


def standing(sandbox: Sandbox) -> dict[str, bytes]:
    """Return all rows of each event whose window is over."""
    ends = {row["id"]: datetime.fromisoformat(row["end_at"]) for row in sandbox.truth("luma", "events")}
    known: dict[str, list[Any]] = {one: [] for one, end in ends.items() if end < sandbox.world.now - WINDOW}
    for stream in STANDING:
        for row in sandbox.truth("luma", stream):
            known.get(row.get("event_id", row["id"]), []).append(row)
    return {event: msgspec.json.encode(rows) for event, rows in known.items()}


@pytest.mark.parametrize(("seed", "scale"), [(7, "tiny"), (8, "tiny"), (7, "test"), (9, "test")])
def test_chance_changes_nothing_about_an_event_thirty_days_after_its_end(seed: int, scale: str) -> None:
    sandbox = Sandbox(seed, scale, datetime.fromisoformat("2026-01-20T00:00:00Z"))
    before = standing(sandbox)
    for _ in range(60):
        sandbox.advance(days=4)
        now = standing(sandbox)
        assert {event: now.get(event) for event in before} == before
        before = now
    assert len(before) > 10


def test_chance_does_change_guests_after_the_end() -> None:
    sandbox = Sandbox(7, "test", datetime.fromisoformat("2026-01-20T00:00:00Z"))
    late = 0
    for _ in range(30):
        ended = {
            row["id"]
            for row in sandbox.truth("luma", "events")
            if datetime.fromisoformat(row["end_at"]) < sandbox.world.now - timedelta(days=2)
        }
        before = {row["id"]: row for row in sandbox.truth("luma", "event_guests") if row["event_id"] in ended}
        sandbox.advance(days=4)
        now = {row["id"]: row for row in sandbox.truth("luma", "event_guests")}
        late += sum(now.get(key) != row for key, row in before.items())
    assert late > 10


def test_guests_move_nothing_but_four_stamps() -> None:
    world = World(scale="tiny")
    gs = world.gatherings
    event = gs.create(capacity=1, waitlist=True)
    kind = gs.add_ticket_kind(event, "Dear", cents=1000, require_approval=True)
    waiting, guest = gs.register(event, kind=kind), gs.register(event)
    stamps = (waiting.registered_at, waiting.invited_at, waiting.joined_at)
    world.advance(days=1)
    assert (waiting.status, waiting.tickets[0].captured) == ("pending_approval", False)
    gs.approve(waiting)
    assert [ticket.captured for ticket in waiting.tickets] == [True]
    gs.decline(waiting)
    assert waiting.tickets == []
    assert gs.register(event, waiting.attendee).status == "waitlist"
    gs.promote(waiting)
    gs.waitlist(waiting)
    gs.edit_answers(waiting, [])
    gs.change_tickets(guest, add=[kind])
    gs.change_tickets(guest, remove=guest.tickets[:1])
    assert (waiting.registered_at, waiting.invited_at, waiting.joined_at) == stamps
    gs.check_in(guest.tickets[0])
    assert guest.tickets[0].checked_in_at == world.now
    gs.undo_check_in(guest.tickets[0])
    gs.join_online(guest)
    assert [ticket.checked_in_at for ticket in guest.tickets] == [None]
    assert guest.joined_at == world.now
    gs.reregistering_moves_stamp = True
    gs.decline(waiting)
    gs.register(event, waiting.attendee)
    assert waiting.registered_at == world.now


def test_a_profile_changes_at_every_event_at_once() -> None:
    sandbox = Sandbox(scale="tiny")
    gs = sandbox.world.gatherings
    attendee = max(gs.attendees.values(), key=lambda one: len(one.guests))
    assert len(attendee.guests) > 1
    mail = attendee.email  # shown as the guest typed it
    guests = sandbox.truth("luma", "event_guests")
    before = {row["id"] for row in guests if row["user_email"].strip().lower() == mail.lower()}
    gs.edit_profile(attendee, name="Grace Hopper", email="grace@new.example")
    after = {row["id"] for row in sandbox.truth("luma", "event_guests") if row["user_email"] == "grace@new.example"}
    assert before == after


def test_counters_and_coupons_move_without_any_stamp() -> None:
    gs = World(scale="tiny").gatherings
    event = gs.create()
    kind = gs.add_ticket_kind(event, "Dear", cents=1000)
    coupon, unlimited = gs.add_coupon(event, "HALF", 2, percent=50), gs.main.coupons[2]
    guest = gs.register(event, kind=kind, quantity=2, coupon=coupon)
    assert (coupon.remaining, guest.orders[0].coupon, guest.orders[0].discount) == (1, coupon, 1000)
    contact = gs.main.contacts[guest.attendee.id]
    approved, revenue = contact.approved, contact.revenue
    assert approved >= 1
    assert revenue >= guest.orders[0].amount > 0
    for ticket in guest.tickets:
        gs.check_in(ticket)
    inside = contact.checked_in
    gs.undo_check_in(guest.tickets[0])
    assert contact.checked_in == inside
    gs.undo_check_in(guest.tickets[1])
    assert contact.checked_in == inside - 1
    gs.use_coupon(unlimited, 5)
    assert unlimited.remaining == 1_000_000
    gs.delete_coupon(coupon)
    assert guest.orders[0].coupon is coupon


def test_only_an_unsold_kind_of_ticket_can_be_deleted() -> None:
    gs = World(scale="tiny").gatherings
    event = gs.create()
    kind = gs.add_ticket_kind(event, "Spare")
    gs.delete_ticket_kind(kind)
    assert kind not in event.kinds
    gs.register(event)
    with pytest.raises(ValueError, match="hide it instead"):
        gs.delete_ticket_kind(event.kinds[0])


def test_mailings_are_scheduled_sent_read_and_held_back() -> None:
    world = World(scale="tiny")
    gs = world.gatherings
    event = gs.create()
    gs.register(event)
    gs.invite(event)
    mailing = gs.schedule_mailing(event, world.now + timedelta(days=2))
    assert (mailing.status, mailing.recipients) == ("scheduled", 0)
    gs.send_mailing(mailing)
    gs.open_mailing(mailing, 3)
    assert (mailing.status, mailing.sent_at, mailing.recipients, mailing.opens) == ("sent", world.now, 1, 3)
    assert gs.send_mailing(event, quarantined=True).sent_at is None
    gs.edit_mailing(mailing, subject="New")
    gs.delete_mailing(mailing)
    assert [one.status for one in event.mailings] == ["quarantined"]


def test_calling_everything_off_stops_no_world() -> None:
    sandbox = Sandbox(7, "tiny", datetime.fromisoformat("2026-02-20T00:00:00Z"))
    gs = sandbox.world.gatherings
    kept = gs.main
    for _ in range(20):
        for event in list(gs.gatherings.values()):
            if event.calendar is kept and event.external is None:
                gs.cancel(event)
        sandbox.advance(days=3)
    assert all(guest.gathering.id in gs.gatherings for one in gs.attendees.values() for guest in one.guests)


def test_calendars_labels_and_tiers_change(sandbox: Sandbox) -> None:
    gs: Gatherings = sandbox.world.gatherings
    main = gs.main
    tag = gs.add_event_tag(main, "Fresh")
    gs.tag(main.listings[0], tag)
    gs.edit_tag(tag, "Stale")
    assert "Stale" in {one["name"] for row in sandbox.truth("luma", "events") for one in row["tags"]}
    gs.delete_tag(main, tag)
    assert "Stale" not in {one["name"] for row in sandbox.truth("luma", "events") for one in row["tags"]}
    gs.edit_calendar(main, description=None)
    gs.edit_tier(main.tiers[0], name="Amis")
    gs.add_admin(main, sandbox.world.seats["admin"])
    assert sandbox.truth("luma", "calendar")[0]["description"] is None
    assert sandbox.truth("luma", "membership_tiers")[0]["name"] == "Amis"
    assert len(sandbox.truth("luma", "calendar_admins")) == 3
    gs.remove_admin(main, sandbox.world.seats["admin"])
    external = next(one for one in gs.gatherings.values() if one.external is not None)
    with pytest.raises(ValueError, match="is external"):
        gs.transfer(external, main)
    with pytest.raises(ValueError, match="no kind of ticket"):
        gs.register(external)
    third = list(gs.calendars.values())[2]
    with pytest.raises(ValueError, match="no admin left"):
        gs.remove_admin(third, third.admins[0])
    view = next(one for one in main.listings if one.gathering.calendar is not main)
    gs.unlist(view)
    with pytest.raises(ValueError, match="transfer or cancel"):
        gs.unlist(main.listings[0])
