"""Faults of responses, for any API: by script or by chance."""

from __future__ import annotations

import random
import re
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS = (
    "429",
    "429-retry-after",
    "408",
    "425",
    "500",
    "502-html",
    "503",
    "504",
    "reset",
    "truncated",
    "html",
    "slow",
    "stale-token",
    "empty-json",
    "date-ahead",
    "date-behind",
    "no-date",
    "byte-order-mark",
)
"""Kinds of transient fault. A script may also use those of `FINAL`, and "ok", which lets one request pass."""
FINAL = ("204", "401")
"""Kinds of permanent fault."""
MOST_IN_A_ROW = 3
TOKENS = ("page_token",)
"""Query parameters with a page token that can become stale."""


@dataclass(slots=True)
class Script:
    """Faults for the next requests whose path matches, in order."""

    pattern: re.Pattern[str]
    kinds: deque[str]


@dataclass(slots=True)
class Chance:
    """Random faults. They are reproducible: the n-th try of a request always draws the same."""

    rate: float
    seed: int
    kinds: tuple[str, ...]
    tries: Counter[str] = field(default_factory=Counter)
    in_a_row: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Faults:
    """The faults to come, and in `injected` the path and kind of those that came.

    `slow_seconds` is the delay of "slow", `retry_after` the value of the header of "429-retry-after", both in seconds.
    """

    slow_seconds: float = 0.05
    retry_after: int = 1
    injected: list[tuple[str, str]] = field(default_factory=list)
    _scripts: list[Script] = field(default_factory=list)
    _chance: Chance | None = None

    def script(self, path: str, kinds: Iterable[str]) -> None:
        """Inject faults, in this order, into the next requests whose path matches the regular expression.

        Raises:
            ValueError: a kind is unknown.
        """
        self._scripts.append(Script(re.compile(path), deque(known(kinds, (*KINDS, *FINAL, "ok")))))

    def randomly(self, rate: float = 0.05, seed: int = 1, kinds: Iterable[str] = KINDS) -> None:
        """Inject faults into a share of all requests, but never into the same one more than three times in a row.

        Raises:
            ValueError: a kind is unknown.
        """
        self._chance = Chance(rate, seed, tuple(known(kinds, KINDS)))

    def clear(self) -> None:
        """Remove all faults."""
        self._scripts.clear()
        self._chance = None

    def draw(self, method: str, path: str, query: list[tuple[str, str]]) -> str | None:
        """Return the fault of a request, if it gets one; `path` begins with the API's name."""
        has_token = any(name in TOKENS for name, _ in query)
        kind = self._scripted(path, has_token=has_token) or self._drawn(f"{method} {path} {query}", has_token=has_token)
        if kind is None or kind == "ok":
            return None
        self.injected.append((path, kind))
        return kind

    def _scripted(self, path: str, *, has_token: bool) -> str | None:
        relative = path[path.find("/", 1) :]
        for script in self._scripts:
            if script.kinds and (script.pattern.search(path) or script.pattern.search(relative)):
                if script.kinds[0] == "stale-token" and not has_token:
                    continue
                return script.kinds.popleft()
        return None

    def _drawn(self, request: str, *, has_token: bool) -> str | None:
        chance = self._chance
        if chance is None:
            return None
        chance.tries[request] += 1
        luck = random.Random(f"{chance.seed}|{request}|{chance.tries[request]}")  # noqa: S311 -- reproducible
        kinds = [kind for kind in chance.kinds if has_token or kind != "stale-token"]
        if not kinds or luck.random() >= chance.rate or chance.in_a_row[request] >= MOST_IN_A_ROW:
            chance.in_a_row[request] = 0
            return None
        chance.in_a_row[request] += 1
        return luck.choice(kinds)


def known(kinds: Iterable[str], allowed: tuple[str, ...]) -> list[str]:
    """Return the kinds of faults if all of them are known."""
    kinds = list(kinds)
    unknown = sorted(set(kinds) - set(allowed))
    if unknown:
        raise ValueError(f"unknown faults {', '.join(unknown)}; choose from {', '.join(allowed)}")
    return kinds
