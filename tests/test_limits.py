"""At the API's limit, never over it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from api import runner_of
from calendly_api import CALENDLY
from luma_api import LUMA
from oncehub_api import ONCEHUB
from savvycal_api import SAVVYCAL
from tap_common.http.concurrency import AdaptiveConcurrency
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
    refused = [requested for requested in sandbox.requests if requested.status == 429]
    assert len(sandbox.requests) > 40
    assert len(refused) <= windows
    Judge(api, sandbox).check(runner)


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
    assert all(requested.status != 429 for requested in sandbox.requests)


# Requests and the seconds in which so many are allowed, as the APIs document them; the sandbox's own limits.
DOCUMENTED = [(CALENDLY, 500, 60.0), (LUMA, 200, 60.0), (ONCEHUB, 200, 300.0), (SAVVYCAL, 60, 60.0)]


@pytest.mark.parametrize(("api", "limit", "seconds"), DOCUMENTED, ids=lambda value: getattr(value, "name", ""))
def test_a_run_at_the_documented_limit_takes_no_longer_than_the_limit_asks_and_meets_one_refusal_at_most(
    serve: Callable[..., Sandbox], clock: VirtualClock, api: Api, limit: int, seconds: float
) -> None:
    sandbox = serve(scale="test")
    runner = runner_of(api, sandbox, clock)
    began = clock.monotonic()

    runner.sync(page_size=1)

    requests = len(sandbox.requests)
    assert requests > 2 * limit
    assert clock.monotonic() - began <= 1.05 * requests / limit * seconds
    assert sum(requested.status == 429 for requested in sandbox.requests) <= 1
    Judge(api, sandbox).check(runner)


@pytest.mark.parametrize(
    ("api", "limit", "seconds"),
    [(CALENDLY, 50, 60), (LUMA, 30, 60), (ONCEHUB, None, 300), (SAVVYCAL, 30, 60)],
    ids=lambda value: getattr(value, "name", ""),
)
def test_two_taps_with_the_same_key_at_once_share_its_budget_and_both_come_to_their_end(
    serve: Callable[..., Sandbox], clock: VirtualClock, api: Api, limit: int | None, seconds: float
) -> None:
    sandbox = serve(scale="tiny" if limit else "test")
    getattr(sandbox, api.name).requests_per_minute = limit
    runners = [runner_of(api, sandbox, clock) for _ in range(2)]
    began = clock.monotonic()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda runner: runner.sync(page_size=2), runners))

    windows = (clock.monotonic() - began) / seconds
    refused = sum(requested.status == 429 for requested in sandbox.requests)
    answered = len(sandbox.requests) - refused
    # Each window may lose a second by rounding, and what one tap had in flight when the other used it up.
    assert windows <= 1.5 * answered / (limit or 200) + 2
    if api.announces_limit:
        assert refused <= 2 * windows
    assert [Judge(api, sandbox).verdict(runner) for runner in runners] == [{}, {}]


def test_an_overloaded_server_is_requested_less_at_a_time_and_for_more_again_when_it_has_recovered(
    serve: Callable[..., Sandbox], clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = serve(scale="test")
    sandbox.faults.slow_seconds = 20.0
    sandbox.faults.script("/invitees", ["ok"] * 20 + ["slow"] * 6)
    runner, at_a_time = runner_of(CALENDLY, sandbox, clock), []
    observe = AdaptiveConcurrency.observe

    def observing(pace: AdaptiveConcurrency, *answer: Any, **how: Any) -> None:
        observe(pace, *answer, **how)
        at_a_time.append(pace.allowed)

    monkeypatch.setattr(AdaptiveConcurrency, "observe", observing)
    runner.sync(concurrency=8, requests_per_minute=60_000)

    assert at_a_time[0] == at_a_time[-1] == 8
    assert min(at_a_time) <= 5
    Judge(CALENDLY, sandbox).check(runner)


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

    assert sum(requested.status == 429 for requested in sandbox.requests[before:]) <= 1


def test_nothing_is_requested_twice_but_by_the_check_of_permissions(api: Api, sandbox: Sandbox, runner: Runner) -> None:
    runner.sync()

    requested = sorted((requested.path, str(requested.query)) for requested in sandbox.requests)
    twice = {one[0] for one, other in pairwise(requested) if one == other}
    assert twice <= api.checked_with
