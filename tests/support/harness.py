"""Running taps in this process, and a warehouse to compare with the truth."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import SingerSDKError
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from typing_extensions import override

from tap_common.cli.process import on_one_core
from tap_common.http.clock import Clock
from tap_common.http.json import decode
from tap_common.output.writer import Writer
from tap_common.state.timestamps import canonical, instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from singer_sdk.singerlib.encoding.simple import Message

    from tap_common.tap import SchedulingTap

Row = dict[str, Any]


CORE = int(os.environ.get("PYTEST_XDIST_WORKER", f"gw{os.getpid()}").removeprefix("gw"))
"""The number of this process's core: each worker of pytest-xdist has one of its own."""


class VirtualClock(Clock):
    """Time that passes only where somebody waits for it; shared by a tap and a sandbox."""

    def __init__(self) -> None:
        super().__init__()
        self._time = 1_000.0
        self._lock = threading.Lock()
        self.waited: list[float] = []
        self.machine: Callable[[], datetime] = super().now
        """This machine's time."""

    def __call__(self) -> float:
        return self.monotonic()

    @override
    def monotonic(self) -> float:
        with self._lock:
            return self._time

    @override
    def now(self) -> datetime:
        return self.machine()

    @override
    def wait_until(self, moment: float) -> None:
        with self._lock:
            self.waited.append(max(0.0, moment - self._time))
            self._time = max(self._time, moment)


# The SDK serializes all messages of a process into one buffer: taps in several threads take turns.
_ONE_BUFFER = threading.RLock()


class Messages(Writer):
    """A message writer that keeps what a target would read, and does something after so many messages.

    Those are counted from the start, or from the `states`-th STATE on.
    """

    def __init__(self, after: int | None = None, then: Callable[[], None] | None = None, states: int = 0) -> None:
        super().__init__()
        self.read: list[dict[str, Any]] = []
        self._after = -1 if after is None else after
        self._then = then
        self._states = states

    @override
    def write_message(self, message: Message) -> None:
        with _ONE_BUFFER:
            super().write_message(message)

    @override
    def write_record(self, stream: str, record: Row, version: int | None) -> None:
        with _ONE_BUFFER:
            super().write_record(stream, record, version)

    @override
    def write(self, line: bytes, *, flush: bool) -> None:
        if self._then and not self._states and len(self.read) == self._after:
            self._then()
        self.read.append(message := decode(line))
        if self._states and message["type"] == "STATE":
            self._states -= 1
            self._after += 0 if self._states else len(self.read)


class Killed(BaseException):
    """The process ended here."""


def kill() -> None:
    """End the process."""
    raise Killed


@dataclass
class Warehouse:
    """Tables of a target that does exactly what the Singer specification says."""

    rows: dict[str, dict[tuple[Any, ...], Row]] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)
    versions: dict[str, dict[tuple[Any, ...], int | None]] = field(default_factory=dict)
    state: dict[str, Any] | None = None
    written: dict[str, int] = field(default_factory=dict)

    def load(self, messages: Iterable[Mapping[str, Any]]) -> None:
        """Take the messages of one run."""
        self.written = {}
        for message in messages:
            stream = message.get("stream", "")
            match message["type"]:
                case "SCHEMA":
                    self.keys[stream] = message["key_properties"]
                    self.rows.setdefault(stream, {})
                    self.versions.setdefault(stream, {})
                case "RECORD":
                    key = tuple(message["record"][name] for name in self.keys[stream])
                    self.rows[stream][key] = message["record"]
                    self.versions[stream][key] = message.get("version")
                    self.written[stream] = self.written.get(stream, 0) + 1
                case "ACTIVATE_VERSION":
                    gone = [key for key, version in self.versions[stream].items() if version != message["version"]]
                    for key in gone:
                        del self.rows[stream][key], self.versions[stream][key]
                case "STATE":
                    self.state = message["value"]


@dataclass(frozen=True)
class Run:
    """A run: its start by the API's clock, its settings, and whether it came to its end.

    `since` says of each stream that was selected when the last whole run before this one began; None where this one
    had to read everything. `tried` says when the last run after that one began that was not whole. `read` are the
    streams that were read whole: of a run that broke off those whose bookmark has moved.
    """

    started: datetime
    since: Mapping[str, datetime | None]
    settings: Mapping[str, Any]
    whole: bool
    tried: Mapping[str, datetime]
    read: frozenset[str]
    in_full: bool = False
    """True if every stream was read in full, so that missing records were soft-deleted."""


@dataclass
class Runs:
    """Record of a tap's runs that does not look into its state."""

    last: Run | None = None
    _read: dict[str, tuple[datetime, datetime | None]] = field(default_factory=dict)
    _tried: dict[str, datetime] = field(default_factory=dict)

    def add(
        self,
        started: datetime,
        streams: Iterable[str],
        settings: Mapping[str, Any],
        read: Iterable[str] | None = None,
        *,
        in_full: bool = False,
    ) -> None:
        """Note a run of some streams that was whole, or had read some of them when it ended."""
        start = instant(settings["start_date"]) if settings.get("start_date") else None
        since = {stream: None if in_full else self._since(stream, start) for stream in streams}
        done = frozenset(since if read is None else read)
        self.last = Run(started, since, settings, read is None, self._tried, done, in_full)
        if in_full:
            return  # its state is another one
        self._read.update(dict.fromkeys(done, (started, start)))
        tried = {**self._tried, **dict.fromkeys(since, started)}
        self._tried = {stream: began for stream, began in tried.items() if stream not in done}

    def forget(self) -> None:
        """There is no state any more: the next run is to read everything."""
        self._read.clear()
        self._tried = {}

    def _since(self, stream: str, start: datetime | None) -> datetime | None:
        since, covered = self._read.get(stream, (None, None))
        return None if covered and (start is None or start < covered) else since


@dataclass
class Runner:
    """One tap's runs into one warehouse, from state to state."""

    tap: type[SchedulingTap]
    config: dict[str, Any]
    clock: VirtualClock = field(default_factory=VirtualClock)
    warehouse: Warehouse = field(default_factory=Warehouse)
    select: Callable[[str, bool], bool] = lambda _name, default: default
    runs: Runs = field(default_factory=Runs)

    def build(self, messages: Messages | None = None, **config: Any) -> SchedulingTap:
        """A tap with the state of the last run."""
        tap = self.tap(
            config=self.config | config,
            state=self.warehouse.state,
            clock=self.clock,
            message_writer=messages or Messages(),
        )
        for stream in tap.streams.values():
            stream.selected = self.select(stream.name, type(stream).selected_by_default)
        return tap

    def sync(
        self,
        *,
        after: int | None = None,
        then: Callable[[], None] | None = None,
        states: int = 0,
        in_full: bool = False,
        **config: Any,
    ) -> SchedulingTap:
        """A run as the command makes it; `then` happens after so many messages, from the `states`-th STATE on.

        `in_full` is a run as of the extractors `…--in-full`: no stream goes by its bookmark, and the state is not kept.
        """
        messages = Messages(after, then, states)
        tap = self.build(messages, **config)
        state = self.warehouse.state
        if in_full:
            for stream in tap.streams.values():
                stream.forced_replication_method = REPLICATION_FULL_TABLE
        before = self.bookmarks()
        whole = False
        failed: SingerSDKError | None = None
        try:
            with on_one_core(CORE):
                tap.run()
            whole = True
        except Killed:
            pass
        except SingerSDKError as error:
            failed = error
        finally:
            tap.close()
            tap.pool.shutdown()
            self.warehouse.load(messages.read)
        if failed is not None and not tap.server_clock.has_answered:
            raise failed
        advanced = {stream for stream, value in self.bookmarks().items() if value and before.get(stream) != value}
        selected = [stream.name for stream in tap.streams.values() if stream.selected]
        self.runs.add(tap.run_started, selected, self.config | config, None if whole else advanced, in_full=in_full)
        if in_full:
            self.warehouse.state = state
        if failed is not None:
            raise failed
        return tap

    def forget(self) -> None:
        """Drop the state, as `--full-refresh` does."""
        self.warehouse.state = None
        self.runs.forget()

    def age_state(self) -> None:
        """Have a state as a tap of another make writes it: bookmarks of parents, and nothing of what they cover."""
        if self.warehouse.state is None:
            return
        for bookmark in self.warehouse.state["bookmarks"].values():
            kept = {name: bookmark[name] for name in ("replication_key", "replication_key_value") if name in bookmark}
            bookmark.clear()
            bookmark.update(kept, partitions=[{"context": {"id": "x"}, **kept}])
        self.runs.forget()

    def put_state_ahead(self) -> None:
        """Have a state whose bookmarks are later than anything is: edited, or written by a wrong clock."""
        for bookmark in (self.warehouse.state or {"bookmarks": {}})["bookmarks"].values():
            for progress in (bookmark, bookmark.get("first_load") or {}):
                if progress.get("replication_key_value"):
                    ahead = instant(progress["replication_key_value"]) + timedelta(days=700)
                    progress["replication_key_value"] = canonical(ahead)
        self.runs.forget()

    def bookmarks(self) -> dict[str, str | None]:
        """The bookmark of each stream in the last state."""
        bookmarks = (self.warehouse.state or {}).get("bookmarks", {})
        return {stream: bookmark.get("replication_key_value") for stream, bookmark in bookmarks.items()}
