"""Connections of a tap to its API, and the API's own time."""

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

# Lists held ready for each request in flight: enough that the pool never waits for the main thread.
_READY = 4
# Times the setting `request_timeout`, which is for a part of an answer: a whole one.
_WHOLE_ANSWER = 5


class ConnectedTap(CommandLine, ABC):
    """The part of a tap that has credentials, connections and the API's time."""

    api_name: ClassVar[str]
    """The vendor's name, for messages."""
    other_names: ClassVar[Sequence[str]] = ()
    """By which other names the vendor goes, in environment variables."""
    windows: ClassVar[Sequence[float]] = (60.0,)
    """Seconds of the API's rate windows, the longest last: for how long a 429 without any header is waited out."""
    clock: Clock

    def __init__(self, *args: Any, clock: Clock | None = None, **kwargs: Any) -> None:
        self.clock = clock or Clock()
        self.server_clock = ServerClock(self.clock)
        """The API's own time."""
        self._sessions = threading.local()
        self.all_credentials: list[Credential] = []
        """Credentials of this run, of other uses than reading lists too."""
        super().__init__(*args, **kwargs)

    @classmethod
    @override
    def vendor_names(cls) -> Sequence[str]:
        return (cls.api_name, *cls.other_names, cls.name.removeprefix("tap-"))

    @property
    def session(self) -> requests.Session:
        """This thread's connections, kept alive and shared by all streams."""
        if not hasattr(self._sessions, "session"):
            limits = Limits(
                int(float(self.config["max_response_mb"]) * 1_000_000),
                _WHOLE_ANSWER * float(self.config["request_timeout"]),
            )
            self._sessions.session = Session(limits)
        session: requests.Session = self._sessions.session
        return session

    @cached_property
    def user_agent(self) -> str:
        """The User-Agent header: some APIs refuse requests without one."""
        return str(self.config.get("user_agent") or f"{self.name}/{self.plugin_version}")

    @property
    def rates(self) -> Rates:
        """The API's documented limit, or the setting's."""
        return self.a_window(int(self.config["requests_per_minute"]))

    def a_window(self, requests: int, seconds: float | None = None) -> Rates:
        """The limit of so many requests in any so many seconds; by default those of the API's longest window."""
        return [Rate(requests, int((seconds or self.windows[-1]) * 1000))]

    @cached_property
    def credentials(self) -> Sequence[Credential]:
        """A way to the API for each key: `api_key`, then `api_keys`."""
        return [self.credential_for(self.authenticator_for(key)) for key in api_keys(self.config)]

    @property
    def credential(self) -> Credential:
        """The way with the first key."""
        return self.credentials[0]

    def authenticator_for(self, key: str) -> Auth:
        """Puts a key on a request."""
        return BearerTokenAuthenticator(token=key)

    def credential_for(self, auth: Auth, rates: Rates | None = None) -> Credential:
        """A way to the API with a budget of its own: keys do not share one."""
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
        credential = Credential(auth, limiter, retry)
        self.all_credentials.append(credential)
        return credential

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """Where requests run ahead of the rows that are being written."""
        return ThreadPoolExecutor(int(self.config["concurrency"]), thread_name_prefix=self.name)

    @property
    def max_prefetch(self) -> int:
        """Most lists that are asked for, or held ready, at a time."""
        return int(self.config["concurrency"]) * _READY

    def close(self) -> None:
        """End what runs ahead: waits, and requests that have not begun."""
        self.clock.stop()
        if "pool" in vars(self):
            self.pool.shutdown(wait=False, cancel_futures=True)

    @property
    def run_started(self) -> datetime:
        """The API's own time (UTC, whole seconds) at the first request of the run; see `ServerClock`."""
        if not self.server_clock.has_begun:
            self.check_connection()
        return self.server_clock.started

    @cached_property
    def synced_at(self) -> str:
        """The start of the run, as its rows carry it: the same in all of them."""
        return canonical(self.run_started)

    def warn_of_clocks(self) -> None:
        """Say where the times of the API and of this machine are not to be trusted."""
        if not self.server_clock.is_told:
            self.logger.warning("The API's answers carry no time (`Date`): bookmarks go by the clock of this machine.")
        elif ahead := self.server_clock.ahead:
            self.logger.warning(
                "The clock of the API is %s ahead of this machine's, and one of them is wrong: bookmarks go by the "
                "earlier time, so that nothing is missed, and later runs read more again. Check this machine's clock.",
                ahead,
            )

    def note_server_time(self, headers: Mapping[str, str]) -> None:
        """Take the time of a good answer."""
        if self.server_clock.note(headers):
            self.logger.warning(
                "The times (`Date`) of the API's answers contradict each other: going by the earliest that two of them "
                "agree on."
            )

    @property
    def now(self) -> datetime:
        """The API's own time, as well as it is known."""
        if not self.server_clock.has_begun:
            self.check_connection()
        return self.server_clock.now

    @abstractmethod
    def check_connection(self) -> None:
        """The cheapest request that proves the key; its answer's `Date` starts the run."""
