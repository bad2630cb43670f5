"""Invitations in the world: reproducible, without an effect on anything else, and with changes that leave no trace."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from sandbox import Sandbox
from sandbox.calendly.truth import STREAMS as CALENDLY
from sandbox.savvycal.text import id_of
from sandbox.world import DEFAULT_NOW
from sandbox.world.records import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.world.invitations import Event, Invites

Row = dict[str, Any]
STREAMS = ("events", "scheduling_links", "timezones", "current_user", "workflows", "workflow_rules", "webhooks")
BEFORE = {
    ("tiny", 0): "c606c23d453ca1fd9d4755141f5f6d5d6f05845e4ded5074398029c21c28f03f",
    ("tiny", 60): "a403ff6660d31a73b8387d2ca957eae636e2964b2df0be537e3d9a8bff8e11c8",
    ("test", 0): "16304433e3aac7d1fca1e15b211896562e79e8e0155e066027106ce51fad1977",
    ("test", 60): "a5facda8814b064ce979429e53bd6ac3d949b2cea963951d4f0c057cd5243a96",
}
"""Digests of all of Calendly's rows in a world without invitations, by scale and days."""


@pytest.fixture
def still() -> Sandbox:
    """A tiny world without a server."""
    return Sandbox(scale="tiny")


def everything(sandbox: Sandbox) -> bytes:
    """Return the whole truth as bytes."""
    return msgspec.json.encode([sandbox.truth("savvycal", stream) for stream in STREAMS])


def rows(sandbox: Sandbox) -> dict[str, Row]:
    """Return the events by id."""
    return {row["id"]: row for row in sandbox.truth("savvycal", "events")}


@pytest.mark.parametrize("scale", ["tiny", "test"])
def test_nothing_else_in_the_world_has_changed(scale: str) -> None:
    sandbox = Sandbox(scale=scale)
    for days in (0, 60):
        sandbox.advance(days=days)
        truth = msgspec.json.encode({stream: sandbox.truth("calendly", stream) for stream in CALENDLY})
        assert hashlib.sha256(truth).hexdigest() == BEFORE[scale, days]


def test_one_seed_is_one_world_of_invitations() -> None:
    assert everything(Sandbox(3, "tiny")) == everything(Sandbox(3, "tiny"))
    assert everything(Sandbox(3, "tiny")) != everything(Sandbox(4, "tiny"))


@pytest.mark.parametrize("scale", ["tiny", "test"])
def test_neither_the_steps_nor_who_looks_on_matter(scale: str) -> None:
    leap, walk = Sandbox(scale=scale), Sandbox(scale=scale)
    leap.advance(days=60)
    for hours in (1, 24, 47, 0.5, 647.5, 720):
        walk.advance(hours=hours)
        everything(walk)
    late = Sandbox(scale=scale, now=DEFAULT_NOW + timedelta(days=60))
    assert everything(leap) == everything(walk) == everything(late)


@pytest.mark.parametrize("seed", [7, 8])
def test_what_began_more_than_29_days_ago_does_not_change_by_chance(seed: int) -> None:
    sandbox = Sandbox(seed, "test")
    old: dict[str, Row] = {}
    late: set[timedelta] = set()
    for _ in range(90):
        now, seen = sandbox.world.now, rows(sandbox)
        past = {name for name, row in seen.items() if moment(row["start_at"]) < now - timedelta(days=29)}
        for name, row in old.items():
            assert seen[name] == row
        before = {name: row for name, row in seen.items() if moment(row["start_at"]) < now}
        sandbox.advance(days=1)
        after = rows(sandbox)
        late |= {now - moment(row["start_at"]) for name, row in before.items() if after[name] != row}
        old = {name: seen[name] for name in past}
        assert seen.keys() <= after.keys()
    assert timedelta(days=7) < max(late) < timedelta(days=29)


def moment(text: str) -> datetime:
    """Read a time."""
    return datetime.fromisoformat(text)


def test_a_reschedule_in_the_world_keeps_the_event(still: Sandbox) -> None:
    world = still.world
    booking = world.book(next(kind for kind in world.bookable() if kind.seats == 1 and not kind.paid))
    event = world.invites.of(booking.meeting)
    before = row_of(still, event)
    second = world.reschedule(world.reschedule(booking), world.now + timedelta(days=11))
    after = row_of(still, event)
    assert world.invites.of(second.meeting) is event
    assert after["id"] == before["id"]
    assert moment(after["start_at"]) == world.now + timedelta(days=11)
    assert moment(after["original_start_at"]) == moment(before["start_at"])
    assert (after["state"], before["rescheduled_at"]) == (before["state"], None)
    assert moment(after["rescheduled_at"]) == world.now
    assert [one["id"] for one in after["attendees"]] == [one["id"] for one in before["attendees"]]
    assert len(rows(still)) == len(world.invites.all())


def row_of(sandbox: Sandbox, event: Event) -> Row:
    """Return the row of an event."""
    return rows(sandbox)[id_of("event", event.meeting)]


@pytest.mark.parametrize("seats", [1, 8])
@pytest.mark.parametrize("known_elsewhere", [False, True])
def test_an_event_is_moved_far_forth_and_back(still: Sandbox, seats: int, known_elsewhere: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    world = still.world
    if known_elsewhere:
        kind = next(kind for kind in world.bookable() if kind.seats == seats)
        event = world.invites.of(world.book(kind, world.now + timedelta(days=5)).meeting)
    else:
        event = world.invites.open(start=world.now + timedelta(days=5), seats=seats)
    first = row_of(still, event)
    for days in (200, 1, 50):
        world.invites.move(event, world.now + timedelta(days=days))
        row = row_of(still, event)
        assert moment(row["start_at"]) == world.now + timedelta(days=days)
        assert moment(row["original_start_at"]) == moment(first["start_at"])
        assert (row["id"], row["duration"], row["created_at"]) == (first["id"], first["duration"], first["created_at"])
    with pytest.raises(ValueError, match="past"):
        world.invites.move(event, world.now - timedelta(days=1))
    still.advance(days=60)
    with pytest.raises(ValueError, match="past"):
        world.invites.move(event, world.now + timedelta(days=1))


def steps(invites: Invites) -> dict[str, tuple[tuple[Callable[[Event], None], str | None], ...]]:
    """Return histories of an event: methods, and the state after each of them."""
    return {
        "approval": ((invites.ask_approval, "awaiting_approval"), (invites.approve, "confirmed")),
        "refusal": ((invites.ask_approval, "awaiting_approval"), (invites.decline, "declined")),
        "payment": ((invites.ask_checkout, "awaiting_checkout"), (invites.complete_checkout, "confirmed")),
        "no payment": ((invites.ask_checkout, "awaiting_checkout"), (invites.expire_checkout, "checkout_expired")),
        "conference": ((invites.withhold_conferencing, "confirmed"), (invites.fill_conferencing, "confirmed")),
        "guest": ((invites.add_attendee, "confirmed"), (invites.drop_attendee, "confirmed")),
        "new time": ((invites.ask_new_time, "awaiting_reschedule"),),
    }


@pytest.mark.parametrize("way", ["approval", "refusal", "payment", "no payment", "conference", "guest", "new time"])
@pytest.mark.parametrize("known_elsewhere", [False, True])
def test_an_event_changes_without_a_trace(still: Sandbox, way: str, known_elsewhere: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    world = still.world
    if known_elsewhere:
        kind = next(kind for kind in world.bookable() if kind.seats == 1 and not kind.paid)
        event = world.invites.of(world.book(kind, world.now + timedelta(days=5)).meeting)
        event.standing, event.withheld = "confirmed", False
        event.tail.place = Place("zoom", join_url="https://meet.example/1")
    else:
        event = world.invites.open()
    before = row_of(still, event)
    for act, state in steps(world.invites)[way]:
        act(event)
        after = row_of(still, event)
        assert after["state"] == state
        assert after != before
        times = [name for name in before if name.endswith("_at")]
        assert [after[name] for name in times] == [before[name] for name in times]
        before = after


def test_a_title_changes_without_a_trace(still: Sandbox) -> None:
    event = still.world.invites.open()
    before = row_of(still, event)
    still.world.invites.retitle(event, "Ganz anders")
    assert row_of(still, event) == before | {"summary": "Ganz anders"}


def test_a_proposal_is_tentative_until_it_is_accepted(still: Sandbox) -> None:
    invites = still.world.invites
    event = invites.propose()
    assert row_of(still, event)["state"] == "tentative"
    with pytest.raises(ValueError, match="is tentative, not awaiting_approval"):
        invites.approve(event)
    invites.accept(event)
    assert row_of(still, event)["state"] == "confirmed"


def test_a_move_answers_the_question_for_a_new_time(still: Sandbox) -> None:
    invites = still.world.invites
    event = invites.open()
    invites.ask_new_time(event)
    invites.move(event, still.world.now + timedelta(days=40))
    assert row_of(still, event)["state"] == "confirmed"


@pytest.mark.parametrize("known_elsewhere", [False, True])
def test_a_group_goes_on_without_the_one_who_left(still: Sandbox, known_elsewhere: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    world = still.world
    if known_elsewhere:
        kind = next(kind for kind in world.bookable() if kind.seats > 1)
        event = world.invites.of(world.open_meeting(kind, world.now + timedelta(days=5)))
    else:
        event = world.invites.open(seats=2, bookings=0)
    hosts = len(row_of(still, event)["attendees"])
    for _ in range(2):
        world.invites.add_attendee(event)
    before = row_of(still, event)
    assert before["scheduler"] is None
    assert len(before["attendees"]) == hosts + 2
    world.invites.drop_attendee(event)
    after = row_of(still, event)
    assert after == before | {"attendees": before["attendees"][:-1]}
    still.savvycal.keep_dropped = True
    gone = before["attendees"][-1] | {"response_status": "canceled"}
    assert row_of(still, event)["attendees"] == [*after["attendees"], gone]


@pytest.mark.parametrize("known_elsewhere", [False, True])
def test_a_canceled_event_stays_with_all_who_would_have_come(still: Sandbox, known_elsewhere: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    world = still.world
    if known_elsewhere:
        event = world.invites.of(world.book(start=world.now + timedelta(days=5)).meeting)
    else:
        event = world.invites.open()
    before = row_of(still, event)
    world.invites.cancel(event, "Krank 🤒")
    after = row_of(still, event)
    assert (after["state"], after["cancel_reason"]) == ("canceled", "Krank 🤒")
    assert moment(after["canceled_at"]) == world.now
    assert after["attendees"] == before["attendees"]
    with pytest.raises(ValueError, match="canceled"):
        world.invites.cancel(event)


def test_an_event_that_was_held_can_be_given_another_time_and_moved_from_there(still: Sandbox) -> None:
    world = still.world
    event = world.invites.of(world.book(start=world.now + timedelta(hours=1)).meeting)
    before = row_of(still, event)
    world.advance(days=1)
    for start in (world.now - timedelta(days=60), world.now + timedelta(days=2)):
        world.invites.redate(event, start)
        after = row_of(still, event)
        assert (moment(after["start_at"]), moment(after["rescheduled_at"])) == (start, world.now)
        assert after["original_start_at"] == before["start_at"]
        assert (after["id"], after["attendees"], after["state"]) == (before["id"], before["attendees"], "confirmed")
    world.invites.move(event, world.now + timedelta(days=3))
    assert moment(row_of(still, event)["start_at"]) == world.now + timedelta(days=3)
    world.invites.cancel(event)
    assert row_of(still, event)["state"] == "canceled"
    with pytest.raises(ValueError, match="canceled"):
        world.invites.redate(event, world.now)


def test_an_event_can_vanish(still: Sandbox) -> None:
    world = still.world
    event = world.invites.of(world.book(start=world.now + timedelta(days=5)).meeting)
    world.invites.move(event, world.now + timedelta(days=6))
    before = rows(still)
    gone = row_of(still, event)["id"]
    world.invites.erase(event)
    assert rows(still) == {name: row for name, row in before.items() if name != gone}


def test_an_erased_meeting_remains_an_event(still: Sandbox) -> None:
    world = still.world
    meeting = next(one for one in world.meetings.values() if one.bookings and not one.bookings[0].old)
    before = row_of(still, world.invites.of(meeting))
    world.erase(meeting)
    assert row_of(still, world.invites.of(meeting)) == before


def test_links_are_disabled_and_deleted(still: Sandbox) -> None:
    world = still.world
    kind = next(kind for kind in world.bookable() if kind.seats == 1)
    event = row_of(still, world.invites.of(world.book(kind).meeting))
    link = event["link"]["id"]

    def state() -> str | None:
        states = {row["id"]: row["state"] for row in still.truth("savvycal", "scheduling_links")}
        return states.get(link)

    assert state() == "active"
    world.invites.disable_link(kind)
    assert state() == "disabled"
    world.invites.delete_link(kind)
    assert state() is None
    assert rows(still)[event["id"]] == event


def test_workflows_come_change_and_go(still: Sandbox) -> None:
    invites = still.world.invites
    workflow = invites.create_workflow("Neu", still.world.seats["member"])
    (row,) = [row for row in still.truth("savvycal", "workflows", "sandbox-member") if row["name"] == "Neu"]

    def rules() -> list[Row]:
        return [rule for rule in still.truth("savvycal", "workflow_rules") if rule["workflow_id"] == row["id"]]

    first, second = rules()
    invites.edit_rule(workflow.rules[0], amount=90, unit="days")
    assert rules() == [first | {"trigger_offset_amount": 90, "trigger_offset_unit": "days"}, second]
    invites.delete_workflow(workflow)
    assert rules() == []


def test_one_workflow_is_deleted_in_every_world() -> None:
    early, late = Sandbox(scale="tiny", now=DEFAULT_NOW - timedelta(days=120)), Sandbox(scale="tiny")
    gone = {row["name"] for row in early.truth("savvycal", "workflows")} - {
        row["name"] for row in late.truth("savvycal", "workflows")
    }
    assert gone == {"Retired"}
