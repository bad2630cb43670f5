"""The API's own time, by the `Date` headers of its answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from tap_common.http.limiter import date_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_common.http.clock import Clock

TOLERANCE = timedelta(minutes=2)
"""Clocks of one API's servers that differ by less agree: rows are read again for longer than that."""


@dataclass
class _Reading:
    """Answers whose times agree: the time of the first of them, when it came, and how many there are."""

    date: datetime
    at: float
    answers: int = 1

    def agrees(self, date: datetime, at: float) -> bool:
        """Return whether another answer's time is between this one's and what it should be by now."""
        return self.date - TOLERANCE <= date <= self.date + timedelta(seconds=at - self.at) + TOLERANCE


class ServerClock:
    """When a run began, and what time it is, by the clock of the API and not by this machine's.

    An answer may carry a wrong `Date`: of a proxy, or of one server among several. So the start is the earliest that a
    fifth of the answers agree on, and two at the least; until two agree, the earliest of all. Too early a start costs
    requests, too late a one would cost rows.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._readings: list[_Reading] = []
        self._lock = Lock()

    def note(self, headers: Mapping[str, str]) -> bool:
        """Take the time of an answer; return whether it is the first that contradicts the others.

        The first answer counts even without a time: as one of this moment by this machine's clock.
        """
        date, at = date_of(headers), self._clock.monotonic()
        with self._lock:
            for reading in self._readings:
                if date is None or reading.agrees(date, at):
                    reading.answers += date is not None
                    return False
            self._readings.append(_Reading(date or datetime.now(UTC), at))
            return len(self._readings) == 2  # noqa: PLR2004 - the first and the one that contradicts it

    @property
    def has_begun(self) -> bool:
        """True once the API has answered."""
        return bool(self._readings)

    @property
    def started(self) -> datetime:
        """The API's time (UTC, whole seconds) at its first answer.

        Raises:
            AssertionError: There was no answer.
        """
        with self._lock:
            if not self._readings:
                raise AssertionError("the API has not answered")
            most = max(2, sum(reading.answers for reading in self._readings) / 5)
            agreed = [reading for reading in self._readings if reading.answers >= most]
            first = self._readings[0].at
            return min(one.date - timedelta(seconds=int(one.at - first)) for one in agreed or self._readings)

    @property
    def now(self) -> datetime:
        """The API's time, as well as it is known."""
        return self.started + timedelta(seconds=self._clock.monotonic() - self._readings[0].at)
