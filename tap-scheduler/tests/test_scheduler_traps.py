"""The ways in which a sync of SavvyCal can lose data without an error, and that this one does not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from singer_sdk.exceptions import RetriableAPIError

from harness import Messages
from sandbox.savvycal.text import id_of
from tap_common.errors import AccessError, SettingsError
from tap_common.state.timestamps import instant
from tap_scheduler import parameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness import Runner
    from sandbox import Sandbox
    from truth import Judge

    # What lists of a path were asked with, page by page.
    RecordedRequest = Callable[[str], list[dict[str, str]]]


def event(savvycal: Runner, thing: Any) -> dict[str, Any]:
    return savvycal.warehouse.rows["events"][id_of("event", thing.meeting),]


def attendees(savvycal: Runner, thing: Any) -> dict[str, dict[str, Any]]:
    rows = savvycal.warehouse.rows["event_attendees"]
    return {row["id"]: row for (event, _), row in rows.items() if event == id_of("event", thing.meeting)}


# 1


def test_every_page_of_events_is_requested_in_all_states_of_anybody_and_of_all_times(
    savvycal: Runner, sandbox: Sandbox, requested: RecordedRequest
) -> None:
    sandbox.savvycal.empty_pages = True
    savvycal.sync(page_size=20)

    pages = requested("/v1/events")
    wide = {"state": "all", "attendance": "any", "period": "all", "limit": "20"}
    assert len(pages) > 3
    assert [{name: page[name] for name in page if name != "after"} for page in pages] == [wide] * len(pages)
    assert ["after" in page for page in pages] == [False] + [True] * (len(pages) - 1)


def test_past_cancelled_pending_and_colleagues_meetings_are_there(
    savvycal: Runner, sandbox: Sandbox, requested: RecordedRequest
) -> None:
    savvycal.sync()

    rows = savvycal.warehouse.rows["events"].values()
    mine = savvycal.warehouse.rows["current_user"].keys()
    assert requested("/v1/events")[0]["limit"] == "100"
    assert {"confirmed", "canceled", "awaiting_approval", "declined", "tentative", "awaiting_checkout"} <= {
        row["state"] for row in rows
    }
    assert min(instant(row["start_at"]) for row in rows) < sandbox.world.now - timedelta(days=60)
    assert max(instant(row["start_at"]) for row in rows) > sandbox.world.now
    assert len({row["organizer"]["email"] for row in rows if row["organizer"]}) > len(mine)


def test_a_meeting_that_has_begun_since_is_not_lost(savvycal: Runner, sandbox: Sandbox, judge: Judge) -> None:
    booked = sandbox.world.invites.open(start=sandbox.world.now + timedelta(hours=2))
    sandbox.advance(days=1)
    savvycal.sync()

    assert event(savvycal, booked)["state"] == "confirmed"
    judge.check(savvycal)


# 2, 3


def test_a_booking_far_in_the_future_does_not_hide_nearer_ones_made_later(savvycal: Runner, sandbox: Sandbox) -> None:
    far = sandbox.world.invites.open(start=sandbox.world.now + timedelta(days=365))
    savvycal.sync()
    sandbox.advance(hours=1)
    near = sandbox.world.invites.open(start=sandbox.world.now + timedelta(days=2))
    sandbox.world.invites.cancel(far, "ill")
    savvycal.sync()

    assert event(savvycal, near)["state"] == "confirmed"
    assert event(savvycal, far)["cancel_reason"] == "ill"


def test_bookmarks_are_held_back_at_the_start_of_the_run(savvycal: Runner, sandbox: Sandbox) -> None:
    sandbox.world.invites.open(start=sandbox.world.now + timedelta(days=365))
    tap = savvycal.sync()

    bookmarks = (savvycal.warehouse.state or {})["bookmarks"]
    values = [bookmarks[stream]["replication_key_value"] for stream in ("events", "event_attendees")]
    assert [instant(value) for value in values] == [tap.run_started] * 2
    assert not any(stream.is_sorted for stream in tap.streams.values())


# 4


def test_no_parameter_is_sent_that_savvycal_does_not_know(savvycal: Runner, sandbox: Sandbox) -> None:
    documented = {"state", "period", "from", "until", "direction", "attendance", "limit", "after"}
    savvycal.select = lambda _name, _default: True
    sandbox.savvycal.fixed_refused = True
    savvycal.sync(page_size=10)
    savvycal.sync(page_size=10)

    constants = {value for name, value in vars(parameters).items() if name.isupper()}
    sent = {name for request in sandbox.requests for name, _ in request.query}
    assert constants == sent == documented
    assert sandbox.savvycal.unknown_parameters == {}


# 5


def test_changes_without_any_timestamp_arrive(savvycal: Runner, sandbox: Sandbox) -> None:
    invites = sandbox.world.invites
    approved, paid, retitled, conference = (invites.open() for _ in range(4))
    group = invites.open(seats=5, bookings=2)
    invites.ask_approval(approved)
    invites.ask_checkout(paid)
    invites.withhold_conferencing(conference)
    savvycal.sync()
    before = event(savvycal, conference)
    sandbox.advance(hours=1)
    invites.approve(approved)
    invites.complete_checkout(paid, 12.5)
    invites.retitle(retitled, "Another title")
    invites.fill_conferencing(conference)
    invites.add_attendee(group, "Ada", "ada@example.com")
    savvycal.sync()

    assert event(savvycal, approved)["state"] == "confirmed"
    assert event(savvycal, paid)["payment"]["amount_total"] == 1250
    assert event(savvycal, retitled)["summary"] == "Another title"
    assert (before["conferencing"]["join_url"], bool(event(savvycal, conference)["conferencing"]["join_url"])) == (
        None,
        True,
    )
    assert "ada@example.com" in {row["email"] for row in attendees(savvycal, group).values()}


def test_a_moved_meeting_keeps_its_row(savvycal: Runner, sandbox: Sandbox) -> None:
    moved = sandbox.world.invites.open()
    savvycal.sync()
    before = event(savvycal, moved)
    sandbox.advance(hours=1)
    sandbox.world.invites.move(moved, sandbox.world.now + timedelta(days=40))
    savvycal.sync()

    after = event(savvycal, moved)
    assert instant(after["original_start_at"]) == instant(before["start_at"]) != instant(after["start_at"])
    assert {instant(row["event_start_at"]) for row in attendees(savvycal, moved).values()} == {
        instant(after["start_at"])
    }


def test_an_attendee_who_is_gone_can_be_told_by_when_the_event_was_read_last(
    savvycal: Runner, sandbox: Sandbox
) -> None:
    group = sandbox.world.invites.open(seats=5, bookings=3)
    savvycal.sync()
    sandbox.advance(hours=1)
    sandbox.world.invites.drop_attendee(group)
    savvycal.sync()

    rows = attendees(savvycal, group)
    latest = max(row["_synced_at"] for row in rows.values())
    present = {attendee["id"] for attendee in event(savvycal, group)["attendees"]}
    assert {name for name, row in rows.items() if row["_synced_at"] == latest} == present < rows.keys()


# 8


def test_a_refused_key_is_said_in_one_sentence_though_the_answer_is_plain_text(
    savvycal: Runner, sandbox: Sandbox
) -> None:
    messages = Messages()
    with pytest.raises(
        AccessError,
        match=r"^SavvyCal does not accept the key: .+\. For a new one, create a token .+\.{3}`\)\.$",
    ):
        savvycal.build(messages, api_key="sandbox-expired").run()

    assert messages.read == []
    assert [request.status for request in sandbox.requests] == [401]


def test_a_key_that_may_not_ask_who_it_is_is_said_to_be_the_wrong_one(savvycal: Runner, sandbox: Sandbox) -> None:
    sandbox.savvycal.forbidden.add("/v1/me")

    with pytest.raises(AccessError, match=r"does not let this key read /v1/me.*pt_secret_"):
        savvycal.sync()


def test_a_missing_key_and_a_wrong_address_are_said_before_anything_is_written(savvycal: Runner) -> None:
    messages = Messages()
    with pytest.raises(SettingsError, match=r"Setting `api_key` is missing: create a token in SavvyCal"):
        savvycal.build(messages, api_key=None).run()
    for wrong in ("calendly", "savvycal/v1", "nowhere"):
        address = savvycal.config["api_url"].replace("savvycal", wrong)
        with pytest.raises((SettingsError, AccessError)):
            savvycal.build(messages, api_url=address).run()

    assert messages.read == []


def test_what_answers_without_an_id_is_not_savvycal(savvycal: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    tap = savvycal.build()
    monkeypatch.setattr(type(tap.streams["current_user"]), "request_records", lambda *_: iter([{"status": "ok"}]))

    with pytest.raises(SettingsError, match=r"not SavvyCal's: check the setting `api_url`"):
        tap.run()


@pytest.mark.parametrize("body", ["{}", '{"entries": []}', '{"entries": {}, "metadata": {"after": null}}', "OK", "[]"])
def test_a_page_of_another_shape_is_never_taken_for_the_last_one(savvycal: Runner, body: str) -> None:
    response = requests.Response()
    response.status_code, response._content = 200, body.encode()

    with pytest.raises(RetriableAPIError):
        savvycal.build().streams["events"].validate_response(response)  # type: ignore[attr-defined]  # a REST stream


def test_an_error_page_in_plain_text_is_waited_out(savvycal: Runner, sandbox: Sandbox, judge: Judge) -> None:
    for kinds in (["500", "empty-json", "html"], ["502-html", "truncated", "reset"]):
        sandbox.faults.script("/v1/events$", kinds)
        savvycal.sync()

    judge.check(savvycal)


def test_a_cursor_that_is_refused_begins_the_list_again(
    savvycal: Runner, sandbox: Sandbox, judge: Judge, monkeypatch: pytest.MonkeyPatch, requested: RecordedRequest
) -> None:
    sandbox.faults.script("/v1/events$", ["ok", "ok", "stale-token"])
    monkeypatch.setattr("sandbox.faults.TOKENS", ("after",))
    savvycal.sync(page_size=20)

    pages = requested("/v1/events")
    assert ["after" in page for page in pages[:4]] == [False, True, True, False]
    judge.check(savvycal)


# 9, 23


def test_nulls_stay_nulls_and_empty_texts_empty(savvycal: Runner, sandbox: Sandbox, judge: Judge) -> None:
    savvycal.sync()

    rows = savvycal.warehouse.rows["events"].values()
    judge.check(savvycal)
    for column in ("scheduler", "organizer", "link", "payment", "poll", "location"):
        assert {row[column] is None for row in rows} >= {True}, column
    assert {None, ""} <= {row["additional_info"] for row in rows}
    assert all(row["link_id"] == (row["link"] and row["link"]["id"]) for row in rows)
