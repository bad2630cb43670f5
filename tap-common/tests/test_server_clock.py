"""The start of a run by the API's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from harness import VirtualClock
from tap_common.http.server_clock import ServerClock

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def headers(moment: datetime) -> dict[str, str]:
    return {"Date": format_datetime(moment, usegmt=True)}


@pytest.mark.parametrize("wrong", [timedelta(days=10), timedelta(days=-10), timedelta(hours=1)], ids=str)
@pytest.mark.parametrize("place", range(5))
def test_one_wrong_answer_among_five_does_not_count(wrong: timedelta, place: int) -> None:
    clock = VirtualClock()
    ours = ServerClock(clock)
    for number in range(5):
        moment = NOON + timedelta(seconds=30 * number)
        ours.observe(headers(moment + wrong if number == place else moment))
        clock.wait_until(clock.monotonic() + 30)

    assert ours.started == NOON
    assert ours.now == NOON + timedelta(seconds=150)


def test_of_two_answers_that_differ_the_earlier_counts() -> None:
    ours = ServerClock(VirtualClock())

    assert not ours.observe(headers(NOON + timedelta(days=1)))
    assert ours.observe(headers(NOON))
    assert not ours.observe(headers(NOON - timedelta(days=1)))
    assert ours.started == NOON - timedelta(days=1)


def test_where_two_servers_do_not_agree_the_earlier_counts() -> None:
    ours = ServerClock(VirtualClock())
    for number in range(20):
        ours.observe(headers(NOON + timedelta(days=number % 2)))

    assert ours.started == NOON


@pytest.mark.parametrize("date", ["", "soon", "Fri, 31 Dec 9999 23:59:59 -1200", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_date_that_cannot_be_read_is_none(date: str) -> None:
    ours = ServerClock(VirtualClock())
    ours.observe(headers(NOON))

    assert not ours.observe({"Date": date})
    assert not ours.observe({})
    assert ours.started == NOON


YEAR = timedelta(days=365)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("server", "machine", "reached", "started"),
    [
        # both right, or this machine's clock off by what clocks are off by, or ahead
        (0 * HOUR, 0 * HOUR, None, 0 * HOUR),
        (0 * HOUR, -HOUR / 60, None, 0 * HOUR),
        (0 * HOUR, YEAR, None, 0 * HOUR),
        (0 * HOUR, YEAR, -HOUR, 0 * HOUR),
        # this machine's clock behind: an earlier run has reached more
        (0 * HOUR, -YEAR, None, -YEAR),
        (0 * HOUR, -YEAR, -HOUR, -HOUR),
        (0 * HOUR, -HOUR, -YEAR, -HOUR),
        # the API's clock ahead
        (YEAR, 0 * HOUR, None, 0 * HOUR),
        (YEAR, 0 * HOUR, -HOUR, 0 * HOUR),
        (YEAR, -YEAR, -HOUR, -HOUR),
        (YEAR, -YEAR, None, -YEAR),
        # a state that is later than the API's clock is no evidence
        (0 * HOUR, -YEAR, YEAR, -YEAR),
        (YEAR, 0 * HOUR, 2 * YEAR, 0 * HOUR),
        # the API's clock behind
        (-YEAR, 0 * HOUR, None, -YEAR),
        (-YEAR, 0 * HOUR, -HOUR, -YEAR),
        (-YEAR, YEAR, -HOUR, -YEAR),
        (-YEAR, -2 * YEAR, None, -2 * YEAR),
        # no time of the API's
        (None, 0 * HOUR, None, 0 * HOUR),
        (None, -YEAR, -HOUR, -YEAR),
    ],
)
def test_the_start_is_never_later_than_it_was_where_one_of_both_clocks_is_right(
    server: timedelta | None, machine: timedelta, reached: timedelta | None, started: timedelta
) -> None:
    clock = VirtualClock()
    clock.machine = lambda: NOON + machine
    ours = ServerClock(clock)
    ours.reached = None if reached is None else NOON + reached
    for _ in range(2):
        ours.observe({} if server is None else headers(NOON + server))

    assert ours.started == NOON + started
    assert ours.started <= NOON
    assert ours.now == NOON + (machine if server is None else server)
    assert ours.has_date == (server is not None)
    assert ours.ahead == max(timedelta(0), (server - machine if server is not None else timedelta(0)) // HOUR * HOUR)
