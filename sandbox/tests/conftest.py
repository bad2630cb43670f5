"""A tiny world behind a real socket, with a clock that stands still."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
import requests

if getattr(sys.modules.get("sandbox"), "__file__", None) is None:
    # pytest names these modules after their folders, and takes the outermost folder for the package
    sys.modules.pop("sandbox", None)

from sandbox import ManualClock, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def clock() -> ManualClock:
    """The clock of the rate limit."""
    return ManualClock()


@pytest.fixture
def sandbox(clock: ManualClock) -> Iterator[Sandbox]:
    """A tiny world."""
    with Sandbox(scale="tiny", clock=clock) as running:
        yield running


@pytest.fixture(scope="module")
def busy() -> Iterator[Sandbox]:
    """A busier world that a module's tests only read."""
    with Sandbox(scale="test", clock=ManualClock()) as running:
        running.calendly.requests_per_minute = 1_000_000
        running.calendly.page_token_requests = None
        yield running


@pytest.fixture
def get(sandbox: Sandbox) -> Iterator[Callable[..., requests.Response]]:
    """Request from the tiny world: `get(path, key=…, **params)`."""
    with requests.Session() as session:

        def fetch(path: str, key: str | None = "sandbox-admin", **params: Any) -> requests.Response:
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            return session.get(sandbox.calendly.api_url + path, params=params, headers=headers, timeout=5)

        yield fetch


@pytest.fixture
def org(sandbox: Sandbox) -> str:
    """The address of the organization."""
    return sandbox.calendly.organization_uri
