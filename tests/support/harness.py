"""Running taps in this process, and a warehouse to compare with the truth."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_common.clock import Clock
from tap_common.fastjson import decode
from tap_common.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tap_common.tap import SchedulingTap

Row = dict[str, Any]


class VirtualClock(Clock):
    """Time that passes only where somebody waits for it; shared by a tap and a sandbox."""

    def __init__(self) -> None:
        super().__init__()
        self._time = 1_000.0
        self._lock = threading.Lock()
        self.waited: list[float] = []

    def __call__(self) -> float:
        return self.monotonic()

    @override
    def monotonic(self) -> float:
        with self._lock:
            return self._time

    @override
    def wait_until(self, moment: float) -> None:
        with self._lock:
            self.waited.append(max(0.0, moment - self._time))
            self._time = max(self._time, moment)


class Messages(Writer):
    """A message writer that keeps what a target would read, and does something after so many messages."""

    def __init__(self, after: int | None = None, then: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.read: list[dict[str, Any]] = []
        self._after = after
        self._then = then

    @override
    def write(self, line: bytes, *, flush: bool) -> None:
        if self._then and len(self.read) == self._after:
            self._then()
        self.read.append(decode(line))


class Killed(BaseException):
    """The process ended here."""


def kill() -> None:
    """End the process."""
    raise Killed


@dataclass
class Warehouse:
    """What a target holds that does exactly what Singer says."""

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


@dataclass
class Runner:
    """One tap's runs into one warehouse, from state to state."""

    tap: type[SchedulingTap]
    config: dict[str, Any]
    clock: VirtualClock = field(default_factory=VirtualClock)
    warehouse: Warehouse = field(default_factory=Warehouse)
    select: Callable[[str, bool], bool] = lambda _name, default: default

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

    def sync(self, *, after: int | None = None, then: Callable[[], None] | None = None, **config: Any) -> SchedulingTap:
        """A run as the command makes it; `then` happens after so many messages."""
        messages = Messages(after, then)
        tap = self.build(messages, **config)
        try:
            tap.run()
        except Killed:
            pass
        finally:
            tap.close()
            tap.pool.shutdown()
            self.warehouse.load(messages.read)
        return tap


def differences(rows: Mapping[tuple[Any, ...], Row], keys: list[str], truth: Iterable[Row]) -> list[str]:
    """What a stream's rows and the API's own objects disagree about, in words; at most ten."""
    found = []
    expected = {tuple(row.get(key) for key in keys): row for row in truth}
    found += [f"missing: {key}" for key in expected.keys() - rows.keys()]
    found += [f"not in the source: {key}" for key in rows.keys() - expected.keys()]
    for key in expected.keys() & rows.keys():
        row = rows[key] | (rows[key].get("_extra") or {})
        found += [
            f"{key}: {name} is {row.get(name)!r}, should be {value!r}"
            for name, value in expected[key].items()
            if row.get(name) != value
        ]
    return sorted(found)[:10]
