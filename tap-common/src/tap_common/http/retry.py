"""Retries of requests that failed for a transient reason."""

from __future__ import annotations

from contextlib import suppress
from itertools import chain, repeat
from threading import Lock
from typing import TYPE_CHECKING, TypeVar, cast

import requests
from singer_sdk.exceptions import RetriableAPIError
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential
from tenacity.wait import wait_random

from tap_common.errors import KeyRenewedError, RateLimitedError, TapError
from tap_common.http.connection_errors import is_permanent
from tap_common.http.limiter import retry_after
from tap_common.http.unreadable import unreadable_reason

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Sequence

    from tap_common.http.clock import Clock
    from tap_common.http.limiter import Limiter

R = TypeVar("R")

_PASSING = (
    RetriableAPIError,
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
    requests.exceptions.InvalidHeader,
)
_LONGEST_WAIT = 120.0
# Seconds; a server that keeps answering 429 for that long will not answer in this run.
_PATIENCE = 3600.0


class Retry:
    """Sends a request within the rate limit, and again after a 429 or a transient error.

    After a 429 it waits as long as the API says, and the try does not count. If the API does not say, it waits for the
    shortest of `windows` (seconds) first, then for the next longer one. Other transient errors (5xx, timeouts, broken
    connections and bodies) are tried `tries` times, `factor ** n` seconds apart with up to a second of jitter.
    """

    def __init__(  # noqa: PLR0913 - all by name, and each a setting
        self,
        *,
        limiter: Limiter,
        clock: Clock,
        log: logging.Logger,
        tries: int,
        factor: float,
        windows: Sequence[float],
    ) -> None:
        self.repeated = 0
        """Number of requests retried after a transient error."""
        self._lock = Lock()
        self.limiter = limiter
        """Rate limit of the requests."""
        self._clock = clock
        self._log = log
        self._windows = windows
        self._growing = wait_exponential(multiplier=1, exp_base=factor, max=_LONGEST_WAIT) + wait_random(0, 1)
        self._retrying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, _PASSING) and not is_permanent(error)),
            stop=stop_after_attempt(tries),
            wait=self._wait,
            sleep=clock.sleep,
            before_sleep=self._log_retry,
            reraise=True,
        )

    def __call__(self, send: Callable[[], R], endpoint: str = "") -> R:
        """Send until there is a response; response times are compared per `endpoint`.

        Raises:
            TapError: The API answered 429 for an hour, or requires a longer pause than `max_wait`.
            RetriableAPIError: The last try failed, too; also other transient errors.
        """
        return cast("R", self._retrying(self._in_turn, send, endpoint))

    def _in_turn(self, send: Callable[[], R], endpoint: str) -> R:
        began = self._clock.monotonic()
        for window in chain(self._windows, repeat(self._windows[-1])):
            if self._clock.monotonic() - began >= _PATIENCE:
                break
            with self.limiter.slot(endpoint), suppress(KeyRenewedError):
                try:
                    return send()
                except RateLimitedError as refusal:
                    headers = {} if refusal.response is None else refusal.response.headers
                    self.limiter.refuse(headers, window)
        raise TapError("The API keeps refusing requests (429); another program may be using this key. Try again later.")

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        response = getattr(error, "response", None)
        requested = None if response is None else retry_after(response.headers)
        return max(self._growing(state), min(requested or 0.0, _LONGEST_WAIT))

    def _log_retry(self, state: RetryCallState) -> None:
        with self._lock:
            self.repeated += 1
        error = state.outcome.exception() if state.outcome else None
        why = unreadable_reason(error) if error else None
        # A connection error may quote the request, so only its type is logged.
        what = str(error) if isinstance(error, RetriableAPIError) else type(error).__name__
        what = f"A response cannot be read: {why}" if why else what
        wait = state.next_action.sleep if state.next_action else 0.0
        self._log.warning("%s; trying again in %.1f s (%d).", what, wait, state.attempt_number)
