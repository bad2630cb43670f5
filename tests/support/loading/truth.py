"""Comparing a warehouse with what the sandbox says a perfect sync would hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_common.state.timestamps import instant
from visibility import Finding, Key, Known, Row, past

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from api import Api
    from harness import Run, Runner
    from sandbox import Sandbox


@dataclass
class Judge:
    """Knows what was ever true, and what the tap says that it does not see."""

    api: Api
    sandbox: Sandbox
    known: Known = field(default_factory=lambda: Known({}))
    explained: set[str] = field(default_factory=set)
    """Known gaps that were met."""
    _truths: dict[str, dict[Key, Row]] = field(default_factory=dict)
    _at: tuple[int, datetime] | None = None
    """The state of the world, and the moment, to which `_truths` belong."""

    def verdict(self, runner: Runner, streams: Iterable[str] | None = None) -> dict[str, list[str]]:
        """The differences of each stream that has any, in words, at most ten each, after a whole run.

        Not those that the tap's own page lists.
        """
        verdict = {}
        for stream in self.api.default_streams() if streams is None else streams:
            found = [finding for finding in self._findings(runner, stream) if not self._explained(finding)]
            if found:
                verdict[stream] = sorted(map(str, found))[:10]
        return verdict

    def check(self, runner: Runner, streams: Iterable[str] | None = None) -> None:
        """Compare the warehouse with the source after a whole run.

        Raises:
            AssertionError: They differ; with a line for each difference.
        """
        found = self.verdict(runner, streams)
        lines = [f"  {stream}: {line}" for stream, differences in found.items() for line in differences]
        if lines:
            raise AssertionError("\n".join(["The warehouse is not the source:", *lines]))

    def note(self, streams: Iterable[str]) -> None:
        """Remember what is true now: what a run may have met on its way."""
        for stream in streams:
            self._truth(stream)

    def _truth(self, stream: str) -> dict[Key, Row]:
        """The rows of a stream, which are what they were as long as the world is what it was."""
        world = self.sandbox.world
        if self._at != (world.version, world.now):
            self._at = world.version, world.now
            self._truths = {}
        if stream not in self._truths:
            keys = self.api.keys(stream)
            rows = self.api.table(stream, self.sandbox.truth(self.api.name, stream))
            self._truths[stream] = {tuple(row[key] for key in keys): row for row in rows}
            self._remember(stream)
        return self._truths[stream]

    def _remember(self, stream: str) -> None:
        forms = self.known.rows.setdefault(stream, {})
        for key, row in self._truths[stream].items():
            known = forms.setdefault(key, [])
            if not known or known[-1] != row:
                known.append(row)

    def _findings(self, runner: Runner, stream: str) -> Iterator[Finding]:
        run = runner.runs.last
        assert run is not None
        truth = self._truth(stream)
        rows = runner.warehouse.rows.get(stream)
        if rows is None:
            yield Finding(stream, ("no such table",), None, {}, frozenset(), former=False, run=run, known=self.known)
            return
        for key in truth.keys() | rows.keys():
            theirs, ours = truth.get(key), rows.get(key)
            row = ours and ours | (ours.get("_extra") or {})
            columns = frozenset(differing(row, theirs)) if row and theirs else frozenset()
            columns -= self._not_kept(stream, row, theirs)
            if (row and theirs and not columns) or self._before_start(stream, row, theirs, run):
                continue
            forms = self.known.rows[stream].get(key, [])
            former = row is not None and any(not differing(row, form) for form in forms)
            yield Finding(stream, key, row, theirs, columns, former, run, self.known)

    def _not_kept(self, stream: str, row: Row | None, truth: Row | None) -> set[str]:
        """Return the null columns whose odd values are kept nowhere: those of resources with a secret."""
        [kind] = [kind for kind in self.api.tap.stream_types if kind.name == stream]
        odd = getattr(self.sandbox, self.api.name).odd
        if kind.keeps_odd_values or row is None or truth is None:
            return set()
        return {name for name, value in odd.items() if row.get(name) is None and truth.get(name) == value}

    def _before_start(self, stream: str, row: Row | None, truth: Row | None, run: Run) -> bool:
        """Return whether a row lies before the start date, in its present or an earlier form."""
        start, begins = run.settings.get("start_date"), self.api.begins.get(stream)
        if not start or not begins:
            return False
        moments = [begins(one, self.known) for one in (row, truth) if one]
        return any(moment is not None and past(moment) < instant(start) for moment in moments)

    def _explained(self, finding: Finding) -> bool:
        for unseen in self.api.unseen:
            if finding.stream in unseen.streams and unseen.explains(finding):
                self.explained.add(unseen.what)
                return True
        return False


def differing(row: Mapping[str, object], truth: Mapping[str, object]) -> list[str]:
    """The columns in which a row is not what the source says."""
    return [name for name, value in truth.items() if row.get(name) != value]
