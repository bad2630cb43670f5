"""Answers that mislead about what follows: which signal of which API may become what, and what a run owes then."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import SingerSDKError
from typing_extensions import override

from how import How
from sandbox.signals import PAGING, VALUES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from api import Api
    from harness import Runner, Warehouse
    from history import History
    from sandbox import Sandbox

BROKEN = ("absent", "null", "empty", "number", "object", "list", "true", "false", "text")
MISLED = "runs misled"
ALONE = {("has_more", "false"), ("has_more", "opposite"), ("Link", "opposite")}
"""Places where OnceHub has one paging signal alone: a switch, and all messages."""
IGNORED: Mapping[str, tuple[str, ...]] = {
    "calendly": ("min_start_time", "sort", "min_occurred_at", "start_time", "count"),
    "oncehub": ("creation_time.gt", "creation_time.lt", "last_updated_time.gt", "limit"),
    "luma": ("after", "sort_column", "sort_direction", "status", "pagination_limit"),
    "savvycal": ("from", "until", "direction", "limit"),
}
"""Filters, orders and sizes that an API may not go by, so that lists are wider.

Without `period` SavvyCal lists only what is upcoming, without `status` Calendly only recaps that are available: nobody
can tell where that is nothing.
"""


@dataclass(frozen=True)
class Misled(How):
    """A run some of whose pages mislead about what follows: it is whole, or an error that has dropped nothing."""

    what: tuple[str, str]
    place: str

    @override
    def run(self, history: History) -> None:
        signals = history.sandbox.signals
        signals.go_wrong(history.api.name, *self.what, self.place)
        changed = signals.changed
        history.misled()
        history.lived[MISLED] += signals.changed > changed


@dataclass(frozen=True)
class Unfiltered(How):
    """A run in which the API does not go by some parameters: it is whole, or ends in an error."""

    parameters: frozenset[str]

    @override
    def run(self, history: History) -> None:
        history.sandbox.signals.ignore(history.api.name, *self.parameters)
        history.misled()


def misleading(api: str) -> Iterator[tuple[str, str]]:
    """Signals of an API, and what may become of them.

    But for what nobody can tell from the end: a null cursor where it is the only signal, as SavvyCal's is.
    """
    paging = PAGING[api]
    alone = not (paging.flag or paging.url or paging.header)
    for signal in paging.signals:
        for value in VALUES:
            if not (alone and signal == paging.cursor and value in ("null", "opposite")):
                yield signal, value


def lost(api: Api, sandbox: Sandbox, before: Warehouse, after: Warehouse) -> dict[str, set[Any]]:
    """The rows that a warehouse held, that still are the source's, and that it holds no more, by stream."""
    gone = {}
    for stream, rows in before.rows.items():
        missing = rows.keys() - after.rows.get(stream, {}).keys()
        if missing and stream in api.judged():
            keys = api.keys(stream)
            things = api.table(stream, sandbox.truth(api.name, stream))
            gone[stream] = missing & {tuple(row[key] for key in keys) for row in things}
    return {stream: keys for stream, keys in gone.items() if keys}


def run_misled(
    api: Api, sandbox: Sandbox, runner: Runner, sync: Callable[..., object] | None = None, **how: Any
) -> SingerSDKError | None:
    """A run, and the error that ended it, if one did: then nothing that still is was dropped from the warehouse."""
    before = deepcopy(runner.warehouse)
    try:
        (sync or runner.sync)(**how)
    except SingerSDKError as error:
        assert lost(api, sandbox, before, runner.warehouse) == {}
        return error
    return None
