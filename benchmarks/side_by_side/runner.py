"""Runs the programs of a work in turn, and takes down what each took and whether it was right."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from side_by_side import outputs
from side_by_side.data import Calendar, flat_keys, nested_keys
from side_by_side.environments import FOLDER, HOME, ours, python
from side_by_side.figures import middle
from side_by_side.programs import CATALOG, Run, template
from side_by_side.serving import Server, serving
from side_by_side.works import TEN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from side_by_side.programs import Program
    from side_by_side.works import Work

SLOW = 12.0
"""Seconds: what takes longer in its first round is not run again."""
TIME_OUT = 1200.0
"""Seconds after which a program is ended."""
_RUNS = HOME / "runs"


def choose_streams() -> None:
    """Write the catalog that selects meetings and invitees alone."""
    found = subprocess.run([ours("tap-calendly"), "--discover"], check=True, capture_output=True)  # noqa: S603 - our own
    catalog = json.loads(found.stdout)
    for stream in catalog["streams"]:
        wanted = stream["tap_stream_id"] in outputs.KEYS
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = wanted
    CATALOG.write_text(json.dumps(catalog))


def run_work(work: Work, *, quick: bool, rounds: int | None = None) -> dict[str, Any]:
    """A work of results.json: every program, round after round."""
    size = work.quick if quick else work.size
    limit, window = (work.quick_limit or (work.limit, work.window)) if quick else (work.limit, work.window)
    programs = [program for program in work.programs if program.quick or not quick]
    entries: dict[tuple[str, str], dict[str, Any]] = {
        (program.name, step): {"program": program.name, "step": step, "runs": []}
        for program in programs
        for step in work.steps
    }
    rounds = rounds or (1 if quick else work.rounds)
    with ExitStack() as stack:
        sources: dict[int, _Turns] = {}
        for program in programs:
            own = _size(program, work, size)
            if own not in sources:
                sources[own] = stack.enter_context(_reading(work, own, limit, window))
        for turn in range(rounds):
            for program in programs:
                first = entries[program.name, work.steps[0]]
                if turn and middle(first, "wall") > SLOW:
                    continue
                source = sources[_size(program, work, size)]
                for step, taken in source.steps(program):
                    entries[program.name, step]["runs"].append(taken)
                    _say(work, program, step, taken)
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "name": work.name,
        "title": work.title,
        "size": size,
        "note": work.note,
        "limit": limit,
        "window": window,
        "steps": list(work.steps),
        "entries": list(entries.values()),
    }


def _size(program: Program, work: Work, size: int) -> int:
    return size if program.size is None else max(1, size * program.size // work.size)


def _say(work: Work, program: Program, step: str, taken: dict[str, Any]) -> None:
    what = ", ".join(filter(None, [work.name, program.name, step]))
    text = f"{what}: {taken['wall']:.2f} s, CPU {taken['cpu']:.2f} s, {taken['peak_mb']:.0f} MB {taken['wrong']}"
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - progress


@contextmanager
def _reading(work: Work, size: int, limit: int | None, window: float) -> Iterator[_Turns]:
    """Source of a work's programs: a server, or a file."""
    expected = outputs.summary(_expected(work.shape, size))
    if work.source == "messages":
        yield _Turns(work, expected, messages=str(messages(work.shape, size)))
        return
    options = ["--latency", str(work.latency)]
    if limit:
        options += ["--limit", str(limit), "--window", str(window)]
    with serving(work.shape, size, *options) as server:
        yield _Turns(work, expected, server, limit=limit, window=window)


@dataclass(frozen=True)
class _Turns:
    """Runs one program at a time."""

    work: Work
    expected: dict[str, Any]
    server: Server | None = None
    messages: str = ""
    limit: int | None = None
    window: float = 60

    def steps(self, program: Program) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each step of a program, with what it took."""
        folder = _RUNS / self.work.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        state = None
        if self.server:
            self.server.tell("reset")
        for number, step in enumerate(self.work.steps):
            changes = self.server.tell("change") if self.server and step == TEN else []
            for table in folder.glob("files/loaded/*/*.jsonl"):
                if table.parent.name in outputs.KEYS:
                    table.unlink()  # what an earlier step loaded
            taken = self._run(program, folder, state)
            if number == 0:
                found = outputs.summary(program.keys(folder)) if not any(taken["codes"]) else {"rows": 0, "digest": ""}
                taken |= found | {"wrong": outputs.verdict(found, self.expected, taken["codes"])}
            else:
                taken |= {"wrong": outputs.failure(taken["codes"])}
            if changes and program.rows:
                kinds = outputs.arrived(program.rows(folder), changes)
                taken |= {"arrived": kinds, "missed": sum(all_ - seen for seen, all_ in kinds.values())}
            if program.state and not taken["wrong"]:
                state = program.state(folder)
                taken["state_bytes"] = len(json.dumps(state))
            yield step, taken
        shutil.rmtree(folder)

    def _run(self, program: Program, folder: Path, state: Any) -> dict[str, Any]:
        server = self.server
        url = server.url if server else ""
        run = Run(self.work.shape, folder, url, self.messages, state)
        if self.limit:
            run = replace(run, limit=self.limit, window=self.window)
        spec = {
            "commands": program.commands(run),
            "stdin": self.messages or os.devnull,
            "stdout": str(folder / "stdout"),
            "stderr": str(folder / "stderr"),
        }
        if server:
            server.tell("count")
        taken = measured(spec)
        if server:
            taken |= server.tell("report")
        if any(taken["codes"]):
            shutil.copy(folder / "stderr", _RUNS / f"{self.work.name}-{program.name.replace(' ', '-')}.log")
        return taken


def measured(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the cost of a pipe of commands; one that does not end is killed, and has failed."""
    command = [python("bench"), "-m", "side_by_side.measured", json.dumps(spec)]
    with subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE, start_new_session=True) as process:  # noqa: S603
        try:
            taken: dict[str, Any] = json.loads(process.communicate(timeout=TIME_OUT)[0])
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return {"wall": TIME_OUT, "cpu": 0.0, "peak_mb": 0.0, "codes": [-signal.SIGKILL]}
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return taken


def _expected(shape: str, size: int) -> Iterator[tuple[str, str]]:
    if shape == "calendly":
        return Calendar(size).keys()
    return flat_keys(size) if shape == "flat" else nested_keys(size)


def messages(shape: str, size: int) -> Path:
    """The template tap's messages of one list; made again where the data or the tap have changed."""
    sources = [FOLDER / "side_by_side/data.py", FOLDER / "programs/template.py", FOLDER / "requirements/template.txt"]
    digest = sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    path = HOME / f"messages-{shape}-{size}-{digest}.jsonl"
    if not path.exists():
        folder = _RUNS / f"messages-{shape}"
        folder.mkdir(parents=True, exist_ok=True)
        with serving(shape, size) as server:
            commands = template().commands(Run(shape, folder, server.url))
            made = folder / "made.jsonl"
            spec = {"commands": commands, "stdin": os.devnull, "stdout": str(made), "stderr": str(folder / "stderr")}
            if any(measured(spec)["codes"]):
                raise RuntimeError(f"The template tap failed: {folder / 'stderr'} says why.")
        for old in HOME.glob(f"messages-{shape}-{size}-*"):
            old.unlink()
        made.rename(path)
    return path
