"""The first load of incremental streams: in slices of creation time, so that it can be resumed.

Lists are sorted by creation, newest first, while the changed-since filter uses the time of the last change. So an
interrupted first load could not be resumed by a bookmark, and at 40 requests a minute, a large account takes hours.
Instead, it is read in slices:

- The first page below the last slice shows where rows are, so that years without rows cost nothing. If that page is
  not full, it has all remaining rows and the load is complete: a small account needs no slices.
- Otherwise, a slice extends to 30 days below the newest row of that page, or to ten times the extent of the page if
  that is longer: about ten pages or more. It is requested with both of its bounds.
- The lower bound in the request is a day earlier. `.gt` and `.lt` exclude their moment, and the API may compare dates
  in an unknown time zone: in this way, a row created at a bound is in at least one slice. A row in two has the same
  key.

The slices do not depend on the order of the list: any page shows where some rows are, and everything below the bound
is still to be read. After each slice, the stream's state has the lower end of the load, and a STATE is sent. The next
run first reads changes since the start of the run that wrote it, then continues below. Only a complete load leaves a
bookmark.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from tap_common import EndlessListError
from tap_common.state.timestamps import instant_or_none

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Record

DAY = timedelta(days=1)
SLICE = timedelta(days=30)
"""Minimum length of a slice."""
_PAGES = 10
# Filters may compare dates in an unknown time zone; rows this far outside a bound show that the API ignores it.
_TOLERANCE = timedelta(days=3)
# Older than the vendor: no rows are before it, and a slice down to it needs no lower bound.
_OLDEST = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Slice:
    """Rows created in a span of time."""

    down_to: datetime | None
    """Lower bound, inclusive; None for none."""
    below: datetime | None
    """Upper bound, exclusive; None for none."""
    rows: Sequence[Record] | None = None
    """The rows, if they have been read already."""


def slices(first: Callable[[datetime | None], Iterable[Record]], below: datetime | None, size: int) -> Iterator[Slice]:
    """Yield the slices of all rows created before `below` (None: of all rows), newest first.

    `first` lists the rows created before a moment; at most a page of `size` rows is read from it. The last slice has no
    lower bound.

    Raises:
        EndlessListError: The API ignores the bound, so that the load would never end.
    """
    down_to = below
    while True:
        below = down_to
        head = list(islice(first(below), size))
        if below and any(created >= below + _TOLERANCE for created in _created(head)):
            raise _ignored("creation_time.lt", "after")
        if len(head) < size:
            yield Slice(None, below, head)
            return
        down_to = slice_bottom(head)
        if down_to and below and down_to >= below:
            raise _ignored("creation_time.lt", "after")
        yield Slice(down_to, below)
        if down_to is None:
            return


def slice_bottom(head: Iterable[Record]) -> datetime | None:
    """Return the lower bound of a slice that begins with a page; None for all remaining rows."""
    created = _created(head)
    if not created:
        return None
    newest = max(created)
    down = max(SLICE, _PAGES * (newest - min(created)))
    if down > newest - _OLDEST:
        return None
    return newest - down


def check_slice(rows: Iterable[Record], down_to: datetime | None) -> Iterator[Record]:
    """Yield the rows of a slice with a lower bound (None: without).

    Raises:
        EndlessListError: The API ignores the bound, so that each slice would have all rows below it.
    """
    for row in rows:
        if down_to and any(created < down_to - _TOLERANCE for created in _created([row])):
            raise _ignored("creation_time.gt", "before")
        yield row


def _created(rows: Iterable[Record]) -> list[datetime]:
    return [moment for row in rows if (moment := instant_or_none(row.get("creation_time")))]


def _ignored(name: str, where: str) -> EndlessListError:
    return EndlessListError(
        f"OnceHub ignores `{name}`: it lists rows that were created {where} that moment, so the first load would never "
        "end; try again later."
    )
