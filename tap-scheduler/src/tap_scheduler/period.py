"""The period of the list of meetings: queries that SavvyCal may accept for it, and the end of a backwards list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise
from threading import Lock
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_common import CursorPaginator, EndlessListError
from tap_common.http.jsonpath import find
from tap_common.http.prefetch import prefetch_first
from tap_common.state.timestamps import instant_or_none
from tap_scheduler.client import RefusedError
from tap_scheduler.parameters import DIRECTION, FROM, PERIOD, UNTIL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import requests
    from singer_sdk.helpers.types import Record

    from tap_common.http.pagination import Signals

_DAY = timedelta(days=1)
_SLACK = timedelta(hours=1)
_FAR = timedelta(days=5 * 366)
# No meeting is older, and a day before it is still a date.
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)

EVERYTHING: Mapping[str, str] = {PERIOD: "all"}
"""Past and future."""
UPCOMING: Mapping[str, str] = {PERIOD: "upcoming"}
"""The future."""
PAST: Mapping[str, str] = {PERIOD: "past", DIRECTION: "desc"}
"""The past, newest first."""


@dataclass(frozen=True)
class PeriodQuery:
    """Query parameters of one or more lists that together have all meetings of a period."""

    lists: tuple[Mapping[str, str], ...]
    """Query parameters of each list, in the order of reading."""
    why: str = ""
    """Reason for this query in the log, after "SavvyCal": the one before it was refused."""


def period_queries(since: datetime | None, now: datetime) -> tuple[PeriodQuery, ...]:
    """Return the queries for meetings that start at `since` or later (None: all), the best one first.

    `from` is a date in an undocumented time zone, so it is a day earlier. Upcoming meetings are read before past ones,
    so that a meeting that begins in the meantime is in both lists, not in neither.
    """
    if since is None:
        return (PeriodQuery((EVERYTHING,)),)
    window = {PERIOD: "fixed", FROM: day(max(since, _EARLIEST) - _DAY)}
    return (
        PeriodQuery((window,)),
        PeriodQuery(
            ({**window, UNTIL: day(max(since, now) + _FAR)},),
            "does not accept a period without an end: requesting the next five years",
        ),
        PeriodQuery((UPCOMING, PAST), "does not accept a period: reading upcoming meetings, then past ones backwards"),
    )


def day(moment: datetime) -> str:
    """Return the date of a moment, in UTC."""
    return moment.astimezone(UTC).date().isoformat()


class Period:
    """A period of meetings, read with the first query that SavvyCal accepts.

    All keys share the result: a refused query is not tried again, and is logged once.

    SavvyCal ignores unknown parameters, and then lists only upcoming meetings. So if no meeting of the period has begun
    by `now`, past meetings are requested, too: either there are none, or they were missing.
    """

    def __init__(self, since: datetime | None, now: datetime, log: Callable[..., None]) -> None:
        self._queries = list(period_queries(since, now))
        self._begun_by = now if since is None or since < now else None
        self._log = log
        self._lock = Lock()

    def read(self, list_rows: Callable[[Mapping[str, str]], Iterable[Record]]) -> Iterator[Record]:
        """Return the rows of the period, with the first page already fetched; `list_rows` reads one list.

        Raises:
            RefusedError: SavvyCal accepts none of the queries.
        """
        with self._lock:
            while True:
                try:
                    return prefetch_first(self._rows(list_rows, self._queries[0].lists))
                except RefusedError as refusal:
                    if len(self._queries) == 1:
                        raise
                    del self._queries[0]
                    self._log("%s: SavvyCal %s.", refusal, self._queries[0].why, level=30)

    def _rows(
        self, list_rows: Callable[[Mapping[str, str]], Iterable[Record]], lists: Sequence[Mapping[str, str]]
    ) -> Iterator[Record]:
        by = self._begun_by
        begun = by is None or PAST in lists
        for row in chain.from_iterable(map(list_rows, lists)):
            start = instant_or_none(row.get("start_at"))
            begun = begun or (by is not None and start is not None and start < by)
            yield row
        if not begun:
            yield from list_rows(PAST)


class NewestFirst(CursorPaginator):
    """Follows a list of past meetings, newest first, until all meetings of a page start before `edge`.

        {"entries": [{"id": "event_02", "start_at": "2026-01-31T09:00:00Z"},
                     {"id": "event_01", "start_at": "2026-01-30T09:00:00Z"}], "metadata": {"after": "g3QAAAAB"}}

    The list is read to its end if its rows are not in that order, if a meeting has no start, or without an edge.

    Raises:
        EndlessListError: A meeting is in the future, so this is not the list of past ones.
    """

    def __init__(self, signals: Signals, edge: datetime | None, now: Callable[[], datetime]) -> None:
        super().__init__(signals)
        self._now = now
        self._edge = edge
        self._last: list[datetime] = []
        self._in_order = True

    @override
    def get_next(self, response: requests.Response) -> str | None:
        starts = [find("$.start_at", row) for row in self.signals.rows_of(response)]
        moments = [moment for start in starts if (moment := instant_or_none(start))]
        if max(moments, default=_EARLIEST) > self._now() + _SLACK:
            raise EndlessListError(
                "SavvyCal ignores `period`: it lists upcoming meetings as past ones, so that past ones would be "
                "missing; try again later."
            )
        received = [*self._last, *moments]
        newest_first = all(later <= earlier for earlier, later in pairwise(received))
        self._in_order = self._in_order and newest_first and len(moments) == len(starts)
        self._last = received[-1:]
        passed = self._edge is not None and moments and max(moments) < self._edge
        return None if passed and self._in_order else super().get_next(response)
