"""The API's time, by the `Date` headers of its responses."""

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
"""Difference up to which the clocks of an API's servers agree; every stream's overlap is longer."""


@dataclass
class _Reading:
    """Responses whose dates agree: the first one's date and moment of arrival, and their number."""

    date: datetime
    at: float
    answers: int = 1

    def agrees(self, date: datetime, at: float) -> bool:
        """Return True if another response's date is consistent with this one, given the time between them."""
        return self.date - TOLERANCE <= date <= self.date + timedelta(seconds=at - self.at) + TOLERANCE


class ServerClock:
    """The start of a run and the present time, by the API's clock.

    A single `Date` may be wrong: that of a proxy, or of one server among several. So the API's time is the earliest
    that a fifth of the responses agree on, and at least two; until two agree, it is the earliest of all.

    All of them may be wrong, and so may this machine's clock. A start that is too early costs requests; one that is too
    late would cost records. So if the API's time is later than this machine's, the start is this machine's, or the
    latest moment reached by an earlier run: that was the API's time then, and its time does not run backwards.

    | API's time | machine's time | start |
    |---|---|---|
    | right | right or later | API's |
    | right | earlier | machine's, or the latest moment reached: earlier than necessary |
    | later | right | machine's |
    | earlier | any | API's: earlier than necessary; later bookmarks are dropped |
    | later | later | the earlier of the two: this cannot be detected |
    | none | any | machine's |
    """

    def __init__(self, clock: Clock) -> None:
        self.reached: datetime | None = None
        """Latest bookmark of earlier runs."""
        self._clock = clock
        self._machine: datetime | None = None
        self._dated = False
        self._readings: list[_Reading] = []
        self._lock = Lock()

    def observe(self, headers: Mapping[str, str]) -> bool:
        """Add a response's date; return True if it is the first that contradicts the others.

        The first response counts even without a date, with this machine's time.
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
    def has_answered(self) -> bool:
        """True after the first response."""
        return bool(self._readings)

    @property
    def has_date(self) -> bool:
        """True after the first response with a date."""
        return self._dated

    @property
    def ahead(self) -> timedelta:
        """Time by which the API's clock is ahead of this machine's; zero within `TOLERANCE`."""
        theirs, machine = self._began, self._machine
        return theirs - machine if machine and theirs > machine + TOLERANCE else timedelta(0)

    @property
    def started(self) -> datetime:
        """Start of the run: the time of the API's first response (UTC, whole seconds), early rather than late.

        Raises:
            AssertionError: There was no response yet.
        """
        theirs, ahead = self._began, self.ahead
        reached = self.reached if self.reached and self.reached <= theirs + TOLERANCE else None
        return min(theirs, max(theirs - ahead, reached or theirs - ahead))

    @property
    def _began(self) -> datetime:
        """The API's time at its first response."""
        with self._lock:
            if not self._readings:
                raise AssertionError("the API has not answered")
            most = max(2, sum(reading.answers for reading in self._readings) / 5)
            agreed = [reading for reading in self._readings if reading.answers >= most]
            first = self._readings[0].at
            return min(one.date - timedelta(seconds=int(one.at - first)) for one in agreed or self._readings)

    @property
    def now(self) -> datetime:
        """The API's present time, as far as it is known."""
        return self._began + timedelta(seconds=self._clock.monotonic() - self._readings[0].at)
