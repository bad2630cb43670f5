from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness import Runner, differences
from tap_bookings.tap import TapBookings

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness import VirtualClock
    from sandbox import Sandbox

GONE_UNSEEN = {"bookings", "contacts"}


@pytest.fixture
def oncehub(sandbox: Sandbox, clock: VirtualClock) -> Runner:
    """Runs of tap-bookings against the sandbox."""
    return Runner(TapBookings, {"api_key": "sandbox-admin", "api_url": f"{sandbox.url}/oncehub"}, clock)


@pytest.fixture
def whole(oncehub: Runner) -> Runner:
    """Runs with every stream selected."""
    oncehub.select = lambda _name, _default: True
    return oncehub


@pytest.fixture
def verdict(oncehub: Runner, sandbox: Sandbox) -> Callable[..., list[str]]:
    """What the warehouse and the source disagree about, but for bookings and contacts that are gone."""

    def judged(*streams: str) -> list[str]:
        found = []
        for stream in streams or oncehub.warehouse.rows:
            truth = [without_secret(row) for row in sandbox.truth("oncehub", stream)]
            rows, keys = oncehub.warehouse.rows[stream], oncehub.warehouse.keys[stream]
            if stream in GONE_UNSEEN:
                there = {row["id"] for row in truth}
                rows = {key: row for key, row in rows.items() if key[0] in there}
            found += [f"{stream}: {difference}" for difference in differences(rows, keys, truth)]
        return found

    return judged


def without_secret(row: dict[str, Any]) -> dict[str, Any]:
    """What may be kept of an object."""
    if row.get("object") != "webhook":
        return row
    return {name: value for name, value in row.items() if name != "secret"} | {"url": row["url"].partition("?")[0]}


@pytest.fixture
def lists(sandbox: Sandbox) -> Callable[..., list[dict[str, str]]]:
    """What a list was asked with, since so many requests."""
    return lambda path, since=0: [
        dict(asked.query) for asked in sandbox.requests[since:] if asked.path == f"/v2/{path}"
    ]
