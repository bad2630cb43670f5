"""Refresh tokens work once, access tokens for two hours, and both have a rate limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from sandbox.calendly.keys import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox import ManualClock, Sandbox

    Get = Callable[..., requests.Response]


def refresh(
    sandbox: Sandbox, token: str, secret: str = CLIENT_SECRET, grant: str = "refresh_token"
) -> requests.Response:
    """Request a new pair of tokens."""
    form = {"grant_type": grant, "refresh_token": token}
    return requests.post(f"{sandbox.calendly.api_url}/oauth/token", data=form, auth=(CLIENT_ID, secret), timeout=5)


def test_a_refresh_token_works_once(sandbox: Sandbox, get: Get) -> None:
    first = refresh(sandbox, REFRESH_TOKEN).json()
    assert first["expires_in"] == 7200
    assert get("/users/me", key=first["access_token"]).status_code == 200
    again = refresh(sandbox, REFRESH_TOKEN)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert refresh(sandbox, first["refresh_token"]).status_code == 200


def test_an_access_token_lives_for_two_hours(sandbox: Sandbox, get: Get) -> None:
    token = refresh(sandbox, REFRESH_TOKEN).json()["access_token"]
    sandbox.advance(minutes=119)
    assert get("/users/me", key=token).status_code == 200
    sandbox.advance(minutes=1)
    assert get("/users/me", key=token).status_code == 401


@pytest.mark.parametrize(
    ("secret", "grant", "status", "error"),
    [("wrong", "refresh_token", 401, "invalid_client"), (CLIENT_SECRET, "password", 400, "unsupported_grant_type")],
)
def test_a_wrong_client_or_grant_is_refused(sandbox: Sandbox, secret: str, grant: str, status: int, error: str) -> None:
    answer = refresh(sandbox, REFRESH_TOKEN, secret, grant)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert refresh(sandbox, REFRESH_TOKEN).status_code == 200


def test_tokens_are_issued_eight_times_a_minute(sandbox: Sandbox, clock: ManualClock) -> None:
    statuses = [refresh(sandbox, "nonsense").status_code for _ in range(9)]
    assert statuses == [400] * 8 + [429]
    clock.advance(60)
    assert refresh(sandbox, REFRESH_TOKEN).status_code == 200


def test_the_log_holds_no_token(sandbox: Sandbox, get: Get) -> None:
    token = refresh(sandbox, REFRESH_TOKEN).json()["access_token"]
    get("/users/me", key=token)
    get("/users/me", key="a-strangers-secret")
    assert [request.key for request in sandbox.requests] == [None, "sandbox-oauth", None]
    text = repr(sandbox.requests)
    assert token not in text
    assert "a-strangers-secret" not in text
