"""The kinds of faults, as a client sees them."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest
import requests

from sandbox.faults import KINDS, Faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox import ManualClock, Sandbox

    Get = Callable[..., requests.Response]

PROPER = [
    ("204", 204, "application/json"),
    ("401", 401, "application/json"),
    ("408", 408, "text/html; charset=utf-8"),
    ("425", 425, "text/html; charset=utf-8"),
    ("429", 429, "application/json"),
    ("429-retry-after", 429, "application/json"),
    ("500", 500, "application/json"),
    ("502-html", 502, "text/html; charset=utf-8"),
    ("503", 503, "application/json"),
    ("504", 504, "application/json"),
    ("html", 200, "text/html; charset=utf-8"),
    ("empty-json", 200, "application/json"),
]


@pytest.mark.parametrize(("kind", "status", "content"), PROPER)
def test_a_fault_can_be_an_answer(sandbox: Sandbox, get: Get, kind: str, status: int, content: str) -> None:
    sandbox.faults.script("/users/me$", [kind])
    answer = get("/users/me")
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, content)
    assert ("Retry-After" in answer.headers) == (kind == "429-retry-after")
    assert "Date" in answer.headers
    assert get("/users/me").json()["resource"]


def test_a_connection_can_be_reset_before_a_byte_is_sent(sandbox: Sandbox, get: Get) -> None:
    sandbox.faults.script("/users/me$", ["reset", "reset"])
    for _ in range(2):
        with pytest.raises(requests.ConnectionError, match=re.compile("reset by peer", re.IGNORECASE)):
            get("/users/me")
    assert get("/users/me").status_code == 200
    assert [request.status for request in sandbox.requests] == [None, None, 200]


def test_an_answer_can_break_off(sandbox: Sandbox, get: Get) -> None:
    sandbox.faults.script("/users/me$", ["truncated"])
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        get("/users/me")
    assert get("/users/me").status_code == 200


def test_a_slow_answer_passes_time_on_the_clock_and_is_right(sandbox: Sandbox, get: Get, clock: ManualClock) -> None:
    sandbox.faults.slow_seconds = 120
    sandbox.faults.script("/users/me$", ["slow"])
    assert get("/users/me").json()["resource"]
    assert clock() == 120


def test_a_token_goes_stale_only_where_there_is_one(sandbox: Sandbox, get: Get, org: str) -> None:
    sandbox.faults.script("/scheduled_events$", ["stale-token"])
    first = get("/scheduled_events", organization=org, count=5).json()
    second = {"organization": org, "count": 5, "page_token": first["pagination"]["next_page_token"]}
    stale = get("/scheduled_events", **second)
    assert (stale.status_code, stale.json()["details"][0]["parameter"]) == (400, "page_token")
    assert get("/scheduled_events", **second).status_code == 200


def test_a_script_is_followed_in_order_by_matching_requests(sandbox: Sandbox, get: Get, org: str) -> None:
    sandbox.faults.script("^/groups", ["503", "ok", "504"])
    get("/users/me")
    assert [get("/groups", organization=org).status_code for _ in range(4)] == [503, 200, 504, 200]
    assert sandbox.faults.injected == [("/calendly/groups", "503"), ("/calendly/groups", "504")]


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown faults 501"):
        Faults().script("/", ["501"])


def test_chance_is_reproducible_and_relents_after_three() -> None:
    def lucks(seed: int, paths: list[str]) -> dict[str, list[str | None]]:
        faults = Faults()
        faults.randomly(rate=0.9, seed=seed)
        found: dict[str, list[str | None]] = {path: [] for path in paths}
        for _ in range(50):
            for path in paths:
                found[path].append(faults.draw("GET", path, []))
        return found

    one = lucks(1, ["/calendly/a", "/calendly/b"])
    assert one == lucks(1, ["/calendly/b", "/calendly/a"])
    assert one != lucks(2, ["/calendly/a", "/calendly/b"])
    for drawn in one.values():
        rows = "".join("." if kind is None else "x" for kind in drawn).split(".")
        assert max(len(row) for row in rows) == 3
    assert "stale-token" not in {kind for drawn in one.values() for kind in drawn}


def test_the_rate_is_about_kept() -> None:
    faults = Faults()
    faults.randomly(rate=0.1)
    hits = Counter(faults.draw("GET", f"/calendly/{n}", [("page_token", "x")]) for n in range(5000))
    assert 0.08 < 1 - hits[None] / 5000 < 0.12
    assert hits.keys() == {None, *KINDS}
    faults.clear()
    assert faults.draw("GET", "/calendly/1", []) is None
