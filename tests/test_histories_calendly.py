"""Calendly: no history of bookings and runs is found after which the warehouse is not the source."""

from __future__ import annotations

import pytest

from calendly_api import CALENDLY
from history import SOAK, Partly, sample, scripted, search, soak, unseen

LATE_BOOKING = unseen(CALENDLY, "A booking that follows a form")
DELETED_TYPE = unseen(CALENDLY, "Deleted event types")


def test_after_every_run_of_a_sample_of_histories_the_warehouse_equals_the_source() -> None:
    sample(CALENDLY)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_after_every_run_of_every_history_the_warehouse_equals_the_source() -> None:
    search(CALENDLY, told={LATE_BOOKING, DELETED_TYPE})


def test_a_booking_long_after_its_form_was_filled_in_is_not_seen_at_the_submission() -> None:
    with scripted(CALENDLY) as history:
        history.change("page_size", 2)  # a page is read to its end: the first of the three is on one that is not read
        form = ("submit_a_form", 0)
        history.happen((form, form, form, ("forty_days_pass", 0), form, form))
        history.sync()
        history.happen((("book_after_a_form", 4),))
        history.sync()

        assert history.judge.explained == {LATE_BOOKING}


def test_an_event_type_that_is_deleted_is_not_seen_in_a_run_without_meetings_and_is_in_the_next_with_them() -> None:
    with scripted(CALENDLY) as history:
        history.happen((("book_soon", 0),))
        history.sync()
        history.happen((("delete_an_event_type", 0),))
        Partly(frozenset({"scheduled_events", "event_invitees"}), frozenset()).run(history)
        assert history.judge.explained == {DELETED_TYPE}

        history.judge.explained.clear()
        history.sync()
        assert history.judge.explained == set()


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_soak() -> None:
    soak(CALENDLY, SOAK)
