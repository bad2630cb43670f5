"""The first load of what can be asked for by change: in slices of creation time, each of them done for good.

A list is in order of creation, newest first, and its filter goes by change: a first load that breaks off could not be
taken up again, and at 40 requests a minute that of a large account takes hours. So it is read in slices:

- The page that comes first below what has been read says where there are rows: no year without any is crossed step
  by step. Where it is not full, it is all that is left, and the load is done: a small account pays nothing for slices.
- Else a slice reaches down to 30 days below the newest row of that page, or ten times as far as the page does if that
  is further: about ten pages at least. It is asked for by both of its bounds, whatever is in it by then.
- The lower bound is asked for a day lower. `.gt` and `.lt` leave their moment out, and one could read the API's
  contract as if they went by days, of whatever time zone: what is created at a bound is in one slice at least, either
  way. A row that is in two has the same key.

Nothing rests on the order of the list: any page says where some rows are, and everything below the bound is still to
come. After each slice the stream's state says how far down the load is, and a STATE goes out. A run that finds one
first reads what has changed since the run that wrote it began, then goes on below; only a load that is whole leaves a
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
"""The least that a slice covers."""
_PAGES = 10
# Filters may go by days, of whatever time zone: rows so far behind a bound show that it is not gone by.
_BEHIND = timedelta(days=3)
# Older than the vendor: nothing is further down, and no bound is needed there.
_OLDEST = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Slice:
    """What was created from `down_to` until before `below`; None where there is no bound.

    `rows` are its rows where they have been read already, else None.
    """

    down_to: datetime | None
    below: datetime | None
    rows: Sequence[Record] | None = None


def slices(first: Callable[[datetime | None], Iterable[Record]], below: datetime | None, size: int) -> Iterator[Slice]:
    """Everything created before `below` (None: everything), from the top down; the last one has no lower bound.

    `first` lists what was created before a moment; no more of it is read than a page of `size` rows.

    Raises:
        EndlessListError: The API does not go by the bound, so that there would be no end.
    """
    down_to = below
    while True:
        below = down_to
        head = list(islice(first(below), size))
        if below and any(created >= below + _BEHIND for created in _created(head)):
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
    """How far down a slice with these rows at its top reaches; None for all that is left."""
    created = _created(head)
    if not created:
        return None
    newest = max(created)
    down = max(SLICE, _PAGES * (newest - min(created)))
    if down > newest - _OLDEST:
        return None
    return newest - down


def check_slice(rows: Iterable[Record], down_to: datetime | None) -> Iterator[Record]:
    """The rows of a slice that reaches down to a moment; None: without a lower bound.

    Raises:
        EndlessListError: The API does not go by the bound, so that each slice would hold all that is below it.
    """
    for row in rows:
        if down_to and any(created < down_to - _BEHIND for created in _created([row])):
            raise _ignored("creation_time.gt", "before")
        yield row


def _created(rows: Iterable[Record]) -> list[datetime]:
    return [moment for row in rows if (moment := instant_or_none(row.get("creation_time")))]


def _ignored(name: str, where: str) -> EndlessListError:
    return EndlessListError(
        f"OnceHub does not go by `{name}`: it lists rows that were created {where} the moment that was asked for, so "
        "the first load would never come to its end; try again later."
    )
