"""Lists that are read in slices or in part, so that no page token expires while other requests are made."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tap_common import EndlessListError, ExpiredCursorError
from tap_common.state.timestamps import instant_or_none

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from singer_sdk.helpers.types import Record

_RESTARTS = 5
# It is not documented whether `min_start_time` includes its moment, or how precise it is.
_STEP = timedelta(seconds=1)


def sweep(
    read: Callable[[datetime | None], Iterator[Record]], start: datetime | None, size: int
) -> Iterator[list[Record]]:
    """Yield all events that start at `start` or later, in slices of about `size` events.

    `read` lists the events that start after a moment (None: all), earliest first. A slice is read completely before it
    is yielded; the next one begins just before the start of its last event. Events with that start are read twice, but
    yielded once. An event without a valid start may be in any slice.

    Raises:
        EndlessListError: A slice ends before its beginning, so the API ignores the filter.
    """
    since = start - _STEP if start else None
    known: set[str] = set()
    timeless: set[str] = set()
    more = True
    while more:
        rows, more = _slice(read, since, size)
        starts = [instant_or_none(row["start_time"]) for row in rows]
        fresh = [
            row
            for row, begins in zip(rows, starts, strict=True)
            if row["uri"] not in known and (not start or begins is None or begins >= start)
        ]
        timeless.update(row["uri"] for row, begins in zip(rows, starts, strict=True) if begins is None)
        if more:
            after = next(begins for begins in reversed(starts) if begins) - _STEP
            if since and after <= since:
                raise EndlessListError(
                    "Calendly ignores `min_start_time`: it lists events that start before that moment, so the list "
                    "would never end; try again later."
                )
            since = after
            known = {row["uri"] for row, begins in zip(rows, starts, strict=True) if begins and begins >= since}
            known |= timeless
        yield fresh


def _slice(
    read: Callable[[datetime | None], Iterator[Record]], since: datetime | None, size: int
) -> tuple[list[Record], bool]:
    """Return the events of one slice, and True if more may follow; read it again if a page token expires."""
    for restart in range(_RESTARTS + 1):
        try:
            return _read_slice(read(since), size)
        except ExpiredCursorError:
            if restart == _RESTARTS:
                raise
    raise AssertionError


def _read_slice(events: Iterator[Record], size: int) -> tuple[list[Record], bool]:
    rows: list[Record] = []
    first: datetime | None = None
    last: datetime | None = None
    in_order = True
    for row in events:
        rows.append(row)
        begins = instant_or_none(row["start_time"])
        if begins is None:
            continue
        in_order = in_order and (last is None or begins >= last)
        first, last = first or begins, begins
        # The next slice must begin later than this one, so a slice whose events share one start is continued. So is a
        # slice that is not in the requested order.
        if in_order and len(rows) >= size and last - first > 2 * _STEP:
            return rows, True
    return rows, False


def newest_first(rows: Iterator[Record], key: str, since: datetime | None, page: int) -> Iterator[Record]:
    """Yield the rows of a list that is sorted by `key`, descending, down to the first that is older than `since`.

    The first page is always yielded, since it has been fetched already. If it is not sorted, the whole list is read.
    """
    last: datetime | None = None
    in_order = True
    for place, row in enumerate(rows, 1):
        moment = instant_or_none(row.get(key))
        in_order = in_order and (last is None or moment is None or moment <= last)
        passed = since is not None and in_order and moment is not None and moment < since
        if not passed or place <= page:
            yield row
        if passed and place >= page:
            return  # before another page is requested
        last = moment or last
