"""Time, as one object that tests replace."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import Event

TURN = 0.5
"""Seconds that the main thread waits at a time: a signal that comes as a wait begins is seen when it ends."""


class StoppedError(Exception):
    """The run is being ended; whoever was waiting gives up."""


class Clock:
    """Monotonic seconds, this machine's time, and waiting that can be ended from another thread."""

    def __init__(self) -> None:
        self._stopped = Event()

    def monotonic(self) -> float:
        """Seconds from an arbitrary point that never run backwards."""
        return time.monotonic()

    def now(self) -> datetime:
        """Return this machine's time (UTC), which may be wrong."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait for so many seconds.

        Raises:
            StoppedError: The clock was stopped.
        """
        self.wait_until(self.monotonic() + seconds)

    def wait_until(self, moment: float) -> None:
        """Wait until the clock shows that moment.

        Raises:
            StoppedError: The clock was stopped.
        """
        while True:
            rest = max(0.0, moment - self.monotonic())
            if self._stopped.wait(min(rest, TURN)):
                raise StoppedError
            if rest <= TURN:
                return

    def stop(self) -> None:
        """End every present and future wait."""
        self._stopped.set()
