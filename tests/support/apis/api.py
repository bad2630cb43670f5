"""Description of an API and its tap, for the tests that hold for every tap."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, cast

from harness import Runner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from choice import Choice
    from harness import VirtualClock
    from sandbox import Sandbox
    from sandbox.world import World
    from tap_common.tap import SchedulingTap
    from visibility import Known, Seen, Unseen

Row = dict[str, Any]
NOTHING_ODD: Sequence[Mapping[str, Any]] = ({}, {}, {}, {})
"""Values of the switch `odd` with which every value is as documented: as often as not."""


def host_of(address: str) -> str:
    """Return what is kept of a webhook's address: scheme, host and port."""
    return "/".join(address.split("/")[:3])


@dataclass(frozen=True)
class Api:
    """One of the APIs, its tap, and how its objects become rows."""

    name: str
    tap: type[SchedulingTap]
    main: str
    """The stream with the most rows, which is incremental."""
    first: str
    """Pattern of the path of the run's first request."""
    listed: str
    """Pattern of the path of a default stream's list."""
    person: tuple[str, str]
    """A default stream and a column of it that holds a name or an address."""
    key: str = "sandbox-admin"
    """A key that sees everything."""
    second_key: str | None = None
    """Another key, whose data is read beside the first one's; None where a key sees everything."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """Settings that reading every stream needs besides."""
    seen: Sequence[Seen] = ()
    """Changes that the API shows, by stream, for the tap's page."""
    unseen: Sequence[Unseen] = ()
    """Known gaps, for the page and for the comparison with the truth."""
    begins: Mapping[str, Callable[[Row, Known], str | None]] = field(default_factory=dict)
    """For the streams that `start_date` bounds: the moment of a row that it goes by."""
    mutations: Mapping[str, Callable[[World, Choice], object]] = field(default_factory=dict)
    """Mutations of bookings, meetings, events and attendees."""
    chores: Mapping[str, Callable[[World, Choice], object]] = field(default_factory=dict)
    """Mutations around them, which are rarer."""
    settings: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Values of settings in a history, where the usual ones do not suit."""
    before: Sequence[tuple[tuple[str, int], ...]] = ((),)
    """Mutations before a history begins: one of these."""
    switches: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Switches of the sandbox's API for what nobody knows of the real one: a history has one value of each."""
    rows: Mapping[str, Callable[[Row], Row]] = field(default_factory=dict)
    """For streams whose rows are not the API's objects as they are: the row of an object."""
    numbered: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """For streams whose rows are numbered: the column of the parent, and the object's reference to it."""

    snapshots: frozenset[str] = frozenset()
    """Streams whose rows depend on the moment of the request."""
    announces_limit: bool = True
    """True if answers say how many requests remain."""
    hides_lists: bool = True
    """True if the sandbox can lack a whole list."""
    empty_pages: bool = True
    """True if a page in the middle of a list may be empty."""
    left_out: frozenset[str] = frozenset()
    """Columns that a row lacks where the API does not send them."""
    checked_with: frozenset[str] = frozenset()
    """Paths that the check of permissions asks as the stream does: they take no page size."""
    empty: Callable[[Sandbox], str] = lambda _: ""
    """Deletes all that one of the default streams reads in full has; returns its name."""

    @property
    def kept(self) -> frozenset[str]:
        """Streams some of whose rows the tap does not see in every state: they may stay when they are gone."""
        return frozenset(stream for unseen in self.unseen for stream in unseen.streams)

    def default_streams(self) -> list[str]:
        """Streams that are on by default."""
        return [stream.name for stream in self.tap.stream_types if stream.selected_by_default]

    def all_streams(self) -> list[str]:
        """Every stream."""
        return [stream.name for stream in self.tap.stream_types]

    def judged(self) -> list[str]:
        """Streams whose rows can be compared with what the API says a moment later."""
        return [name for name in self.all_streams() if name not in self.snapshots]

    def keys(self, stream: str) -> Sequence[str]:
        """The key columns of a stream."""
        found = next(kind.primary_keys for kind in self.tap.stream_types if kind.name == stream)
        return cast("Sequence[str]", found)

    def table(self, stream: str, things: Iterable[Row]) -> list[Row]:
        """The rows that objects of the API should become, as far as the API says."""
        rows = [self.rows.get(stream, dict)(thing) for thing in things]
        if stream in self.numbered:
            column, reference = self.numbered[stream]
            places: defaultdict[str, count[int]] = defaultdict(count)
            rows = [row | {column: row[reference], "index": next(places[row[reference]])} for row in rows]
        return rows


def settings(api: Api, sandbox: Sandbox) -> dict[str, Any]:
    """Settings of a tap that work against a sandbox."""
    return {"api_key": api.key, "api_url": f"{sandbox.url}/{api.name}", **api.config}


def runner_of(api: Api, sandbox: Sandbox, clock: VirtualClock) -> Runner:
    """Runs of a tap against a sandbox, on a machine whose clock shows the sandbox's time."""
    clock.machine = lambda: sandbox.world.now
    return Runner(api.tap, settings(api, sandbox), clock)
