"""The refusals of OnceHub, and their bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox import ManualClock, Sandbox

    Fetch = Callable[..., requests.Response]

LISTS = ["bookings", "booking-calendars", "booking-pages", "event-types", "master-pages", "contacts", "users"]
LISTS += ["teams", "notifications/sms", "webhooks"]


@pytest.fixture
def fetch(sandbox: Sandbox) -> Iterator[Fetch]:
    """Request from the tiny world: `fetch(path, params, key=…)`."""
    with requests.Session() as session:

        def send(
            path: str, params: dict[str, Any] | None = None, key: str | None = "sandbox-admin"
        ) -> requests.Response:
            headers = {"API-Key": key} if key else {}
            return session.get(sandbox.oncehub.api_url + path, params=params, headers=headers, timeout=5)

        sandbox.oncehub.requests_per_minute = 100_000
        yield send


def test_the_key_is_tested(sandbox: Sandbox, fetch: Fetch) -> None:
    body = fetch("/v2/test").json()
    assert body == {"message": f"The API key is valid for account: {sandbox.world.seats['owner'].email}"}


@pytest.mark.parametrize("path", ["/v2/test", *(f"/v2/{one}" for one in LISTS), "/v2/nowhere"])
def test_nobody_gets_in_without_a_key(fetch: Fetch, path: str) -> None:
    for key in (None, "somebody", "Bearer sandbox-admin"):
        answer = fetch(path, key=key)
        assert (answer.status_code, answer.json()["type"]) == (401, "authentication_error")
        assert answer.headers["Request-Id"]


@pytest.mark.parametrize("path", ["/v2/test", *(f"/v2/{one}" for one in LISTS)])
def test_a_plan_without_api_access_is_refused(fetch: Fetch, path: str) -> None:
    answer = fetch(path, key="sandbox-noapi")
    assert (answer.status_code, answer.json()["type"]) == (403, "authentication_error")
    assert "plan" in answer.json()["message"]


def test_text_messages_may_be_missing_from_a_plan(sandbox: Sandbox, fetch: Fetch) -> None:
    assert {path: fetch(f"/v2/{path}", key="sandbox-nosms").status_code for path in LISTS} == {
        path: 403 if path == "notifications/sms" else 200 for path in LISTS
    }
    assert sandbox.truth("oncehub", "sms_notifications", "sandbox-nosms") == []
    assert sandbox.truth("oncehub", "users", "sandbox-nosms") == sandbox.truth("oncehub", "users")


def test_keys_are_logged_by_name_and_strangers_not_at_all(sandbox: Sandbox, fetch: Fetch) -> None:
    fetch("/v2/test")
    fetch("/v2/test", key="a-secret")
    assert [request.key for request in sandbox.requests] == ["sandbox-admin", None]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten", "", "1.5", "²"])
def test_a_page_size_out_of_range_is_refused_and_not_cut(fetch: Fetch, path: str, limit: str) -> None:
    answer = fetch(f"/v2/{path}", {"limit": limit})
    assert answer.status_code == 400
    assert (answer.json()["type"], answer.json()["param"]) == ("invalid_request_error", "limit")


@pytest.mark.parametrize("path", [*LISTS, "test", "users/{user}", "users/{user}/scheduling-availability"])
def test_unknown_parameters_are_refused(sandbox: Sandbox, fetch: Fetch, path: str) -> None:
    path = path.format(user=sandbox.truth("oncehub", "users")[0]["id"])
    answer = fetch(f"/v2/{path}", {"subject": "x"})
    assert (answer.status_code, answer.json()["param"]) == (400, "subject")


@pytest.mark.parametrize(
    ("path", "param", "value"),
    [
        ("bookings", "status", "Completed"),
        ("bookings", "status", "scheduled,completed"),
        ("bookings", "status", ""),
        ("bookings", "last_updated_time", "2026-05-01"),
        ("bookings", "last_updated_time.gte", "2026-05-01"),
        ("bookings", "creation_time.gt", "yesterday"),
        ("bookings", "starting_time.lt", "2026-02-30"),
        ("bookings", "last_updated_time.gt", "2026-05-01T10:00:00"),
        ("bookings", "last_updated_time.gt", "2026-05-01T10:00:00 00:00"),
        ("bookings", "expand", "data.subject"),
        ("bookings", "expand", "owner"),
        ("bookings", "expand", "data.owner,data.form_submission"),
        ("bookings", "expand", "data.contact.owner.teams"),
        ("bookings", "expand", ""),
        ("contacts", "expand", "data.owner"),
        ("contacts", "starting_time.gt", "2026-05-01"),
        ("notifications/sms", "creation_time.gt", "2026-05-01"),
        ("notifications/sms", "recipient_type", "guest"),
        ("notifications/sms", "last_updated_time.gt", "2026-05-01T00:00:00Z"),
        ("booking-calendars", "creation_time.gt", "2026-05-01"),
        ("users", "last_updated_time.gt", "2026-05-01"),
        ("contacts", "after", "CTC-NEVER"),
        ("contacts", "before", "CTC-NEVER"),
        ("bookings", "after", ""),
    ],
)
def test_parameters_that_make_no_sense_are_refused_by_name(fetch: Fetch, path: str, param: str, value: str) -> None:
    answer = fetch(f"/v2/{path}", {param: value})
    assert (answer.status_code, answer.json()["param"]) == (400, param)


def test_no_parameter_is_given_twice_nor_both_cursors(sandbox: Sandbox, fetch: Fetch) -> None:
    first, second = (row["id"] for row in sandbox.truth("oncehub", "users")[:2])
    answer = fetch("/v2/users", {"after": first, "before": second})
    assert (answer.status_code, answer.json()["param"]) == (400, "before")
    assert fetch("/v2/bookings", {"status": ["scheduled", "completed"]}).status_code == 400


@pytest.mark.parametrize("field", ["creation_time", "starting_time", "last_updated_time"])
def test_a_window_does_not_end_before_it_begins(fetch: Fetch, field: str) -> None:
    late, early = "2026-05-02T00:00:00.000001Z", "2026-05-02"
    answer = fetch("/v2/bookings", {f"{field}.gt": late, f"{field}.lt": early})
    assert (answer.status_code, answer.json()["param"]) == (400, f"{field}.gt")
    assert fetch("/v2/bookings", {f"{field}.gt": early, f"{field}.lt": early}).json()["data"] == []


def test_times_may_come_in_any_offset_and_precision(fetch: Fetch) -> None:
    same = ["2026-05-01", "2026-05-01T00:00Z", "2026-05-01T02:00:00+02:00", "2026-04-30T20:00:00.000000-0400"]
    bodies = [fetch("/v2/bookings", {"last_updated_time.gt": text, "limit": "100"}).json()["data"] for text in same]
    assert bodies[0]
    assert all(body == bodies[0] for body in bodies)


def test_what_was_never_there_is_not_found(fetch: Fetch) -> None:
    for path in ("/v2/bookings/BKNG-NEVER", "/v2/users/USR-NEVER/scheduling-availability", "/bookings", "/v1/test"):
        answer = fetch(path)
        assert (answer.status_code, answer.json()["type"]) == (404, "invalid_request_error")


def test_five_requests_a_second_and_no_more(sandbox: Sandbox, fetch: Fetch, clock: ManualClock) -> None:
    sandbox.oncehub.requests_per_minute = None
    assert [fetch("/v2/test").status_code for _ in range(6)] == [200] * 5 + [429]
    answer = fetch("/v2/test")
    assert answer.json() == {"type": "rate_limit_error", "message": "Request rate limit exceeded"}
    assert "Retry-After" not in answer.headers
    assert not [name for name in answer.headers if "limit" in name.lower()]
    clock.advance(0.99)
    assert fetch("/v2/test").status_code == 429
    clock.advance(0.01)
    assert [fetch("/v2/test").status_code for _ in range(6)] == [200] * 5 + [429]
    assert [name for name, _ in sandbox.oncehub.refused] == ["sandbox-admin"] * 4


def test_two_hundred_requests_in_any_five_minutes(sandbox: Sandbox, fetch: Fetch, clock: ManualClock) -> None:
    sandbox.oncehub.requests_per_minute = None
    for _ in range(200):
        assert fetch("/v2/test", key="sandbox-nosms").status_code == 200
        clock.advance(0.25)
    assert fetch("/v2/test").status_code == 429
    clock.advance(249.9)
    assert fetch("/v2/test").status_code == 429
    clock.advance(0.1)
    assert [fetch("/v2/test").status_code for _ in range(2)] == [200, 429]


def test_another_limit_takes_the_place_of_both(sandbox: Sandbox, fetch: Fetch, clock: ManualClock) -> None:
    sandbox.oncehub.requests_per_minute = 7
    sandbox.oncehub.send_retry_after = True
    assert [fetch("/v2/test").status_code for _ in range(8)] == [200] * 7 + [429]
    clock.advance(50)
    assert fetch("/v2/test").headers["Retry-After"] == "11"
    clock.advance(10)
    assert fetch("/v2/test").status_code == 200


def test_what_is_hidden_or_forbidden_is_so_with_all_below(sandbox: Sandbox, fetch: Fetch) -> None:
    user = sandbox.truth("oncehub", "users")[0]["id"]
    sandbox.oncehub.hidden.add(f"/v2/users/{user}")
    sandbox.oncehub.forbidden.add("/v2/contacts")
    paths = (f"/v2/users/{user}/scheduling-availability", f"/v2/users/{user}", "/v2/contacts", "/v2/users", "/v2/teams")
    assert [fetch(path).status_code for path in paths] == [404, 404, 403, 200, 200]
