"""The run goes by the API's clock, and by no single answer's: what is later than now is not trusted."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tap_common.state.timestamps import canonical, instant
from truth import Judge

if TYPE_CHECKING:
    from api import Api
    from harness import Runner
    from sandbox import Sandbox


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

    assert Judge(api, sandbox).verdict(runner) == {}
    later = [record for record in caplog.records if "is later than it is by the API's clock" in record.getMessage()]
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

    assert Judge(api, sandbox).verdict(runner) == {}


def test_a_date_that_jumps_is_told_once(
    api: Api, sandbox: Sandbox, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults.script("", ["date-ahead", "ok", "date-behind", "date-ahead"])

    with caplog.at_level(logging.WARNING):
        tap = runner.sync()

    assert caplog.text.count("contradict each other") == 1
    assert tap.run_started == sandbox.world.now
