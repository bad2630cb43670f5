from __future__ import annotations

from typing import Any

import pytest

from tap_common.errors import SettingsError
from tap_common.state.state import check_state, usable_bookmark
from tap_common.state.timestamps import instant

BOOKMARK = "2026-05-01T00:00:00.000000+00:00"
NOW = instant("2026-05-02T00:00:00Z")
COVERS = {"scope": "organization:a", "start_date": "2026-01-01T00:00:00.000000+00:00"}


def state(**more: Any) -> dict[str, Any]:
    return {"replication_key": "updated_at", "replication_key_value": BOOKMARK, "covers": COVERS} | more


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        "text",
        {"bookmarks": []},
        {"bookmarks": {"events": []}},
        {"bookmarks": {"events": {"replication_key_value": "yesterday"}}},
        {"bookmarks": {"events": {"replication_key_value": 12}}},
        {"bookmarks": {"events": {"replication_key_value": ""}}},
        {"bookmarks": {"events": {"replication_key_value": {"a": "b"}}}},
        {"bookmarks": {"events": {"replication_key_value": "0001-01-01T00:00:00+05:00"}}},
        {"bookmarks": {"events": {"replication_key_value": "9999-12-31T23:59:59-12:00"}}},
        {"bookmarks": {"events": {"replication_key": ["updated_at"]}}},
        {"bookmarks": {"events": {"covers": ["organization"]}}},
        {"bookmarks": {"events": {"covers": {"scope": ["organization:a"]}}}},
        {"bookmarks": {"events": {"covers": {"account": {"id": "a"}}}}},
        {"bookmarks": {"events": {"covers": {"start_date": "soon"}}}},
        {"bookmarks": {"events": {"progress_markers": [1]}}},
        {"bookmarks": {"events": {"progress_markers": {"replication_key_value": 5}}}},
    ],
)
def test_a_state_that_no_run_has_written_is_refused_in_one_sentence(wrong: object) -> None:
    with pytest.raises(SettingsError, match=r"run once with --full-refresh"):
        check_state(wrong)


@pytest.mark.parametrize("right", [{}, {"bookmarks": {}}, {"bookmarks": {"a": {}, "b": state()}}])
def test_a_state_of_an_earlier_run_is_accepted(right: object) -> None:
    check_state(right)


@pytest.mark.parametrize(
    ("now", "kept"),
    [
        (COVERS, True),
        (COVERS | {"start_date": "2026-02-01T00:00:00.000000+00:00"}, True),
        (COVERS | {"start_date": "2025-12-01T00:00:00.000000+00:00"}, False),
        (COVERS | {"start_date": None}, False),
        (COVERS | {"scope": "user:b"}, False),
    ],
)
def test_a_bookmark_vouches_only_for_the_view_and_the_start_date_that_it_was_made_with(
    now: dict[str, str | None], *, kept: bool
) -> None:
    stream = state()

    bookmark, why = usable_bookmark(stream, "updated_at", now, NOW)

    assert (bookmark == instant(BOOKMARK)) == kept
    assert (why is None) == kept
    assert stream["covers"] == now
    assert ("replication_key_value" in stream) == kept


def test_a_bookmark_that_does_not_say_what_it_covers_is_not_used() -> None:
    assert usable_bookmark(state(covers=None), "updated_at", COVERS, NOW)[0] is None


@pytest.mark.parametrize("later", ["2026-05-02T00:03:00Z", "2027-01-01T00:00:00Z", "9998-12-31T00:00:00Z"])
def test_a_bookmark_that_is_later_than_now_is_not_used(later: str) -> None:
    stream = state(replication_key_value=later)

    bookmark, why = usable_bookmark(stream, "updated_at", COVERS, NOW)

    assert bookmark is None
    assert why is not None
    assert "in the future by the API's clock" in why
    assert "replication_key_value" not in stream


def test_a_bookmark_before_all_records_is_not_used_since_nothing_can_be_taken_from_it() -> None:
    stream = state(replication_key_value="0050-01-01T00:00:00Z")

    assert usable_bookmark(stream, "updated_at", COVERS, NOW) == (None, "the bookmark cannot be read")
    assert "replication_key_value" not in stream


def test_servers_whose_clocks_differ_by_a_minute_agree() -> None:
    stream = state(replication_key_value="2026-05-02T00:01:00Z")

    assert usable_bookmark(stream, "updated_at", COVERS, NOW) == (instant("2026-05-02T00:01:00Z"), None)


def test_a_bookmark_of_another_replication_key_is_not_used() -> None:
    assert usable_bookmark(state(replication_key="created_at"), "updated_at", COVERS, NOW) == (None, None)
