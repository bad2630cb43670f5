"""Concurrent work whose results are used in order."""

from __future__ import annotations

from collections import deque
from concurrent.futures import wait
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from tap_common.http.clock import POLL_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor, Future

T = TypeVar("T")
R = TypeVar("R")


def prefetch(pool: Executor, work: Callable[[T], R], items: Iterable[T], most: int) -> Iterator[tuple[T, Future[R]]]:
    """Yield each item with the finished future of `work(item)`, in the order of the items.

    At most `most` items are in progress or waiting to be used. Work that has not begun is cancelled if the caller
    stops early.
    """
    waiting: deque[tuple[T, Future[R]]] = deque()
    try:
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            if len(waiting) >= most:
                yield _done(*waiting.popleft())
        while waiting:
            yield _done(*waiting.popleft())
    finally:
        for _, future in waiting:
            future.cancel()


def _done(item: T, future: Future[R]) -> tuple[T, Future[R]]:
    while not future.done():
        wait([future], timeout=POLL_SECONDS)
    return item, future


def prefetch_first(values: Iterable[T]) -> Iterator[T]:
    """Return an iterator over the same values, with the first already fetched."""
    rest = iter(values)
    for first in rest:
        return chain([first], rest)
    return rest
