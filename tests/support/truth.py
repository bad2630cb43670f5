"""Comparing a warehouse with what the sandbox says a perfect sync would hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness import Runner, differences

if TYPE_CHECKING:
    from collections.abc import Iterable

    from api import Api
    from sandbox import Sandbox


@dataclass
class Judge:
    """Remembers what was ever true, so that rows of things that are gone may stay where nothing tells of it."""

    api: Api
    sandbox: Sandbox
    ever: dict[str, set[tuple[Any, ...]]] = field(default_factory=dict)

    def verdict(self, runner: Runner, streams: Iterable[str] | None = None) -> dict[str, list[str]]:
        """The differences of each stream that has any."""
        return {
            stream: found
            for stream in streams or self.api.default_streams()
            if (found := self._differences(runner, stream))
        }

    def _differences(self, runner: Runner, stream: str) -> list[str]:
        keys = runner.warehouse.keys.get(stream)
        if keys is None:
            return ["no such table"]
        truth = self.api.table(stream, self.sandbox.truth(self.api.name, stream))
        now = {tuple(row[key] for key in keys) for row in truth}
        before = self.ever.setdefault(stream, set())
        gone = before - now if stream in self.api.kept else set()
        before |= now
        rows = {key: row for key, row in runner.warehouse.rows[stream].items() if key not in gone}
        return differences(rows, keys, truth)
