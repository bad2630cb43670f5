"""SavvyCal: no history of meetings and runs is found after which the warehouse is not the source."""

from __future__ import annotations

import pytest

from history import SOAK, sample, scripted, search, soak, unseen
from sandbox.savvycal.text import id_of
from savvycal_api import SAVVYCAL
from tap_common.state.timestamps import instant


def test_after_every_run_of_a_sample_of_histories_the_warehouse_equals_the_source() -> None:
    sample(SAVVYCAL)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_after_every_run_of_every_history_the_warehouse_equals_the_source() -> None:
    search(SAVVYCAL)


def test_a_meeting_that_is_moved_far_back_before_a_run_has_seen_it_is_missing_in_that_run_and_in_later_ones() -> None:
    with scripted(SAVVYCAL) as history:
        history.sync()
        history.happen((("book_soon", 0), ("say_that_it_was_long_ago", 0)))
        history.sync()
        history.sync()

        assert history.judge.explained == {unseen(SAVVYCAL, "A meeting that is moved")}


def test_a_held_meeting_that_is_moved_from_before_the_window_into_it_is_seen_there() -> None:
    with scripted(SAVVYCAL) as history:
        history.happen((("book_soon", 0), ("forty_days_pass", 0), ("forty_days_pass", 0)))
        history.sync()
        held = history.sandbox.world.invites.all()[-1]
        for what in ("say_that_it_was_days_ago", "hold_it_once_more"):
            history.happen(((what, 0),))
            history.sync()
            row = history.runner.warehouse.rows["events"][id_of("event", held.meeting),]
            assert instant(row["start_at"]) == held.start
        assert history.judge.explained == set()


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_soak() -> None:
    soak(SAVVYCAL, SOAK)
