from __future__ import annotations

import logging
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrate_limiter import Rate
from singer_sdk.exceptions import RetriableAPIError

from harness import VirtualClock
from tap_common.http.concurrency import AdaptiveConcurrency
from tap_common.http.limiter import Limiter

if TYPE_CHECKING:
    from collections.abc import Iterator

LOG = logging.getLogger("test")


def answered(
    pace: AdaptiveConcurrency, seconds: Iterator[float] | list[float], endpoint: str = "/list", at: float = 0.0
) -> float:
    """Answers one after the other; the moment of the last."""
    for taken in seconds:
        pace.observe(endpoint, at, at + taken, failed=False)
        at += taken
    return at


def test_all_that_the_setting_allows_are_under_way_while_answers_take_as_long_as_ever() -> None:
    pace = AdaptiveConcurrency(8)

    answered(pace, [0.2, 0.35, 0.15, 0.8, 0.2] * 20)

    assert pace.allowed == 8


def test_answers_that_come_late_lower_the_number_and_quick_ones_raise_it_again() -> None:
    pace = AdaptiveConcurrency(8)
    now = answered(pace, [0.2] * 30)

    now = answered(pace, [3.0] * 6, at=now)
    lowered = pace.allowed
    answered(pace, [0.2] * 60, at=now)

    assert lowered <= 3
    assert pace.allowed == 8


def test_a_single_late_answer_changes_nothing() -> None:
    pace = AdaptiveConcurrency(8)
    now = answered(pace, [0.2] * 30)

    answered(pace, [1.9], at=now)

    assert pace.allowed == 8


def test_an_endpoint_that_always_takes_long_is_not_late() -> None:
    pace = AdaptiveConcurrency(8)

    for _ in range(20):
        answered(pace, [0.1], "/quick")
        answered(pace, [4.0], "/slow")

    assert pace.allowed == 8


def test_an_api_that_has_become_slow_for_good_is_requested_at_full_pace_in_the_end() -> None:
    pace = AdaptiveConcurrency(8)
    now = answered(pace, [0.2] * 30)

    answered(pace, [2.0] * 400, at=now)

    assert pace.allowed == 8


def test_errors_of_the_server_lower_the_number_once_for_all_that_were_under_way() -> None:
    pace = AdaptiveConcurrency(10)
    for _ in range(10):
        pace.observe("/list", 0.0, 1.0, failed=True)

    assert pace.allowed == 7


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=200), st.integers(1, 20))
def test_there_is_always_one_and_never_more_than_the_setting(answers: list[tuple[float, bool]], most: int) -> None:
    pace, now = AdaptiveConcurrency(most), 0.0
    for seconds, failed in answers:
        pace.observe("/list", now, now + seconds, failed=failed)
        now += seconds

        assert 1 <= pace.allowed <= most


def test_a_limiter_lets_through_no_more_than_the_pace_allows_and_wakes_who_waits() -> None:
    clock = VirtualClock()
    turns = Limiter([Rate(1_000_000, 1000)], clock=clock, log=LOG, most=4)
    with pytest.raises(RetriableAPIError), turns.slot():
        raise RetriableAPIError("503")
    assert turns.concurrency.allowed == 2
    entered: list[int] = []

    def ask() -> None:
        with turns.slot():
            entered.append(1)

    with turns.slot():
        with turns.slot():
            waiting = Thread(target=ask)
            waiting.start()
            waiting.join(0.05)
            assert entered == []
        waiting.join(5)
        assert entered == [1]
