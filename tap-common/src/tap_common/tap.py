"""The one base class of all taps."""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from pyrate_limiter import Rate
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.exceptions import StreamMapConfigError
from singer_sdk.mapper import CustomStreamMap
from singer_sdk.plugin_base import JSONSchemaValidator
from singer_sdk.singerlib.encoding.simple import StateMessage
from typing_extensions import override

from tap_common.cli.command import CommandLine
from tap_common.cli.selection import nothing_selected, unusual
from tap_common.errors import NotFoundError, SettingsError
from tap_common.http.bounded import Limits
from tap_common.http.clock import Clock
from tap_common.http.credential import Credential
from tap_common.http.limiter import Limiter
from tap_common.http.retry import Retry
from tap_common.http.server_clock import ServerClock
from tap_common.http.session import Session
from tap_common.output.batches import BatchWriter
from tap_common.output.maps import fault, maps_of_selected
from tap_common.output.progress import Progress
from tap_common.output.usage import Usage
from tap_common.output.writer import Writer
from tap_common.printable import printable, quoted
from tap_common.sdk import name_failures
from tap_common.settings import api_keys, keys_by_other_names, problems, usable, without_maps
from tap_common.state.accounts import check_keys_accounts, check_state_account, inheriting, named
from tap_common.state.state import COVERS, check_selection, check_state, starts_later
from tap_common.state.timestamps import canonical, instant, instant_or_none

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    import requests
    from singer_sdk.helpers.types import Auth
    from singer_sdk.streams.core import Stream

    from tap_common.output.counter import StreamCounter
    from tap_common.stream import APIStream

    Rates = Sequence[Rate]

S = TypeVar("S", bound="APIStream")

# Lists held ready for each request in flight: enough that the pool never waits for the main thread.
_READY = 4
# Times the setting `request_timeout`, which is for a part of an answer: a whole one.
_WHOLE_ANSWER = 5
# Columns that a warning names.
_NAMED = 10


class SchedulingTap(CommandLine, ABC):
    """A tap that checks its key before it writes a message, and goes by its API's clock and limits.

    `stream_types` are synced in the order in which they are listed.
    """

    message_writer_class = Writer
    api_name: ClassVar[str]
    """The vendor's name, for messages."""
    other_names: ClassVar[Sequence[str]] = ()
    """By which other names the vendor goes, in environment variables."""
    stream_types: ClassVar[Sequence[type[APIStream]]]
    """All streams, in the order in which they are synced."""
    windows: ClassVar[Sequence[float]] = (60.0,)
    """Seconds of the API's rate windows, the longest last: for how long a 429 without any header is waited out."""
    starts_full_streams: ClassVar[bool] = False
    """Whether `start_date` bounds a stream that is read in full, in which a target drops what is not read."""
    key_hint: ClassVar[str]
    """Where a key comes from: the end of the sentence about a missing one."""
    account_kind: ClassVar[str] = "its id"
    """By which name an account is known, for messages and the setting `accounts`."""

    clock: Clock

    def __init__(self, *args: Any, clock: Clock | None = None, **kwargs: Any) -> None:
        self.clock = clock or Clock()
        self._given_state: dict[str, Any] | None = None
        self.server_clock = ServerClock(self.clock)
        """The API's own time."""
        self._sessions = threading.local()
        self.request_counters: dict[str, StreamCounter] = {}
        self.all_credentials: list[Credential] = []
        """Every way to the API that this run has."""
        self.record_counters: dict[str, StreamCounter] = {}
        self.odd_values: dict[str, Counter[str]] = {}
        """Values that their columns could not hold, by stream and field."""
        super().__init__(*args, **kwargs)
        if self.config.get("batch_config") is not None and kwargs.get("message_writer") is None:
            self.message_writer = BatchWriter(self.name, self.config["batch_config"])

    @classmethod
    @override
    def vendor_names(cls) -> Sequence[str]:
        return (cls.api_name, *cls.other_names, cls.name.removeprefix("tap-"))

    # Requests

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

    # The run

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

    @property
    def covers(self) -> Mapping[str, str | None]:
        """What bookmarks of this run vouch for: whose data, and from which start date on."""
        start = self.start_date
        return {"scope": self.scope_id, "start_date": canonical(start) if start else None}

    @property
    def scope_id(self) -> str | None:
        """Whose data the key sees; None where it can see only one."""
        return None

    @property
    def account_ids(self) -> Collection[str]:
        """Ids of the account that the keys see, as a state has them; none where the API does not tell."""
        return self.account_in(self.covers)

    def account_in(self, covers: Mapping[str, str | None]) -> Collection[str]:
        """Return the ids of the account that a bookmark is about; none where that is not known."""
        return [name for name in (covers.get("scope") or "").split(",") if name]

    @property
    def start_date(self) -> datetime | None:
        """The setting, as an instant."""
        return instant(self.config["start_date"]) if self.config.get("start_date") else None

    def run(self) -> None:
        """Sync, after everything that can be checked before the first message has been checked.

        The first message is the STATE that the run goes on from, if there is one: a target that has lost its tables
        knows by it that their rows will not come again. The last one is always a STATE, also one that has not changed:
        a target knows by it that all has come.

        Raises:
            TapError: With the sentence to show.
        """
        progress = Progress(self)
        with progress:
            self.check()
        try:
            with progress:
                if self._given_state:
                    self.message_writer.write_message(StateMessage(value=self._given_state))
                self.sync_all()
                self.message_writer.write_message(StateMessage(value=self.state))
        finally:
            self.usage.report(self.logger, self.name)

    @property
    def usage(self) -> Usage:
        """What the run has written, and asked of the API, so far."""
        return Usage.of(self.record_counters, self.request_counters, self.all_credentials, self.odd_values)

    def check(self) -> None:
        """Everything that can be found wrong before the first message is written.

        Raises:
            TapError: With the sentence to show.
        """
        self.accounts_named()
        self.check_key()
        self.check_account()

    def accounts_named(self) -> Collection[str] | None:
        """Return the names of the accounts that may be read; None for any.

        Raises:
            SettingsError: One has to be named, and is not.
        """
        return named(self.config, os.environ, self.name, self.account_kind)

    def check_account(self) -> None:
        """Refuse keys of an account that is not meant, by the setting `accounts` or by the state.

        Raises:
            SettingsError: With the sentence to show.
        """
        if (allowed := self.accounts_named()) is not None:
            owners = {which: self.account_of(credential) for which, credential in self.keys.items()}
            check_keys_accounts(allowed, owners, self.account_kind)
        bookmarks = self.state.get("bookmarks", {}).values()
        before = {name for bookmark in bookmarks for name in self.account_in(bookmark.get(COVERS) or {})}
        if before:
            check_state_account(before, self.account_ids, allowed)

    def check_key(self) -> None:
        """Everything but what single streams need.

        Raises:
            TapError: With the sentence to show.
        """
        self.check_settings()
        variable = f"{self.env_prefix()}_SELECT"
        check_selection(self.streams.values(), variable, nothing_selected(os.environ))
        for sentence in unusual(cast("list[APIStream]", list(self.streams.values())), variable):
            self.logger.warning("%s", sentence)
        self.warn_of_unlisted()
        try:
            self.check_connection()
        except NotFoundError as error:
            raise SettingsError(f"{error}: check the setting `api_url`.") from error
        self.warn_of_clocks()
        if self.start_date and self.start_date > self.now:
            self.logger.warning("Setting `start_date` is in the future: nothing that is earlier is read.")
        read = [name for name, stream in self.streams.items() if stream.selected]
        if self.starts_full_streams and self.start_date and starts_later(self.state, self.start_date, read):
            self.logger.warning(
                "Setting `start_date` is later than it was: in streams that are read in full, what lies before it "
                "counts as gone. Set it back to have it again."
            )

    def warn_of_unlisted(self) -> None:
        """Say which columns are left out, since the catalog does not list them."""
        streams = cast("dict[str, APIStream]", self.streams).values()
        unlisted = [f"`{stream.name}.{name}`" for stream in streams if stream.selected for name in stream.unlisted]
        if unlisted:
            more = f" and {len(unlisted) - _NAMED} more" if len(unlisted) > _NAMED else ""
            self.logger.warning(
                "Left out, as the catalog does not list them: %s%s. A catalog made with --discover has every column.",
                ", ".join(unlisted[:_NAMED]),
                more,
            )

    def check_settings(self) -> None:
        """Refuse settings that cannot be used.

        Raises:
            SettingsError: With a sentence for each.
        """
        if found := list(problems(self.config_jsonschema, dict(self.config))):
            raise SettingsError(" ".join(found))
        self.check_keys()

    def check_keys(self) -> None:
        """Refuse to run without a key.

        Raises:
            SettingsError: There is none.
        """
        if not api_keys(self.config):
            raise SettingsError(self.missing_key)

    @property
    def missing_key(self) -> str:
        """The sentence about a key that is not set: where it comes from, and where it goes."""
        prefix = self.env_prefix()
        variable = f"{prefix}API_KEY"
        if (extractor := inheriting(os.environ, self.name)) is not None:
            variable = f"{extractor.upper().replace('-', '_')}_API_KEY"
            return f"Setting `api_key` is missing: {self.key_hint} Put it into `.env` as `{printable(variable)}`."
        if os.environ.get(variable):
            return f"Setting `api_key` is missing; `{variable}` of the environment is read with --config=ENV."
        known = {prefix + name.upper() for name in self.config_jsonschema["properties"]}
        others = keys_by_other_names(os.environ, variable, self.vendor_names())
        wrong = [quoted(name) for name in others if name not in known]
        sets_nothing = f" {', '.join(wrong)} of the environment sets nothing: name it `{variable}`." if wrong else ""
        return (
            f"Setting `api_key` is missing: {self.key_hint} Put it into the environment as `{variable}`, with Meltano "
            f"into `.env`.{sets_nothing}"
        )

    # The SDK's extension points

    @property
    @override
    def streams(self) -> dict[str, Stream]:
        order = {stream: place for place, stream in enumerate(self.stream_types)}
        return dict(sorted(super().streams.items(), key=lambda item: order[cast("type[APIStream]", type(item[1]))]))

    def stream(self, kind: type[S]) -> S:
        """The stream of a class."""
        return cast("S", self.streams[kind.name])

    @override
    def discover_streams(self) -> Sequence[Stream]:
        return [stream(self) for stream in self.stream_types]

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """Take the state of an earlier run; partitions are not ours, and would be read one by one."""
        check_state(state)
        if any(bookmark.get("replication_key_value") for bookmark in state.get("bookmarks", {}).values()):
            self._given_state = deepcopy(state)
        bookmarks = {
            stream: {key: value for key, value in bookmark.items() if key != "partitions"}
            for stream, bookmark in state.get("bookmarks", {}).items()
        }
        reached = (instant_or_none(bookmark.get("replication_key_value")) for bookmark in bookmarks.values())
        self.server_clock.reached = max(filter(None, reached), default=None)
        super().load_state({"bookmarks": bookmarks})

    @override
    def setup_mapper(self) -> None:
        """Without the maps of streams that are not selected, with which the SDK fails.

        Raises:
            StreamMapConfigError: With the stream and the column whose map is none.
        """
        _ = self.streams  # which fit the catalog to this version, before the mapper reads it
        if not self.config.get("stream_maps"):
            super().setup_mapper()
            return
        self._config["stream_maps"] = maps_of_selected(self.config["stream_maps"], self.catalog)
        try:
            super().setup_mapper()
        except Exception as error:  # whatever the expression of a map raises
            raise StreamMapConfigError(fault(self.config, self.catalog, self.logger)) from error
        for stream_map in chain.from_iterable(self.mapper.stream_maps.values()):
            if isinstance(stream_map, CustomStreamMap):
                name_failures(stream_map)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Fill in defaults and complain in sentences: the SDK's own texts quote values, which may be secrets."""
        self.append_builtin_config(self.config_jsonschema)
        given = usable({**self._config, **self.from_environment()}, self.config_jsonschema)
        list(JSONSchemaValidator(self.config_jsonschema).iter_errors(filled := without_maps(given)))
        self._config = {**given, **filled}
        if raise_errors:
            self.check_settings()
        return []
