from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_bookings.backfill import DAY, SLICE, Slice, slice_bottom, slices
from tap_common.errors import RequestError
from tap_common.state.timestamps import zulu

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
YEAR_OF_MINUTES = 365 * 24 * 60

ages = st.lists(
    st.one_of(
        st.integers(0, 5 * YEAR_OF_MINUTES),
        st.integers(0, 60),
        st.integers(0, 1_000).map(lambda days: 9 * 60 + days * 24 * 60),  # midnights
    ),
    max_size=60,
)
orders = st.sampled_from(["newest first", "oldest first", "neither"])


@dataclass
class Account:
    """A list as the API gives it: in some order, with bounds that go by moments or by days."""

    created: list[datetime]
    order: str = "newest first"
    by_day: bool = False
    lists: int = 0
    rows: list[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.rows = [{"id": str(number), "creation_time": zulu(moment)} for number, moment in enumerate(self.created)]
        places = {
            "newest first": lambda number: NOW - self.created[number],
            "oldest first": lambda number: self.created[number] - NOW,
            "neither": lambda number: timedelta(number * 7919 % 61),
        }
        self.rows.sort(key=lambda row: places[self.order](int(row["id"])))

    def read(self, above: datetime | None, below: datetime | None) -> Iterator[dict[str, Any]]:
        self.lists += 1
        for row in self.rows:
            moment = self.created[int(row["id"])]
            if self.by_day:
                fits = (not above or moment.date() > above.date()) and (not below or moment.date() < below.date())
            else:
                fits = (not above or moment > above) and (not below or moment < below)
            if fits:
                yield row

    def first(self, below: datetime | None) -> Iterator[dict[str, Any]]:
        return self.read(None, below)

    def of(self, slice_: Slice) -> list[dict[str, Any]]:
        if slice_.rows is not None:
            return list(slice_.rows)
        return list(self.read(slice_.down_to and slice_.down_to - DAY, slice_.below))


def account(minutes: list[int], **how: Any) -> Account:
    return Account([NOW - minute * MINUTE for minute in minutes], **how)


@given(minutes=ages, order=orders, by_day=st.booleans(), size=st.integers(1, 20), kills=st.sets(st.integers(0, 40)))
def test_every_row_is_read_whatever_the_order_and_wherever_the_load_breaks_off(
    *, minutes: list[int], order: str, by_day: bool, size: int, kills: set[int]
) -> None:
    listed = account(minutes, order=order, by_day=by_day)
    read: set[str] = set()
    below, slice_number = None, 0
    while True:
        for slice_ in slices(listed.first, below, size):
            slice_number += 1
            if slice_number in kills:
                break  # not all of it was written
            read |= {row["id"] for row in listed.of(slice_)}
            below = slice_.down_to
        else:
            break

    assert read == {row["id"] for row in listed.rows}


@given(minutes=ages, order=orders, size=st.integers(1, 20))
def test_slices_lie_below_each_other_without_a_gap(minutes: list[int], order: str, size: int) -> None:
    found = list(slices(account(minutes, order=order).first, None, size))

    assert (found[0].below, found[-1].down_to) == (None, None)
    for upper, lower in pairwise(found):
        assert upper.down_to == lower.below
        assert upper.down_to
        assert not upper.below or upper.below - upper.down_to >= SLICE


@given(minutes=st.lists(st.integers(0, 5 * YEAR_OF_MINUTES), max_size=9))
def test_an_account_of_less_than_a_page_costs_one_list(minutes: list[int]) -> None:
    listed = account(minutes)

    assert [len(listed.of(slice_)) for slice_ in slices(listed.first, None, 10)] == [len(minutes)]
    assert listed.lists == 1


def test_an_account_of_some_pages_over_many_years_costs_two_lists_more() -> None:
    listed = account([week * 7 * 24 * 60 for week in range(500)])

    assert [len(listed.of(slice_)) for slice_ in slices(listed.first, None, 100)] == [500, 0]
    assert listed.lists == 3


def test_years_without_a_row_are_not_crossed_step_by_step() -> None:
    recent, old = range(50), range(15 * YEAR_OF_MINUTES, 15 * YEAR_OF_MINUTES + 50)
    listed = account([*recent, *old])

    found = list(slices(listed.first, None, 20))

    assert len(found) == 3
    assert listed.lists == 3


def test_a_busy_account_is_read_in_slices_of_thirty_days() -> None:
    listed = account(list(range(0, YEAR_OF_MINUTES, 30)))

    found = list(slices(listed.first, None, 100))

    lengths = [slice_.below - slice_.down_to for slice_ in found if slice_.below and slice_.down_to]
    assert all(SLICE <= length <= SLICE + DAY for length in lengths)
    assert 12 <= len(found) <= 14


def test_a_row_created_at_a_bound_is_in_a_slice() -> None:
    midnights = [NOW.replace(hour=0) - timedelta(days=day) for day in range(400)]
    for by_day in (False, True):
        listed = Account(midnights, by_day=by_day)
        read = [row["id"] for slice_ in slices(listed.first, None, 10) for row in listed.of(slice_)]
        assert set(read) == {row["id"] for row in listed.rows}


def test_no_more_than_a_page_is_looked_at_to_find_the_next_slice() -> None:
    seen = 0

    def first(below: datetime | None) -> Iterator[dict[str, Any]]:
        nonlocal seen
        for row in account(list(range(0, YEAR_OF_MINUTES, 60))).read(None, below):
            seen += 1
            yield row

    list(islice(slices(first, None, 50), 2))

    assert seen == 100


@pytest.mark.parametrize("created", [None, "", "1871-01-01T00:00:00Z"])
def test_rows_that_do_not_say_when_they_were_created_or_before_all_time_make_one_slice_of_the_rest(
    created: str | None,
) -> None:
    assert slice_bottom([{"creation_time": created}] * 3) is None
    assert [slice_.rows for slice_ in slices(lambda _: [{"creation_time": created}] * 3, None, 2)] == [None]


def test_an_api_that_ignores_the_bound_is_an_error_and_not_for_ever() -> None:
    rows = [{"creation_time": zulu(NOW)}] * 5

    with pytest.raises(RequestError, match=r"ignores `creation_time\.lt`"):
        list(slices(lambda _: rows, None, 2))
