from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from serving import SignalledError
from tap_common.http.clock import POLL_SECONDS, Clock, StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_wait_of_several_turns_ends_when_its_moment_has_come() -> None:
    clock = Clock()
    moment = clock.monotonic() + 1.2 * POLL_SECONDS

    clock.wait_until(moment)

    assert moment <= clock.monotonic() < moment + 1


def test_a_signal_that_comes_as_a_wait_begins_is_seen_long_before_its_end(signalled: Callable[[], None]) -> None:
    clock = Clock()
    began = time.monotonic()
    signalled()
    with pytest.raises(SignalledError):
        clock.sleep(5)

    assert time.monotonic() - began < 2


def test_a_clock_that_is_stopped_ends_the_wait_that_has_begun_and_all_that_would() -> None:
    clock = Clock()
    threading.Timer(0.1, clock.stop).start()
    began = time.monotonic()
    for _ in range(2):
        with pytest.raises(StoppedError):
            clock.sleep(5)

    assert time.monotonic() - began < 2
