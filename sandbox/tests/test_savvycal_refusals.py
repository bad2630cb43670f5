"""SavvyCal: keys, refusals, ignored parameters and rate limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox import ManualClock, Sandbox

    Get = Callable[..., requests.Response]

PATHS = ["/v1/me", "/v1/events", "/v1/links", "/v1/time_zones", "/v1/webhooks", "/v1/workflows"]


@pytest.fixture
def savvy(sandbox: Sandbox) -> Iterator[Get]:
    """Request from the tiny world's SavvyCal."""
    with requests.Session() as session:

        def fetch(path: str, key: str | None = "sandbox-admin", **params: Any) -> requests.Response:
            params = {name.rstrip("_"): value for name, value in params.items()}
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            return session.get(sandbox.savvycal.api_url + path, params=params, headers=headers, timeout=5)

        yield fetch


def errors(answer: requests.Response) -> dict[str, list[str]]:
    """Return the errors of a 422."""
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/json"
    found: dict[str, list[str]] = answer.json()["errors"]
    return found


@pytest.mark.parametrize("path", [*PATHS, "/v1/nowhere"])
@pytest.mark.parametrize("key", [None, "sandbox-expired", "somebody-elses"])
def test_without_a_good_token_the_answer_is_one_word_of_plain_text(savvy: Get, path: str, key: str | None) -> None:
    answer = savvy(path, key)
    assert (answer.status_code, answer.text) == (401, "Unauthenticated")
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_another_scheme_than_bearer_is_refused(sandbox: Sandbox) -> None:
    headers = {"Authorization": "Basic sandbox-admin"}
    assert requests.get(f"{sandbox.savvycal.api_url}/v1/me", headers=headers, timeout=5).status_code == 401


def test_the_log_names_known_keys_only(sandbox: Sandbox, savvy: Get) -> None:
    savvy("/v1/me")
    savvy("/v1/me", "sandbox-expired")
    savvy("/v1/me", "somebody-elses")
    assert [one.key for one in sandbox.requests] == ["sandbox-admin", "sandbox-expired", None]


def test_time_zones_need_a_token_by_default(sandbox: Sandbox, savvy: Get) -> None:
    sandbox.savvycal.time_zones_need_key = False
    assert savvy("/v1/time_zones", None).status_code == 200
    assert savvy("/v1/me", None).status_code == 401


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("/v1/events", "limit", "101"),
        ("/v1/events", "limit", "0"),
        ("/v1/links", "limit", "many"),
        ("/v1/events", "state", "cancelled"),
        ("/v1/events", "period", "future"),
        ("/v1/events", "from", "2026-06-01T00:00:00Z"),
        ("/v1/events", "from", "2026-13-01"),
        ("/v1/events", "until", "tomorrow"),
        ("/v1/events", "direction", "descending"),
        ("/v1/events", "attendance", "all"),
        ("/v1/events", "link", "type-1"),
        ("/v1/events", "after", "no cursor"),
        ("/v1/events", "after", "bm8="),
        ("/v1/workflows", "before", "bm8="),
        ("/v1/links", "state", "all"),
        ("/v1/time_zones", "instant", "now"),
        ("/v1/time_zones", "include_legacy", "1"),
    ],
)
def test_a_bad_value_of_a_known_parameter_is_named(savvy: Get, path: str, name: str, value: str) -> None:
    assert list(errors(savvy(path, **{name: value}))) == [name]


def test_the_end_must_not_lie_before_the_beginning(savvy: Get) -> None:
    answer = savvy("/v1/events", period="fixed", from_="2026-06-02", until="2026-06-01")
    assert errors(answer) == {"until": ["must be before the from time"]}


def test_names_that_mean_nothing_are_ignored_and_counted(sandbox: Sandbox, savvy: Get) -> None:
    plain = savvy("/v1/events").json()
    assert savvy("/v1/events", status="all", per_page=1, start_after="2026-01-01").json() == plain
    savvy("/v1/me", limit=3)
    savvy("/v1/time_zones", limit=3, status="all")
    counted = {"status": 2, "per_page": 1, "start_after": 1, "limit": 2}
    assert sandbox.savvycal.unknown_parameters == counted
    savvy("/v1/events", state="all", period="fixed", from_="2026-01-01", limit=100, attendance="any", direction="asc")
    assert sandbox.savvycal.unknown_parameters == counted


def test_what_does_not_exist_is_not_found(savvy: Get) -> None:
    for path in ("/v1/events/event_1", "/v1/links/link_1", "/v1/webhooks/wh_1", "/v1/workflows/wkflw_1/rules"):
        assert savvy(path).status_code == 404
    for path in ("/v1/nowhere", "/v1/time_zones/Mars/Olympus", "/v1/workflows/wkflw_1", "/events"):
        assert savvy(path).status_code == 404


def test_hidden_and_forbidden_paths_take_all_below_them_along(sandbox: Sandbox, savvy: Get) -> None:
    first, *others = [row["id"] for row in savvy("/v1/workflows").json()["entries"]]
    sandbox.savvycal.hidden = {f"/v1/workflows/{first}", "/v1/webhooks"}
    sandbox.savvycal.forbidden = {"v1/links/"}
    assert savvy(f"/v1/workflows/{first}/rules").status_code == 404
    assert savvy(f"/v1/workflows/{others[0]}/rules").status_code == 200
    assert savvy("/v1/webhooks").status_code == 404
    link = sandbox.truth("savvycal", "events")[0]["link"]["id"]
    assert savvy("/v1/links").status_code == savvy(f"/v1/links/{link}").status_code == 403
    assert {row["workflow_id"] for row in sandbox.truth("savvycal", "workflow_rules")} == set(others)
    assert sandbox.truth("savvycal", "webhooks") == sandbox.truth("savvycal", "scheduling_links") == []


def test_no_limit_is_published(sandbox: Sandbox, savvy: Get) -> None:
    assert {savvy("/v1/me").status_code for _ in range(200)} == {200}
    assert sandbox.savvycal.refused == []


@pytest.mark.parametrize("send", [False, True])
def test_a_limit_of_our_own_ends_with_its_minute(sandbox: Sandbox, clock: ManualClock, savvy: Get, send: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    sandbox.savvycal.requests_per_minute = 2
    sandbox.savvycal.send_retry_after = send
    clock.advance(5)
    assert [savvy("/v1/me").status_code for _ in range(2)] == [200, 200]
    clock.advance(20)
    answer = savvy("/v1/me")
    assert (answer.status_code, answer.text) == (429, "Too Many Requests")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers.get("Retry-After") == ("40" if send else None)
    assert savvy("/v1/me", "sandbox-member").status_code == 200
    assert sandbox.savvycal.refused == [("sandbox-admin", 25.0)]
    clock.advance(40)
    assert savvy("/v1/me").status_code == 200


def test_fixed_periods_may_be_refused(sandbox: Sandbox, savvy: Get) -> None:
    sandbox.savvycal.from_alone_refused = True
    assert errors(savvy("/v1/events", period="fixed", from_="2026-06-01")) == {"until": ["can't be blank"]}
    assert savvy("/v1/events", period="fixed", from_="2026-06-01", until="2031-06-01").status_code == 200
    sandbox.savvycal.fixed_refused = True
    assert list(errors(savvy("/v1/events", period="fixed", from_="2026-06-01", until="2031-06-01"))) == ["period"]
    assert savvy("/v1/events", period="past").status_code == 200


def test_there_is_no_truth_about_strangers(sandbox: Sandbox) -> None:
    for stream, key in (("bookings", "sandbox-admin"), ("events", "somebody-elses")):
        with pytest.raises(LookupError):
            sandbox.truth("savvycal", stream, key)
    assert sandbox.truth("savvycal", "events", "sandbox-expired") == []
