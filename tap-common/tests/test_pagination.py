"""Pagination: last pages, and pages whose signals contradict each other."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from tap_common.errors import EndlessListError
from tap_common.http.pagination import CursorPaginator, Signals

# Each API's places for them: a token and an address, a cursor and a flag, a cursor alone, the last row and a flag.
TOKEN_AND_URL = Signals("$.token", url="$.url", param="page", rows="$.rows[*]")
CURSOR_AND_FLAG = Signals("$.token", flag="$.more", param="page", rows="$.rows[*]")
CURSOR = Signals("$.token", param="page", rows="$.rows[*]")
LAST_ROW = Signals(flag="$.more", param="page", rows="$.rows[*]", row_key="id")
ABSENT = "(absent)"
NOTHING: tuple[Any, ...] = (ABSENT, "", " ", {}, [], ["b"], {"a": "b"}, True, False)
"""Values that are no cursor and no address, but for null."""
FOREIGN = "https://elsewhere.example/list?page=b&limit=5"


def page(*ids: str, link: str | None = None, **said: Any) -> requests.Response:
    answer = requests.Response()
    answer.status_code = 200
    body = {"rows": [{"id": name} for name in ids]} | {name: value for name, value in said.items() if value != ABSENT}
    answer._content = json.dumps(body).encode()
    if link is not None:
        answer.headers["link"] = link
    return answer


def link(rel: str, url: str = "https://api.example/rows?page=b") -> str:
    return f'<{url}>; rel="{rel}"'


@given(st.lists(st.text(min_size=1).filter(str.strip), unique=True))
def test_every_cursor_is_followed_until_there_is_none(cursors: list[str]) -> None:
    paginator = CursorPaginator(CURSOR)
    followed = []
    for number, cursor in enumerate([*cursors, None]):
        assert not paginator.finished
        followed.append(paginator.current_value)
        assert paginator.continue_if_empty(page(token=cursor))
        paginator.advance(page(str(number), token=cursor))

    assert paginator.finished
    assert followed == [None, *cursors]


@pytest.mark.parametrize("token", [*NOTHING, None], ids=repr)
@pytest.mark.parametrize("url", [FOREIGN, "/rows?page=b", "rows?page=b"])
def test_the_token_in_the_address_of_the_next_page_is_used_where_there_is_no_other(token: Any, url: str) -> None:
    assert CursorPaginator(TOKEN_AND_URL).get_next(page("1", token=token, url=url)) == "b"


@pytest.mark.parametrize("url", [*NOTHING, None, "https://api.example/rows", "http://[", FOREIGN], ids=repr)
def test_a_token_is_used_whatever_stands_in_place_of_the_address(url: Any) -> None:
    assert CursorPaginator(TOKEN_AND_URL).get_next(page("1", token="a", url=url)) == "a"  # noqa: S106 - no password


@pytest.mark.parametrize("flag", [*NOTHING, None, "false", 0], ids=repr)
def test_a_cursor_is_used_whatever_the_flag_says(flag: Any) -> None:
    assert CursorPaginator(CURSOR_AND_FLAG).get_next(page("1", token="a", more=flag)) == "a"  # noqa: S106 - as above


@pytest.mark.parametrize("token", [*NOTHING, None], ids=repr)
def test_more_rows_without_a_cursor_to_ask_for_them_with_are_an_error(token: Any) -> None:
    with pytest.raises(EndlessListError, match="more rows follow, but sent no page token"):
        CursorPaginator(CURSOR_AND_FLAG).get_next(page("1", token=token, more=True))
    with pytest.raises(EndlessListError, match="more rows follow, but sent no page token"):
        CursorPaginator(TOKEN_AND_URL).get_next(page("1", token=token, url="https://api.example/rows?limit=5"))


@pytest.mark.parametrize("token", [*NOTHING, None], ids=repr)
def test_the_end_is_what_one_signal_says_and_none_contradicts(token: Any) -> None:
    assert CursorPaginator(CURSOR_AND_FLAG).get_next(page("1", token=token, more=False)) is None
    assert CursorPaginator(TOKEN_AND_URL).get_next(page("1", token=token, url=None)) is None
    assert CursorPaginator(TOKEN_AND_URL).get_next(page("1", token=None, url=token)) is None


@pytest.mark.parametrize("token", NOTHING, ids=repr)
def test_a_page_that_says_nothing_is_known(token: Any) -> None:
    assert CURSOR.are_absent(page("1", token=token))
    assert TOKEN_AND_URL.are_absent(page("1", token=token, url=token))
    assert CURSOR_AND_FLAG.are_absent(page("1", token=None, more=None))
    assert CURSOR_AND_FLAG.are_absent(page("1", token=token, more="yes"))
    assert not CURSOR.are_absent(page("1", token=None))
    assert not CURSOR_AND_FLAG.are_absent(page("1", more=False))
    assert not LAST_ROW.are_absent(page("1"))


def test_a_number_is_a_cursor_and_the_last_that_is_tried() -> None:
    assert CursorPaginator(CURSOR).get_next(page("1", token=0)) == "0"
    assert CursorPaginator(TOKEN_AND_URL).get_next(page("1", token=7, url=FOREIGN)) == "b"


@pytest.mark.parametrize("signals", [TOKEN_AND_URL, CURSOR_AND_FLAG, CURSOR])
def test_the_link_header_is_a_signal_of_every_list(signals: Signals) -> None:
    for rel in ("next", "NEXT", "prev next"):
        assert CursorPaginator(signals).get_next(page("1", link=link(rel))) == "b"
    assert CursorPaginator(signals).get_next(page("1", link=link("preload"))) is None


def test_a_cursor_that_comes_again_later_is_an_error() -> None:
    paginator = CursorPaginator(CURSOR)
    paginator.advance(page("1", token="a"))  # noqa: S106 - no password
    paginator.advance(page("2", token="b"))  # noqa: S106 - no password

    with pytest.raises(EndlessListError, match="same page token twice"):
        paginator.advance(page("3", token="a"))  # noqa: S106 - no password


def test_where_a_cursor_comes_again_another_that_does_not_is_used() -> None:
    paginator = CursorPaginator(TOKEN_AND_URL)
    paginator.advance(page("1", token="a"))  # noqa: S106 - no password

    assert paginator.get_next(page("2", token="a", url=FOREIGN)) == "b"  # noqa: S106 - no password


def test_a_cursor_that_comes_again_where_the_flag_says_the_end_is_the_end() -> None:
    paginator = CursorPaginator(CURSOR_AND_FLAG)
    paginator.advance(page("1", token="a", more=False))  # noqa: S106 - no password
    assert paginator.current_value == "a"
    paginator.advance(page(token="a", more=False))  # noqa: S106 - no password

    assert paginator.finished


def test_an_end_is_believed_after_three_empty_pages_that_have_other_cursors_all_the_same() -> None:
    paginator = CursorPaginator(CURSOR_AND_FLAG)
    paginator.advance(page("1", token="0", more=True))  # noqa: S106 - no password
    read = [paginator.get_next(page(token=str(number), more=False)) for number in (1, 2, 3)]

    assert read == ["1", "2", None]


@pytest.mark.parametrize("ids", [(), ("1",), ("1", "2")])
def test_new_cursors_without_new_rows_are_an_error_after_a_hundred_pages(ids: tuple[str, ...]) -> None:
    paginator = CursorPaginator(CURSOR)
    paginator.advance(page("1", "2", token="0"))  # noqa: S106 - no password

    def follow() -> None:
        for number in range(1, 1000):
            paginator.advance(page(*ids, token=str(number)))

    with pytest.raises(EndlessListError, match="100 pages in a row without a new row"):
        follow()
    assert paginator.count <= 102


# The last row's key


@pytest.mark.parametrize(
    ("more", "rel", "goes_on"),
    [
        (True, None, True),
        (True, "next", True),
        (True, "previous", True),
        (False, None, False),
        (False, "previous", False),
        (False, "next", True),
        (None, "next", True),
        (None, "previous", False),
        (None, None, True),
        ("", None, True),
        ("false", None, True),
        ({}, "previous", False),
    ],
)
@pytest.mark.parametrize("ids", [("1",), ("1", "2", "3")])
def test_the_key_of_the_last_row_is_used_until_a_signal_says_the_end(
    ids: tuple[str, ...], *, more: Any, rel: str | None, goes_on: bool
) -> None:
    following = CursorPaginator(LAST_ROW).get_next(page(*ids, more=more, link=rel and link(rel)))

    assert following == (ids[-1] if goes_on else None)


@pytest.mark.parametrize("more", [None, False, ABSENT, "yes"])
def test_an_empty_page_ends_what_goes_by_the_last_row(*, more: Any) -> None:
    assert CursorPaginator(LAST_ROW).get_next(page(more=more)) is None


def test_an_empty_page_that_says_that_more_follow_ends_nothing() -> None:
    assert CursorPaginator(LAST_ROW).get_next(page(more=True, link=link("next"))) == "b"
    with pytest.raises(EndlessListError, match="more rows follow, but sent no page token"):
        CursorPaginator(LAST_ROW).get_next(page(more=True))


def test_two_pages_with_the_same_end_are_an_error_and_not_for_ever() -> None:
    paginator = CursorPaginator(LAST_ROW)
    paginator.get_next(page("1", more=True))
    paginator.get_next(page("2", more=True))

    with pytest.raises(EndlessListError, match="Two pages ended with the same row"):
        paginator.get_next(page("1", more=True))


@pytest.mark.parametrize("more", [True, None])
def test_a_last_row_without_a_key_is_an_error_and_not_the_end_where_no_link_has_one(*, more: bool | None) -> None:
    response = page(more=more)
    response._content = json.dumps({"rows": [{"name": "x"}], "more": more}).encode()
    with pytest.raises(EndlessListError, match="has no id"):
        CursorPaginator(LAST_ROW).get_next(response)
    response.headers["Link"] = link("next")

    assert CursorPaginator(LAST_ROW).get_next(response) == "b"
