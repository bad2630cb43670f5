"""A clock that tests can replace, and that can end every wait."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import Event

POLL_SECONDS = 0.5
"""Longest single wait of a thread: a signal that arrives as a wait begins is handled at its end."""


class StoppedError(Exception):
    """The run is ending, so a wait was cut short."""


class Clock:
    """This machine's time, and waits that another thread can end."""

    def __init__(self) -> None:
        self._stopped = Event()

    def monotonic(self) -> float:
        """Return seconds since an arbitrary moment; they never decrease."""
        return time.monotonic()

    def now(self) -> datetime:
        """Return this machine's time (UTC), which may be wrong."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            StoppedError: The clock was stopped.
        """
        self.wait_until(self.monotonic() + seconds)

    def wait_until(self, moment: float) -> None:
        """Wait until a moment of `monotonic`.

        Raises:
            StoppedError: The clock was stopped.
        """
        while True:
            rest = max(0.0, moment - self.monotonic())
            if self._stopped.wait(min(rest, POLL_SECONDS)):
                raise StoppedError
            if rest <= POLL_SECONDS:
                return

    def stop(self) -> None:
        """End all present and future waits."""
        self._stopped.set()
