from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_calendly.sweep import newest_first, sweep
from tap_common.errors import ExpiredCursorError
from tap_common.state.timestamps import instant, zulu

if TYPE_CHECKING:
    from collections.abc import Iterator

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
starts = st.lists(st.one_of(st.integers(0, 5), st.floats(0, 5, width=16), st.integers(0, 5_000)), max_size=60)


class Calendar:
    """A list of events as the API gives it: sorted or not, with a bound that includes its moment or not."""

    def __init__(self, seconds: list[float], *, inclusive: bool, stale: int = 0) -> None:
        self.events: list[dict[str, Any]] = [
            {"uri": f"/{number}", "start_time": zulu(EPOCH + timedelta(seconds=second))}
            for number, second in enumerate(seconds)
        ]
        self.inclusive = inclusive
        self.stale = stale
        self.lists = 0

    def read(self, since: datetime | None) -> Iterator[dict[str, Any]]:
        self.lists += 1
        for place, event in enumerate(self.events):
            start = instant(event["start_time"])
            if since is None or start > since or (self.inclusive and start == since):
                if place % 3 == 2 and self.stale:
                    self.stale -= 1
                    raise ExpiredCursorError("stale")
                yield event


@given(seconds=starts, inclusive=st.booleans(), size=st.integers(1, 10), stale=st.integers(0, 3))
def test_every_event_comes_exactly_once_whatever_the_calendar_looks_like(
    *, seconds: list[float], inclusive: bool, size: int, stale: int
) -> None:
    calendar = Calendar(sorted(seconds), inclusive=inclusive, stale=stale)

    slices = list(sweep(calendar.read, None, size))

    assert [event for rows in slices for event in rows] == calendar.events


def test_a_list_that_is_not_in_order_is_read_whole() -> None:
    calendar = Calendar([60.0 * minute for minute in reversed(range(100))], inclusive=True)

    assert [event for rows in sweep(calendar.read, None, 10) for event in rows] == calendar.events


@given(seconds=starts, inclusive=st.booleans(), start=st.floats(0, 5_000, width=16))
def test_the_start_date_is_included_to_the_microsecond(*, seconds: list[float], inclusive: bool, start: float) -> None:
    calendar = Calendar(sorted(seconds), inclusive=inclusive)
    begin = EPOCH + timedelta(seconds=start)

    slices = list(sweep(calendar.read, begin, 5))

    assert [event for rows in slices for event in rows] == [
        event for event in calendar.events if instant(event["start_time"]) >= begin
    ]


def test_a_slice_holds_about_as_many_events_as_requested() -> None:
    calendar = Calendar([60.0 * minute for minute in range(100)], inclusive=True)

    slices = list(sweep(calendar.read, None, 10))

    assert max(len(rows) for rows in slices) <= 10
    assert calendar.lists == len(slices)


def test_more_events_at_one_moment_than_a_slice_holds_are_all_read() -> None:
    calendar = Calendar([0.0] * 50 + [60.0], inclusive=False)

    assert [len(rows) for rows in sweep(calendar.read, None, 10)] == [51, 0]


def test_a_token_that_is_always_stale_ends_the_run() -> None:
    calendar = Calendar([0, 60, 120, 180], inclusive=True, stale=1_000)

    with pytest.raises(ExpiredCursorError):
        list(sweep(calendar.read, None, 10))


@given(st.lists(st.integers(0, 100)), st.integers(0, 100), st.integers(1, 5))
def test_a_sorted_list_is_read_down_to_the_bookmark(seconds: list[int], since: int, page: int) -> None:
    rows = [{"created_at": zulu(EPOCH + timedelta(seconds=second))} for second in sorted(seconds, reverse=True)]
    bound = EPOCH + timedelta(seconds=since)

    rest = iter(rows)

    read = list(newest_first(rest, "created_at", bound, page))

    due = [row for row in rows if instant(row["created_at"]) >= bound]
    assert read == rows[: max(page, len(due))]
    # No row is taken that could be the first of a page more.
    assert list(rest) == rows[max(page, len(due) + 1) :]


@given(st.lists(st.integers(0, 100), min_size=2, unique=True))
def test_a_list_in_the_other_order_is_read_whole(seconds: list[int]) -> None:
    rows = [{"created_at": zulu(EPOCH + timedelta(seconds=second))} for second in sorted(seconds)]

    assert list(newest_first(iter(rows), "created_at", EPOCH + timedelta(days=1), 2)) == rows


def test_without_a_bookmark_the_whole_list_is_read() -> None:
    rows = [{"created_at": zulu(EPOCH - timedelta(days=day))} for day in range(5)]

    assert list(newest_first(iter(rows), "created_at", None, 1)) == rows
