"""Nothing lost: after every run the warehouse equals the source."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from api import runner_of
from harness import kill
from truth import Judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from api import Api
    from harness import Runner, VirtualClock
    from sandbox import Sandbox


def test_a_first_run_holds_exactly_the_truth_in_every_stream(api: Api, sandbox: Sandbox, runner: Runner) -> None:
    runner.select = lambda _name, _default: True

    runner.sync()

    streams = [stream for stream in api.all_streams() if stream not in api.snapshots]
    assert all(runner.warehouse.rows[stream] for stream in api.all_streams())
    Judge(api, sandbox).check(runner, streams)


def test_streams_that_are_off_by_default_cost_nothing(api: Api, sandbox: Sandbox, runner: Runner) -> None:
    runner.sync()

    assert set(runner.warehouse.rows) == set(api.default_streams())


@pytest.mark.parametrize("skew", [timedelta(0), timedelta(days=-30), timedelta(hours=2)], ids=str)
def test_ten_rounds_of_life_and_sync_equal_the_truth_whatever_this_machine_thinks_the_time_is(
    api: Api, serve: Callable[..., Sandbox], clock: VirtualClock, skew: timedelta
) -> None:
    sandbox = serve(now=datetime.now(UTC).replace(microsecond=0) + skew) if skew else serve()
    runner, judge = runner_of(api, sandbox, clock), Judge(api, sandbox)
    if skew:
        clock.machine = lambda: sandbox.world.now - skew
    pauses = random.Random(4)

    for round_ in range(11):
        runner.sync()
        assert judge.verdict(runner) == {}, f"round {round_}"
        sandbox.advance(hours=pauses.choice([1, 5, 24, 24 * 7, 24 * 20]))


def test_with_one_answer_in_twenty_faulty_the_result_is_the_same(
    api: Api, serve: Callable[..., Sandbox], clock: VirtualClock
) -> None:
    sandbox = serve(scale="test")
    runner = runner_of(api, sandbox, clock)
    sandbox.faults.randomly(rate=0.05, seed=1)

    runner.sync(page_size=2)

    assert len(sandbox.faults.injected) >= 5
    Judge(api, sandbox).check(runner)


@pytest.mark.parametrize("status", ["408", "425"])
def test_an_answer_that_came_too_late_or_too_early_is_requested_again(
    api: Api, sandbox: Sandbox, runner: Runner, status: str
) -> None:
    sandbox.faults.script(api.first, [status, status])
    sandbox.faults.script(api.listed, [status])

    runner.sync()

    assert [kind for _, kind in sandbox.faults.injected] == [status] * 3
    Judge(api, sandbox).check(runner)


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_a_random_moment_and_run_again_the_result_is_the_same(
    api: Api, sandbox: Sandbox, runner: Runner, seed: int
) -> None:
    moments = random.Random(seed)
    judge = Judge(api, sandbox)
    runner.sync(after=moments.randrange(1, 400), then=kill)
    sandbox.advance(days=1)
    runner.sync()
    judge.check(runner)

    sandbox.advance(days=9)
    runner.sync(after=moments.randrange(1, 200), then=kill)
    sandbox.advance(hours=moments.randrange(1, 30))
    runner.sync()
    judge.check(runner)


def test_no_message_ever_carries_a_bookmark_later_than_the_start_of_its_run(
    api: Api, sandbox: Sandbox, runner: Runner
) -> None:
    tap = runner.sync()

    bookmarks = (runner.warehouse.state or {})["bookmarks"]
    values = [
        bookmark["replication_key_value"] for bookmark in bookmarks.values() if "replication_key_value" in bookmark
    ]
    assert values
    assert all(datetime.fromisoformat(value) <= tap.run_started for value in values)


def test_fields_that_the_schema_does_not_know_arrive_in_extra(api: Api, sandbox: Sandbox, runner: Runner) -> None:
    getattr(sandbox, api.name).extra_fields = {api.main: {"brand_new": {"a": [1]}, "other": None}}

    runner.sync()

    rows = runner.warehouse.rows[api.main].values()
    assert rows
    assert all(row["_extra"] == {"brand_new": {"a": [1]}, "other": None} for row in rows)


def test_an_empty_page_in_the_middle_loses_nothing(api: Api, sandbox: Sandbox, runner: Runner) -> None:
    if not api.empty_pages:
        pytest.skip("the cursor is the page's last row")
    getattr(sandbox, api.name).empty_pages = True

    runner.sync(page_size=5)

    Judge(api, sandbox).check(runner)


def test_state_stays_small(api: Api, serve: Callable[..., Sandbox], clock: VirtualClock) -> None:
    sandbox = serve(scale="demo")
    runner = runner_of(api, sandbox, clock)

    runner.sync()

    assert len(runner.warehouse.rows[api.main]) >= 1_000
    assert len(json.dumps(runner.warehouse.state)) < 4_096


def test_a_list_that_the_api_does_not_have_is_skipped_and_the_others_are_read(
    api: Api, sandbox: Sandbox, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    if not api.hides_lists:
        pytest.skip("the sandbox hides objects only")
    runner.sync()
    missing = api.empty(sandbox)
    before = dict(runner.warehouse.rows[missing])
    path = runner.build().stream(next(kind for kind in api.tap.stream_types if kind.name == missing)).path
    getattr(sandbox, api.name).hidden = {path}
    runner.sync()

    assert before
    assert runner.warehouse.rows[missing] == before  # nothing is taken for gone
    assert Judge(api, sandbox).verdict(runner, set(api.default_streams()) - {missing, "workflow_rules"}) == {}
    assert f"404 Not Found on {path}" in caplog.text
