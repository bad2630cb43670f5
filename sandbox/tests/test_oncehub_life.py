"""Changes of OnceHub's objects, and the times that they move."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.world import records as r
    from sandbox.world.desk_records import Card

Row = dict[str, Any]
Shows = dict[str, Row]


def shows(sandbox: Sandbox, stream: str = "bookings") -> Shows:
    """Return the rows of a stream by their ids."""
    return {row["id"]: row for row in sandbox.truth("oncehub", stream)}


def row_of(sandbox: Sandbox, booking: r.Booking) -> Row:
    """Return the row of a booking."""
    ticket = sandbox.world.desk.ticket(booking)
    position = list(sandbox.world.desk.tickets.values()).index(ticket)
    return sandbox.truth("oncehub", "bookings")[position]


def when(row: Row) -> datetime:
    """Return the time of a row's last change."""
    return datetime.fromisoformat(row["last_updated_time"])


@pytest.mark.parametrize("silent", [True, False])
def test_every_visible_change_moves_the_update_time_but_for_the_trash(silent: bool) -> None:  # noqa: FBT001 -- a case
    sandbox = Sandbox(scale="test")
    sandbox.oncehub.trash_moves_update_time = not silent
    changed = set()
    before, then = shows(sandbox), sandbox.world.now
    contacts = shows(sandbox, "contacts")
    for _ in range(120):
        sandbox.advance(days=1)
        after, now = shows(sandbox), sandbox.world.now
        for address in before.keys() & after.keys():
            old, new = before[address], after[address]
            names = {name for name in new if old.get(name) != new[name]} - {"last_updated_time"}
            assert when(old) <= when(new) <= now
            if names and (names != {"in_trash"} or not silent):
                assert when(new) >= then.replace(microsecond=0), names
            changed |= names
        people = shows(sandbox, "contacts")
        for address in people.keys() & contacts.keys():
            if people[address] != contacts[address]:
                assert when(people[address]) >= then.replace(microsecond=0)
        before, contacts, then = after, people, now
    expected = {"status", "in_trash", "owner", "starting_time", "form_submission", "cancel_reschedule_information"}
    assert expected <= changed


def test_a_booking_is_completed_when_its_end_passes() -> None:
    sandbox = Sandbox(scale="tiny")
    booking = sandbox.world.book(start=sandbox.world.now + timedelta(hours=1))
    assert row_of(sandbox, booking)["status"] == "scheduled"
    sandbox.advance(days=1)
    row = row_of(sandbox, booking)
    assert (row["status"], when(row)) == ("completed", booking.meeting.end)
    sandbox.world.mark_no_show(booking)
    row = row_of(sandbox, booking)
    assert (row["status"], when(row)) == ("no_show", sandbox.world.now)
    sandbox.world.unmark_no_show(booking)
    assert row_of(sandbox, booking) == row


def test_most_reschedules_keep_the_id_and_some_begin_anew() -> None:
    sandbox = Sandbox(scale="tiny")
    world = sandbox.world
    kind = next(kind for kind in world.bookable() if kind.seats == 1)
    kept = []
    for days in range(1, 9):
        booking = world.book(kind, world.now + timedelta(days=days))
        old = row_of(sandbox, booking)
        sandbox.advance(hours=1)
        new = row_of(sandbox, world.reschedule(booking, world.now + timedelta(days=40)))
        kept.append(old["id"] == new["id"])
        if kept[-1]:
            assert (new["status"], new["creation_time"]) == ("rescheduled", old["creation_time"])
            assert new["starting_time"] > old["starting_time"]
        else:
            first = row_of(sandbox, booking)
            assert (first["id"], first["status"]) == (old["id"], "canceled")
            assert (new["status"], new["form_submission"], new["rescheduled_booking_id"]) == ("scheduled", None, None)
            sandbox.oncehub.send_rescheduled_booking_id = True
            assert row_of(sandbox, world.bookings[booking.new.id if booking.new else ""])["rescheduled_booking_id"]
            sandbox.oncehub.send_rescheduled_booking_id = False
        assert when(new) > when(old)
    assert kept.count(False) == 2


def test_the_trash_is_emptied_after_thirty_days() -> None:
    sandbox = Sandbox(scale="tiny")
    world, desk = sandbox.world, sandbox.world.desk
    first, second = (world.book(start=world.now + timedelta(days=90)) for _ in range(2))
    untouched = row_of(sandbox, first)
    sandbox.advance(hours=1)
    desk.trash(first)
    assert row_of(sandbox, first) == untouched | {"in_trash": True}
    sandbox.oncehub.trash_moves_update_time = True
    assert when(row_of(sandbox, first)) > when(untouched)
    desk.trash(second)
    sandbox.advance(days=29)
    desk.restore(second)
    with pytest.raises(ValueError, match="not in the trash"):
        desk.restore(second)
    assert row_of(sandbox, second)["in_trash"] is False
    desk.trash(second)
    with pytest.raises(ValueError, match="in the trash already"):
        desk.trash(second)
    sandbox.advance(days=1)
    assert untouched["id"] not in shows(sandbox)
    assert row_of(sandbox, second)["in_trash"] is True
    with pytest.raises(ValueError, match="was destroyed"):
        desk.trash(first)


def test_a_booking_waits_for_approval() -> None:
    sandbox = Sandbox(scale="tiny")
    world, desk = sandbox.world, sandbox.world.desk
    first, second = (world.book(start=world.now + timedelta(days=9)) for _ in range(2))
    for booking in (first, second):
        desk.request_approval(booking)
        assert row_of(sandbox, booking)["status"] == "requested"
    with pytest.raises(ValueError, match="waits for approval already"):
        desk.request_approval(first)
    sandbox.advance(hours=1)
    desk.approve(first)
    desk.decline(second)
    assert [row_of(sandbox, one)["status"] for one in (first, second)] == ["scheduled", "canceled"]
    assert all(when(row_of(sandbox, one)) >= world.now.replace(microsecond=0) for one in (first, second))
    with pytest.raises(ValueError, match="does not wait"):
        desk.approve(first)
    sandbox.oncehub.declined_status = "declined"
    assert row_of(sandbox, second)["status"] == "declined"


def test_another_host_takes_over() -> None:
    sandbox = Sandbox(scale="tiny")
    world = sandbox.world
    booking = world.book(start=world.now + timedelta(days=9))
    before = row_of(sandbox, booking)
    other = next(one.person for one in world.memberships.values() if one.person not in booking.meeting.hosts)
    sandbox.advance(hours=1)
    world.desk.reassign(booking, other)
    after = row_of(sandbox, booking)
    assert after["owner"] in shows(sandbox, "users")
    assert after["owner"] != before["owner"]
    assert when(after) > when(before)
    sandbox.oncehub.reassignment_moves_update_time = False
    assert when(row_of(sandbox, booking)) == when(before)


def test_a_form_is_corrected() -> None:
    sandbox = Sandbox(scale="tiny")
    booking = sandbox.world.book(start=sandbox.world.now + timedelta(days=9))
    before = row_of(sandbox, booking)
    sandbox.advance(hours=1)
    sandbox.world.desk.edit_booking_form(booking, company="Neu & Co")
    after = row_of(sandbox, booking)
    assert after["form_submission"]["company"] == "Neu & Co"
    assert when(after) > when(before)


def test_a_contact_merges_changes_and_goes() -> None:
    sandbox = Sandbox(scale="tiny")
    world, desk = sandbox.world, sandbox.world.desk
    a, b = (world.create_contact(email=f"{name}@mail.example") for name in "ab")
    booking = world.book(email="b@mail.example", start=world.now + timedelta(days=9))
    vanishes = row_of(sandbox, booking)["contact"]
    sandbox.advance(hours=1)
    desk.merge_contacts(a, b)
    contacts = shows(sandbox, "contacts")
    assert vanishes not in contacts
    assert row_of(sandbox, booking)["contact"] == vanishes
    (kept,) = [row for row in contacts.values() if row["email"] == "a@mail.example"]
    assert kept["last_interacted_time"]
    with pytest.raises(ValueError, match="deleted, or merged"):
        desk.merge_contacts(a, b)
    again = world.book(email="b@mail.example", start=world.now + timedelta(days=9))
    assert row_of(sandbox, again)["contact"] == kept["id"]
    sandbox.advance(hours=1)
    desk.set_custom_field(a, "Shoe size", 43.5)
    world.edit_contact(a, company="Neu & Co")
    after = shows(sandbox, "contacts")[kept["id"]]
    assert {"name": "Shoe size", "value": 43.5} in after["custom_fields"]
    assert after["company"] == "Neu & Co"
    assert when(after) > when(kept)
    world.delete_contact(a)
    assert kept["id"] not in shows(sandbox, "contacts")
    assert row_of(sandbox, again)["contact"] == kept["id"]


def test_a_text_message_settles_without_a_trace_in_time() -> None:
    sandbox = Sandbox(scale="tiny")
    world, desk = sandbox.world, sandbox.world.desk
    booking = world.book(start=world.now + timedelta(days=9))
    message = world.send_message(booking, "sms")
    text = desk.send_sms(booking, to_host=True)
    before = sandbox.truth("oncehub", "sms_notifications")[-2:]
    assert [row["status"] for row in before] == ["sent", "sent"]
    assert [row["recipient_type"] for row in before] == ["contact", "user"]
    desk.settle_sms(message, "failed")
    desk.settle_sms(text, "rejected")
    after = sandbox.truth("oncehub", "sms_notifications")[-2:]
    assert after == [before[0] | {"status": "failed"}, before[1] | {"status": "rejected"}]
    with pytest.raises(ValueError, match="not one of"):
        desk.settle_sms(text, "lost")
    sandbox.advance(days=3)
    assert [row["status"] for row in sandbox.truth("oncehub", "sms_notifications") if row in after] == [
        "failed",
        "rejected",
    ]


def test_each_guest_of_a_group_has_a_booking() -> None:
    sandbox = Sandbox(scale="tiny")
    world = sandbox.world
    group = next(kind for kind in world.bookable() if kind.kind == "group")
    meeting = world.open_meeting(group, world.now + timedelta(days=2))
    bookings = [world.join(meeting) for _ in range(3)]
    world.cancel_booking(bookings[1])
    found = [row_of(sandbox, one) for one in bookings]
    assert [row["status"] for row in found] == ["scheduled", "canceled", "scheduled"]
    assert len({row["id"] for row in found}) == 3
    world.cancel(meeting)
    assert {row_of(sandbox, one)["status"] for one in bookings} == {"canceled"}


def test_who_was_invited_keeps_the_id() -> None:
    sandbox = Sandbox(scale="tiny")
    invitation = sandbox.world.invite("newcomer@sandbox.example")
    (before,) = [row for row in sandbox.truth("oncehub", "users") if row["email"] == "newcomer@sandbox.example"]
    assert before["status"] == "invited"
    sandbox.world.accept_invitation(invitation)
    after = shows(sandbox, "users")[before["id"]]
    assert (after["status"], after["id"]) == ("active", before["id"])


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_done_leaves_a_trace(seed: int) -> None:
    """Only the trash, the end of a ticket and a merged or deleted contact are silent."""
    sandbox = Sandbox(seed, "tiny")
    world, desk, draw = sandbox.world, sandbox.world.desk, random.Random(seed)
    on_booking: list[Callable[[r.Booking], object]] = [
        desk.trash,
        desk.restore,
        desk.request_approval,
        desk.approve,
        desk.decline,
        lambda one: desk.reassign(one, draw.choice(list(world.people.values()))),
        lambda one: desk.edit_booking_form(one, note=str(draw.random())),
        world.mark_no_show,
        world.unmark_no_show,
        world.cancel_booking,
        world.reschedule,
        world.receive_payment,
        lambda one: world.add_guest(one.meeting, f"{draw.random()}@mail.example"),
        lambda one: world.erase(one.meeting),
        lambda one: world.send_message(one, "sms"),
        lambda one: world.book(email=one.email),
    ]
    on_card: list[Callable[[Card], object]] = [
        lambda one: desk.merge_contacts(one, draw.choice(list(desk.cards.values()))),
        desk.delete_contact,
        lambda one: desk.set_custom_field(one, "Size", draw.random()),
        lambda one: world.edit_contact(one.record, city=str(draw.random())),
        lambda one: world.create_contact(email=draw.choice(one.record.emails)),
    ]
    done: defaultdict[bool, int] = defaultdict(int)
    before = {stream: shows(sandbox, stream) for stream in ("bookings", "contacts")}
    for _ in range(150):
        sandbox.advance(minutes=draw.uniform(1, 3000))
        settled = {stream: shows(sandbox, stream) for stream in before}
        moment = world.now.replace(microsecond=0)
        try:
            if draw.random() < 0.7 and world.bookings:
                draw.choice(on_booking)(draw.choice(list(world.bookings.values())[-25:]))
            else:
                draw.choice(on_card)(draw.choice(list(desk.cards.values())[-25:]))
        except ValueError:
            done[False] += 1
            continue
        done[True] += 1
        before = {stream: shows(sandbox, stream) for stream in settled}
        for stream, rows in before.items():
            for address, row in rows.items():
                old = settled[stream].get(address)
                if old == row or (old and stream == "bookings" and old | {"in_trash": row["in_trash"]} == row):
                    continue
                assert when(row) >= moment, (stream, old, row)
    assert min(done.values()) > 10
