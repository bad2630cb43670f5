from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving import SignalledError
from tap_common.http.prefetch import prefetch, prefetch_first

if TYPE_CHECKING:
    from collections.abc import Callable


@given(st.lists(st.integers()), st.integers(1, 5), st.integers(1, 5))
def test_results_come_in_the_order_of_the_items(items: list[int], workers: int, most: int) -> None:
    with ThreadPoolExecutor(workers) as pool:
        assert [(item, future.result()) for item, future in prefetch(pool, str, items, most)] == [
            (item, str(item)) for item in items
        ]


def test_no_more_than_so_many_items_are_taken_before_their_results_are_used() -> None:
    taken = []

    def items() -> object:
        for number in count():
            taken.append(number)
            yield number

    with ThreadPoolExecutor(2) as pool:
        results = prefetch(pool, str, items(), 3)  # type: ignore[arg-type]  # any iterable does
        next(results)

        assert taken == [0, 1, 2]
        results.close()  # type: ignore[attr-defined]  # a generator


def test_an_error_surfaces_at_its_own_item() -> None:
    with ThreadPoolExecutor(2) as pool:
        results = dict(prefetch(pool, lambda item: 1 // item, [1, 0, 1], 2))

    assert results[1].result() == 1
    with pytest.raises(ZeroDivisionError):
        results[0].result()


def test_what_has_not_begun_is_cancelled_when_the_caller_stops() -> None:
    go = Event()
    begun = []

    def work(item: int) -> None:
        begun.append(item)
        assert item == 1 or go.wait(5)

    with ThreadPoolExecutor(1) as pool:
        results = prefetch(pool, work, [1, 2, 3], 3)
        next(results)
        results.close()  # type: ignore[attr-defined]  # a generator
        go.set()

    assert 3 not in begun


def test_a_signal_that_comes_as_the_wait_for_a_result_begins_is_seen_long_before_that_result(
    signalled: Callable[[], None],
) -> None:
    done = Event()
    with ThreadPoolExecutor(1) as pool:
        results = prefetch(pool, lambda _: done.wait(5), [1], 1)
        began = time.monotonic()
        signalled()
        with pytest.raises(SignalledError):
            next(results)
        seconds = time.monotonic() - began
        done.set()

    assert seconds < 2


@given(st.lists(st.integers()))
def test_primed_values_are_the_same_values(values: list[int]) -> None:
    assert list(prefetch_first(values)) == values


def test_the_first_value_is_fetched_at_once() -> None:
    fetched = []
    prefetch_first(fetched.append(n) or n for n in range(3))  # type: ignore[func-returns-value]  # that it was called is the point
    assert fetched == [0]
