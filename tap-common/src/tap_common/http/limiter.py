"""The rate limit of one key, shared by all threads of a run."""

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
from tap_common.http.clock import POLL_SECONDS
from tap_common.http.concurrency import AdaptiveConcurrency

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping, Sequence

    from tap_common.http.clock import Clock

# Reset headers are whole seconds and may be rounded down.
_ROUNDING = 1.0
# A larger reset is a moment (seconds since 1970), not a number of seconds to wait.
_LONGEST_WINDOW = 86_400.0
# Seconds; a header may have hundreds of digits.
_AGES = 1e12
# A larger moment is in milliseconds.
_MILLISECONDS = 1e11


class Limiter:
    """Lets requests through at the documented rate, or slower if the API's headers say so.

    Reads `X-RateLimit-Limit`, `-Remaining` and `-Reset` of any response, and `Retry-After` of a 429. The run fails if
    the API requires a pause of more than `longest` seconds.
    """

    def __init__(
        self, rates: Sequence[Rate], *, clock: Clock, log: logging.Logger, most: int = 1_000, longest: float = 900
    ) -> None:
        self.concurrency = AdaptiveConcurrency(most)
        """Number of concurrent requests; `most` is its upper limit."""
        self.refused = 0
        """Number of 429 responses."""
        self.waited = 0.0
        """Seconds during which at least one request waited for the limit."""
        self.announced: int | None = None
        """Requests per window by the API's headers; None if they do not say."""
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
        """Wait until a request may be sent, and count it as concurrent until its response has arrived."""
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
                self.concurrency.observe(endpoint, began, self._clock.monotonic(), failed=failed)
                self._lock.notify_all()

    @property
    def waiting_until(self) -> float | None:
        """Moment at which the next waiting request may be sent (monotonic); None if no request waits."""
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
        """Take a turn and return None, or return the moment at which to try again."""
        with self._lock:
            while self._in_flight >= self.concurrency.allowed:
                self._lock.wait(POLL_SECONDS)
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
        """Adapt to a response's headers: a lower limit, or a window that is used up.

        Concurrent requests will use what remains; no more are sent once they account for all of it. A response that
        took longer than the rest of its window says nothing about the present one. A reset beyond the longest pause is
        ignored: if the window is really used up, the next response is a 429.
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
                self._log.info("The API allows this key %d requests per window.", limit)
                self._bucket.rates = [Rate(min(rate.limit, int(limit)), rate.interval) for rate in self._bucket.rates]
            if remaining is None or reset is None or reset > self._longest or self._took() > reset:
                return
            if remaining < self._in_flight:
                self._close(reset + _ROUNDING, "The rate limit is used up")

    def _took(self) -> float:
        """Return the seconds since this thread sent its request."""
        now = self._clock.monotonic()
        return now - float(getattr(self._sent, "at", now))

    def refuse(self, headers: Mapping[str, str], window: float) -> None:
        """Pause after a 429: for its `Retry-After`, else until its reset, else for the API's window (seconds).

        Raises:
            TapError: The pause is longer than the longest allowed.
        """
        requested = retry_after(headers)
        if requested is None:
            requested = _seconds_until_reset(headers)
        wait = window if requested is None else requested
        with self._lock:
            self.refused += 1
            if wait > self._longest:
                raise TapError(
                    f"The API requires a pause of {min(wait, _AGES):.0f} s (429){_until(headers, wait)}; the setting "
                    f"`max_wait` allows {self._longest:.0f} s: run again later, or raise it."
                )
            self._close(wait + _ROUNDING, "The API requires a pause (429)")

    def _close(self, seconds: float, why: str) -> None:
        """Send nothing for a while; responses to requests from before the last pause do not extend it."""
        now = self._clock.monotonic()
        if getattr(self._sent, "at", now) < self._closed_until:
            return
        self._closed_until = now + seconds
        self._log.info("%s; waiting %.0f s.", why, seconds)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of `Retry-After`, which is a number or a date; None without the header."""
    value = headers.get("Retry-After")
    seconds = _number(value)
    if value is None or seconds is not None:
        return seconds
    moment = date_in(value)
    return None if moment is None else max(0.0, (moment - server_time(headers)).total_seconds())


def server_time(headers: Mapping[str, str]) -> datetime:
    """Return the API's time by its `Date` header (whole seconds, UTC); this machine's time without one."""
    return date_of(headers) or datetime.now(UTC)


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """Return the `Date` of a response (whole seconds, UTC); None if it is missing or invalid."""
    return date_in(headers.get("Date", ""))


def date_in(value: str) -> datetime | None:
    """Return the date in a header (whole seconds, UTC); None if it is invalid."""
    try:
        date = parsedate_to_datetime(value)
        date = date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, IndexError, AttributeError):  # raised for various invalid texts
        return None
    return date if MINYEAR < date.year < MAXYEAR else None


def _until(headers: Mapping[str, str], wait: float) -> str:
    """Return the end of a pause as part of a sentence; empty if it is beyond Python's dates."""
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
    # A longer wait must be in an unknown unit.
    return reset if reset <= _LONGEST_WINDOW else None


def _number(value: str | None) -> float | None:
    try:
        number = None if value is None else float(value)
    except ValueError:
        return None
    return max(0.0, number) if number is not None and isfinite(number) else None
