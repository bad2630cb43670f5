"""OnceHub: no history of bookings and runs is found after which the warehouse is not the source."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from history import SOAK, sample, scripted, search, soak, unseen
from oncehub_api import ONCEHUB
from tap_bookings.incremental import ChunkedFirstLoad

if TYPE_CHECKING:
    from datetime import datetime

LATE_STATUS = unseen(ONCEHUB, "The status of a text message")


@pytest.fixture
def taken_up(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count of first loads that continue an earlier run's, by stream."""
    counted: Counter[str] = Counter()
    load_progress = ChunkedFirstLoad.load_progress

    def counting(stream: ChunkedFirstLoad) -> tuple[datetime | None, datetime | None]:
        since, below = load_progress(stream)
        counted[stream.name] += below is not None
        return since, below

    monkeypatch.setattr(ChunkedFirstLoad, "load_progress", counting)
    return counted


def test_after_every_run_of_a_sample_of_histories_the_warehouse_equals_the_source() -> None:
    sample(ONCEHUB)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_after_every_run_of_every_history_the_warehouse_equals_the_source(taken_up: Counter[str]) -> None:
    search(ONCEHUB, told={LATE_STATUS})

    assert min(taken_up["bookings"], taken_up["contacts"]) >= 5  # the most delicate that can happen


def test_the_status_of_a_text_message_that_moves_days_after_it_was_made_is_not_seen() -> None:
    with scripted(ONCEHUB) as history:
        text = ("text_the_guest", 0)
        history.happen((("book_soon", 0), text, ("eight_days_pass", 0), text))
        history.sync()
        history.happen((("reach_a_phone_or_not", 1),))
        history.sync()

        assert history.judge.explained == {LATE_STATUS}


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_soak() -> None:
    soak(ONCEHUB, SOAK)
