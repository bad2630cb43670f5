"""A clock that moves only when told to."""

from __future__ import annotations


class ManualClock:
    """Counts seconds like `time.monotonic`; whoever sleeps on it moves it instead of waiting."""

    def __init__(self, start: float = 0.0) -> None:
        self.time = start

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.time

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self.time += seconds

    sleep = advance
