"""Fixtures of all tests that run a tap against the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from apis import APIS, Api, runner_of
from harness import VirtualClock
from sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from harness import Runner


@pytest.fixture(params=APIS, ids=lambda api: api.name)
def api(request: pytest.FixtureRequest) -> Api:
    """Each API in turn."""
    found: Api = request.param
    return found


@pytest.fixture
def clock() -> VirtualClock:
    """Time for the sandbox's limits and the tap's waits."""
    return VirtualClock()


@pytest.fixture
def serve(clock: VirtualClock) -> Iterator[Callable[..., Sandbox]]:
    """Starts sandboxes."""
    served: list[Sandbox] = []

    def start(**options: Any) -> Sandbox:
        chosen: dict[str, Any] = {"scale": "tiny", "clock": clock} | options
        sandbox = Sandbox(**chosen)
        sandbox.__enter__()
        served.append(sandbox)
        return sandbox

    yield start
    for sandbox in served:
        sandbox.__exit__(None, None, None)


@pytest.fixture
def sandbox(serve: Callable[..., Sandbox]) -> Sandbox:
    """A small sandbox."""
    return serve()


@pytest.fixture
def runner(api: Api, sandbox: Sandbox, clock: VirtualClock) -> Runner:
    """Runs of the tap against the sandbox."""
    return runner_of(api, sandbox, clock)
