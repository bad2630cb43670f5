"""Which meetings to ask for: the ways in which SavvyCal may accept it, and where to stop reading backwards."""

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
    """Lists that hold all meetings of a period together, to be read one after the other."""

    lists: tuple[Mapping[str, str], ...]
    why: str = ""
    """What the log says when the way before it was refused."""


def period_queries(since: datetime | None, now: datetime) -> tuple[PeriodQuery, ...]:
    """How to ask for the meetings that start at `since` or later (None: all), the best way first.

    `from` is a date, and SavvyCal does not say in which time zone: a day earlier begins it everywhere. What is to come
    is read before what is past, so that a meeting that begins in the meantime is in both lists, not in neither.
    """
    if since is None:
        return (PeriodQuery((EVERYTHING,)),)
    window = {PERIOD: "fixed", FROM: day(max(since, _EARLIEST) - _DAY)}
    return (
        PeriodQuery((window,)),
        PeriodQuery(
            ({**window, UNTIL: day(max(since, now) + _FAR)},),
            "does not accept a period without an end: asking for the next five years",
        ),
        PeriodQuery(
            (UPCOMING, PAST), "does not accept a period: reading all that is upcoming, then the past backwards"
        ),
    )


def day(moment: datetime) -> str:
    """The date of a moment, in UTC."""
    return moment.astimezone(UTC).date().isoformat()


class Period:
    """A period of meetings, asked for in the first way that SavvyCal accepts.

    One key finds out for all; a way that was refused is not tried again, and the log says so once.

    A parameter that SavvyCal does not know is ignored, and only upcoming meetings are listed then. So where none of the
    meetings has begun by `now`, the past is asked for too: there is none, or what comes is found out.
    """

    def __init__(self, since: datetime | None, now: datetime, log: Callable[..., None]) -> None:
        self._ways = list(period_queries(since, now))
        self._begun_by = now if since is None or since < now else None
        self._log = log
        self._finding_out = Lock()

    def read(self, listed: Callable[[Mapping[str, str]], Iterable[Record]]) -> Iterator[Record]:
        """The rows of the period, the first already fetched; `listed` asks for one list.

        Raises:
            RefusedError: No way is accepted.
        """
        with self._finding_out:
            while True:
                try:
                    return prefetch_first(self._rows(listed, self._ways[0].lists))
                except RefusedError as refusal:
                    if len(self._ways) == 1:
                        raise
                    del self._ways[0]
                    self._log("%s: SavvyCal %s.", refusal, self._ways[0].why, level=30)

    def _rows(
        self, listed: Callable[[Mapping[str, str]], Iterable[Record]], lists: Sequence[Mapping[str, str]]
    ) -> Iterator[Record]:
        by = self._begun_by
        begun = by is None or PAST in lists
        for row in chain.from_iterable(map(listed, lists)):
            start = instant_or_none(row.get("start_at"))
            begun = begun or (by is not None and start is not None and start < by)
            yield row
        if not begun:
            yield from listed(PAST)


class NewestFirst(CursorPaginator):
    """Follows a list of meetings, newest first, until a whole page lies before `edge`.

    To the list's end where the rows have not come in that order, one has no start, or there is no edge.

    Raises:
        EndlessListError: A meeting is yet to begin, so the list is not that of the past.
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
                "SavvyCal does not go by `period`: it lists upcoming meetings as past ones, so that past ones would be "
                "missing; try again later."
            )
        come = [*self._last, *moments]
        newest_first = all(later <= earlier for earlier, later in pairwise(come))
        self._in_order = self._in_order and newest_first and len(moments) == len(starts)
        self._last = come[-1:]
        passed = self._edge is not None and moments and max(moments) < self._edge
        return None if passed and self._in_order else super().get_next(response)
