"""The faults of paging, as a client sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox.signals import VALUES

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox import Sandbox

    Get = Callable[..., requests.Response]

OWNER = {"API-Key": "sandbox-admin", "Authorization": "Bearer sandbox-admin"}


def pagination(get: Get, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = get("/contacts", count=5, **query).json()["pagination"]
    return found


def bookings(sandbox: Sandbox, **query: Any) -> requests.Response:
    return requests.get(f"{sandbox.url}/oncehub/v2/bookings", {"limit": 5, **query}, headers=OWNER, timeout=5)


def test_without_orders_nothing_is_changed(sandbox: Sandbox, get: Get) -> None:
    assert pagination(get)["next_page_token"] in pagination(get)["next_page"]
    assert sandbox.signals.changed == 0


@pytest.mark.parametrize(
    ("value", "becomes"), [("null", None), ("empty", ""), ("number", 5), ("object", {"a": "b"}), ("true", True)]
)
def test_a_signal_becomes_what_was_ordered(sandbox: Sandbox, get: Get, value: str, becomes: object) -> None:
    sandbox.signals.go_wrong("calendly", "pagination.next_page_token", value)

    assert pagination(get)["next_page_token"] == becomes
    assert "page_token=" in pagination(get)["next_page"]
    assert sandbox.signals.changed == 2


def test_a_signal_or_the_block_that_it_stands_in_is_left_out(sandbox: Sandbox, get: Get) -> None:
    sandbox.signals.go_wrong("calendly", "pagination.next_page", "absent")
    assert "next_page" not in pagination(get)

    sandbox.signals.go_wrong("calendly", "pagination", "absent")
    assert get("/contacts").json().keys() == {"collection"}
    assert get("/users/me").json().keys() == {"resource"}


def test_pages_are_distinguished_by_their_place(sandbox: Sandbox, get: Get) -> None:
    token = pagination(get)["next_page_token"]
    second = pagination(get, page_token=token)["next_page_token"]
    sandbox.signals.go_wrong("calendly", "pagination.next_page_token", "number", "middle", r"/contacts$")

    assert pagination(get)["next_page_token"] == token
    assert pagination(get, page_token=token)["next_page_token"] == 5
    assert second


def test_an_address_is_on_another_host_or_lacks_its_query(sandbox: Sandbox, get: Get) -> None:
    sandbox.signals.go_wrong("calendly", "pagination.next_page", "foreign")
    assert pagination(get)["next_page"].startswith("http://elsewhere.example/contacts?")

    sandbox.signals.go_wrong("calendly", "pagination.next_page", "tokenless")
    assert pagination(get)["next_page"] == "http://elsewhere.example/contacts"


def test_a_cursor_that_is_stuck_leads_to_its_own_page_by_a_new_name_each_time(sandbox: Sandbox, get: Get) -> None:
    sandbox.signals.go_wrong("calendly", "pagination.next_page_token", "stuck-anew")
    first = get("/contacts", count=5).json()
    second = get("/contacts", count=5, page_token=first["pagination"]["next_page_token"]).json()

    assert second["collection"] == first["collection"]
    assert second["pagination"]["next_page_token"] != first["pagination"]["next_page_token"]


def test_a_flag_and_a_header_say_the_opposite(sandbox: Sandbox) -> None:
    sandbox.signals.go_wrong("oncehub", "has_more", "opposite")
    sandbox.signals.go_wrong("oncehub", "Link", "opposite")
    answer = bookings(sandbox)

    assert answer.json()["has_more"] is False
    assert answer.links.keys() == {"previous"}

    sandbox.signals.go_wrong("oncehub", "Link", "absent")
    assert "Link" not in bookings(sandbox).headers


def test_a_parameter_that_is_not_gone_by_is_logged_all_the_same(sandbox: Sandbox) -> None:
    sandbox.signals.ignore("oncehub", "limit", "creation_time.gt")

    assert len(bookings(sandbox, **{"creation_time.gt": "2099-01-01T00:00:00Z"}).json()["data"]) == 10
    assert dict(sandbox.requests[-1].query)["limit"] == "5"


def test_unknown_signals_values_and_places_are_refused(sandbox: Sandbox) -> None:
    for signal, value, place in (
        ("has_more", "null", "every"),
        ("next_cursor", "void", "every"),
        ("next_cursor", "null", "top"),
    ):
        with pytest.raises(ValueError, match="unknown"):
            sandbox.signals.go_wrong("luma" if signal == "next_cursor" else "calendly", signal, value, place)
    assert len(VALUES) == len(set(VALUES))


def test_orders_are_taken_by_http(sandbox: Sandbox, get: Get) -> None:
    orders = {
        "signal": {"api": "calendly", "signal": "pagination.next_page_token", "value": "null"},
        "ignore": {"calendly": ["count"]},
    }
    answer = requests.post(f"{sandbox.url}/_world/faults", json=orders, timeout=5)

    assert answer.status_code == 200
    assert pagination(get)["next_page_token"] is None
    assert pagination(get)["count"] == 20
    requests.post(f"{sandbox.url}/_world/faults", json={"clear": True}, timeout=5)
    assert pagination(get)["count"] == 5
