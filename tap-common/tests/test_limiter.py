from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrate_limiter import Rate
from typing_extensions import override

from harness import VirtualClock
from tap_common.errors import TapError
from tap_common.http.limiter import Limiter, date_in, retry_after

LOG = logging.getLogger("test")


def limiter(clock: VirtualClock, *rates: tuple[int, float]) -> Limiter:
    return Limiter([Rate(limit, int(seconds * 1000)) for limit, seconds in rates], clock=clock, log=LOG)


@given(
    rates=st.sampled_from([((5, 1.0), (20, 30.0)), ((10, 60.0),), ((1, 0.5),)]),
    pauses=st.lists(st.floats(0, 20), min_size=1, max_size=80),
)
def test_no_window_of_any_rate_ever_holds_more_requests_than_it_allows(
    rates: tuple[tuple[int, float], ...], pauses: list[float]
) -> None:
    clock = VirtualClock()
    turns = limiter(clock, *rates)
    sent = []
    for pause in pauses:
        clock.sleep(pause)
        with turns.slot():
            sent.append(clock.monotonic())

    for limit, seconds in rates:
        for first in sent:
            assert sum(first <= moment < first + seconds - 0.001 for moment in sent) <= limit


def test_requests_go_out_as_fast_as_the_limit_allows() -> None:
    clock = VirtualClock()
    turns = limiter(clock, (100, 60))
    began = clock.monotonic()

    for _ in range(1000):
        with turns.slot():
            pass

    assert clock.monotonic() - began <= 9 * 60 * 1.05


def test_a_window_that_the_headers_call_used_up_is_waited_out() -> None:
    clock = VirtualClock()
    turns = limiter(clock, (500, 60))
    with turns.slot():
        turns.observe({"X-RateLimit-Limit": "500", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "17"})

    with turns.slot():
        assert clock.waited == [pytest.approx(18)]


def test_an_answer_that_took_longer_than_the_rest_of_its_window_says_nothing_about_the_next() -> None:
    clock = VirtualClock()
    turns = limiter(clock, (500, 60))
    with turns.slot():
        clock.sleep(18)
        turns.observe({"X-RateLimit-Limit": "500", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "17"})

    with turns.slot():
        assert clock.waited == [18]


class Together(VirtualClock):
    """Time passes when two wait."""

    def __init__(self) -> None:
        super().__init__()
        self.both = Barrier(2, timeout=5)

    @override
    def wait_until(self, moment: float) -> None:
        self.both.wait()
        super().wait_until(moment)
        self.both.wait()


def test_the_time_that_several_requests_wait_at_once_counts_once() -> None:
    turns = limiter(Together(), (2, 60))

    def ask(_: int) -> None:
        with turns.slot():
            pass

    with ThreadPoolExecutor(2) as pool:
        for _ in range(3):
            list(pool.map(ask, range(2)))

    assert turns.waited == pytest.approx(120, abs=0.1)


def test_what_remains_is_left_to_the_requests_that_are_under_way() -> None:
    clock = VirtualClock()
    turns = limiter(clock, (500, 60))
    with turns.slot(), turns.slot():
        turns.observe({"X-RateLimit-Remaining": "2", "X-RateLimit-Reset": "17"})
        with turns.slot():
            assert clock.waited == []
            turns.observe({"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "17"})
    with turns.slot():
        assert clock.waited == [pytest.approx(18)]


def test_a_lower_limit_in_the_headers_takes_the_place_of_the_documented_one() -> None:
    clock = VirtualClock()
    turns = limiter(clock, (500, 60))
    turns.observe({"X-RateLimit-Limit": "2", "X-RateLimit-Remaining": "2", "X-RateLimit-Reset": "60"})

    for _ in range(3):
        with turns.slot():
            pass

    assert sum(clock.waited) >= 59


def test_a_higher_limit_in_the_headers_does_not_lift_the_setting() -> None:
    clock = VirtualClock()
    turns = limiter(clock, (2, 60))
    turns.observe({"X-RateLimit-Limit": "500"})

    for _ in range(3):
        with turns.slot():
            pass

    assert sum(clock.waited) >= 59


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7", "X-RateLimit-Reset": "40"}, 8),
        ({"Retry-After": "Mon, 01 Jun 2026 09:00:30 GMT", "Date": "Mon, 01 Jun 2026 09:00:00 GMT"}, 31),
        ({"X-RateLimit-Reset": "40"}, 41),
        ({"X-RateLimit-Reset": "1780304440", "Date": "Mon, 01 Jun 2026 09:00:00 GMT"}, 41),
        ({"Retry-After": "soon"}, 61),
        ({}, 61),
    ],
)
def test_a_refusal_is_waited_out_as_its_headers_say(headers: dict[str, str], seconds: float) -> None:
    clock = VirtualClock()
    turns = limiter(clock, (500, 60))
    turns.refuse(headers, 60)

    with turns.slot():
        assert sum(clock.waited) == pytest.approx(seconds)


def test_requests_that_were_under_way_do_not_prolong_the_wait(caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock()
    turns = limiter(clock, (500, 60))
    with caplog.at_level("INFO"), ExitStack() as under_way:
        for _ in range(8):
            under_way.enter_context(turns.slot())
        for _ in range(8):
            turns.refuse({"Retry-After": "60"}, 60)
            clock.sleep(1)
    with turns.slot():
        pass

    assert sum(clock.waited) == pytest.approx(61)
    assert len(caplog.messages) == 1


def test_a_retry_after_that_is_no_number_or_date_counts_as_none() -> None:
    assert retry_after({"Retry-After": "soon"}) is None


@pytest.mark.parametrize(
    ("reset", "expected"),
    [
        ("30", 31.0),
        ("1780304430", 31.0),
        ("1780304430000", 31.0),
        ("1780304430000000", 0.0),
        ("inf", 0.0),
        ("nan", 0.0),
    ],
)
def test_a_reset_is_read_in_seconds_or_as_a_moment_and_never_closes_the_tap_for_ever(
    reset: str, expected: float
) -> None:
    clock = VirtualClock()
    turns = limiter(clock, (100, 60.0))
    headers = {"Date": "Mon, 01 Jun 2026 09:00:00 GMT", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    with turns.slot():
        turns.observe(headers)
    with turns.slot():
        pass

    assert sum(clock.waited) == pytest.approx(expected)


@pytest.mark.parametrize("wait", ["inf", "nan", "-inf"])
def test_a_wait_that_is_no_number_is_the_api_s_window(wait: str) -> None:
    assert retry_after({"Retry-After": wait}) is None


@pytest.mark.parametrize(
    ("headers", "until"),
    [
        ({"Retry-After": "901", "Date": "Mon, 01 Jun 2026 09:00:00 GMT"}, "901 s (429), until 2026-06-01 09:15 UTC;"),
        ({"X-RateLimit-Reset": "86400", "Date": "Mon, 01 Jun 2026 09:00:00 GMT"}, "until 2026-06-02 09:00 UTC;"),
        ({"Retry-After": "Fri, 31 Dec 9998 23:59:59 GMT"}, "until 9998-12-3"),
        ({"Retry-After": "1000000000"}, "1000000000 s (429), until "),
        ({"Retry-After": "9" * 300}, "1000000000000 s (429); the"),
    ],
)
def test_a_pause_that_is_longer_than_the_setting_allows_is_an_error_and_not_a_wait(
    headers: dict[str, str], until: str
) -> None:
    clock = VirtualClock()
    turns = limiter(clock, (500, 60))

    with pytest.raises(TapError, match="the setting `max_wait` allows 900 s: run again later") as caught:
        turns.refuse(headers, 60)

    assert until in str(caught.value)
    assert clock.waited == []


def test_a_pause_as_long_as_the_setting_allows_is_told_and_waited_out(caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock()
    turns = limiter(clock, (500, 60))
    with caplog.at_level("INFO"):
        turns.refuse({"Retry-After": "900"}, 60)
    with turns.slot():
        pass

    assert sum(clock.waited) == pytest.approx(901)
    assert caplog.messages == ["The API requires a pause (429); waiting 901 s."]


def test_a_window_that_is_used_up_for_longer_than_that_is_requested_once_more() -> None:
    clock = VirtualClock()
    turns = limiter(clock, (100, 60.0))
    with turns.slot():
        turns.observe({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "86400"})
    with turns.slot():
        pass

    assert clock.waited == []


@given(st.text(max_size=60) | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,5} [A-Z][a-z]{2} [0-9]{1,6} [0-9:.+-]{0,20}"))
def test_whatever_a_header_holds_is_a_moment_or_none(text: str) -> None:
    moment = date_in(text)

    assert moment is None or moment.tzinfo is UTC


def test_a_date_without_a_zone_is_utc() -> None:
    assert date_in("Mon, 01 Jun 2026 09:00:00 -0000") == datetime(2026, 6, 1, 9, tzinfo=UTC)
