"""A tap's credentials, connections and clocks."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from pyrate_limiter import Rate
from singer_sdk.authenticators import BearerTokenAuthenticator
from typing_extensions import override

from tap_common.cli.command import CommandLine
from tap_common.http.bounded import Limits
from tap_common.http.clock import Clock
from tap_common.http.credential import Credential
from tap_common.http.limiter import Limiter
from tap_common.http.retry import Retry
from tap_common.http.server_clock import ServerClock
from tap_common.http.session import Session
from tap_common.settings import api_keys
from tap_common.state.timestamps import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import requests
    from singer_sdk.helpers.types import Auth

    Rates = Sequence[Rate]

# Lists prefetched per concurrent request: enough that the pool never waits for the main thread.
_PREFETCH = 4
# Time for a whole response, in units of `request_timeout`, which applies to each part of it.
_WHOLE_RESPONSE = 5


class ConnectedTap(CommandLine, ABC):
    """The part of a tap with its credentials, connections and clocks."""

    api_name: ClassVar[str]
    """The vendor's name, for messages."""
    other_names: ClassVar[Sequence[str]] = ()
    """Other names of the vendor, in environment variables."""
    windows: ClassVar[Sequence[float]] = (60.0,)
    """Lengths of the API's rate limit windows in seconds, the longest last; also waits after a 429 without headers."""
    clock: Clock

    def __init__(self, *args: Any, clock: Clock | None = None, **kwargs: Any) -> None:
        self.clock = clock or Clock()
        self.server_clock = ServerClock(self.clock)
        """The API's clock."""
        self._sessions = threading.local()
        self.all_credentials: list[Credential] = []
        """All credentials of this run, also those that no list of `credentials` has."""
        super().__init__(*args, **kwargs)

    @classmethod
    @override
    def vendor_names(cls) -> Sequence[str]:
        return (cls.api_name, *cls.other_names, cls.name.removeprefix("tap-"))

    @property
    def session(self) -> requests.Session:
        """This thread's session, shared by all streams."""
        if not hasattr(self._sessions, "session"):
            limits = Limits(
                int(float(self.config["max_response_mb"]) * 1_000_000),
                _WHOLE_RESPONSE * float(self.config["request_timeout"]),
            )
            self._sessions.session = Session(limits)
        session: requests.Session = self._sessions.session
        return session

    @cached_property
    def user_agent(self) -> str:
        """The User-Agent header; some APIs refuse requests without one."""
        return str(self.config.get("user_agent") or f"{self.name}/{self.plugin_version}")

    @property
    def rates(self) -> Rates:
        """Rate limits of a key, from the setting `requests_per_minute`."""
        return self.rate_limit(int(self.config["requests_per_minute"]))

    def rate_limit(self, requests: int, seconds: float | None = None) -> Rates:
        """Return a rate limit per a number of seconds; by default, per the API's longest window."""
        return [Rate(requests, int((seconds or self.windows[-1]) * 1000))]

    @cached_property
    def credentials(self) -> Sequence[Credential]:
        """A credential for each key: `api_key`, then `api_keys`."""
        return [self.credential_for(self.authenticator_for(key)) for key in api_keys(self.config)]

    @property
    def credential(self) -> Credential:
        """The first key's credential."""
        return self.credentials[0]

    def authenticator_for(self, key: str) -> Auth:
        """Return the authenticator that adds a key to a request."""
        return BearerTokenAuthenticator(token=key)

    def credential_for(self, auth: Auth, rates: Rates | None = None) -> Credential:
        """Return a credential with its own rate limit, since each key has one."""
        limiter = Limiter(
            rates or self.rates,
            clock=self.clock,
            log=self.logger,
            most=int(self.config["concurrency"]),
            longest=float(self.config["max_wait"]),
        )
        retry = Retry(
            limiter=limiter,
            clock=self.clock,
            log=self.logger,
            tries=int(self.config["max_retries"]),
            factor=float(self.config["backoff_factor"]),
            windows=self.windows,
        )
        credential = Credential(auth, retry)
        self.all_credentials.append(credential)
        return credential

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """Pool of the threads that prefetch lists while records are written."""
        return ThreadPoolExecutor(int(self.config["concurrency"]), thread_name_prefix=self.name)

    @property
    def max_prefetch(self) -> int:
        """Maximum number of lists that are being requested or held in memory."""
        return int(self.config["concurrency"]) * _PREFETCH

    def close(self) -> None:
        """End all waits, and cancel requests that have not begun."""
        self.clock.stop()
        if "pool" in vars(self):
            self.pool.shutdown(wait=False, cancel_futures=True)

    @property
    def run_started(self) -> datetime:
        """Start of the run by the API's clock (UTC, whole seconds); see `ServerClock`."""
        if not self.server_clock.has_answered:
            self.check_connection()
        return self.server_clock.started

    @cached_property
    def synced_at(self) -> str:
        """Start of the run, for the column `_synced_at`: the same in all records of a run."""
        return canonical(self.run_started)

    def warn_about_clocks(self) -> None:
        """Log a warning if the API sends no time, or if its clock and this machine's disagree."""
        if not self.server_clock.has_date:
            self.logger.warning("The API's responses have no `Date`: bookmarks use this machine's clock.")
        elif ahead := self.server_clock.ahead:
            self.logger.warning(
                "The API's clock is %s ahead of this machine's, and one of them is wrong: bookmarks use the earlier "
                "time, so that nothing is missed, and later runs read more again. Check this machine's clock.",
                ahead,
            )

    def observe_server_time(self, headers: Mapping[str, str]) -> None:
        """Pass the date of a valid response to the API's clock."""
        if self.server_clock.observe(headers):
            self.logger.warning(
                "The `Date` headers of the API's responses contradict each other: using the earliest that two of them "
                "agree on."
            )

    @property
    def now(self) -> datetime:
        """Present time by the API's clock."""
        if not self.server_clock.has_answered:
            self.check_connection()
        return self.server_clock.now

    @abstractmethod
    def check_connection(self) -> None:
        """Send the cheapest request that shows that the key works; the `Date` of its response starts the run."""
