"""Records of OnceHub: deleted rows, changed shapes, and relations."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness import Messages, kill
from oncehub_api import booked, booking, every
from sandbox.oncehub.bookings import booking_ref
from sandbox.oncehub.text import ref
from tap_common.state.timestamps import instant

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness import Runner
    from sandbox import Sandbox
    from truth import Judge

    RecordedRequest = Callable[..., list[dict[str, str]]]

Row = dict[str, Any]
DAY = timedelta(days=1)


def test_users_and_calendars_that_are_gone_leave_the_warehouse(oncehub: Runner, sandbox: Sandbox, judge: Judge) -> None:
    oncehub.select = every
    oncehub.sync()
    world = sandbox.world
    world.remove_member(next(one for one in world.memberships.values() if one.person not in world.seats.values()))
    world.delete_event_type(next(kind for kind in world.bookable() if kind.position % 3 != 2))
    counts = {stream: len(rows) for stream, rows in oncehub.warehouse.rows.items()}
    oncehub.sync()

    for stream in ("users", "booking_calendars", "user_scheduling_availability"):
        assert len(oncehub.warehouse.rows[stream]) == counts[stream] - 1
    assert len(oncehub.warehouse.rows["booking_page_links"]) < counts["booking_page_links"]
    judge.check(oncehub, oncehub.warehouse.rows)


def test_a_booking_that_is_destroyed_and_contacts_that_are_merged_keep_their_rows(
    oncehub: Runner, sandbox: Sandbox, judge: Judge
) -> None:
    made = booked(sandbox)
    ticket = sandbox.world.desk.ticket(made)
    kept, merged = list(sandbox.world.desk.cards.values())[:2]
    oncehub.sync()
    judge.check(oncehub)
    sandbox.world.desk.destroy(ticket)
    sandbox.world.desk.merge_contacts(kept, merged)
    sandbox.advance(hours=1)
    oncehub.sync()

    assert (booking_ref(sandbox.oncehub, ticket),) in oncehub.warehouse.rows["bookings"]
    assert (ref("CTC", merged.id),) in oncehub.warehouse.rows["contacts"]
    judge.check(oncehub, oncehub.warehouse.rows)


def test_contacts_read_in_full_drop_what_is_gone(oncehub: Runner, sandbox: Sandbox) -> None:
    oncehub.sync()
    gone = next(iter(sandbox.world.desk.cards.values()))
    sandbox.world.desk.delete_contact(gone)
    messages = Messages()
    tap = oncehub.build(messages)
    tap.streams["contacts"].forced_replication_method = "FULL_TABLE"
    tap.run()
    tap.pool.shutdown()
    oncehub.warehouse.load(messages.read)

    truth = {row["id"] for row in sandbox.truth("oncehub", "contacts")}
    assert {key for (key,) in oncehub.warehouse.rows["contacts"]} == truth


@pytest.mark.parametrize("moves", [True, False])
def test_the_trash_is_seen_when_it_moves_the_booking_s_time_and_else_with_its_next_change(
    oncehub: Runner, sandbox: Sandbox, *, moves: bool
) -> None:
    sandbox.oncehub.trash_moves_update_time = moves
    made = booked(sandbox)
    oncehub.sync()
    booked(sandbox)
    sandbox.advance(days=3)
    booked(sandbox)
    oncehub.sync()
    sandbox.world.desk.trash(made)
    oncehub.sync()
    assert booking(oncehub, sandbox, made)["in_trash"] is moves

    sandbox.world.desk.edit_booking_form(made, note="still there")
    oncehub.sync()
    assert booking(oncehub, sandbox, made)["in_trash"] is True


def test_a_stub_of_something_deleted_never_overwrites_a_row_and_is_no_row_itself(
    oncehub: Runner, sandbox: Sandbox, judge: Judge
) -> None:
    oncehub.select = every
    sandbox.oncehub.list_deleted_stubs = True
    card = next(iter(sandbox.world.desk.cards.values()))
    sandbox.world.desk.set_custom_field(card, "Kept", "yes")
    oncehub.sync()
    judge.check(oncehub)
    before = oncehub.warehouse.rows["contacts"][ref("CTC", card.id),]
    world = sandbox.world
    world.desk.delete_contact(card)
    member = next(one for one in world.memberships.values() if one.person not in world.seats.values())
    world.remove_member(member)
    sandbox.advance(hours=1)
    for size in (100, 1):
        oncehub.sync(page_size=size, requests_per_minute=60_000)

    assert oncehub.warehouse.rows["contacts"][ref("CTC", card.id),] == before
    rows = [row for rows in oncehub.warehouse.rows.values() for row in rows.values()]
    assert not any("deleted" in (row["_extra"] or {}) for row in rows)
    judge.check(oncehub, oncehub.warehouse.rows)


def test_nothing_is_expanded_and_references_are_ids(oncehub: Runner, sandbox: Sandbox) -> None:
    oncehub.select = every
    oncehub.sync()

    assert not any("expand" in dict(request.query) for request in sandbox.requests)
    columns = ("owner", "contact", "booking_calendar", "booking_page", "master_page", "event_type", "conversation")
    for row in oncehub.warehouse.rows["bookings"].values():
        assert all(row[name] is None or isinstance(row[name], str) for name in columns)


def test_times_with_and_without_milliseconds_are_both_read_and_compared_as_instants(
    oncehub: Runner, sandbox: Sandbox
) -> None:
    oncehub.sync()

    times = [row["last_updated_time"] for row in oncehub.warehouse.rows["bookings"].values()]
    assert {len(time) for time in times} == {len("2026-05-01T10:00:00Z"), len("2026-05-01T10:00:00.000Z")}
    assert all(datetime.fromisoformat(time) for time in times)


def test_every_booking_leads_to_a_calendar_or_to_a_page(oncehub: Runner, sandbox: Sandbox) -> None:
    oncehub.sync()

    rows = oncehub.warehouse.rows
    ofcalendars = [row for row in rows["bookings"].values() if row["booking_calendar"]]
    ofpages = [row for row in rows["bookings"].values() if row["booking_page"]]
    assert ofcalendars
    assert ofpages
    assert len(ofcalendars) + len(ofpages) == len(rows["bookings"])
    assert {(row["booking_calendar"],) for row in ofcalendars} & rows["booking_calendars"].keys()
    assert {(row["event_type"],) for row in ofpages} & rows["event_types"].keys()


def test_the_status_of_a_message_that_moves_without_a_time_is_seen(oncehub: Runner, sandbox: Sandbox) -> None:
    text = sandbox.world.desk.send_sms(booked(sandbox), settles=False)
    oncehub.sync()
    key = (ref("SMS", text.id),)
    assert oncehub.warehouse.rows["sms_notifications"][key]["status"] == "sent"
    sandbox.advance(hours=1)
    sandbox.world.desk.send_sms(booked(sandbox))
    oncehub.sync()
    sandbox.advance(hours=60)
    sandbox.world.desk.settle_sms(text, "rejected")
    oncehub.sync()

    assert oncehub.warehouse.rows["sms_notifications"][key]["status"] == "rejected"


def test_messages_are_looked_at_for_three_days_and_longer_where_the_setting_says_so(
    oncehub: Runner, sandbox: Sandbox, requested: RecordedRequest
) -> None:
    oncehub.sync()
    bookmark = instant((oncehub.warehouse.state or {})["bookmarks"]["sms_notifications"]["replication_key_value"])
    for setting, days in ((0, 3), (1, 3), (7, 7)):
        before, state = len(sandbox.requests), oncehub.warehouse.state
        oncehub.sync(lookback_days=setting)
        oncehub.warehouse.state = state
        query, *_ = requested("/v2/notifications/sms", before)
        assert instant(query["creation_time.gt"]) == bookmark - days * DAY


def test_empty_texts_and_nulls_arrive_as_they_are(oncehub: Runner, sandbox: Sandbox, judge: Judge) -> None:
    oncehub.select = every
    oncehub.sync()

    judge.check(oncehub, oncehub.warehouse.rows)
    values = [value for row in oncehub.warehouse.rows["contacts"].values() for value in row.values()]
    assert "" in values
    assert None in values


def test_every_shape_that_a_field_can_have_arrives(oncehub: Runner, sandbox: Sandbox, judge: Judge) -> None:
    oncehub.select = every
    sandbox.oncehub.several_durations = "list"
    oncehub.sync()

    rows = list(oncehub.warehouse.rows["bookings"].values())
    assert {type(row["cancel_reschedule_information"]) for row in rows} == {dict, list, type(None)}
    assert {type(row["form_submission"]) for row in rows} == {dict, type(None)}
    fields = [field for row in rows for field in row["custom_fields"]]
    assert {type(field["value"]) for field in fields} >= {str, int, bool, list, dict, type(None)}
    judge.check(oncehub, ["bookings", "booking_calendars"])


def test_both_spellings_of_the_terms_have_a_column(oncehub: Runner, sandbox: Sandbox) -> None:
    oncehub.sync()

    rows = oncehub.warehouse.rows["contacts"].values()
    assert {row["terms_of_sevice"] for row in rows} >= {True, False}
    assert {row["terms_of_service"] for row in rows} - {None}
    assert all((row["terms_of_sevice"] is None) != (row["terms_of_service"] is None) for row in rows)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(value=st.recursive(st.none() | st.integers() | st.text(max_size=9), lambda inner: st.lists(inner, max_size=2)))
def test_a_field_that_is_new_is_kept_whatever_it_holds(oncehub: Runner, sandbox: Sandbox, value: Any) -> None:
    sandbox.oncehub.extra_fields = {"bookings": {"brand_new": value}, "teams": {"brand_new": value}}
    oncehub.warehouse.state = None
    oncehub.sync()

    for stream in ("bookings", "teams"):
        assert all(row["_extra"] == {"brand_new": value} for row in oncehub.warehouse.rows[stream].values())


def test_a_user_whose_hours_cannot_be_read_costs_a_warning_and_nothing_else(
    oncehub: Runner, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    oncehub.select = every
    user = sandbox.truth("oncehub", "users")[0]["id"]
    sandbox.oncehub.hidden.add(f"/v2/users/{user}/scheduling-availability")
    oncehub.sync()

    assert len(oncehub.warehouse.rows["user_scheduling_availability"]) == len(oncehub.warehouse.rows["users"]) - 1
    assert sum("skipping this parent" in line for line in caplog.messages) == 1


def test_links_of_pages_cost_one_list_for_each_that_they_can_belong_to(
    oncehub: Runner, sandbox: Sandbox, judge: Judge, requested: RecordedRequest
) -> None:
    oncehub.select = lambda name, _: name == "booking_page_links"
    oncehub.sync()

    related = sum(len(sandbox.truth("oncehub", stream)) for stream in ("master_pages", "event_types", "users"))
    assert len(requested("/v2/booking-pages")) == related
    assert len(sandbox.requests) == related + 4
    assert {key[1] for key in oncehub.warehouse.rows["booking_page_links"]} == {"master_page", "event_type", "user"}
    judge.check(oncehub, oncehub.warehouse.rows)


def test_ten_rounds_of_life_equal_the_truth_in_every_stream(oncehub: Runner, sandbox: Sandbox, judge: Judge) -> None:
    oncehub.select = every
    sandbox.oncehub.trash_moves_update_time = True
    for hours in (1, 5, 24, 24 * 7, 24 * 20) * 2:
        oncehub.sync()
        judge.check(oncehub, oncehub.warehouse.rows)
        sandbox.advance(hours=hours)


@pytest.mark.parametrize("by_day", [False, True])
def test_a_first_load_in_slices_equals_the_truth_wherever_it_was_killed(
    oncehub: Runner,
    sandbox: Sandbox,
    judge: Judge,
    requested: RecordedRequest,
    *,
    by_day: bool,
) -> None:
    sandbox.oncehub.trash_moves_update_time = True
    sandbox.oncehub.day_granular_filters = by_day
    for after in (25, 45, 70):
        oncehub.sync(after=after, then=kill, page_size=3, requests_per_minute=60_000)
        sandbox.advance(days=2)
    oncehub.sync(page_size=3, requests_per_minute=60_000)
    sandbox.advance(days=1)
    oncehub.sync()

    bounds = [query["creation_time.lt"] for query in requested("/v2/bookings") if "creation_time.lt" in query]
    assert bounds
    assert all(instant(after) <= instant(before) for before, after in pairwise(dict.fromkeys(bounds)))
    judge.check(oncehub, oncehub.warehouse.rows)


def test_what_becomes_of_a_request_is_seen_where_it_moves_the_booking_s_time(oncehub: Runner, sandbox: Sandbox) -> None:
    desk = sandbox.world.desk
    waiting, accepted, declined = (booked(sandbox, 60) for _ in range(3))
    for one in (waiting, accepted, declined):
        desk.request_approval(one)
    oncehub.sync()
    sandbox.advance(days=1)
    if desk.ticket(accepted).approval:
        desk.approve(accepted)
    if desk.ticket(declined).approval:
        desk.decline(declined)
    sandbox.advance(days=1)
    oncehub.sync()

    found = [booking(oncehub, sandbox, one)["status"] for one in (waiting, accepted, declined)]
    assert found == ["requested", "scheduled", "canceled"]
