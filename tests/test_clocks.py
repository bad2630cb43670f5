"""The run goes by the API's clock, and by no single answer's: what is later than now is not trusted."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tap_common.errors import EndlessListError
from tap_common.state.timestamps import canonical, instant
from truth import Judge

if TYPE_CHECKING:
    from api import Api
    from harness import Runner, VirtualClock
    from sandbox import Sandbox


pytestmark = pytest.mark.one_api


def incremental(runner: Runner) -> list[str]:
    return [stream for stream, bookmark in runner.bookmarks().items() if bookmark]


@pytest.mark.parametrize("ahead", [timedelta(hours=3), timedelta(days=400), timedelta(days=300_000)], ids=str)
def test_a_bookmark_that_is_later_than_now_is_told_and_everything_is_read(
    api: Api, sandbox: Sandbox, runner: Runner, caplog: pytest.LogCaptureFixture, ahead: timedelta
) -> None:
    runner.sync()
    streams = incremental(runner)
    state = runner.warehouse.state
    assert state is not None
    assert streams
    for stream in streams:
        bookmark = state["bookmarks"][stream]
        bookmark["replication_key_value"] = canonical(sandbox.world.now + ahead)
    sandbox.advance(hours=1)
    caplog.clear()

    with caplog.at_level(logging.WARNING):
        runner.sync()

    Judge(api, sandbox).check(runner)
    later = [record for record in caplog.records if "is in the future by the API's clock" in record.getMessage()]
    assert len(later) == len(streams)
    assert all(instant(runner.bookmarks()[stream] or "") <= sandbox.world.now for stream in streams)


@pytest.mark.parametrize("fault", ["date-ahead", "date-behind", "no-date"])
@pytest.mark.parametrize("answer", [0, 1, 3])
def test_one_answer_with_a_wrong_date_makes_no_later_bookmark_and_loses_nothing(
    api: Api, sandbox: Sandbox, runner: Runner, fault: str, answer: int
) -> None:
    runner.sync()
    sandbox.advance(hours=5)
    sandbox.faults.script("", [*["ok"] * answer, fault])
    runner.sync()
    assert all(instant(runner.bookmarks()[stream] or "") <= sandbox.world.now for stream in incremental(runner))
    sandbox.faults.clear()
    sandbox.advance(hours=5)

    runner.sync()

    Judge(api, sandbox).check(runner)


@pytest.mark.parametrize(
    ("fault", "machine", "told"),
    [
        ("date-ahead", 0, "ahead of this machine's"),
        ("date-ahead", -400, "ahead of this machine's"),
        ("date-behind", 0, "is in the future by the API's clock"),
        ("no-date", 0, "have no `Date`"),
        ("no-date", -400, "have no `Date`"),
        ("ok", -400, "ahead of this machine's"),
        ("ok", 400, ""),
    ],
)
def test_where_all_dates_or_this_machine_are_wrong_no_bookmark_is_later_than_it_was_and_that_is_told(  # noqa: PLR0917 - fixtures
    api: Api,
    sandbox: Sandbox,
    runner: Runner,
    clock: VirtualClock,
    caplog: pytest.LogCaptureFixture,
    fault: str,
    machine: int,
    told: str,
) -> None:
    runner.sync()
    reached = runner.bookmarks()
    sandbox.advance(hours=5)
    sandbox.faults.script("", [fault] * 1000)
    clock.machine = lambda: sandbox.world.now + timedelta(days=machine)
    # SavvyCal's tap finds that meetings have begun which, by the clock that is left, are yet to come.
    with caplog.at_level(logging.WARNING), suppress(EndlessListError):
        runner.sync()

    assert all(instant(runner.bookmarks()[stream] or "") <= sandbox.world.now for stream in incremental(runner))
    assert told in caplog.text
    if fault == "ok":
        assert all(str(bookmark) >= str(reached[stream]) for stream, bookmark in runner.bookmarks().items())
        assert "Reading everything" not in caplog.text
    sandbox.faults.clear()
    sandbox.advance(hours=5)
    clock.machine = lambda: sandbox.world.now

    runner.sync()

    Judge(api, sandbox).check(runner)


def test_a_date_that_jumps_is_told_once(
    api: Api, sandbox: Sandbox, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults.script("", ["date-ahead", "ok", "date-behind", "date-ahead"])

    with caplog.at_level(logging.WARNING):
        tap = runner.sync()

    assert caplog.text.count("contradict each other") == 1
    assert tap.run_started == sandbox.world.now
