"""The ways in which a sync of SavvyCal can lose data without an error, and that this one does not."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from singer_sdk.exceptions import RetriableAPIError

from harness import Messages
from sandbox.savvycal.text import id_of
from tap_common.errors import AccessError, SettingsError
from tap_common.window import instant
from tap_scheduler import parameters
from tap_scheduler.streams import Webhooks

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness import Runner, VirtualClock
    from sandbox import Sandbox
    from truth import Judge


def event(savvycal: Runner, thing: Any) -> dict[str, Any]:
    return savvycal.warehouse.rows["events"][id_of("event", thing.meeting),]


def attendees(savvycal: Runner, thing: Any) -> dict[str, dict[str, Any]]:
    rows = savvycal.warehouse.rows["event_attendees"]
    return {row["id"]: row for (event, _), row in rows.items() if event == id_of("event", thing.meeting)}


def asked(sandbox: Sandbox, path: str) -> list[dict[str, str]]:
    return [dict(request.query) for request in sandbox.requests if request.path == path]


# 1


def test_every_page_of_events_is_asked_for_in_all_states_of_anybody_and_of_all_times(
    savvycal: Runner, sandbox: Sandbox
) -> None:
    sandbox.savvycal.empty_pages = True
    savvycal.sync(page_size=20)

    pages = asked(sandbox, "/v1/events")
    wide = {"state": "all", "attendance": "any", "period": "all", "limit": "20"}
    assert len(pages) > 3
    assert [{name: page[name] for name in page if name != "after"} for page in pages] == [wide] * len(pages)
    assert ["after" in page for page in pages] == [False] + [True] * (len(pages) - 1)


def test_past_cancelled_pending_and_colleagues_meetings_are_there(savvycal: Runner, sandbox: Sandbox) -> None:
    savvycal.sync()

    rows = savvycal.warehouse.rows["events"].values()
    mine = savvycal.warehouse.rows["current_user"].keys()
    assert asked(sandbox, "/v1/events")[0]["limit"] == "100"
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
    assert judge.verdict(savvycal) == {}


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
    latest = max(row["_read_at"] for row in rows.values())
    present = {attendee["id"] for attendee in event(savvycal, group)["attendees"]}
    assert {name for name, row in rows.items() if row["_read_at"] == latest} == present < rows.keys()


# 8


def test_a_refused_key_is_said_in_one_sentence_though_the_answer_is_plain_text(
    savvycal: Runner, sandbox: Sandbox
) -> None:
    messages = Messages()
    with pytest.raises(AccessError, match=r"^SavvyCal does not accept the key: it is wrong, expired or revoked\.$"):
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

    with pytest.raises(SettingsError, match="not SavvyCal: check the setting `api_url`"):
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

    assert judge.verdict(savvycal) == {}


def test_a_cursor_that_is_refused_begins_the_list_again(
    savvycal: Runner, sandbox: Sandbox, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.faults.script("/v1/events$", ["ok", "ok", "stale-token"])
    monkeypatch.setattr("sandbox.faults.TOKENS", ("after",))
    savvycal.sync(page_size=20)

    pages = asked(sandbox, "/v1/events")
    assert ["after" in page for page in pages[:4]] == [False, True, True, False]
    assert judge.verdict(savvycal) == {}


# 9, 23


def test_nulls_stay_nulls_and_empty_texts_empty(savvycal: Runner, sandbox: Sandbox, judge: Judge) -> None:
    savvycal.sync()

    rows = savvycal.warehouse.rows["events"].values()
    assert judge.verdict(savvycal) == {}
    for column in ("scheduler", "organizer", "link", "payment", "poll", "location"):
        assert {row[column] is None for row in rows} >= {True}, column
    assert {None, ""} <= {row["additional_info"] for row in rows}
    assert all(row["link_id"] == (row["link"] and row["link"]["id"]) for row in rows)


# Secrets


def test_a_webhooks_secret_is_in_no_message_and_no_line_of_the_log(
    savvycal: Runner, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    secrets = [thing["secret"] for thing in sandbox.truth("savvycal", "webhooks")]
    savvycal.select = lambda _name, _default: True
    messages = Messages()
    savvycal.build(messages).run()

    text = json.dumps(messages.read) + caplog.text
    assert any(message.get("stream") == "webhooks" and message["type"] == "RECORD" for message in messages.read)
    assert secrets
    assert not [secret for secret in [*secrets, "sandbox-admin"] if secret in text]


def test_what_may_be_a_secret_is_taken_out_of_a_webhook_before_its_fields_are_sorted(savvycal: Runner) -> None:
    webhooks = savvycal.build().stream(Webhooks)
    raw = {"id": "wh_1", "secret": "s", "old_secret": "s", "url": "https://a:b@host/x?token=s#s", "new": 1}

    row = webhooks.shape(raw, {})

    assert (row["url"], row["_extra"]) == ("https://host/x", {"new": 1})


# Attendees


def test_attendees_cost_no_request(savvycal: Runner, sandbox: Sandbox) -> None:
    savvycal.sync()
    with_them = [(request.path, request.query) for request in sandbox.requests]
    savvycal.warehouse.state = None
    savvycal.select = lambda name, default: default and name != "event_attendees"
    savvycal.sync()

    without_them = [(request.path, request.query) for request in sandbox.requests[len(with_them) :]]
    assert sorted(map(str, with_them)) == sorted(map(str, without_them))


def test_attendees_that_are_selected_later_are_filled_in_from_the_beginning(
    savvycal: Runner, sandbox: Sandbox, judge: Judge
) -> None:
    savvycal.select = lambda name, default: default and name != "event_attendees"
    savvycal.sync()
    sandbox.advance(days=60)
    savvycal.select = lambda _name, default: default
    savvycal.sync()

    assert judge.verdict(savvycal) == {}
    assert savvycal.warehouse.written["events"] < len(savvycal.warehouse.rows["events"])


def test_attendees_without_their_events_go_by_their_own_bookmark(
    savvycal: Runner, sandbox: Sandbox, judge: Judge
) -> None:
    savvycal.select = lambda name, _default: name == "event_attendees"
    savvycal.sync()
    sandbox.advance(days=3)
    savvycal.sync()

    assert judge.verdict(savvycal, ["event_attendees"]) == {}
    assert asked(sandbox, "/v1/events")[-1]["period"] == "fixed"


# Links, workflows, time zones


@pytest.mark.parametrize("lists_all", [False, True])
def test_disabled_links_are_there_whatever_the_list_shows_unasked(
    savvycal: Runner, sandbox: Sandbox, judge: Judge, *, lists_all: bool
) -> None:
    sandbox.savvycal.links_list_all = lists_all
    kinds = [kind for kind in sandbox.world.event_types.values() if kind.active]
    savvycal.sync()
    sandbox.world.invites.disable_link(kinds[0])
    sandbox.world.invites.delete_link(kinds[1])
    savvycal.sync()

    rows = savvycal.warehouse.rows["scheduling_links"]
    assert rows[id_of("link", kinds[0]),]["state"] == "disabled"
    assert (id_of("link", kinds[1]),) not in rows
    assert savvycal.warehouse.written["scheduling_links"] == len(rows)
    assert judge.verdict(savvycal) == {}


def test_rules_carry_their_workflow_and_vanish_with_it(savvycal: Runner, sandbox: Sandbox, judge: Judge) -> None:
    workflow = sandbox.world.invites.create_workflow("Reminder")
    savvycal.sync()
    name = id_of("wkflw", workflow)
    before = [row for row in savvycal.warehouse.rows["workflow_rules"].values() if row["workflow_id"] == name]
    sandbox.world.invites.delete_workflow(workflow)
    savvycal.sync()

    assert before
    assert not [row for row in savvycal.warehouse.rows["workflow_rules"].values() if row["workflow_id"] == name]
    assert judge.verdict(savvycal) == {}


def test_time_zones_follow_the_clock(savvycal: Runner, sandbox: Sandbox, judge: Judge) -> None:
    savvycal.sync()
    summer = savvycal.warehouse.rows["timezones"]["Europe/Berlin",]
    sandbox.advance(days=210)
    savvycal.sync()

    winter = savvycal.warehouse.rows["timezones"]["Europe/Berlin",]
    assert (summer["formatted_offset"], winter["formatted_offset"]) == ("+02:00", "+01:00")
    assert judge.verdict(savvycal, ["timezones"]) == {}


def test_a_stream_that_the_plan_lacks_is_skipped_and_drops_nothing(
    savvycal: Runner, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    savvycal.sync()
    sandbox.savvycal.forbidden.add("/v1/workflows")
    savvycal.sync()

    assert savvycal.warehouse.rows["workflows"]
    assert savvycal.warehouse.rows["workflow_rules"]
    assert sum("Skipped" in line for line in caplog.messages) == 1


# Limits


def test_a_refusal_for_rate_without_a_header_is_waited_out(
    savvycal: Runner, sandbox: Sandbox, clock: VirtualClock, judge: Judge
) -> None:
    sandbox.savvycal.requests_per_minute = 3
    savvycal.sync(page_size=20, concurrency=1)

    refused = [request for request in sandbox.requests if request.status == 429]
    assert len(sandbox.requests) > 9
    assert all(60 < wait <= 62 for wait in clock.waited if wait > 1)
    assert len(refused) <= len(sandbox.requests) / 3
    assert judge.verdict(savvycal) == {}


def test_sixty_requests_a_minute_are_the_most_unless_more_are_allowed(
    run_against: Callable[[Sandbox], Runner], serve: Callable[..., Sandbox], clock: VirtualClock
) -> None:
    sandbox = serve(scale="test")
    began = clock.monotonic()
    run_against(sandbox).sync(page_size=2)

    times = [request.at - began for request in sandbox.requests]
    assert len(times) > 120
    assert all(sum(0 <= later - time < 60 for later in times) <= 60 for time in times)


def test_nothing_is_asked_for_twice(savvycal: Runner, sandbox: Sandbox) -> None:
    savvycal.select = lambda _name, _default: True
    savvycal.sync()

    requests_ = [(request.path, str(request.query)) for request in sandbox.requests]
    assert len(requests_) == len(set(requests_))
    assert requests_[0][0] == "/v1/me"


def test_with_one_key_no_ids_of_events_are_remembered(
    savvycal: Runner, monkeypatch: pytest.MonkeyPatch, judge: Judge
) -> None:
    monkeypatch.setattr("tap_scheduler.client.unseen", None)
    savvycal.select = lambda name, _default: name in {"events", "event_attendees"}
    savvycal.sync()

    assert judge.verdict(savvycal, ["events", "event_attendees"]) == {}
