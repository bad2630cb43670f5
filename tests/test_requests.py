"""Requests are counted: no run makes more than what it has to see takes, and what runs cost is written down."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

import costs
from api import runner_of
from bounds import EXCUSED, HANDFUL, NEEDED, TEN_CHANGES, Run

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from api import Api
    from harness import Runner, VirtualClock
    from sandbox import Sandbox


def check(api: Api, sandbox: Sandbox, runner: Runner, page: int, since: datetime | None) -> None:
    """A run makes what requests it needs, and a handful more at most."""
    run = Run(sandbox, api.name, page, since)
    needed, excused = NEEDED[api.name](run), EXCUSED[api.name](run)
    before = len(sandbox.requests)

    tap = runner.sync(page_size=page)

    requested = len(sandbox.requests) - before
    told = f"made {requested}, {costs.requests_of(tap)}; needed {sum(needed.values())}, {needed}, and {excused}"
    assert sum(needed.values()) <= requested <= sum(needed.values()) + excused + HANDFUL, told


@pytest.mark.parametrize("page", [10, 100])
@pytest.mark.parametrize("scale", ["tiny", "test"])
def test_no_run_makes_more_requests_than_what_it_has_to_see_takes(
    api: Api, serve: Callable[..., Sandbox], clock: VirtualClock, scale: str, page: int
) -> None:
    sandbox = serve(scale=scale)
    runner = runner_of(api, sandbox, clock)
    began = sandbox.world.now

    check(api, sandbox, runner, page, None)
    check(api, sandbox, runner, page, began)  # nothing has changed
    sandbox.advance(hours=5)
    TEN_CHANGES[api.name](sandbox)
    check(api, sandbox, runner, page, began)


@pytest.mark.parametrize("name", costs.TAPS)
def test_what_runs_cost_is_written_down_as_it_was_counted(name: str) -> None:
    assert costs.read()[name][1_000] == costs.count(name, 1_000), "run `python tools/costs.py`"


@pytest.mark.soak
@pytest.mark.parametrize("name", costs.TAPS)
def test_what_runs_over_ten_thousand_bookings_cost_is_written_down_as_it_was_counted(name: str) -> None:
    assert costs.read()[name][10_000] == costs.count(name, 10_000), "run `python tools/costs.py`"


@pytest.mark.parametrize("name", costs.TAPS)
def test_costs_grow_no_faster_than_the_account(name: str) -> None:
    sizes = [{run: sum(by_stream.values()) for run, by_stream in runs.items()} for runs in costs.read()[name].values()]

    assert list(costs.read()[name]) == list(costs.SIZES)
    assert all(
        small[run] <= large[run] <= 10 * small[run] for small, large in pairwise(sizes) for run in ("first", "daily")
    )


def test_the_table_has_a_row_for_each_stream_that_grows_and_adds_up() -> None:
    head, _, *rows = [line.strip("| ").split(" | ") for line in costs.table("calendly").splitlines()]

    numbers = {row[0]: [int(number.replace(",", "")) for number in row[1:]] for row in rows[:-1]}
    total = numbers.pop("**total**")
    assert len(head) == 7
    assert {"`scheduled_events`", "`event_invitees`", "`contacts`"} < numbers.keys()
    assert [sum(column) for column in zip(*numbers.values(), strict=True)] == total
