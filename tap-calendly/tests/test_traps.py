"""The ways in which a sync of Calendly can lose data without an error, and that this one does not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from api import runner_of
from calendly_api import CALENDLY
from commands import run_tap
from harness import kill
from sandbox.calendly.text import event_uri, invitee_uri, uri
from tap_common.errors import AccessError, RequestError, SettingsError
from tap_common.state.timestamps import instant
from truth import Judge

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness import Runner, VirtualClock
    from sandbox import Sandbox


def event(calendly: Runner, meeting: Any) -> dict[str, Any]:
    return calendly.warehouse.rows["scheduled_events"][event_uri(meeting),]


def invitee(calendly: Runner, booking: Any) -> dict[str, Any]:
    return calendly.warehouse.rows["event_invitees"][invitee_uri(booking),]


def solo(sandbox: Sandbox) -> Any:
    """An event type for two."""
    return next(kind for kind in sandbox.world.bookable() if kind.seats == 1)


def group(sandbox: Sandbox) -> Any:
    """An event type for many."""
    return next(kind for kind in sandbox.world.bookable() if kind.seats > 1)


def test_a_booking_far_in_the_future_does_not_hide_nearer_ones_made_later(calendly: Runner, sandbox: Sandbox) -> None:
    far = sandbox.world.book(solo(sandbox), sandbox.world.now + timedelta(days=360))
    calendly.sync()
    sandbox.advance(hours=1)
    near = sandbox.world.book(solo(sandbox), sandbox.world.now + timedelta(days=2))
    calendly.sync()

    assert event(calendly, far.meeting)["status"] == "active"
    assert invitee(calendly, near)["status"] == "active"


def test_a_note_on_a_meeting_of_months_ago_arrives(calendly: Runner, sandbox: Sandbox) -> None:
    calendly.sync()
    ours = (meeting for meeting in sandbox.world.meetings.values() if not meeting.elsewhere)
    old = min(ours, key=lambda meeting: meeting.start)
    sandbox.advance(hours=1)
    sandbox.world.add_note(old, "late but important")
    calendly.sync()

    assert sandbox.world.now - old.start > timedelta(days=90)
    assert event(calendly, old)["meeting_notes_plain"] == "late but important"


def test_a_meeting_booked_before_the_start_date_and_held_after_it_is_loaded(calendly: Runner, sandbox: Sandbox) -> None:
    start = sandbox.world.now + timedelta(days=1)
    booking = sandbox.world.book(solo(sandbox), start + timedelta(days=3))

    calendly.sync(start_date=start.isoformat())

    assert event(calendly, booking.meeting)["created_at"] < start.isoformat()
    assert invitee(calendly, booking)["status"] == "active"


def test_a_cancellation_changes_the_invitee_that_was_loaded(calendly: Runner, sandbox: Sandbox) -> None:
    booking = sandbox.world.book(solo(sandbox), sandbox.world.now + timedelta(days=5))
    calendly.sync()
    sandbox.advance(days=1)
    sandbox.world.cancel_booking(booking, "ill")
    calendly.sync()

    assert event(calendly, booking.meeting)["cancellation"]["reason"] == "ill"
    assert invitee(calendly, booking)["status"] == "canceled"


def test_one_invitee_of_a_group_who_cancels_is_seen_though_the_meeting_does_not_move(
    calendly: Runner, sandbox: Sandbox
) -> None:
    staying = sandbox.world.book(group(sandbox), sandbox.world.now + timedelta(days=20))
    leaving = sandbox.world.join(staying.meeting)
    calendly.sync()
    before = event(calendly, staying.meeting)
    sandbox.advance(days=3)
    sandbox.world.cancel_booking(leaving)
    calendly.sync()

    after = event(calendly, staying.meeting)
    assert after["updated_at"] == before["updated_at"]
    assert (before["invitees_counter"]["active"], after["invitees_counter"]["active"]) == (2, 1)
    assert invitee(calendly, leaving)["status"] == "canceled"
    assert invitee(calendly, staying)["status"] == "active"


@pytest.mark.parametrize("moves", [False, True])
def test_a_no_show_that_is_marked_weeks_after_the_meeting_arrives_and_so_does_its_undoing(
    calendly: Runner, sandbox: Sandbox, *, moves: bool
) -> None:
    sandbox.world.no_show_moves_invitee = moves
    booking = sandbox.world.book(solo(sandbox), sandbox.world.now + timedelta(hours=1))
    sandbox.advance(days=14)
    calendly.sync()
    sandbox.advance(days=7)
    sandbox.world.mark_no_show(booking)
    calendly.sync()
    marked = invitee(calendly, booking)["no_show"]
    sandbox.advance(days=2)
    sandbox.world.unmark_no_show(booking)
    calendly.sync()

    assert marked["created_at"]
    assert invitee(calendly, booking)["no_show"] is None


def test_after_a_gap_longer_than_the_look_back_nothing_has_been_skipped(calendly: Runner, sandbox: Sandbox) -> None:
    booking = sandbox.world.book(solo(sandbox), sandbox.world.now + timedelta(hours=1))
    calendly.sync()
    sandbox.advance(days=20)
    sandbox.world.mark_no_show(booking)
    sandbox.advance(days=45)
    calendly.sync()

    assert invitee(calendly, booking)["no_show"]
    Judge(CALENDLY, sandbox).check(calendly)


def test_no_request_asks_for_active_meetings_only(calendly: Runner, sandbox: Sandbox) -> None:
    calendly.sync()

    requested = [request for request in sandbox.requests if request.path.startswith("/scheduled_events")]
    assert requested
    assert all("status" not in dict(request.query) for request in requested)


def test_invitees_that_are_selected_later_are_filled_in_from_the_beginning(calendly: Runner, sandbox: Sandbox) -> None:
    calendly.select = lambda name, default: default and name != "event_invitees"
    calendly.sync()
    sandbox.advance(days=60)
    calendly.select = lambda _name, default: default
    calendly.sync()

    Judge(CALENDLY, sandbox).check(calendly)


def test_page_tokens_that_go_stale_within_a_slice_lose_nothing(calendly: Runner, sandbox: Sandbox) -> None:
    sandbox.faults.script(r"/scheduled_events$", ["ok", "stale-token", "ok", "ok", "stale-token"])

    calendly.sync(page_size=10)

    assert [kind for _, kind in sandbox.faults.injected] == ["stale-token", "stale-token"]
    Judge(CALENDLY, sandbox).check(calendly)


def test_page_tokens_are_used_before_they_can_go_stale(calendly: Runner, sandbox: Sandbox) -> None:
    sandbox.calendly.page_token_requests = 12

    calendly.sync(page_size=10)

    assert all(request.status == 200 for request in sandbox.requests)


def test_a_token_that_goes_stale_in_any_list_starts_that_list_again(calendly: Runner, sandbox: Sandbox) -> None:
    sandbox.faults.script(r"/contacts$", ["stale-token"])
    sandbox.faults.script(r"/invitees$", ["stale-token"])

    calendly.sync(page_size=2)

    assert len(sandbox.faults.injected) == 2
    Judge(CALENDLY, sandbox).check(calendly)


def test_a_key_that_may_not_see_the_organization_reads_its_own_and_says_so(
    calendly: Runner, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    calendly.config["api_key"] = "sandbox-member"
    with caplog.at_level("INFO"):
        calendly.sync()

    truth = sandbox.truth("calendly", "scheduled_events", key="sandbox-member")
    assert truth
    assert {row["uri"] for row in truth} == {key for (key,) in calendly.warehouse.rows["scheduled_events"]}
    assert "scope `user` (role `user`)" in caplog.text
    assert [requested.path for requested in sandbox.requests].count("/organization_memberships") == 1


def test_a_scope_that_the_key_may_not_read_is_an_error_and_never_an_empty_table(calendly: Runner) -> None:
    calendly.config["api_key"] = "sandbox-member"

    with pytest.raises(SettingsError, match="Set `scope` to `auto` or `user`"):
        calendly.sync(scope="organization")

    assert calendly.warehouse.rows == {}


def test_scope_group_reads_the_group_and_wants_its_uri(calendly: Runner, sandbox: Sandbox) -> None:
    place = next(
        place
        for place in sandbox.world.group_places.values()
        if place.role == "admin" and getattr(place.holder, "person", None) is sandbox.world.seats["group_admin"]
    )
    calendly.config["api_key"] = "sandbox-groupadmin"
    with pytest.raises(SettingsError, match="`group_uri`"):
        calendly.sync(scope="group")

    calendly.sync(scope="group", group_uri=uri("groups", place.group))

    rows = calendly.warehouse.rows["scheduled_events"]
    assert 0 < len(rows) < len(sandbox.truth("calendly", "scheduled_events"))


def test_every_missing_scope_is_named_before_anything_is_written(calendly: Runner) -> None:
    calendly.config["api_key"] = "sandbox-narrow"

    with pytest.raises(AccessError) as refused:
        calendly.sync()

    assert "lacks the scope `routing_forms:read`" in str(refused.value)
    assert "lacks the scope `contacts:read`" in str(refused.value)

    assert calendly.warehouse.rows == {}


def test_a_missing_scope_does_not_matter_to_streams_that_are_not_selected(calendly: Runner) -> None:
    calendly.config["api_key"] = "sandbox-narrow"
    calendly.select = lambda name, default: default and not name.startswith(("routing_form", "contact"))

    calendly.sync()

    assert calendly.warehouse.rows["event_invitees"]


def test_what_the_plan_lacks_is_skipped_with_a_warning_and_its_rows_stay(
    calendly: Runner, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    calendly.sync()
    before = dict(calendly.warehouse.rows["routing_forms"])
    sandbox.calendly.plan = "free"
    calendly.sync()

    skipped = [line for line in caplog.messages if line.startswith("Skipped: 403")]
    assert any("/activity_log_entries" in line for line in skipped)
    assert any("/routing_forms" in line for line in skipped)
    assert calendly.warehouse.rows["routing_forms"] == before


def test_rows_that_share_the_moment_of_the_bookmark_all_arrive(calendly: Runner, sandbox: Sandbox) -> None:
    calendly.sync()
    sandbox.advance(days=1)
    one, other = (sandbox.world.book(solo(sandbox), sandbox.world.now + timedelta(days=200 + day)) for day in range(2))
    calendly.sync()
    later = sandbox.world.book(solo(sandbox), sandbox.world.now + timedelta(days=300))
    calendly.sync()

    assert one.meeting.updated_at == other.meeting.updated_at == later.meeting.updated_at
    assert all(event(calendly, booking.meeting) for booking in (one, other, later))


@pytest.mark.parametrize("after", [5, 40, 80, 120])
def test_what_changes_while_a_run_goes_on_is_in_the_next_one_at_the_latest(
    calendly: Runner, sandbox: Sandbox, after: int
) -> None:
    def live_on() -> None:
        sandbox.advance(minutes=1)
        first = min(sandbox.world.meetings.values(), key=lambda meeting: meeting.start)
        sandbox.world.add_note(first, "while reading")
        sandbox.world.book(solo(sandbox), sandbox.world.now - timedelta(days=100))
        sandbox.world.book(solo(sandbox), sandbox.world.now + timedelta(days=100))
        sandbox.advance(minutes=1)

    calendly.sync(after=after, then=live_on, page_size=5)
    sandbox.advance(minutes=5)
    calendly.sync()

    Judge(CALENDLY, sandbox).check(calendly)


def test_the_booking_that_follows_a_routing_form_is_seen_on_its_submission(calendly: Runner, sandbox: Sandbox) -> None:
    submission = sandbox.world.submit_form()
    calendly.sync()
    sandbox.advance(days=20)
    booking = sandbox.world.book(solo(sandbox), submission=submission)
    calendly.sync()

    row = calendly.warehouse.rows["routing_form_submissions"][uri("routing_form_submissions", submission),]
    assert row["submitter"] == invitee_uri(booking)
    assert row["submitter_id"] == booking.id


def test_submissions_are_read_newest_first_and_not_to_the_end_of_time(calendly: Runner, sandbox: Sandbox) -> None:
    for form in [form for form in sandbox.world.forms.values() if form.status == "published"]:
        for _ in range(30):
            sandbox.world.submit_form(form)
    sandbox.advance(days=90)
    calendly.sync()
    before = len(sandbox.requests)
    sandbox.advance(days=1)
    calendly.sync(page_size=5)

    pages = [request for request in sandbox.requests[before:] if request.path == "/routing_form_submissions"]
    assert len(calendly.warehouse.rows["routing_form_submissions"]) > 60
    assert len(pages) < 60 / 5


def test_a_contact_whose_dates_move_without_updated_at_and_one_that_is_deleted_are_seen(
    calendly: Runner, sandbox: Sandbox
) -> None:
    calendly.sync()
    before = {key: row["last_meeting_date"] for key, row in calendly.warehouse.rows["contacts"].items()}
    gone = next(iter(sandbox.world.contacts.values()))
    sandbox.world.delete_contact(gone)
    sandbox.advance(days=30)
    calendly.sync()

    rows = calendly.warehouse.rows["contacts"]
    assert (uri("contacts", gone),) not in rows
    assert any(before.get(key, row["last_meeting_date"]) != row["last_meeting_date"] for key, row in rows.items())
    Judge(CALENDLY, sandbox).check(calendly, ["contacts"])


def test_recaps_of_every_status_are_read_and_later_edits_arrive(calendly: Runner, sandbox: Sandbox) -> None:
    meeting = next(meeting for meeting in sandbox.world.meetings.values() if meeting.end < sandbox.world.now)
    recap = sandbox.world.start_recap(meeting)
    calendly.sync()
    key = (uri("meeting_recaps", recap),)
    processing = calendly.warehouse.rows["meeting_recaps"][key]["status"]
    sandbox.advance(days=40)
    sandbox.world.finish_recap(recap)
    sandbox.world.edit_recap(recap, "corrected")
    calendly.sync()

    assert processing == "processing"
    assert calendly.warehouse.rows["meeting_recaps"][key]["status"] == "available"
    assert "corrected" in calendly.warehouse.rows["meeting_recaps"][key]["summary_md"]


def test_members_groups_and_contacts_that_are_gone_leave_the_warehouse(calendly: Runner, sandbox: Sandbox) -> None:
    calendly.sync()
    world = sandbox.world
    member = next(one for one in world.memberships.values() if one.person not in world.seats.values())
    removed = next(iter(world.groups.values()))
    world.remove_member(member)
    world.delete_group(removed)
    calendly.sync()

    assert (uri("organization_memberships", member),) not in calendly.warehouse.rows["organization_memberships"]
    assert (uri("groups", removed),) not in calendly.warehouse.rows["groups"]


def test_a_run_that_breaks_off_drops_nothing(calendly: Runner, sandbox: Sandbox) -> None:
    calendly.sync()
    before = {stream: set(rows) for stream, rows in calendly.warehouse.rows.items()}
    for after in range(2, 60, 7):
        calendly.sync(after=after, then=kill)
        assert all(before[stream] <= set(rows) for stream, rows in calendly.warehouse.rows.items())


def test_children_of_a_parent_that_may_not_be_read_are_not_taken_for_gone(
    calendly: Runner, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    calendly.sync()
    before = dict(calendly.warehouse.rows["user_availability_schedules"])
    sandbox.faults.script(r"/user_availability_schedules$", ["ok"])
    member = next(one for one in sandbox.world.memberships.values() if one.person is not sandbox.world.seats["owner"])
    sandbox.calendly.forbidden.add(f"https://api.calendly.com/users/{member.person.id}")
    calendly.sync()

    assert set(calendly.warehouse.rows["user_availability_schedules"]) == set(before)
    assert sum("skipping this parent" in line for line in caplog.messages) == 1


def test_a_reschedule_is_a_cancellation_and_a_booking_that_know_of_each_other(
    calendly: Runner, sandbox: Sandbox
) -> None:
    old = sandbox.world.book(solo(sandbox), sandbox.world.now + timedelta(days=5))
    calendly.sync()
    sandbox.advance(hours=2)
    new = sandbox.world.reschedule(old, sandbox.world.now + timedelta(days=9))
    calendly.sync()

    first, second = invitee(calendly, old), invitee(calendly, new)
    assert (first["status"], first["rescheduled"], first["new_invitee_id"]) == ("canceled", True, new.id)
    assert (second["status"], second["rescheduled"], second["old_invitee_id"]) == ("active", False, old.id)
    assert first["event"] != second["event"]


def test_another_scope_or_an_earlier_start_date_begins_anew(
    calendly: Runner, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    later = sandbox.world.now - timedelta(days=30)
    with caplog.at_level("INFO"):
        calendly.sync(start_date=later.isoformat())
        assert "Reading everything again" not in caplog.text
        calendly.sync()
    assert "`start_date` is earlier than before" in caplog.text
    Judge(CALENDLY, sandbox).check(calendly)

    for scope in ("user", "organization"):  # of one account
        caplog.clear()
        with caplog.at_level("INFO"):
            calendly.sync(scope=scope)
        assert "the key sees other data than before" in caplog.text


def test_a_user_and_a_colleague_are_of_one_account_and_another_organization_is_another(
    calendly: Runner, sandbox: Sandbox, serve: Callable[..., Sandbox]
) -> None:
    calendly.sync(scope="user", api_key="sandbox-member")
    calendly.sync(scope="user")
    calendly.sync()
    other = serve(seed=8).calendly.api_url
    requested = len(sandbox.requests)
    for scope in ("user", "organization"):
        with pytest.raises(SettingsError, match="another account than the state"):
            calendly.sync(api_url=other, scope=scope)
    assert len(sandbox.requests) == requested


@pytest.mark.parametrize(("scope", "known"), [("organization", True), ("user", False)])
def test_a_state_of_an_older_version_knows_its_organization_alone(
    calendly: Runner, serve: Callable[..., Sandbox], scope: str, *, known: bool
) -> None:
    calendly.sync(scope=scope)
    for bookmark in (calendly.warehouse.state or {})["bookmarks"].values():
        bookmark.get("covers", {}).pop("account", None)
    calendly.sync(scope=scope)
    for bookmark in (calendly.warehouse.state or {})["bookmarks"].values():
        bookmark.get("covers", {}).pop("account", None)

    other = serve(seed=8).calendly.api_url
    if known:
        with pytest.raises(SettingsError, match="another account"):
            calendly.sync(api_url=other, scope=scope)
    else:  # everything is read again
        calendly.sync(api_url=other, scope=scope)
        assert calendly.warehouse.written["scheduled_events"]


def test_the_organization_that_is_set_is_no_word_of_whose_the_key_is(
    calendly: Runner, sandbox: Sandbox, serve: Callable[..., Sandbox]
) -> None:
    meant = sandbox.truth("calendly", "organization")[0]["uri"]
    other = serve(seed=8).calendly.api_url
    with pytest.raises(SettingsError, match="another account than the setting `accounts` names"):
        calendly.sync(api_url=other, scope="user", organization_uri=meant, accounts={"any": meant})
    assert calendly.warehouse.rows == {}


def test_every_paged_list_is_requested_with_the_largest_page(calendly: Runner, sandbox: Sandbox) -> None:
    calendly.sync()

    sizes = [dict(request.query).get("count") for request in sandbox.requests]
    # The others are the check of permissions, single objects and lists that take no page size.
    assert set(sizes) == {"100", "1", None}
    assert all(
        size == "100"
        for size, request in zip(sizes, sandbox.requests, strict=True)
        if request.path.endswith("/invitees")
    )


def test_no_list_of_invitees_is_requested_where_there_are_none(calendly: Runner, sandbox: Sandbox) -> None:
    empty = sandbox.world.open_meeting(solo(sandbox), sandbox.world.now + timedelta(days=1))
    calendly.sync()

    assert event(calendly, empty)["invitees_counter"]["total"] == 0
    assert not any(empty.id in request.path for request in sandbox.requests)


def test_a_later_run_visits_only_meetings_where_something_can_have_changed(calendly: Runner, sandbox: Sandbox) -> None:
    calendly.sync()
    bookmark = instant((calendly.warehouse.state or {})["bookmarks"]["event_invitees"]["replication_key_value"])
    sandbox.advance(hours=5)
    before = len(sandbox.requests)
    calendly.sync()

    visited = [request.path.split("/")[2] for request in sandbox.requests[before:] if "/invitees" in request.path]
    due = [
        meeting.id
        for meeting in sandbox.world.meetings.values()
        if meeting.bookings
        and not meeting.elsewhere
        and (meeting.start >= bookmark - timedelta(days=30) or meeting.updated_at >= bookmark - timedelta(hours=1))
    ]
    assert sorted(visited) == sorted(due)
    assert 0 < len(due) < len(sandbox.world.meetings) * 2 / 3


def test_one_meeting_whose_invitees_are_gone_costs_a_warning_and_nothing_else(
    calendly: Runner, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    hidden = sandbox.world.book(solo(sandbox), sandbox.world.now + timedelta(days=1))
    sandbox.calendly.hidden.add(event_uri(hidden.meeting))

    calendly.sync()

    sandbox.calendly.hidden.clear()
    truth = {row["uri"] for row in sandbox.truth("calendly", "event_invitees")}
    assert {uri for (uri,) in calendly.warehouse.rows["event_invitees"]} == truth - {invitee_uri(hidden)}
    assert sum("404 Not Found on" in line for line in caplog.messages) == 1


def test_a_deleted_event_type_that_a_meeting_refers_to_is_read_by_itself(calendly: Runner, sandbox: Sandbox) -> None:
    kind = solo(sandbox)
    sandbox.world.book(kind, sandbox.world.now + timedelta(days=1))
    sandbox.world.delete_event_type(kind)

    calendly.sync()

    row = calendly.warehouse.rows["event_types"][uri("event_types", kind),]
    assert row["deleted_at"]
    assert row["owner_id"]
    assert any(request.path == f"/event_types/{kind.id}" for request in sandbox.requests)


def test_a_page_token_that_comes_twice_is_an_error_and_not_for_ever(calendly: Runner, sandbox: Sandbox) -> None:
    sandbox.calendly.repeat_token = True

    with pytest.raises(Exception, match="the same page token twice"):
        calendly.sync(page_size=5)


def test_a_secret_in_the_address_of_a_webhook_never_leaves_the_tap(calendly: Runner, sandbox: Sandbox) -> None:
    sandbox.world.add_webhook("https://hooks.example/in/hush?token=hush")
    sandbox.world.add_webhook("https://bob:hush@hooks.example:8443/out")
    calendly.select = lambda name, _default: name == "webhook_subscriptions"

    calendly.sync()

    addresses = {row["callback_url"] for row in calendly.warehouse.rows["webhook_subscriptions"].values()}
    assert {"https://hooks.example", "https://hooks.example:8443"} <= addresses
    assert not any("hush" in address for address in addresses)


def test_a_missing_scope_ends_the_command_with_1_and_one_sentence(sandbox: Sandbox, tmp_path: Path) -> None:
    config = {"api_key": "sandbox-narrow", "api_url": sandbox.calendly.api_url}

    outcome = run_tap(tmp_path, "tap-calendly", config, state={"bookmarks": {"contacts": {}}})

    assert (outcome.code, outcome.out) == (1, "")
    assert len(outcome.errors) == 1
    assert "lacks the scope" in outcome.errors[0]


def test_a_refusal_in_the_middle_of_a_list_ends_the_run_and_leaves_the_bookmark(
    calendly: Runner, sandbox: Sandbox
) -> None:
    sandbox.faults.script(r"/activity_log_entries$", ["ok", "ok", "stale-token"])
    calendly.select = lambda name, _default: name == "activity_log_entries"

    def gate() -> None:
        sandbox.calendly.plan = "free"

    with pytest.raises(RequestError, match="in the middle of a list"):
        calendly.sync(page_size=5, after=4, then=gate)

    sandbox.calendly.plan = "enterprise"
    calendly.sync()
    Judge(CALENDLY, sandbox).check(calendly, ["activity_log_entries"])


def test_a_key_that_has_lost_its_role_is_an_error_where_the_organization_was_read_before(
    calendly: Runner, sandbox: Sandbox
) -> None:
    calendly.sync()
    before = {stream: len(rows) for stream, rows in calendly.warehouse.rows.items()}
    calendly.config["api_key"] = "sandbox-member"

    with pytest.raises(SettingsError, match="set `scope` to `user`"):
        calendly.sync()
    assert {stream: len(rows) for stream, rows in calendly.warehouse.rows.items()} == before

    calendly.warehouse.state = None
    with pytest.raises(SettingsError, match="set `scope` to `user`"):
        calendly.sync(organization_uri=sandbox.calendly.organization_uri)


def test_many_meetings_that_cannot_be_read_do_not_stop_the_others(calendly: Runner, sandbox: Sandbox) -> None:
    meetings = sorted(
        (meeting for meeting in sandbox.world.meetings.values() if meeting.bookings), key=lambda meeting: meeting.start
    )
    sandbox.calendly.hidden.update(event_uri(meeting) for meeting in meetings[:25])

    calendly.sync()

    assert calendly.warehouse.rows["event_invitees"]


def test_invitees_of_no_meeting_at_all_are_an_error(calendly: Runner, sandbox: Sandbox) -> None:
    sandbox.calendly.hidden.update(event_uri(meeting) for meeting in sandbox.world.meetings.values())

    with pytest.raises(RequestError, match=r"404 Not Found on .*: as of all"):
        calendly.sync()


def test_deleted_event_types_stay_in_a_run_that_reads_no_meetings(calendly: Runner, sandbox: Sandbox) -> None:
    kind = solo(sandbox)
    sandbox.world.book(kind, sandbox.world.now + timedelta(days=1))
    sandbox.world.delete_event_type(kind)
    calendly.sync()
    calendly.select = lambda name, _default: name == "event_types"
    calendly.sync()

    assert (uri("event_types", kind),) in calendly.warehouse.rows["event_types"]


def test_a_range_that_begins_soon_is_still_to_come_when_the_limit_has_been_waited_out(
    serve: Callable[..., Sandbox], clock: VirtualClock
) -> None:
    sandbox = serve(flow=True)
    sandbox.calendly.requests_per_minute = 10
    calendly = runner_of(CALENDLY, sandbox, clock)
    calendly.select = lambda name, _default: name in ("user_busy_times", "event_type_available_times")

    calendly.sync()

    assert calendly.warehouse.rows["user_busy_times"]
    assert calendly.warehouse.rows["event_type_available_times"]
    assert all(request.status in (200, 429) for request in sandbox.requests)


def test_what_the_check_of_permissions_was_refused_is_not_requested_again(calendly: Runner, sandbox: Sandbox) -> None:
    sandbox.calendly.plan = "free"

    calendly.sync()

    refused = [request.path for request in sandbox.requests if request.status == 403]
    assert {"/meeting_recaps", "/routing_forms", "/activity_log_entries"} <= set(refused)
    assert len(refused) == len(set(refused))


def test_partitions_of_another_tap_s_state_are_not_read_one_by_one(calendly: Runner, sandbox: Sandbox) -> None:
    partitions = [{"context": {"event": str(number)}} for number in range(3)]
    calendly.warehouse.state = {"bookmarks": {"scheduled_events": {"partitions": partitions}}}

    calendly.sync()

    Judge(CALENDLY, sandbox).check(calendly)
    assert "partitions" not in str(calendly.warehouse.state)
    assert sum(request.path == "/scheduled_events" for request in sandbox.requests) == 2
