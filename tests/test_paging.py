"""Pages that mislead about what follows, and filters that are not gone by: no run takes a part for the whole."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import tap_calendly.streams
from api import runner_of
from apis import APIS
from calendly_api import CALENDLY
from commands import run_tap
from luma_api import LUMA
from misled import BROKEN, IGNORED, misleading, run_misled
from oncehub_api import ONCEHUB
from sandbox.signals import PAGING, PLACES
from sandbox.world import EPOCH
from savvycal_api import SAVVYCAL
from tap_common.errors import EndlessListError
from truth import Judge

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from api import Api
    from harness import Runner, VirtualClock
    from sandbox import Sandbox

# Of each API a list that is read in full, one that goes by its bookmark, a child's and one that comes whole. Messages
# of OnceHub have one signal alone, which may say the end.
pytestmark = pytest.mark.one_api

STREAMS = {
    "calendly": {"contacts", "activity_log_entries", "event_type_memberships", "contact_lists"},
    "oncehub": {"users", "bookings", "booking_calendars"},
    "luma": {"contacts", "events", "event_guests", "event_tags"},
    "savvycal": {"events", "event_attendees", "scheduling_links", "workflow_rules", "timezones"},
}
MISLEADING = [(api, *what) for api in APIS for what in misleading(api.name)]
SIZE: dict[str, Any] = {"page_size": 4, "requests_per_minute": 60_000}
# A token or an address, a flag and the last row's id, a flag where there is a cursor: another signal leads on.
HARMLESS = {
    ("calendly", "pagination.next_page_token"): {*BROKEN} - {"number", "text"},
    ("calendly", "pagination.next_page"): {*BROKEN, "foreign", "tokenless"} - {"text"},
    ("oncehub", "has_more"): {*BROKEN} - {"true"},
    ("oncehub", "Link"): {*BROKEN, "foreign", "tokenless"},
}
HARMLESS_IN_THE_MIDDLE = {
    ("luma", "has_more"): {*BROKEN, "opposite"},
    ("oncehub", "has_more"): {*BROKEN, "opposite"},
    ("oncehub", "Link"): {*BROKEN, "opposite", "stuck", "foreign", "tokenless"},
}
FATAL_IN_THE_MIDDLE = {
    ("luma", "next_cursor"): {*BROKEN, "opposite"},
    ("savvycal", "metadata.after"): {*BROKEN, "stuck"} - {"null"},
    ("calendly", "pagination"): {*BROKEN},
    ("savvycal", "metadata"): {*BROKEN},
}


def read_before(api: Api, sandbox: Sandbox, clock: VirtualClock) -> Runner:
    """A warehouse with all that is read in full, and no state: what a run drops, and what it lacks, shows in it."""
    runner = runner_of(api, sandbox, clock)
    runner.select = lambda name, _: name in STREAMS[api.name]
    tap = runner.sync(**SIZE)
    for stream in tap.streams.values():
        if stream.replication_key:
            runner.warehouse.rows.pop(stream.name, None)
    runner.forget()
    return runner


@pytest.mark.parametrize(
    ("api", "signal", "value"), MISLEADING, ids=[f"{api.name} {signal} {value}" for api, signal, value in MISLEADING]
)
def test_a_signal_that_misleads_ends_in_the_whole_list_or_an_error_and_drops_nothing(
    api: Api, sandbox: Sandbox, clock: VirtualClock, signal: str, value: str
) -> None:
    runner, judge = read_before(api, sandbox, clock), Judge(api, sandbox)
    requested = len(sandbox.requests)
    before = runner.warehouse
    for place in PLACES:
        runner.warehouse, since = deepcopy(before), len(sandbox.requests)
        sandbox.signals.go_wrong(api.name, signal, value, place)
        error = run_misled(api, sandbox, runner, **SIZE)

        if error is None:
            assert judge.verdict(runner, STREAMS[api.name]) == {}, place
        if value in HARMLESS.get((api.name, signal), ()):
            assert error is None, place
        if place == "middle" and value in HARMLESS_IN_THE_MIDDLE.get((api.name, signal), ()):
            assert error is None
        if place == "middle" and value in FATAL_IN_THE_MIDDLE.get((api.name, signal), ()):
            assert error is not None
        assert len(sandbox.requests) - since <= 6 * requested + 100

        sandbox.signals.clear()
        if error is not None:
            runner.sync(**SIZE)
            assert judge.verdict(runner, STREAMS[api.name]) == {}, place


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)
def test_every_signal_that_misleads_is_met(api: Api, sandbox: Sandbox, clock: VirtualClock) -> None:
    runner = read_before(api, sandbox, clock)
    for signal in PAGING[api.name].signals:
        before = sandbox.signals.changed
        sandbox.signals.go_wrong(api.name, signal, "empty", "middle")
        run_misled(api, sandbox, runner, **SIZE)
        sandbox.signals.clear()
        assert sandbox.signals.changed > before


@pytest.mark.parametrize("api", [api for api in APIS if api.name != "oncehub"], ids=lambda api: api.name)
def test_new_cursors_without_new_rows_end_in_an_error(api: Api, sandbox: Sandbox, clock: VirtualClock) -> None:
    runner = read_before(api, sandbox, clock)
    sandbox.signals.go_wrong(api.name, str(PAGING[api.name].cursor), "stuck-anew", "middle")
    if api.name == "calendly":
        sandbox.signals.go_wrong(api.name, str(PAGING[api.name].url), "absent", "middle")

    assert "pages in a row without a new row" in str(run_misled(api, sandbox, runner, **SIZE))


@pytest.mark.parametrize("value", BROKEN)
def test_lists_that_come_whole_need_no_signal(luma: Runner, sandbox: Sandbox, judge: Judge, value: str) -> None:
    if value != "true":
        sandbox.signals.go_wrong("luma", "has_more", value, path="/(event-tags|contact-tags|admins|ticket-types)/list$")
    luma.sync(**SIZE)

    judge.check(luma)


def test_a_list_that_comes_whole_and_says_that_more_follow_is_an_error(luma: Runner, sandbox: Sandbox) -> None:
    sandbox.signals.go_wrong("luma", "has_more", "true", path="/event-tags/list$")

    with pytest.raises(EndlessListError, match=r"event-tags/list \(stream `event_tags`\) says that more rows follow"):
        luma.sync()


@pytest.mark.parametrize("size", [100, 10, 7])
def test_pages_that_are_shorter_than_requested_and_say_nothing_are_read_on_by_the_last_row(
    oncehub: Runner, sandbox: Sandbox, judge: Judge, size: int
) -> None:
    sandbox.oncehub.send_has_more = sandbox.oncehub.send_link = False
    sandbox.signals.ignore("oncehub", "limit")
    oncehub.sync(page_size=size, requests_per_minute=60_000)

    judge.check(oncehub)


def test_the_command_ends_with_1_and_one_sentence_before_any_version(sandbox: Sandbox, tmp_path: Path) -> None:
    for signal in ("pagination.next_page_token", "pagination.next_page"):
        sandbox.signals.go_wrong("calendly", signal, "tokenless" if signal.endswith("page") else "null", "middle")
    config = {"api_key": "sandbox-admin", "api_url": sandbox.calendly.api_url, "page_size": 5}

    outcome = run_tap(tmp_path, "tap-calendly", config)

    assert outcome.code == 1
    assert "says that more rows follow, but sent no page token" in outcome.errors[-1]
    announced = [line for line in outcome.out.splitlines() if "ACTIVATE_VERSION" in line]
    assert not any('"contacts"' in line or '"scheduled_events"' in line for line in announced)


# Filters that are not gone by


@pytest.mark.parametrize(
    ("api", "ignored"),
    [(api, name) for api in APIS for name in IGNORED[api.name]],
    ids=lambda value: getattr(value, "name", value),
)
@pytest.mark.parametrize("days", [None, 30])
def test_a_filter_that_is_not_gone_by_ends_in_the_whole_or_in_an_error(
    api: Api, serve: Callable[..., Sandbox], clock: VirtualClock, ignored: str, days: int | None
) -> None:
    sandbox = serve()
    judge, runner = Judge(api, sandbox), runner_of(api, sandbox, clock)
    runner.sync(**SIZE)
    judge.note(api.judged())
    requested = len(sandbox.requests)
    runner.forget()
    began = sandbox.world.now
    config: dict[str, Any] = {**SIZE, "start_date": None if days is None else sandbox.world.now.isoformat()}
    sandbox.advance(days=days or 0)
    sandbox.signals.ignore(api.name, ignored)
    for _ in range(2):
        since = len(sandbox.requests)
        error = run_misled(api, sandbox, runner, **config)
        if error is None:
            judge.check(runner)
        assert len(sandbox.requests) - since <= 6 * requested
        sandbox.advance(hours=5)
    sandbox.signals.clear()
    runner.sync(**config)

    assert sandbox.world.now > began
    judge.check(runner)


def test_a_sweep_that_does_not_advance_is_an_error(
    calendly: Runner, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tap_calendly.streams, "SLICE", 10)
    sandbox.signals.ignore("calendly", "min_start_time")

    with pytest.raises(EndlessListError, match="ignores `min_start_time`"):
        calendly.sync(**SIZE)
    assert sum(request.path == "/scheduled_events" for request in sandbox.requests) <= 10
    assert not calendly.bookmarks().get("scheduled_events")


@pytest.mark.parametrize("bound", ["creation_time.gt", "creation_time.lt"])
def test_slices_that_do_not_advance_are_an_error(oncehub: Runner, sandbox: Sandbox, bound: str) -> None:
    sandbox.signals.ignore("oncehub", bound)

    with pytest.raises(EndlessListError, match=f"ignores `{bound}`"):
        oncehub.sync(page_size=1)
    assert sum(request.path == "/v2/bookings" for request in sandbox.requests) <= 2 * 49
    assert not oncehub.bookmarks().get("bookings")


def test_a_window_that_holds_upcoming_meetings_alone_is_not_taken_for_all(savvycal: Runner, sandbox: Sandbox) -> None:
    sandbox.signals.ignore("savvycal", "period")

    with pytest.raises(EndlessListError, match="ignores `period`"):
        savvycal.sync()
    assert not savvycal.bookmarks().get("events")


def test_where_no_meeting_has_begun_the_past_is_requested_once_more(
    serve: Callable[..., Sandbox], clock: VirtualClock
) -> None:
    sandbox = serve(now=EPOCH)
    runner = runner_of(SAVVYCAL, sandbox, clock)
    sandbox.world.rest()
    for event in sandbox.world.invites.all():
        sandbox.world.invites.erase(event)
    sandbox.world.invites.open(start=sandbox.world.now + timedelta(days=2))
    runner.sync()

    requested = [dict(request.query) for request in sandbox.requests if request.path == "/v1/events"]
    assert [query["period"] for query in requested] == ["all", "past"]
    Judge(SAVVYCAL, sandbox).check(runner)


@pytest.mark.parametrize(
    ("api", "stream", "parameter"),
    [
        (CALENDLY, "meeting_recaps", "status"),
        (replace(LUMA, config={"include_pending": True}), "events", "status"),
    ],
)
def test_a_list_whose_rows_are_not_of_the_kind_that_was_requested_is_an_error(
    api: Api, sandbox: Sandbox, clock: VirtualClock, stream: str, parameter: str
) -> None:
    runner = runner_of(api, sandbox, clock)
    runner.select = lambda name, _: name == stream
    sandbox.signals.ignore(api.name, parameter)

    with pytest.raises(EndlessListError, match=f"ignores `{parameter}`"):
        runner.sync()


def test_the_apis_of_the_matrix_are_all_apis() -> None:
    assert STREAMS.keys() == IGNORED.keys() == PAGING.keys() == {api.name for api in APIS}
    assert ONCEHUB in APIS
