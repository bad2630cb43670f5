"""Parts of the world with a random generator of their own."""

from __future__ import annotations

import random
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    from sandbox.world.company import Company

T = TypeVar("T")
P = ParamSpec("P")
E = TypeVar("E", bound="Extension")


def change(method: Callable[Concatenate[E, P], T]) -> Callable[Concatenate[E, P], T]:
    """Mark a method that changes the world: changes come one at a time, and caches of the old state are void."""

    @wraps(method)
    def changing(self: E, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self.world.lock:
            self.world.version += 1
            return method(self, *args, **kwargs)

    return changing


class Extension:
    """A part of the world with a random generator of its own, so that its draws change nothing else."""

    def __init__(self, world: Company, name: str) -> None:
        self.world = world
        self.random = random.Random(f"{world.seed}/{name}")  # noqa: S311 -- a reproducible world, no secret

    @property
    def now(self) -> datetime:
        """The world's time."""
        return self.world.now

    def chance(self, probability: float) -> bool:
        """Return True with a probability."""
        return self.random.random() < probability

    def pick(self, options: Sequence[T]) -> T:
        """Draw one of several options."""
        return self.random.choice(options)

    def at(self, when: datetime, act: Callable[..., object], *args: Any) -> None:
        """Call `act(*args)` at a time to come."""
        self.world.at(when, lambda _: act(*args))

    def after(self, delay: timedelta, act: Callable[..., object], *args: Any) -> None:
        """Call `act(*args)` after a while."""
        self.at(self.now + delay, act, *args)
