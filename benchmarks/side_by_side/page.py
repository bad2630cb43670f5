"""RESULTS.md, and the same tables on a terminal."""

from __future__ import annotations

import json
import sys
import tomllib
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from side_by_side.environments import FOLDER
from side_by_side.figures import Judgement, judge, middle, spread, wrong
from side_by_side.works import WORKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

RESULTS = FOLDER / "results.json"
PAGE = FOLDER / "RESULTS.md"
REASONS = FOLDER / "reasons.toml"
"""Why a goal is missed, by work and the goal's text; written by hand."""

_HEAD = """# Results

Made by `make bench`; [README.md](README.md) says how to read it, [results.json](results.json) has every run. Wall and
CPU seconds are medians, with the least and the most of all runs behind; CPU is user and system time of all processes of
a program; the peak is that of its largest process.

![Wall time of every program: green are ours, red is wrong or incomplete](results.svg)
"""


def reasons() -> dict[str, dict[str, str]]:
    """The hand-written reasons."""
    return tomllib.loads(REASONS.read_text()) if REASONS.exists() else {}


def save(results: Mapping[str, Any]) -> None:
    """Put works into results.json; those that were not run stay as they were."""
    kept = {work["name"]: work for work in json.loads(RESULTS.read_text())["works"]} if RESULTS.exists() else {}
    found = kept | {work["name"]: work for work in results["works"]}
    works = [found[work.name] for work in WORKS if work.name in found]
    RESULTS.write_text(json.dumps({**results, "works": works}, indent=1) + "\n")


def text(results: Mapping[str, Any], why: Mapping[str, Mapping[str, str]]) -> str:
    """The page."""
    parts = [_HEAD, _facts(results), _goals(results, why)]
    for work in results["works"]:
        parts.append(f"## {_title(work)}\n")
        parts.append(f"{work['note']}\n\nMeasured on {work['date']}.\n".lstrip())
        parts.append(_markdown(_columns(work), _lines(work)))
    return "\n".join(parts)


def show(works: Sequence[Mapping[str, Any]], *, goals: bool) -> None:
    """The tables on the terminal."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    for work in works:
        table = Table(*_columns(work), title=_title(work))
        for line in _lines(work):
            table.add_row(*line)
        console.print(table)
        for goal in judgements(work) if goals else ():
            mark = "met   " if goal.met else "MISSED"
            console.print(f"  {mark} {_value(goal)}: {goal.text}{goal.margin and f' ({goal.margin})'}", highlight=False)


def judgements(work: Mapping[str, Any]) -> list[Judgement]:
    """Return the results of a work's goals."""
    goals = next(declared.goals for declared in WORKS if declared.name == work["name"])
    return [judge(goal, work) for goal in goals]


def _title(work: Mapping[str, Any]) -> str:
    return f"{work['title']} ({work['size']:,})"


def _facts(results: Mapping[str, Any]) -> str:
    facts = {**results["machine"], **results["versions"]}
    return _markdown(["", ""], [list(fact) for fact in facts.items()])


def _goals(results: Mapping[str, Any], why: Mapping[str, Mapping[str, str]]) -> str:
    lines = []
    for work in results["works"]:
        for goal in judgements(work):
            reason = "" if goal.met else why.get(work["name"], {}).get(goal.text, "")
            met = "met" if goal.met else "**missed**"
            lines.append([work["title"], goal.text, _value(goal), f"{met}, {goal.margin}".rstrip(", "), reason])
    return "## Goals\n\n" + _markdown(["work", "goal", "measured", "", "why it is missed"], lines)


def _value(goal: Judgement) -> str:
    return "" if goal.value is None else f"{goal.value:.3g}"


def _columns(work: Mapping[str, Any]) -> list[str]:
    columns = ["program", "wall s", "CPU s", "peak MB"]
    runs = [run for entry in work["entries"] for run in entry["runs"]]
    if any("requests" in run for run in runs):
        columns += ["requests", "429s", "server's CPU s"]
    if any("missed" in run for run in runs):
        columns += ["changes seen"]
    if work["name"] == "growth":
        columns += ["state bytes"]
    return [*columns, "runs", "result"]


def _lines(work: Mapping[str, Any]) -> Iterator[list[str]]:
    columns = _columns(work)
    for entry in work["entries"]:
        if not entry["runs"]:
            continue
        cells = {
            "program": ", ".join(filter(None, [entry["program"], entry["step"]])),
            "wall s": _with_spread(entry, "wall"),
            "CPU s": _with_spread(entry, "cpu"),
            "peak MB": f"{middle(entry, 'peak_mb'):,.0f}",
            "runs": str(len(entry["runs"])),
            "result": _result(entry),
        }
        if "requests" in columns:
            cells["requests"] = f"{middle(entry, 'requests'):,.0f}"
            cells["429s"] = f"{middle(entry, 'refused'):,.0f}"
            cells["server's CPU s"] = f"{middle(entry, 'server_cpu'):.2f}"
        if "missed" in entry["runs"][0]:
            seen = entry["runs"][0]["arrived"]
            cells["changes seen"] = ", ".join(f"{kind} {found} of {all_}" for kind, (found, all_) in seen.items())
        if "state_bytes" in entry["runs"][0]:
            cells["state bytes"] = f"{middle(entry, 'state_bytes'):,.0f}"
        yield [cells.get(column, "") for column in columns]


def _with_spread(entry: Mapping[str, Any], measure: str) -> str:
    least, most = spread(entry, measure)
    shown = f"{middle(entry, measure):.2f}"
    return shown if len(entry["runs"]) == 1 else f"{shown} ({least:.2f} to {most:.2f})"


def _result(entry: Mapping[str, Any]) -> str:
    fault = wrong(entry)
    if fault:
        return f"WRONG: {fault}"
    rows = entry["runs"][0].get("rows")
    return "" if rows is None else f"{rows:,} rows"


def _markdown(columns: list[str], lines: Iterator[list[str]] | list[list[str]]) -> str:
    rule = [
        "---" if column in ("program", "result", "work", "goal", "", "why it is missed") else "---:"
        for column in columns
    ]
    cells = [[cell.replace("|", "\\|") for cell in line] for line in [columns, rule, *lines]]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells) + "\n"
