"""The ways in which a sync of Luma can lose data without an error, and that this one does not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from sandbox.luma.text import event_id
from tap_common.state.timestamps import instant

if TYPE_CHECKING:
    from harness import Runner
    from sandbox import Sandbox
    from sandbox.world.gatherings import Gatherings
    from sandbox.world.gatherings import records as g
    from truth import Judge


def guest_row(luma: Runner, guest: g.Guest) -> dict[str, Any]:
    return luma.warehouse.rows["event_guests"][f"gst-{guest.id}",]


def soon(life: Gatherings, hours: float = 1) -> g.Gathering:
    """An event that ends two hours after it starts."""
    return life.create(life.now + timedelta(hours=hours))


def requested(sandbox: Sandbox, gathering: g.Gathering, since: int = 0) -> set[str]:
    """Paths that were asked with an event."""
    return {
        requested.path for requested in sandbox.requests[since:] if ("event_id", event_id(gathering)) in requested.query
    }


def test_approval_refusal_waiting_list_and_new_tickets_are_seen_though_no_time_moves(
    luma: Runner, sandbox: Sandbox, life: Gatherings
) -> None:
    event = soon(life, 48)
    life.edit_ticket_kind(event.kinds[0], require_approval=True)
    approved, declined, waiting = (life.register(event) for _ in range(3))
    invited = life.invite(event)
    luma.sync()
    before = {guest: guest_row(luma, guest) for guest in (approved, declined, waiting, invited)}
    sandbox.advance(days=1)
    life.approve(approved)
    life.decline(declined)
    life.waitlist(waiting)
    life.change_tickets(approved, event.kinds)
    luma.sync()

    after = {guest: guest_row(luma, guest) for guest in before}
    assert [row["registered_at"] for row in after.values()] == [row["registered_at"] for row in before.values()]
    assert [row["approval_status"] for row in after.values()] == ["approved", "declined", "waitlist", "invited"]
    assert len(after[approved]["event_tickets"]) == 2
    assert after[invited]["registered_at"] is None


def test_a_ticket_that_was_taken_away_is_told_from_those_that_its_guest_has(
    luma: Runner, sandbox: Sandbox, life: Gatherings
) -> None:
    event = soon(life, 48)
    guest = life.register(event)
    life.change_tickets(guest, event.kinds)
    luma.sync()
    sandbox.advance(days=1)
    life.change_tickets(guest, remove=guest.tickets[:1])
    luma.sync()

    row = guest_row(luma, guest)
    rows = [ticket for ticket in luma.warehouse.rows["event_tickets"].values() if ticket["guest_id"] == row["id"]]
    present = {ticket["id"] for ticket in rows if ticket["_synced_at"] == row["_synced_at"]}
    assert len(rows) > len(present)
    assert present == {ticket["id"] for ticket in row["event_tickets"]}


def test_an_edit_of_an_event_of_last_year_arrives(luma: Runner, sandbox: Sandbox, life: Gatherings) -> None:
    old = life.create(life.now - timedelta(days=400))
    luma.sync()
    sandbox.advance(days=1)
    life.edit(old, name="Renamed")
    luma.sync()

    assert luma.warehouse.rows["events"][event_id(old),]["name"] == "Renamed"


def test_an_event_that_is_entered_after_the_fact_comes_with_its_guests(
    luma: Runner, sandbox: Sandbox, life: Gatherings
) -> None:
    luma.sync()
    sandbox.advance(days=2)
    late = life.create(life.now - timedelta(days=200))
    guest = life.register(late)
    luma.sync()

    assert guest_row(luma, guest)["event_end_at"] == luma.warehouse.rows["events"][event_id(late),]["end_at"]
    assert (event_id(late),) in luma.warehouse.rows["event_details"]


def test_no_request_takes_the_last_run_for_a_start_or_a_status_for_all(luma: Runner, sandbox: Sandbox) -> None:
    luma.sync()
    sandbox.advance(days=3)
    luma.sync()

    sent = {name for requested in sandbox.requests for name, _ in requested.query}
    assert not sent & {"after", "before", "approval_status", "status", "access", "platforms"}


@pytest.mark.parametrize("days", [0, 29])
def test_a_check_in_weeks_after_the_end_arrives_and_so_does_its_undoing(
    luma: Runner, sandbox: Sandbox, life: Gatherings, days: int
) -> None:
    guest = life.register(soon(life), quantity=2)
    sandbox.advance(hours=2)
    luma.sync()
    sandbox.advance(days=days)
    life.check_in(guest.tickets[1])
    luma.sync()
    checked_in = guest_row(luma, guest)
    tickets = [luma.warehouse.rows["event_tickets"][ticket.id,]["checked_in_at"] for ticket in guest.tickets]
    life.undo_check_in(guest.tickets[1])
    sandbox.advance(minutes=5)
    luma.sync()

    assert checked_in["checked_in_at"]
    assert tickets == [None, checked_in["checked_in_at"]]
    assert guest_row(luma, guest)["checked_in_at"] is None
    assert luma.warehouse.rows["event_tickets"][guest.tickets[1].id,]["checked_in_at"] is None


def test_a_guest_is_checked_in_when_the_first_of_the_tickets_is(
    luma: Runner, sandbox: Sandbox, life: Gatherings
) -> None:
    guest = life.register(soon(life), quantity=3)
    life.check_in(guest.tickets[2])
    sandbox.advance(hours=1)
    life.check_in(guest.tickets[0])
    luma.sync()

    row = guest_row(luma, guest)
    assert row["checked_in_at"] == row["event_tickets"][2]["checked_in_at"]
    assert instant(row["checked_in_at"]) < instant(row["event_tickets"][0]["checked_in_at"])


def test_after_a_gap_longer_than_the_look_back_nothing_has_been_skipped(
    luma: Runner, sandbox: Sandbox, life: Gatherings, judge: Judge
) -> None:
    guest = life.register(soon(life))
    sandbox.advance(hours=4)
    luma.sync()
    sandbox.advance(days=20)
    life.check_in(guest.tickets[0])
    sandbox.advance(days=45)
    luma.sync()

    assert guest_row(luma, guest)["checked_in_at"]
    judge.check(luma)


def test_outside_the_window_an_event_costs_nothing_and_with_no_look_back_everything_is_read(
    luma: Runner, sandbox: Sandbox, life: Gatherings
) -> None:
    old = life.create(life.now - timedelta(days=60))
    guest = life.register(old)
    sandbox.advance(hours=2)
    luma.sync()
    sandbox.advance(days=1)
    life.check_in(guest.tickets[0])
    before = len(sandbox.requests)
    luma.sync()
    assert requested(sandbox, old, before) == set()
    luma.sync(lookback_days=0)

    assert guest_row(luma, guest)["checked_in_at"]


def test_an_event_without_guests_moves_the_bookmark_too(luma: Runner, sandbox: Sandbox, life: Gatherings) -> None:
    for event in list(life.gatherings.values()):
        life.cancel(event)
    life.create(life.now - timedelta(days=5))
    luma.sync()

    bookmarks = (luma.warehouse.state or {})["bookmarks"]
    assert not luma.warehouse.rows["event_guests"]
    looked_at = ("event_guests", "event_tickets", "event_details", "event_hosts", "ticket_types")
    assert {bookmarks[name]["replication_key_value"] for name in looked_at} == {"2026-06-01T09:00:00.000000+00:00"}


def test_what_was_read_once_is_not_requested_again_though_no_event_has_ended_since(
    luma: Runner, sandbox: Sandbox, life: Gatherings
) -> None:
    for event in list(life.gatherings.values()):
        life.cancel(event)
    old = [life.create(life.now - timedelta(days=700))]
    life.register(old[0])
    luma.sync()
    sandbox.advance(hours=1)
    old += [life.create(life.now - timedelta(days=days)) for days in range(100, 110)]
    sandbox.advance(hours=2)
    luma.sync()
    sandbox.advance(hours=10)
    before = len(sandbox.requests)
    luma.sync()

    assert {event_id(event) for event in old} <= {row["id"] for row in luma.warehouse.rows["event_details"].values()}
    assert not any(requested(sandbox, event, before) for event in old)


def test_submitted_events_that_are_requested_later_come_whole(
    luma: Runner, sandbox: Sandbox, life: Gatherings, judge: Judge
) -> None:
    luma.sync()
    sandbox.advance(days=100)
    luma.sync()
    luma.sync(include_pending=True)

    pending = {row["api_id"] for row in luma.warehouse.rows["events"].values() if row["submission_status"] == "pending"}
    managed = {row["api_id"] for row in luma.warehouse.rows["events"].values() if row["access"] == "manage"}
    assert pending & managed
    assert pending & managed <= {row["id"] for row in luma.warehouse.rows["event_details"].values()}


def test_a_cancelled_event_vanishes_and_its_guests_stay(luma: Runner, sandbox: Sandbox, life: Gatherings) -> None:
    event = soon(life, 48)
    guest = life.register(event)
    luma.sync()
    life.cancel(event)
    sandbox.advance(hours=1)
    luma.sync()

    assert (event_id(event),) not in luma.warehouse.rows["events"]
    assert guest_row(luma, guest)["event_id"] == event_id(event)


def test_a_list_that_lacks_descriptions_does_not_wipe_them_out(luma: Runner) -> None:
    luma.sync()

    events, details = luma.warehouse.rows["events"], luma.warehouse.rows["event_details"]
    assert not any("description" in row or "description_md" in row for row in events.values())
    assert events.keys() == details.keys()
    assert all(row["description"] and row["description_md"] for row in details.values())


def test_every_ticket_refers_to_a_type_that_was_read_though_it_is_hidden(luma: Runner) -> None:
    luma.sync()

    kinds = luma.warehouse.rows["ticket_types"]
    assert any(kind["is_hidden"] for kind in kinds.values())
    assert {(row["event_ticket_type_id"],) for row in luma.warehouse.rows["event_tickets"].values()} <= kinds.keys()


def test_nothing_is_requested_events_that_are_only_shown(luma: Runner, sandbox: Sandbox, life: Gatherings) -> None:
    luma.select = lambda name, _: not name.startswith("organization")
    luma.sync(include_view_access=True, include_external=True, include_pending=True)

    events = luma.warehouse.rows["events"].values()
    shown = {row["api_id"] for row in events if row["access"] != "manage"}
    assert {row["access"] for row in events} == {"manage", "view", None}
    assert {row["platform"] for row in events} == {"luma", "external"}
    assert {row["submission_status"] for row in events} == {"approved", "pending"}
    assert shown
    requested = {value for one in sandbox.requests for name, value in one.query if name == "event_id"}
    assert requested == {row["api_id"] for row in events} - shown


def test_events_that_wait_for_a_decision_come_only_when_they_are_wanted(luma: Runner, sandbox: Sandbox) -> None:
    luma.sync()
    without = set(luma.warehouse.rows["events"])
    luma.sync(include_pending=True)

    wanted = luma.warehouse.rows["events"]
    assert {row["submission_status"] for key, row in wanted.items() if key not in without} == {"pending"}
    luma.sync()
    assert set(luma.warehouse.rows["events"]) == without


def test_counters_and_names_of_contacts_follow(luma: Runner, sandbox: Sandbox, life: Gatherings, judge: Judge) -> None:
    guest = life.register(soon(life))
    luma.sync()
    sandbox.advance(hours=1)
    life.check_in(guest.tickets[0])
    life.edit_profile(guest.attendee, name="Another Name", email="another@mail.example")
    luma.sync()

    judge.check(luma, ["contacts"])
    row = guest_row(luma, guest)
    assert (row["user_name"], row["name"], row["email"]) == ("Another Name", "Another Name", "another@mail.example")


def test_answers_of_every_type_satisfy_the_schema(luma: Runner, judge: Judge) -> None:
    tap = luma.sync()

    validator = Draft202012Validator(tap.streams["event_guests"].schema)
    answers = [
        answer for row in luma.warehouse.rows["event_guests"].values() for answer in row["registration_answers"] or ()
    ]
    assert {type(answer["value"]) for answer in answers} >= {str, bool, list, dict, type(None)}
    assert all(answer["value"] == answer["answer"] for answer in answers)
    assert [error for row in luma.warehouse.rows["event_guests"].values() for error in validator.iter_errors(row)] == []


def test_secrets_of_webhooks_never_leave_the_tap(luma: Runner) -> None:
    luma.select = lambda name, _: name == "webhooks"
    luma.sync()

    assert luma.warehouse.rows["webhooks"]
    assert "whsec" not in str(luma.warehouse.rows["webhooks"])


def test_the_use_of_a_coupon_shows_in_what_remains(luma: Runner, sandbox: Sandbox, life: Gatherings) -> None:
    event = soon(life)
    coupon = life.add_coupon(event, "LESS", 5, percent=50)
    luma.select = lambda name, _: name in {"event_coupons", "guest_orders"}
    luma.sync()
    sandbox.advance(minutes=10)
    guest = life.register(event, kind=life.add_ticket_kind(event, "Paid", cents=1000), coupon=coupon)
    luma.sync()

    assert luma.warehouse.rows["event_coupons"][coupon.id,]["remaining_count"] == 4
    assert [
        row["coupon_info"]["code"]
        for row in luma.warehouse.rows["guest_orders"].values()
        if row["guest_id"] == f"gst-{guest.id}"
    ] == ["LESS"]


def test_only_guests_who_registered_are_requested_their_orders(luma: Runner, sandbox: Sandbox, judge: Judge) -> None:
    luma.select = lambda name, _: name in {"event_guests", "guest_orders"}
    luma.sync()

    requested = [one for one in sandbox.requests if one.path == "/v1/events/guests/get"]
    assert 0 < len(requested) < len(luma.warehouse.rows["event_guests"])
    judge.check(luma, ["guest_orders"])


def test_rows_within_rows_cost_no_request_and_need_no_selected_parent(
    luma: Runner, sandbox: Sandbox, life: Gatherings, judge: Judge
) -> None:
    old = life.create(life.now - timedelta(days=90))
    sandbox.advance(hours=2)
    luma.select = lambda name, _: name in {"event_tickets", "event_hosts"}
    luma.sync()
    assert set(luma.warehouse.rows) == {"event_tickets", "event_hosts"}
    judge.check(luma, ["event_tickets", "event_hosts"])
    sandbox.advance(hours=1)
    before = len(sandbox.requests)
    luma.sync()

    assert len(sandbox.requests) > before
    assert requested(sandbox, old, before) == set()


def test_a_stream_that_is_selected_later_reads_everything_once(luma: Runner, sandbox: Sandbox, judge: Judge) -> None:
    luma.select = lambda name, _: name in {"events", "event_guests"}
    luma.sync()
    sandbox.advance(days=2)
    luma.select = lambda name, _: name in {"events", "event_guests", "event_tickets", "guest_orders", "ticket_types"}
    luma.sync()

    judge.check(luma, ["event_guests", "event_tickets", "guest_orders", "ticket_types"])


@pytest.mark.parametrize("inclusive", [False, True])
def test_the_start_date_bounds_the_start_of_events_and_what_belongs_to_them(
    luma: Runner, sandbox: Sandbox, life: Gatherings, *, inclusive: bool
) -> None:
    sandbox.luma.inclusive_bounds = inclusive
    start = life.now - timedelta(days=3)
    exactly, earlier = life.create(start), life.create(start - timedelta(minutes=1))
    life.register(earlier)
    luma.sync(start_date=start.isoformat())
    events = luma.warehouse.rows["events"]

    assert (event_id(exactly),) in events
    assert all(instant(row["start_at"]) >= start for row in events.values())
    assert {row["event_id"] for row in luma.warehouse.rows["event_guests"].values()} <= {key for (key,) in events}
    luma.sync()
    assert any(row["event_id"] == event_id(earlier) for row in luma.warehouse.rows["event_guests"].values())


def test_a_later_start_date_is_warned_about_once_since_events_before_it_count_as_gone(
    sandbox: Sandbox, luma: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    def warned(**config: Any) -> bool:
        caplog.clear()
        luma.sync(**config)
        return "`start_date` is later than before" in caplog.text

    later = (sandbox.world.now - timedelta(days=20)).isoformat()

    assert [warned(), warned()] == [False, False]
    luma.select = lambda name, default: default and name != "ticket_types"
    # Not by the bookmark of a stream that is not read any more, which stays as it is.
    assert [warned(start_date=later), warned(start_date=later), warned()] == [True, False, False]
