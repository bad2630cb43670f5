from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.helpers.jsonpath import extract_jsonpath

from tap_common.http.jsonpath import EnvelopeError, find, select

PAGE = {
    "collection": [{"event": {"id": 1}}, {"event": {"id": 2}}],
    "resource": {"id": 3},
    "pagination": {"next_page_token": None},
}


@pytest.mark.parametrize(
    "path",
    ["$", "$.resource", "$.collection[*]", "$.collection[*].event", "$.pagination.next_page_token", "$.collection[0]"],
)
def test_a_plain_path_selects_what_the_sdk_selects(path: str) -> None:
    assert list(select(path, PAGE)) == list(extract_jsonpath(path, PAGE))


def test_a_bare_list_is_selected_row_by_row() -> None:
    assert list(select("$[*]", [1, 2])) == [1, 2]


@pytest.mark.parametrize("page", [{}, {"collection": None}, {"collection": {"a": 1}}, [], None, "text", {"error": "x"}])
def test_an_answer_of_another_shape_is_an_error_and_never_zero_rows(page: object) -> None:
    with pytest.raises(EnvelopeError):
        list(select("$.collection[*]", page))


def test_an_empty_list_is_zero_rows() -> None:
    assert list(select("$.collection[*]", {"collection": []})) == []


@given(st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(st.sampled_from("ab"), inner)))
def test_a_cursor_that_is_missing_anywhere_on_its_way_is_none(page: object) -> None:
    expected = page.get("a", {}).get("b") if isinstance(page, dict) and isinstance(page.get("a"), dict) else None
    assert find("$.a.b", page) == expected
