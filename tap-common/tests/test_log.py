"""Log records that are dropped while a tap is created."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from tap_common.cli.log import quiet

if TYPE_CHECKING:
    import pytest

LOG = logging.getLogger("quiet")


def test_only_this_thread_is_silenced_and_only_in_the_block(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with quiet(LOG):
        LOG.info("within")
        LOG.warning("a warning")
        other = threading.Thread(target=LOG.info, args=("meanwhile",))
        other.start()
        other.join()
    LOG.info("afterwards")

    assert caplog.messages == ["a warning", "meanwhile", "afterwards"]


def test_blocks_of_several_threads_that_overlap_leave_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    entered, left = threading.Event(), threading.Event()

    def other() -> None:
        with quiet(LOG):
            entered.set()
            left.wait()

    with quiet(LOG):
        thread = threading.Thread(target=other)
        thread.start()
        entered.wait()
    left.set()
    thread.join()
    LOG.info("afterwards")

    assert caplog.messages == ["afterwards"]


def test_who_asks_for_debug_gets_all(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with quiet(LOG):
        LOG.info("within")

    assert caplog.messages == ["within"]
