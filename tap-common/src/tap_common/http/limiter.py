"""One budget of requests for all threads of a run."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from math import isfinite
from threading import Condition, local
from typing import TYPE_CHECKING

from pyrate_limiter import InMemoryBucket, Rate, RateItem
from requests import RequestException
from singer_sdk.exceptions import RetriableAPIError

from tap_common.errors import TapError
from tap_common.http.clock import TURN
from tap_common.http.concurrency import AdaptiveConcurrency

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping, Sequence

    from tap_common.http.clock import Clock

# Reset headers are whole seconds and may be rounded down.
_ROUNDING = 1.0
# A reset larger than this is a moment (seconds since 1970), not a number of seconds to wait.
_LONGEST_WINDOW = 86_400.0
# Seconds; nobody waits for more, and a header may hold hundreds of digits.
_AGES = 1e12
# A moment larger than this is in milliseconds.
_MILLISECONDS = 1e11


class Limiter:
    """Lets requests through at the documented rate, and slower where the API's headers say so.

    Headers read: `X-RateLimit-Limit`, `-Remaining` and `-Reset` on any answer, `Retry-After` on a refusal. A pause of
    more than `longest` seconds is not made.
    """

    def __init__(
        self, rates: Sequence[Rate], *, clock: Clock, log: logging.Logger, most: int = 1_000, longest: float = 900
    ) -> None:
        self.concurrency = AdaptiveConcurrency(most)
        """How many requests may be under way at a time; at most `most`."""
        self.refused = 0
        """Requests that were answered with 429."""
        self.waited = 0.0
        """Seconds in which a request waited for the limit, however many did."""
        self.announced: int | None = None
        """Requests that the API allows in its window, by its headers; None where it has not said."""
        self._bucket = InMemoryBucket(list(rates))
        self._clock = clock
        self._log = log
        self._longest = longest
        self._lock = Condition()
        self._closed_until = 0.0
        self._in_flight = 0
        self._waits = 0
        self._waiting_since = 0.0
        self._turn = 0.0
        self._sent = local()

    @contextmanager
    def slot(self, endpoint: str = "") -> Iterator[None]:
        """Wait for one request's turn, and hold it until the answer is there."""
        if (turn := self._take()) is not None:
            with self._waiting():
                while turn is not None:
                    self._turn = turn
                    self._clock.wait_until(turn)
                    turn = self._take()
        self._sent.at = began = self._clock.monotonic()
        failed = False
        try:
            yield
        except (RetriableAPIError, RequestException):
            failed = True
            raise
        finally:
            with self._lock:
                self._in_flight -= 1
                self.concurrency.note(endpoint, began, self._clock.monotonic(), failed=failed)
                self._lock.notify_all()

    @property
    def waiting_until(self) -> float | None:
        """When the next request has its turn, by the clock; None where none waits for one."""
        return self._turn if self._waits else None

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        with self._lock:
            if not self._waits:
                self._waiting_since = self._clock.monotonic()
            self._waits += 1
        try:
            yield
        finally:
            with self._lock:
                self._waits -= 1
                if not self._waits:
                    self.waited += self._clock.monotonic() - self._waiting_since

    def _take(self) -> float | None:
        """None when the turn was taken; else the moment at which to ask again."""
        with self._lock:
            while self._in_flight >= self.concurrency.allowed:
                self._lock.wait(TURN)
            now = self._clock.monotonic()
            if now < self._closed_until:
                return self._closed_until
            turn = RateItem("request", int(now * 1000))
            self._bucket.leak(turn.timestamp)
            if not self._bucket.put(turn):
                milliseconds = self._bucket.waiting(turn)
                return now + (milliseconds + 1) / 1000 if isinstance(milliseconds, int) else now + 1
            self._in_flight += 1
            return None

    def observe(self, headers: Mapping[str, str]) -> None:
        """Learn from an answer's headers: a lower limit, or a window that is used up.

        Requests under way will use what remains, so nothing more is let through once they account for it. An answer
        that took longer than what was left of its window says nothing about the present one. A window that is said to
        end after the longest pause is asked again: if it is used up indeed, that is refused.
        """
        limit, remaining = (
            _number(headers.get("X-RateLimit-Limit")),
            _number(headers.get("X-RateLimit-Remaining")),
        )
        reset = _seconds_until_reset(headers)
        with self._lock:
            if limit is not None and limit >= 1:
                self.announced = int(limit)
            if limit is not None and limit >= 1 and limit < self._bucket.rates[-1].limit:
                self._log.info("The API allows this key %d requests in its window.", limit)
                self._bucket.rates = [Rate(min(rate.limit, int(limit)), rate.interval) for rate in self._bucket.rates]
            if remaining is None or reset is None or reset > self._longest or self._took() > reset:
                return
            if remaining < self._in_flight:
                self._close(reset + _ROUNDING, "The API's request limit is used up")

    def _took(self) -> float:
        """Seconds since this thread sent its request."""
        now = self._clock.monotonic()
        return now - float(getattr(self._sent, "at", now))

    def refuse(self, headers: Mapping[str, str], window: float) -> None:
        """Stop for as long as a 429 asks: its `Retry-After`, else its reset, else the API's window in seconds.

        Raises:
            TapError: That is longer than the longest pause.
        """
        context = retry_after(headers)
        if context is None:
            context = _seconds_until_reset(headers)
        wait = window if context is None else context
        with self._lock:
            self.refused += 1
            if wait > self._longest:
                raise TapError(
                    f"The API asks for a pause of {min(wait, _AGES):.0f} s (429){_until(headers, wait)}, and the "
                    f"setting `max_wait` allows {self._longest:.0f} s: run again after it, or set more."
                )
            self._close(wait + _ROUNDING, "The API asked for a pause (429)")

    def _close(self, seconds: float, why: str) -> None:
        """Let nothing through for a while; not again for requests that were under way when it was said before."""
        now = self._clock.monotonic()
        if getattr(self._sent, "at", now) < self._closed_until:
            return
        self._closed_until = now + seconds
        self._log.info("%s; waiting %.0f s.", why, seconds)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that `Retry-After` asks for, given as a number or as a date; None without the header."""
    value = headers.get("Retry-After")
    seconds = _number(value)
    if value is None or seconds is not None:
        return seconds
    moment = date_in(value)
    return None if moment is None else max(0.0, (moment - server_time(headers)).total_seconds())


def server_time(headers: Mapping[str, str]) -> datetime:
    """The API's own time, from its `Date` header (whole seconds, UTC); this machine's where it sends none."""
    return date_of(headers) or datetime.now(UTC)


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """Return the time of an answer, from its `Date` header (whole seconds, UTC); None where it has none to be read."""
    return date_in(headers.get("Date", ""))


def date_in(value: str) -> datetime | None:
    """Return the moment that the text of a header names (whole seconds, UTC); None where it names none."""
    try:
        date = parsedate_to_datetime(value)
        date = date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, IndexError, AttributeError):  # what odd texts are met with
        return None
    return date if MINYEAR < date.year < MAXYEAR else None


def _until(headers: Mapping[str, str], wait: float) -> str:
    """When a pause ends, as part of a sentence; empty where that is no date."""
    try:
        return f", until {server_time(headers) + timedelta(seconds=wait):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, ValueError):
        return ""


def _seconds_until_reset(headers: Mapping[str, str]) -> float | None:
    reset = _number(headers.get("X-RateLimit-Reset"))
    if reset is None:
        return None
    if reset > _MILLISECONDS:
        reset /= 1000
    if reset > _LONGEST_WINDOW:
        reset = max(0.0, reset - server_time(headers).timestamp())
    # What cannot be a wait is in a unit that nobody knows.
    return reset if reset <= _LONGEST_WINDOW else None


def _number(value: str | None) -> float | None:
    try:
        number = None if value is None else float(value)
    except ValueError:
        return None
    return max(0.0, number) if number is not None and isfinite(number) else None
