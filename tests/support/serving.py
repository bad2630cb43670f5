"""Fixtures of all tests that run a tap against the sandbox."""

from __future__ import annotations

import signal
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from api import Api, runner_of
from apis import APIS
from calendly_api import CALENDLY
from harness import CORE, VirtualClock
from luma_api import LUMA
from oncehub_api import ONCEHUB
from sandbox import Sandbox
from savvycal_api import SAVVYCAL
from tap_common.cli.process import on_one_core
from truth import Judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from harness import Runner
    from sandbox.world.gatherings import Gatherings


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
        with on_one_core(CORE):
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


@pytest.fixture
def calendly(sandbox: Sandbox, clock: VirtualClock) -> Runner:
    """Runs of tap-calendly against the sandbox."""
    return runner_of(CALENDLY, sandbox, clock)


@pytest.fixture
def oncehub(sandbox: Sandbox, clock: VirtualClock) -> Runner:
    """Runs of tap-bookings against the sandbox."""
    return runner_of(ONCEHUB, sandbox, clock)


@pytest.fixture
def luma(sandbox: Sandbox, clock: VirtualClock) -> Runner:
    """Runs of tap-luma against the sandbox."""
    return runner_of(replace(LUMA, config={}), sandbox, clock)


@pytest.fixture
def savvycal(sandbox: Sandbox, clock: VirtualClock) -> Runner:
    """Runs of tap-scheduler against the sandbox."""
    return runner_of(SAVVYCAL, sandbox, clock)


@pytest.fixture
def life(sandbox: Sandbox) -> Gatherings:
    """Events of the simulated world and their guests, to be changed."""
    return sandbox.world.gatherings


@pytest.fixture
def judge(request: pytest.FixtureRequest, sandbox: Sandbox) -> Judge:
    """Compares with the truth of the API whose runs the test asks for."""
    return Judge(next(api for api in APIS if api.name in request.fixturenames), sandbox)


@pytest.fixture
def requested(sandbox: Sandbox) -> Callable[..., list[dict[str, str]]]:
    """Return the queries of a path, page by page, since so many requests."""
    return lambda path, since=0: [dict(one.query) for one in sandbox.requests[since:] if one.path == path]


class SignalledError(Exception):
    """A signal came."""


@pytest.fixture
def signalled() -> Iterator[Callable[[], None]]:
    """Has a signal that raises `SignalledError` come a tenth of a second later.

    Another thread gets it, so that it ends no wait of the main one: it is as if it came when the wait had just begun.
    """

    def raising(*_: object) -> None:
        raise SignalledError

    def come() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)

    usual = signal.signal(signal.SIGUSR1, raising)
    yield lambda: threading.Timer(0.1, come).start()
    signal.signal(signal.SIGUSR1, usual)
