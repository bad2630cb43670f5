"""Choosing what something happens to, in a way that shrinks well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sandbox.world import World

T = TypeVar("T")


class NothingToChooseError(Exception):
    """There is nothing that this could happen to."""


@dataclass(frozen=True)
class Choice:
    """Chooses the `nth` newest of what there is, counting round and round."""

    nth: int

    def __call__(self, options: Iterable[T]) -> T:
        """One of them, which are in order of creation.

        Raises:
            NothingToPickError: There is none.
        """
        found = list(options)
        if not found:
            raise NothingToChooseError
        return found[-1 - self.nth % len(found)]


def named(*mutations: Callable[[World, Choice], object]) -> Mapping[str, Callable[[World, Choice], object]]:
    """Acts by their names."""
    return {act.__name__: act for act in mutations}
