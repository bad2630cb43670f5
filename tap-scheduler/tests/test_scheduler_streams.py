"""Promises of single streams: secrets, attendees, links, rules, limits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from api import runner_of
from harness import Messages
from sandbox.savvycal.text import id_of
from savvycal_api import SAVVYCAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness import Runner, VirtualClock
    from sandbox import Sandbox
    from truth import Judge

    # What lists of a path were asked with, page by page.
    RecordedRequest = Callable[[str], list[dict[str, str]]]


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

    judge.check(savvycal)
    assert savvycal.warehouse.written["events"] < len(savvycal.warehouse.rows["events"])


def test_attendees_without_their_events_go_by_their_own_bookmark(
    savvycal: Runner, sandbox: Sandbox, judge: Judge, requested: RecordedRequest
) -> None:
    savvycal.select = lambda name, _default: name == "event_attendees"
    savvycal.sync()
    sandbox.advance(days=3)
    savvycal.sync()

    judge.check(savvycal, ["event_attendees"])
    assert requested("/v1/events")[-1]["period"] == "fixed"


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
    judge.check(savvycal)


def test_rules_carry_their_workflow_and_vanish_with_it(savvycal: Runner, sandbox: Sandbox, judge: Judge) -> None:
    workflow = sandbox.world.invites.create_workflow("Reminder")
    savvycal.sync()
    name = id_of("wkflw", workflow)
    before = [row for row in savvycal.warehouse.rows["workflow_rules"].values() if row["workflow_id"] == name]
    sandbox.world.invites.delete_workflow(workflow)
    savvycal.sync()

    assert before
    assert not [row for row in savvycal.warehouse.rows["workflow_rules"].values() if row["workflow_id"] == name]
    judge.check(savvycal)


def test_time_zones_follow_the_clock(savvycal: Runner, sandbox: Sandbox, judge: Judge) -> None:
    savvycal.sync()
    summer = savvycal.warehouse.rows["timezones"]["Europe/Berlin",]
    sandbox.advance(days=210)
    savvycal.sync()

    winter = savvycal.warehouse.rows["timezones"]["Europe/Berlin",]
    assert (summer["formatted_offset"], winter["formatted_offset"]) == ("+02:00", "+01:00")
    judge.check(savvycal, ["timezones"])


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
    judge.check(savvycal)


def test_sixty_requests_a_minute_are_the_most_unless_more_are_allowed(
    serve: Callable[..., Sandbox], clock: VirtualClock
) -> None:
    sandbox = serve(scale="test")
    began = clock.monotonic()
    runner_of(SAVVYCAL, sandbox, clock).sync(page_size=2)

    times = [request.at - began for request in sandbox.requests]
    assert len(times) > 120
    assert all(sum(0 <= later - time < 60 for later in times) <= 60 for time in times)


def test_nothing_is_requested_twice(savvycal: Runner, sandbox: Sandbox) -> None:
    savvycal.select = lambda _name, _default: True
    savvycal.sync()

    requests_ = [(request.path, str(request.query)) for request in sandbox.requests]
    assert len(requests_) == len(set(requests_))
    assert requests_[0][0] == "/v1/me"


def test_with_one_key_no_ids_of_events_are_remembered(
    savvycal: Runner, monkeypatch: pytest.MonkeyPatch, judge: Judge
) -> None:
    monkeypatch.setattr("tap_scheduler.client.deduplicate", None)
    savvycal.select = lambda name, _default: name in {"events", "event_attendees"}
    savvycal.sync()

    judge.check(savvycal, ["events", "event_attendees"])
