"""When a page is the last one."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from tap_bookings.client import AfterPaginator
from tap_bookings.streams import Teams
from tap_bookings.tap import TapBookings
from tap_common.errors import RequestError

URL = "https://api.oncehub.com/bookings"


def page(rows: int, first: int = 0, *, more: bool | None = None, link: str | None = None) -> requests.Response:
    """A page of so many rows; `more` and `link` (a rel) None: the API does not say."""
    response = requests.Response()
    content: dict[str, Any] = {"object": "list", "data": [{"id": f"BKNG-{first + row}"} for row in range(rows)]}
    if more is not None:
        content["has_more"] = more
    if link is not None:
        response.headers["link"] = f'<{URL}?after=BKNG-0&limit=10>; rel="{link}"'
    response._content = json.dumps(content).encode()
    response.status_code = 200
    return response


@pytest.mark.parametrize(
    ("more", "link", "goes_on"),
    [
        (True, None, True),
        (True, "next", True),
        (True, "previous", True),
        (False, None, False),
        (False, "previous", False),
        (False, "next", True),
        (None, "next", True),
        (None, "previous", False),
    ],
)
@pytest.mark.parametrize("rows", [1, 3])
def test_more_follow_where_either_sign_says_so_however_full_the_page_is(
    rows: int, *, more: bool | None, link: str | None, goes_on: bool
) -> None:
    following = AfterPaginator(3).get_next(page(rows, more=more, link=link))

    assert following == (f"BKNG-{rows - 1}" if goes_on else None)


@pytest.mark.parametrize(("rows", "following"), [(3, "BKNG-2"), (2, None)])
def test_without_any_sign_a_full_page_is_not_the_last_one(rows: int, following: str | None) -> None:
    assert AfterPaginator(3).get_next(page(rows)) == following


@given(more=st.sampled_from([True, False, None]), link=st.sampled_from(["next", "previous", None]))
def test_an_empty_page_is_the_last_one_whatever_it_says(*, more: bool | None, link: str | None) -> None:
    assert AfterPaginator(3).get_next(page(0, more=more, link=link)) is None


def test_two_pages_with_the_same_end_are_an_error_and_not_for_ever() -> None:
    paginator = AfterPaginator(3)
    paginator.get_next(page(3, more=True))
    paginator.get_next(page(3, 3, more=True))

    with pytest.raises(RequestError, match="Two pages ended with the same row"):
        paginator.get_next(page(3, more=True))


def test_a_last_row_without_an_id_is_an_error_and_not_the_end() -> None:
    response = page(1, more=True)
    response._content = b'{"object": "list", "data": [{"object": "booking"}], "has_more": true}'

    with pytest.raises(RequestError, match="has no id"):
        AfterPaginator(3).get_next(response)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            {"type": "invalid_request_error", "message": "a@b.example", "param": "limit"},
            ": invalid_request_error, parameter `limit`",
        ),
        ({"type": "api_error", "message": "a@b.example"}, ": api_error"),
        ({"type": "who is a@b.example?", "message": "a@b.example", "param": {"a": 1}}, ""),
        (["a@b.example"], ""),
    ],
)
def test_an_error_names_its_type_and_the_parameter_at_fault_and_quotes_no_text(body: Any, told: str) -> None:
    response = page(0)
    response.status_code, response.reason = 400, "Bad Request"
    response._content = json.dumps(body).encode()
    stream = TapBookings(config={}, validate_config=False).stream(Teams)

    assert stream.response_error_message(response) == f"400 Bad Request on /v2/teams (stream `teams`){told}"
