"""Work that runs ahead on a pool while its results are used in order."""

from __future__ import annotations

from collections import deque
from concurrent.futures import wait
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from tap_common.http.clock import TURN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor, Future

T = TypeVar("T")
R = TypeVar("R")


def prefetch(pool: Executor, work: Callable[[T], R], items: Iterable[T], most: int) -> Iterator[tuple[T, Future[R]]]:
    """Each item with the future of `work(item)`, which is done, in the order of the items.

    At most `most` items are under way or waiting to be used; what has not begun is cancelled when the
    caller stops early.
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
        wait([future], timeout=TURN)
    return item, future


def prefetch_first(values: Iterable[T]) -> Iterator[T]:
    """The same values, the first of them already fetched."""
    rest = iter(values)
    for first in rest:
        return chain([first], rest)
    return rest
