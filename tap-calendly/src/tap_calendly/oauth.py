"""OAuth with refresh tokens that can be used once.

Calendly, "Refresh token rotation": an access token expires after two hours; a refresh revokes its refresh token and
returns a new pair. If a pair is lost, a person must authorize the application again. So a new pair is written to a file
before it is used, and a refresh that may have succeeded is never retried.

    {"token_type": "Bearer", "access_token": "eyJr…", "refresh_token": "bQ7x…", "expires_in": 7200}
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import threading
import time
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import requests
from filelock import FileLock, Timeout
from msgspec.structs import replace
from requests import codes
from urllib3.exceptions import ConnectTimeoutError, HTTPError

from tap_calendly.tokens import AGAIN, Pair, TokenFile
from tap_common import AccessError, TapError
from tap_common.http.bounded import Limits
from tap_common.http.connection_errors import connection_error_reason, is_permanent
from tap_common.http.limiter import retry_after
from tap_common.http.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_common.http.clock import Clock

_LIFE = 7200.0  # seconds; validity of an access token if the response does not say
_LONGEST = 86_400.0  # seconds; maximum validity to rely on
_MARGIN = 120.0  # seconds before its expiry at which a token is renewed; of a short-lived one, half of its validity
_WINDOW = 60.0  # seconds; Calendly issues 8 tokens per user and minute
_TRIES = 5  # of a refresh that certainly was not carried out
_PATIENCE = 240.0  # seconds in which a last request to the token endpoint begins
_LONGEST_PART = 60.0  # seconds of a connection to it, and of its response
# Seconds; another run may be waiting for the token endpoint, and has its response by then, certificates included.
_LOCK_TIMEOUT = _PATIENCE + 3 * _LONGEST_PART
_LARGEST = 1_000_000  # bytes of a response
_UNKNOWN = f"so the refresh token may be used up: {AGAIN}"
_REFUSED = {
    codes.bad_request: f"Calendly does not accept the refresh token: {AGAIN}",
    codes.unauthorized: "Calendly does not accept the OAuth client: check `client_id` and `client_secret`.",
}
_STILL_REFUSED = (
    "Calendly does not accept an access token that it has just issued (401): the application's access was revoked, or "
    "the token is for another environment, or `api_url` is not Calendly's. Check that `oauth_url` and `api_url` belong "
    f"together, or {AGAIN}"
)
_AGES = 1e12  # seconds; a header may have hundreds of digits
_HEADER = re.compile("[!-~]+")


class OAuth:
    """Adds a valid access token to each request, and keeps the pair in a file that several processes may share.

    The file has a pair for each consent, by a digest of its first refresh token, the setting `refresh_token`.

    Raises:
        SettingsError: `token_file` is not a path.
    """

    def __init__(self, settings: Mapping[str, Any], *, clock: Clock, now: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._consent = hashlib.sha256(settings["refresh_token"].encode()).hexdigest()
        self._file = TokenFile(settings["token_file"])
        self._clock = clock
        self._now = now
        self._lock = threading.Lock()
        self._token: str | None = None
        self._good_until = 0.0
        self._failure: TapError | None = None
        # A token that has replaced another one, until a request with it is accepted.
        self._unproved: str | None = None
        self._is_first = True
        self._refused: WeakSet[requests.PreparedRequest] = WeakSet()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Authorize a request.

        Raises:
            TapError: There is no valid token, and none can be obtained.
        """
        with self._lock:
            if self._failure is not None or self._token is None or self._now() >= self._good_until:
                self._obtain()
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def refused(self, request: requests.PreparedRequest, *, begun: bool = True) -> None:
        """Replace the token of a request that got a 401, unless it has been replaced already.

        `begun` is True if the API has accepted a token in this run. A new token that is refused, too, is not replaced:
        the next one would be refused as well, and each refresh uses up a refresh token.

        Raises:
            TapError: No other token can be obtained, or the API does not accept new ones.
        """
        with self._lock:
            if request in self._refused and self._failure is None:
                self._failure = AccessError(_STILL_REFUSED)
            self._refused.add(request)
            if self._failure is not None or request.headers.get("Authorization") == f"Bearer {self._token}":
                is_new = self._token == self._unproved and not (begun and self._is_first)
                self._obtain(may_refresh=not is_new)

    def accepted(self, request: requests.PreparedRequest) -> None:
        """Record that the API has accepted the token of a request."""
        if self._unproved and request.headers.get("Authorization") == f"Bearer {self._unproved}":
            self._unproved = None

    def _obtain(self, *, may_refresh: bool = True) -> None:
        """Obtain a token; after a failure, waiting threads do not try again."""
        if self._failure is None:
            try:
                self._file.prepare()
                with FileLock(self._file.lock, timeout=_LOCK_TIMEOUT, mode=0o600):
                    self._take(may_refresh=may_refresh)
            except TapError as error:
                self._failure = error
            except Timeout:
                self._failure = TapError(
                    f"Another run has locked {self._file.shown_lock}: try again when it has ended."
                )
            except OSError as error:
                self._failure = self._file.unusable(error.strerror)
        if self._failure is not None:
            raise self._failure

    def _take(self, *, may_refresh: bool) -> None:
        """Use the file's token if another process has renewed it; otherwise renew it."""
        pairs = self._file.read()
        pair = pairs.get(self._consent) or Pair(self._settings["refresh_token"])
        if pair.refreshing:
            raise AccessError(f"A token refresh was interrupted, {_UNKNOWN}")
        is_new = self._token is not None
        if pair.access_token in (None, self._token) or self._now() >= pair.good_until:
            if not may_refresh:
                raise AccessError(_STILL_REFUSED)
            pair, is_new = self._refresh(pairs, pair), True
        self._is_first = self._token is None
        self._token, self._good_until = pair.access_token, pair.good_until
        self._unproved = self._token if is_new else None

    def _refresh(self, pairs: Mapping[str, Pair], pair: Pair) -> Pair:
        """Return a new pair, already written; retry only if the refresh certainly was not carried out."""
        until = self._clock.monotonic() + _PATIENCE
        for tries in range(1, _TRIES + 1):
            self._file.write({**pairs, self._consent: replace(pair, refreshing=True)})
            response = self._post(pair.refresh_token)
            if isinstance(response, requests.Response) and codes.ok <= response.status_code < codes.multiple_choices:
                pair = self._pair(response)
                self._file.write({**pairs, self._consent: pair})
                if pair.access_token is None:
                    raise AccessError(
                        "The token endpoint does not issue bearer tokens like Calendly's: check `oauth_url`."
                    )
                return pair
            self._file.write({**pairs, self._consent: pair})
            if isinstance(response, Exception):
                request = getattr(response, "request", None)
                cause = connection_error_reason(response, str(request.url if request else self._settings["oauth_url"]))
                why = f"cannot be reached: check `oauth_url` and the network: {cause}"
                if is_permanent(response):
                    break
                wait = 2.0**tries
            elif (status := response.status_code) == codes.too_many_requests:
                wait = retry_after(response.headers) or _WINDOW
                why = f"requires a pause of {min(wait, _AGES):.0f} s (429): try again later"
            else:
                raise AccessError(_REFUSED.get(status) or f"The token endpoint returned {status}: check `oauth_url`.")
            if tries == _TRIES or self._clock.monotonic() + wait > until:
                break
            logging.getLogger("tap-calendly").info("The token endpoint %s; waiting %.0f s.", why, wait)
            self._clock.sleep(wait)
        raise TapError(f"The token endpoint {why}.")

    def _post(self, refresh_token: str) -> requests.Response | Exception:
        """Return the response to a refresh, or the error for which the request was never sent."""
        try:
            request = requests.Request(
                "POST",
                self._settings["oauth_url"],
                data={"grant_type": "refresh_token", "refresh_token": refresh_token},
                auth=(self._settings["client_id"].encode(), self._settings["client_secret"].encode()),
                headers={"User-Agent": self._settings.get("user_agent") or "tap-calendly"},
            ).prepare()
            timeout = min(float(self._settings["request_timeout"]), _LONGEST_PART)
            # A new connection each time: if a kept one breaks, it is not known whether the request was carried out.
            with Session(Limits(_LARGEST, timeout)) as session:
                response = session.send(request, timeout=timeout, allow_redirects=False)
        except (OSError, HTTPError) as error:
            if _never_sent(error):
                return error
            raise AccessError(f"The token refresh was interrupted ({type(error).__name__}), {_UNKNOWN}") from None
        if response.status_code >= codes.server_error or response.status_code == codes.request_timeout:
            raise AccessError(f"The token refresh failed with {response.status_code}, {_UNKNOWN}")
        return response

    def _pair(self, response: requests.Response) -> Pair:
        """Return the new pair; without the access token if it is not a bearer token.

        Raises:
            AccessError: The response has no pair, so the refresh token may be used up.
        """
        try:
            answer = json.loads(response.content)
            life = _life(answer.get("expires_in"))
            known = all(_HEADER.fullmatch(answer[name]) for name in ("access_token", "refresh_token"))
        except (ValueError, TypeError, AttributeError, LookupError, OverflowError, RecursionError):
            known = False
        if not known:
            raise AccessError(f"The response to the token refresh has no pair of tokens, {_UNKNOWN}")
        if str(answer.get("token_type") or "bearer").lower() != "bearer":
            return Pair(answer["refresh_token"])
        return Pair(answer["refresh_token"], answer["access_token"], self._now() + life - min(_MARGIN, life / 2))


def _never_sent(error: Exception) -> bool:
    """Return True if the request was not sent, for lack of a trusted connection."""
    connection_error_reason = getattr(next(iter(error.args), None), "reason", None)
    connection_error_reason = getattr(
        connection_error_reason, "original_error", connection_error_reason
    )  # behind a proxy
    unconnected = isinstance(connection_error_reason, ConnectTimeoutError) or "CERTIFICATE_VERIFY_FAILED" in str(
        connection_error_reason
    )
    return unconnected or is_permanent(error)


def _life(sent: float | str | None) -> float:
    """Return the validity of an access token in seconds; the usual one if the response has none, or not a positive one.

    Raises:
        ValueError: It is not a number.
    """
    seconds = float(sent or _LIFE)
    return min(seconds, _LONGEST) if seconds > 0 else _LIFE
