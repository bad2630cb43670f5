"""The API's own time, by the `Date` headers of its answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING

from tap_common.http.limiter import date_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

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

    An answer may carry a wrong `Date`: of a proxy, or of one server among several. So the API's time is the earliest
    that a fifth of the answers agree on, and two at the least; until two agree, the earliest of all.

    All of them may be wrong, and so may this machine's clock. Too early a start costs requests, too late a one would
    cost rows. So where the API's time is later than this machine's, the start is this machine's, or the latest moment
    that an earlier run has reached: it was the API's time then, which does not run backwards.

    | API's time | machine's time | start |
    |---|---|---|
    | right | right or later | API's |
    | right | earlier | machine's, or what was reached: earlier than need be |
    | later | right | machine's |
    | earlier | any | API's: earlier than need be, and bookmarks that are later than it are dropped |
    | later | later | the earlier one of both: that both are wrong cannot be known |
    | none | any | machine's |
    """

    def __init__(self, clock: Clock) -> None:
        self.reached: datetime | None = None
        """The latest moment up to which an earlier run has read, by its bookmarks."""
        self._clock = clock
        self._machine: datetime | None = None
        self._dated = False
        self._readings: list[_Reading] = []
        self._lock = Lock()

    def note(self, headers: Mapping[str, str]) -> bool:
        """Take the time of an answer; return whether it is the first that contradicts the others.

        The first answer counts even without a time: as one of this moment by this machine's clock.
        """
        date, at = date_of(headers), self._clock.monotonic()
        with self._lock:
            self._machine = self._machine or self._clock.now().replace(microsecond=0)
            self._dated = self._dated or date is not None
            for reading in self._readings:
                if date is None or reading.agrees(date, at):
                    reading.answers += date is not None
                    return False
            self._readings.append(_Reading(date or self._machine, at))
            return len(self._readings) == 2  # noqa: PLR2004 - the first and the one that contradicts it

    @property
    def has_begun(self) -> bool:
        """True once the API has answered."""
        return bool(self._readings)

    @property
    def is_told(self) -> bool:
        """True once an answer has carried a time."""
        return self._dated

    @property
    def ahead(self) -> timedelta:
        """How much later it is by the API's clock than by this machine's; zero below `TOLERANCE`."""
        theirs, machine = self._began, self._machine
        return theirs - machine if machine and theirs > machine + TOLERANCE else timedelta(0)

    @property
    def started(self) -> datetime:
        """The time (UTC, whole seconds) of the API's first answer, and rather too early than too late.

        Raises:
            AssertionError: There was no answer.
        """
        theirs, ahead = self._began, self.ahead
        reached = self.reached if self.reached and self.reached <= theirs + TOLERANCE else None
        return min(theirs, max(theirs - ahead, reached or theirs - ahead))

    @property
    def _began(self) -> datetime:
        """The API's time at its first answer."""
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
        return self._began + timedelta(seconds=self._clock.monotonic() - self._readings[0].at)
