"""Numbers from runs: medians, spreads, and whether a goal is met."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Entry = Mapping[str, Any]
    """A program, its step, and its runs: a row of results.json."""


def middle(entry: Entry, measure: str) -> float:
    """The median of a figure over the runs."""
    return float(median(run[measure] for run in entry["runs"]))


def spread(entry: Entry, measure: str) -> tuple[float, float]:
    """The least and the most."""
    values = [run[measure] for run in entry["runs"]]
    return min(values), max(values)


def wrong(entry: Entry) -> str:
    """Faults of a program's results; empty where every run was right."""
    return next((run["wrong"] for run in entry["runs"] if run["wrong"]), "")


class Figures:
    """The entries of one work, by program and step."""

    def __init__(self, work: Mapping[str, Any]) -> None:
        self.limit: int | None = work.get("limit")
        self.window: float | None = work.get("window")
        self.entries: dict[tuple[str, str], Entry] = {
            (entry["program"], entry["step"]): entry for entry in work["entries"]
        }

    def __call__(self, program: str, measure: str, step: str = "") -> float:
        """A program's median."""
        return middle(self.entries[program, step], measure)


@dataclass(frozen=True)
class Goal:
    """A figure that is to be no larger than another."""

    text: str
    value: Callable[[Figures], float]
    most: float
    ours: str
    """The program that it is a goal for: what is wrong misses every goal."""


@dataclass(frozen=True)
class Judgement:
    """Result of a goal."""

    text: str
    most: float
    value: float | None
    """None where the programs that it needs have not been run."""
    met: bool
    why: str = ""

    @property
    def margin(self) -> str:
        """By how much."""
        if self.value is None or self.why:
            return self.why
        if not self.most or not self.value:
            return "" if self.met else f"by {self.value:g}"
        share = self.value / self.most - 1
        return f"{abs(share):.0%} {'below' if share <= 0 else 'above'}"


def judge(goal: Goal, work: Mapping[str, Any]) -> Judgement:
    """Return whether a goal is met by the figures of its work."""
    figures = Figures(work)
    faults = [wrong(entry) for (program, _), entry in figures.entries.items() if program == goal.ours]
    try:
        value = goal.value(figures)
    except (KeyError, ZeroDivisionError):
        return Judgement(goal.text, goal.most, None, met=False, why="not measured")
    if fault := next(filter(None, faults), ""):
        return Judgement(goal.text, goal.most, value, met=False, why=f"the result is wrong: {fault}")
    return Judgement(goal.text, goal.most, value, met=value <= goal.most)


def ratio(measure: str, ours: str, peer: str, most: float) -> Goal:
    """So many times a peer's figure."""
    names = {"wall": "wall time", "cpu": "CPU", "peak_mb": "peak memory", "state_bytes": "size of the state"}
    text = f"{names[measure]} of {ours} at most {most:.3g} times that of {peer}"
    return Goal(text, lambda of: of(ours, measure) / of(peer, measure), most, ours)


def bound(measure: str, ours: str, most: float, text: str) -> Goal:
    """A figure in itself."""
    return Goal(text, lambda of: of(ours, measure), most, ours)


def at_the_limit(ours: str, most: float) -> Goal:
    """The wall time against the least that the limit allows: whole windows, the last of which need not pass."""

    def value(of: Figures) -> float:
        let_through = of(ours, "requests") - of(ours, "refused")
        return of(ours, "wall") / floor(int(let_through), of.limit or 1, of.window or 1)

    return Goal(f"wall time of {ours} at most {most:.3g} times the least that the limit allows", value, most, ours)


def floor(requests: int, limit: int, window: float) -> float:
    """Seconds that so many requests take at the least, in fixed windows of which the first begins with the first."""
    return max(0, math.ceil(requests / limit) - 1) * window


def all_arrived(ours: str, step: str) -> Goal:
    """Every change between two runs, whole."""
    return Goal(f"changes that {ours} does not see", lambda of: of(ours, "missed", step), 0, ours)


def fewest(ours: str, step: str) -> Goal:
    """No program that saw all the changes made fewer requests; 0 where no other saw them all."""

    def value(of: Figures) -> float:
        peers = [
            middle(entry, "requests")
            for (program, at), entry in of.entries.items()
            if at == step and program != ours and _saw_all(of, program)
        ]
        return of(ours, "requests", step) / min(peers, default=math.inf)

    text = f"requests of {ours}, {step}: no more than the fewest of those who see every change"
    return Goal(text, value, 1, ours)


def _saw_all(figures: Figures, program: str) -> bool:
    entries = [entry for (name, _), entry in figures.entries.items() if name == program]
    return not any(wrong(entry) or middle(entry, "missed") for entry in entries if "missed" in entry["runs"][0])
