from __future__ import annotations

import json

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from tap_common.errors import RequestError
from tap_common.paginator import CursorPaginator


def page(cursor: object) -> requests.Response:
    answer = requests.Response()
    answer.status_code = 200
    answer._content = json.dumps({"pagination": {"next": cursor}}).encode()
    return answer


@given(st.lists(st.text(min_size=1), unique=True), st.sampled_from([None, ""]))
def test_every_cursor_is_followed_until_there_is_none(cursors: list[str], last: str | None) -> None:
    paginator = CursorPaginator("$.pagination.next")
    followed = []
    for cursor in [*cursors, last]:
        assert not paginator.finished
        followed.append(paginator.current_value)
        assert paginator.continue_if_empty(page(cursor))
        paginator.advance(page(cursor))

    assert paginator.finished
    assert followed == [None, *cursors]


def test_a_page_without_the_key_is_the_last() -> None:
    paginator = CursorPaginator("$.elsewhere.next")
    paginator.advance(page("x"))

    assert paginator.finished


def test_a_cursor_that_comes_again_later_is_an_error() -> None:
    paginator = CursorPaginator("$.pagination.next")
    paginator.advance(page("a"))
    paginator.advance(page("b"))

    with pytest.raises(RequestError, match="same page token twice"):
        paginator.advance(page("a"))
