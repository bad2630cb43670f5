"""Luma: no history of events and runs is found after which the warehouse is not the source."""

from __future__ import annotations

import pytest

from history import SOAK, Partly, sample, scripted, search, soak
from luma_api import LUMA


def test_after_every_run_of_a_sample_of_histories_the_warehouse_equals_the_source() -> None:
    sample(LUMA)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_after_every_run_of_every_history_the_warehouse_equals_the_source() -> None:
    search(LUMA)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_soak() -> None:
    soak(LUMA, SOAK)


def test_nothing_is_promised_of_an_event_that_moves_before_the_start_date_while_events_are_left_out() -> None:
    with scripted(LUMA) as history:
        history.change("start_date", -3)
        history.happen((("plan_for_soon", 0),))
        history.sync()
        history.happen((("plan_for_soon", 0), ("move_into_the_past", 0)))
        Partly(frozenset({"events"}), frozenset()).run(history)


def test_two_runs_within_a_second_leave_the_rows_of_an_event_that_is_gone() -> None:
    with scripted(LUMA) as history:
        history.happen((("plan_for_soon", 0), ("plan_for_soon", 0)))
        history.sync()
        history.happen((("cancel_an_event", 0), ("plan_for_soon", 0)))
