"""Choosing what something happens to, in a way that shrinks well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sandbox.world import World

T = TypeVar("T")


class NothingToPickError(Exception):
    """There is nothing that this could happen to."""


@dataclass(frozen=True)
class Pick:
    """Chooses the `nth` newest of what there is, counting round and round."""

    nth: int

    def __call__(self, options: Iterable[T]) -> T:
        """One of them, which are in order of creation.

        Raises:
            NothingToPickError: There is none.
        """
        found = list(options)
        if not found:
            raise NothingToPickError
        return found[-1 - self.nth % len(found)]


def named(*acts: Callable[[World, Pick], object]) -> Mapping[str, Callable[[World, Pick], object]]:
    """Acts by their names."""
    return {act.__name__: act for act in acts}
