"""Repeating a request that failed for a passing reason."""

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
from tap_common.http.connection_errors import is_for_good
from tap_common.http.limiter import retry_after
from tap_common.http.unreadable import fault

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
# Seconds; a server that has refused for so long is not going to answer in this run.
_PATIENCE = 3600.0


class Retry:
    """How a request is sent: in its turn, again after a refusal for rate, again after a passing error.

    Refusals (429) wait for as long as the API says and do not use up the tries; where it does not say, for the shortest
    of its `windows` (seconds) at first, and for the next longer one when that was not enough. Other errors (5xx,
    timeouts, broken connections and bodies) are tried `tries` times, `factor ** n` seconds apart with up to a second
    of jitter.
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
        """Requests that were sent again after an error that may pass."""
        self._lock = Lock()
        self._limiter = limiter
        self._clock = clock
        self._log = log
        self._windows = windows
        self._growing = wait_exponential(multiplier=1, exp_base=factor, max=_LONGEST_WAIT) + wait_random(0, 1)
        self._retrying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, _PASSING) and not is_for_good(error)),
            stop=stop_after_attempt(tries),
            wait=self._wait,
            sleep=clock.sleep,
            before_sleep=self._say,
            reraise=True,
        )

    def __call__(self, send: Callable[[], R], endpoint: str = "") -> R:
        """Send until there is an answer; `endpoint` names what is asked for, whose answers take their time alike.

        Raises:
            TapError: The error did not pass, the API refused for an hour, or it asks for a longer pause than is set.
        """
        return cast("R", self._retrying(self._in_turn, send, endpoint))

    def _in_turn(self, send: Callable[[], R], endpoint: str) -> R:
        began = self._clock.monotonic()
        for window in chain(self._windows, repeat(self._windows[-1])):
            if self._clock.monotonic() - began >= _PATIENCE:
                break
            with self._limiter.slot(endpoint), suppress(KeyRenewedError):
                try:
                    return send()
                except RateLimitedError as refusal:
                    headers = {} if refusal.response is None else refusal.response.headers
                    self._limiter.refuse(headers, window)
        raise TapError("The API keeps refusing requests (429); another program may be using this key. Try later.")

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        response = getattr(error, "response", None)
        context = None if response is None else retry_after(response.headers)
        return max(self._growing(state), min(context or 0.0, _LONGEST_WAIT))

    def _say(self, state: RetryCallState) -> None:
        with self._lock:
            self.repeated += 1
        error = state.outcome.exception() if state.outcome else None
        why = fault(error) if error else None
        # The text of a connection error may quote the request; its type is enough.
        what = str(error) if isinstance(error, RetriableAPIError) else type(error).__name__
        what = f"An answer cannot be read: {why}" if why else what
        wait = state.next_action.sleep if state.next_action else 0.0
        self._log.warning("%s; trying again in %.1f s (%d).", what, wait, state.attempt_number)
