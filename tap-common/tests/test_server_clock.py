"""When a run began, by the API's clock."""

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
        ours.note(headers(moment + wrong if number == place else moment))
        clock.wait_until(clock.monotonic() + 30)

    assert ours.started == NOON
    assert ours.now == NOON + timedelta(seconds=150)


def test_of_two_answers_that_differ_the_earlier_counts() -> None:
    ours = ServerClock(VirtualClock())

    assert not ours.note(headers(NOON + timedelta(days=1)))
    assert ours.note(headers(NOON))
    assert not ours.note(headers(NOON - timedelta(days=1)))
    assert ours.started == NOON - timedelta(days=1)


def test_where_two_servers_do_not_agree_the_earlier_counts() -> None:
    ours = ServerClock(VirtualClock())
    for number in range(20):
        ours.note(headers(NOON + timedelta(days=number % 2)))

    assert ours.started == NOON


@pytest.mark.parametrize("date", ["", "soon", "Fri, 31 Dec 9999 23:59:59 -1200", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_date_that_cannot_be_read_is_none(date: str) -> None:
    ours = ServerClock(VirtualClock())
    ours.note(headers(NOON))

    assert not ours.note({"Date": date})
    assert not ours.note({})
    assert ours.started == NOON
