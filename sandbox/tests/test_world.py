"""The world: reproducible and consistent."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from sandbox import Sandbox, World
from sandbox.calendly.truth import STREAMS
from sandbox.world import DEFAULT_NOW, EPOCH

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import Response

    Get = Callable[..., Response]

LATEST_CHANGE = timedelta(days=25)


def everything(sandbox: Sandbox) -> bytes:
    """Return the whole truth as bytes."""
    return msgspec.json.encode({stream: sandbox.truth("calendly", stream) for stream in STREAMS})


def test_one_seed_is_one_world() -> None:
    assert everything(Sandbox(seed=3, scale="tiny")) == everything(Sandbox(seed=3, scale="tiny"))
    assert everything(Sandbox(seed=3, scale="tiny")) != everything(Sandbox(seed=4, scale="tiny"))


@pytest.mark.parametrize("seed", range(1, 6))
def test_even_the_smallest_world_has_something_of_everything(seed: int) -> None:
    sandbox = Sandbox(seed, "tiny")
    assert [stream for stream in STREAMS if not sandbox.truth("calendly", stream)] == []


def test_the_steps_do_not_matter() -> None:
    leap, walk = Sandbox(scale="tiny"), Sandbox(scale="tiny")
    leap.advance(days=30)
    for hours in (1, 24, 47, 0.5, 647.5):
        walk.advance(hours=hours)
    late = Sandbox(scale="tiny", now=DEFAULT_NOW + timedelta(days=30))
    assert everything(leap) == everything(walk) == everything(late)


def test_reading_changes_nothing(sandbox: Sandbox, get: Get, org: str) -> None:
    get("/scheduled_events", organization=org)
    everything(sandbox)
    assert everything(sandbox) == everything(Sandbox(scale="tiny"))


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="cannot go back"):
        World(scale="tiny", now=EPOCH - timedelta(days=1))
    with pytest.raises(ValueError, match="scale 'huge' is unknown"):
        World(scale="huge")


@pytest.fixture(scope="module", params=[7, 8])
def world(request: pytest.FixtureRequest) -> World:
    """A world that has lived for ten months."""
    seed: int = request.param
    lived = World(seed, "test")
    lived.advance(days=150)
    return lived


def test_counters_agree_with_invitees(world: World) -> None:
    sandbox = Sandbox(scale="test")
    invitees: dict[str, list[str]] = {}
    for row in sandbox.truth("calendly", "event_invitees"):
        invitees.setdefault(row["event"], []).append(row["status"])
    for event in sandbox.truth("calendly", "scheduled_events"):
        statuses = invitees.get(event["uri"], [])
        counter = event["invitees_counter"]
        assert (counter["total"], counter["active"]) == (len(statuses), statuses.count("active"))
        assert counter["active"] <= counter["limit"]
    assert len(world.meetings) > len(sandbox.world.meetings)


def test_chains_of_reschedules_are_closed(world: World) -> None:
    chained = [booking for booking in world.bookings.values() if booking.new]
    assert any(booking.old for booking in chained)
    for booking in chained:
        assert booking.new
        assert booking.new.old is booking
        assert booking.new.email == booking.email
        assert booking.cancellation
        assert booking.id in world.bookings
        assert booking.new.id in world.bookings


def test_nobody_misses_a_meeting_before_it_begins(world: World) -> None:
    marked = [booking for booking in world.bookings.values() if booking.no_show]
    assert marked
    for booking in marked:
        assert booking.no_show
        late = booking.no_show[1] - booking.meeting.start
        assert timedelta(0) <= late <= timedelta(days=20)


def test_invitees_do_not_change_long_after_their_meeting(world: World) -> None:
    for booking in world.bookings.values():
        assert booking.updated_at - booking.meeting.start < LATEST_CHANGE
        assert booking.created_at <= booking.updated_at <= world.now


def test_bookings_reach_from_minutes_to_months_ahead(world: World) -> None:
    leads = [meeting.start - meeting.created_at for meeting in world.meetings.values() if not meeting.elsewhere]
    assert min(leads) < timedelta(hours=12)
    assert max(leads) > timedelta(days=150)
    assert all(timedelta(0) < lead < timedelta(days=280) for lead in leads)


def test_an_erased_meeting_is_gone(sandbox: Sandbox, get: Get) -> None:
    meeting = next(one for one in sandbox.world.meetings.values() if one.bookings)
    path = f"/scheduled_events/{meeting.id}"
    assert get(path).status_code == 200
    sandbox.world.erase(meeting)
    assert get(path).status_code == 404
    assert get(f"{path}/invitees").status_code == 404


def test_a_group_goes_on_without_one_invitee(sandbox: Sandbox, get: Get) -> None:
    world = sandbox.world
    group = next(kind for kind in world.bookable() if kind.kind == "group")
    meeting = world.open_meeting(group, world.now + timedelta(days=2))
    bookings = [world.join(meeting) for _ in range(3)]
    sandbox.advance(hours=1)
    before = get(f"/scheduled_events/{meeting.id}").json()["resource"]
    world.cancel_booking(bookings[0])
    after = get(f"/scheduled_events/{meeting.id}").json()["resource"]
    assert after["invitees_counter"] == {"total": 3, "active": 2, "limit": 8}
    assert (after["status"], after["updated_at"]) == ("active", before["updated_at"])
    world.invitee_changes_move_event = True
    world.cancel_booking(bookings[1])
    assert get(f"/scheduled_events/{meeting.id}").json()["resource"]["updated_at"] > before["updated_at"]


def test_a_no_show_moves_nothing_by_default(sandbox: Sandbox, get: Get) -> None:
    world = sandbox.world
    booking = world.book(start=world.now + timedelta(hours=1))
    with pytest.raises(ValueError, match="still to come"):
        world.mark_no_show(booking)
    sandbox.advance(hours=2)
    path = f"/scheduled_events/{booking.meeting.id}"
    event, invitee = get(path).json(), get(f"{path}/invitees/{booking.id}").json()["resource"]
    world.mark_no_show(booking)
    marked = get(f"{path}/invitees/{booking.id}").json()["resource"]
    assert get(path).json() == event
    assert marked["no_show"]
    assert marked["updated_at"] == invitee["updated_at"]
    world.no_show_moves_invitee = True
    world.unmark_no_show(booking)
    pardoned = get(f"{path}/invitees/{booking.id}").json()["resource"]
    assert pardoned["no_show"] is None
    assert pardoned["updated_at"] > invitee["updated_at"]


def test_a_reschedule_is_a_new_event_with_a_new_invitee(sandbox: Sandbox, get: Get) -> None:
    world = sandbox.world
    old = world.book(next(kind for kind in world.bookable() if kind.seats == 1))
    new = world.reschedule(old)
    first = get(f"/scheduled_events/{old.meeting.id}/invitees").json()["collection"][0]
    second = get(f"/scheduled_events/{new.meeting.id}/invitees").json()["collection"][0]
    assert (first["status"], first["rescheduled"], first["new_invitee"]) == ("canceled", True, second["uri"])
    assert (second["status"], second["rescheduled"], second["old_invitee"]) == ("active", False, first["uri"])
    assert get(f"/scheduled_events/{old.meeting.id}").json()["resource"]["status"] == "canceled"


def test_a_contacts_dates_move_without_its_update_time(sandbox: Sandbox, get: Get) -> None:
    world = sandbox.world
    contact = world.create_contact(email="dates@mail.example")
    world.book(start=world.now + timedelta(minutes=5), email="dates@mail.example")
    before = get(f"/contacts/{contact.id}").json()["resource"]
    sandbox.advance(hours=1)
    after = get(f"/contacts/{contact.id}").json()["resource"]
    assert (before["last_meeting_date"], after["next_meeting_date"]) == (None, None)
    assert before["next_meeting_date"] == after["last_meeting_date"]
    assert before["updated_at"] == after["updated_at"]


def test_a_deleted_event_type_leaves_the_list_and_stays_readable(sandbox: Sandbox, get: Get, org: str) -> None:
    world = sandbox.world
    kind = world.create_event_type()
    world.book(kind)
    world.delete_event_type(kind)
    uri = f"https://api.calendly.com/event_types/{kind.id}"
    listed = get("/event_types", organization=org, count=100).json()["collection"]
    assert uri not in {row["uri"] for row in listed}
    assert get(f"/event_types/{kind.id}").json()["resource"]["deleted_at"]
    assert uri in {row["uri"] for row in sandbox.truth("calendly", "event_types")}


def test_who_leaves_vanishes_from_the_members_and_stays_in_the_events(sandbox: Sandbox, get: Get, org: str) -> None:
    world = sandbox.world
    membership = world.add_member("Gone Soon")
    meeting = world.open_meeting(world.create_event_type(membership.person))
    world.remove_member(membership)
    members = get("/organization_memberships", organization=org, count=100).json()["collection"]
    assert "Gone Soon" not in {row["user"]["name"] for row in members}
    assert get(f"/scheduled_events/{meeting.id}").status_code == 200
    owner = next(one for one in world.memberships.values() if one.role == "owner")
    with pytest.raises(ValueError, match="owns an API key"):
        world.remove_member(owner)
