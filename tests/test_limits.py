"""At the API's limit, never over it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from api import runner_of
from tap_common.tap import SchedulingTap
from truth import Judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from api import Api
    from harness import Runner, VirtualClock
    from sandbox import Sandbox


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("retry_after", [False, True])
def test_a_limit_of_20_a_minute_is_obeyed_and_the_run_ends_well(
    api: Api, sandbox: Sandbox, runner: Runner, clock: VirtualClock, concurrency: int, *, retry_after: bool
) -> None:
    served = getattr(sandbox, api.name)
    served.requests_per_minute, served.send_retry_after = 20, retry_after
    began = clock.monotonic()

    runner.sync(concurrency=concurrency, page_size=2, requests_per_minute=1_000)

    windows = (clock.monotonic() - began) / 60 + 1
    refused = [asked for asked in sandbox.requests if asked.status == 429]
    assert len(sandbox.requests) > 40
    assert len(refused) <= windows
    assert Judge(api, sandbox).verdict(runner) == {}


def test_no_minute_of_the_run_is_left_unused(api: Api, serve: Callable[..., Sandbox], clock: VirtualClock) -> None:
    if api.tap.rates is not SchedulingTap.rates:
        pytest.skip("two limits at once have a test of their own")
    sandbox = serve(scale="test")
    getattr(sandbox, api.name).requests_per_minute = 100
    runner = runner_of(api, sandbox, clock)
    began = clock.monotonic()

    runner.sync(requests_per_minute=100)

    minutes = (clock.monotonic() - began) / 60
    # The first window begins full: whole windows are what is waited for.
    assert minutes <= 1.05 * (len(sandbox.requests) // 100) + 0.05
    assert all(asked.status != 429 for asked in sandbox.requests)


def test_a_window_that_another_program_has_used_up_is_waited_out_without_a_429(
    api: Api, sandbox: Sandbox, runner: Runner
) -> None:
    if not api.announces_limit:
        pytest.skip("the API tells of its limit by refusing")
    getattr(sandbox, api.name).requests_per_minute = 20
    runner.sync(page_size=4)
    runner.warehouse.state = None
    before = len(sandbox.requests)

    runner.sync(concurrency=1, page_size=4)

    assert sum(asked.status == 429 for asked in sandbox.requests[before:]) <= 1


def test_nothing_is_asked_for_twice_but_by_the_check_of_permissions(api: Api, sandbox: Sandbox, runner: Runner) -> None:
    runner.sync()

    asked = sorted((asked.path, str(asked.query)) for asked in sandbox.requests)
    twice = {one[0] for one, other in pairwise(asked) if one == other}
    assert twice <= api.checked_with
