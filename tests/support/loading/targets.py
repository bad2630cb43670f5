"""Singer programs of the package index in environments of their own, and what the targets among them write."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from api import settings
from commands import BIN
from loaded import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from api import Api
    from loaded import Project
    from sandbox import Sandbox

Row = dict[str, Any]

PAGE = (ROOT / "docs" / "guides" / "loaders.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"`(\w+\.meltano\.yml)`.*?```yaml\n(.*?)```", PAGE, re.DOTALL))
"""Files that the page has its reader write, by name."""


def declared(name: str) -> dict[str, Any]:
    """A loader as the page declares it."""
    there = (loader for text in FILES.values() for loader in YAML(typ="safe").load(text)["plugins"]["loaders"])
    return next(loader for loader in there if loader["name"] == name)


def declare(project: Project, file: str) -> None:
    """Write a file of the page into a project, as it is printed."""
    (project.folder / file).write_text(FILES[file], encoding="utf-8")


def _requirements(name: str) -> list[str]:
    return shlex.split(declared(name)["pip_url"].replace("${MELTANO_PROJECT_ROOT}", str(ROOT)))


PROGRAMS = {
    "target-jsonl": _requirements("target-jsonl"),
    "target-csv": _requirements("target-csv"),
    "target-duckdb": ["target-duckdb==0.8.0", "duckdb==1.2.2"],
    "singer-check-tap": ["singer-tools==0.4.1", "singer-python==6.8.0", "attrs==16.3.0"],
}
"""Each program, and what is installed for it. The old ones do not say with which versions of others they work."""

REPAIRED = """
from jsonschema import validators
from singertools import check_tap

extend = check_tap.extend_with_default

def extended(base):
    checking = extend(base)
    check = checking.VALIDATORS["properties"]

    def properties(validator, names, instance, schema):
        return check(validator, names, instance, schema) if isinstance(instance, dict) else ()

    return validators.extend(checking, {"properties": properties})

check_tap.extend_with_default = extended
check_tap.main()
"""
"""The checker without a fault: an object that is null breaks it off where the schema has a date-time in that object."""


class NotInstalledError(Exception):
    """A program cannot be installed, and why."""


@dataclass(frozen=True)
class Environment:
    """Folder in which a program is installed."""

    program: str
    folder: Path

    def run(self, lines: bytes, config: Mapping[str, Any]) -> list[str]:
        """Give a target the messages of a run; returns the lines of its output."""
        file = self.folder / "config.json"
        file.write_text(json.dumps(config))
        return self._run(lines, self.folder / "bin" / self.program, "--config", file).splitlines()

    def check(self, lines: bytes) -> str:
        """Return the output of the repaired checker for the messages of a run."""
        return self._run(lines, self.folder / "bin" / "python", "-c", REPAIRED)

    def _run(self, lines: bytes, *command: Path | str) -> str:
        # What is compiled at the first start is kept for the next ones.
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        done = subprocess.run(
            command, input=lines, env=kept, capture_output=True, check=False, cwd=self.folder, timeout=100
        )
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        return done.stdout.decode()


def installed(program: str, folder: Path) -> Environment:
    """A program in a new environment, with this Python; the second time without the network.

    Raises:
        NotInstalledError: There is no index, or it lacks something.
    """
    uv, python = str(BIN / "uv"), folder / "bin" / "python"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True, timeout=100)
    command = [uv, "pip", "install", "--quiet", "--no-compile-bytecode", f"--python={python}", *PROGRAMS[program]]
    for cached in ("--offline", "--no-offline"):
        done = subprocess.run([*command, cached], capture_output=True, text=True, check=False, timeout=200)
        if not done.returncode:
            return Environment(program, folder)
    raise NotInstalledError(f"{program} cannot be installed: {' '.join(done.stderr.split())[-300:]}")


@dataclass(frozen=True)
class Sync:
    """Lines of one run of a tap."""

    lines: bytes
    messages: list[dict[str, Any]]

    @property
    def state(self) -> Any:
        """The last state."""
        return next(message["value"] for message in reversed(self.messages) if message["type"] == "STATE")

    @property
    def records(self) -> dict[str, list[Row]]:
        """The rows of each stream, in order; none of a stream that is announced and has none."""
        rows: dict[str, list[Row]] = {one["stream"]: [] for one in self.messages if one["type"] == "SCHEMA"}
        for message in self.messages:
            if message["type"] == "RECORD":
                rows[message["stream"]].append(message["record"])
        return rows


def exact(line: str | bytes) -> Any:
    """A line of JSON, every digit kept."""
    return json.loads(line, parse_float=Decimal)


def sync(api: Api, sandbox: Sandbox, folder: Path, after: Sync | None = None) -> Sync:
    """A run of the tap's command over every stream, from the state of the run before."""
    catalog = api.tap(config={}, validate_config=False).catalog
    for entry in catalog.streams:
        entry.metadata.root.selected = True
    given = {"config": settings(api, sandbox) | {"requests_per_minute": 60_000}, "catalog": catalog.to_dict()}
    given |= {"state": after.state} if after else {}
    for name, value in given.items():
        (folder / f"{name}.json").write_text(json.dumps(value, default=float))
    options = [f"--{name}={folder / name}.json" for name in given]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TAP_")}
    done = subprocess.run([BIN / api.tap.name, *options], env=kept, capture_output=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return Sync(done.stdout, [exact(line) for line in done.stdout.splitlines()])


def read_jsonl(folder: Path) -> dict[str, list[Row]]:
    """The rows of the files of target-jsonl."""
    return {
        file.stem: [exact(line) for line in file.read_text(encoding="utf-8").splitlines()]
        for file in folder.glob("*.jsonl")
    }


def read_csv(folder: Path) -> dict[str, list[Row]]:
    """The rows of the files of target-csv, file after file."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for file in sorted(folder.glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as lines:
            rows[file.name.partition("-")[0].removesuffix(".csv")] += csv.DictReader(lines)
    return rows


def as_csv(row: Row, properties: Mapping[str, Any]) -> Row:
    """A row as target-csv writes it."""
    return {name: _text(row.get(name), definition) for name, definition in properties.items()}


def _text(value: Any, definition: Mapping[str, Any]) -> str:
    if value is None:
        return ""
    if isinstance(value, str) and definition.get("format") == "date-time":
        return str(datetime.fromisoformat(value))
    return str(value)


def last_of_each(rows: Sequence[Row], keys: Sequence[str]) -> dict[tuple[Any, ...], Row]:
    """The last row of each key."""
    return {tuple(row[key] for key in keys): row for row in rows}
