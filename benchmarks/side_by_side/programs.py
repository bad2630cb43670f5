"""The programs that are compared: how each is run, and how what it has written is read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from side_by_side import outputs
from side_by_side.environments import FOLDER, HOME, command, ours, python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Rows = Iterator[tuple[str, bytes]]

CATALOG = HOME / "catalog.json"
"""tap-calendly's, with `scheduled_events` and `event_invitees` alone selected."""


@dataclass(frozen=True)
class Run:
    """Input of one run of a program."""

    work: str
    """calendly, flat or nested."""
    folder: Path
    """Its own, and empty at the first step."""
    url: str = ""
    messages: str = ""
    """Of loaders: the file of Singer messages."""
    state: Any = None
    """Of a second run: what the first one said."""
    window: float = 60
    limit: int = 1_000_000
    """Requests in a window of so many seconds."""

    def file(self, name: str, content: Any) -> str:
        """A JSON file in the run's folder."""
        path = self.folder / name
        path.write_text(json.dumps(content))
        return str(path)


@dataclass(frozen=True)
class Program:
    """One row of a table."""

    name: str
    commands: Callable[[Run], list[list[str]]]
    rows: Callable[[Path], Rows] | None = None
    """Function that reads its output row by row; None where it loads DuckDB."""
    state: Callable[[Path], Any] | None = None
    """Function that returns the state for its next run."""
    size: int | None = None
    """Input that differs from the work's."""
    keys: Callable[[Path], Iterator[tuple[str, str]]] = field(default=outputs.tables)
    quick: bool = True
    """True if `make bench-quick` runs it: one of the variants of a program."""


def variant(program: Program) -> Program:
    """A program that differs from another in a setting alone."""
    return replace(program, quick=False)


def _script(environment: str, name: str, **options: Any) -> list[str]:
    interpreter = ours("python") if environment == "ours" else python(environment)
    return [interpreter, str(FOLDER / "programs" / name), json.dumps(options)]


def _singer(interpreter: str, script: str, run: Run, **settings: Any) -> list[str]:
    config = run.file("tap.json", {"api_url": run.url, "work": run.work, **settings})
    return [interpreter, str(FOLDER / "programs" / script), "--config", config]


def _from_rows(rows: Callable[[Path], Rows]) -> Callable[[Path], Iterator[tuple[str, str]]]:
    return lambda folder: outputs.identified(rows(folder))


def _writer(
    name: str,
    commands: Callable[[Run], list[list[str]]],
    rows: Callable[[Path], Rows] = outputs.singer,
    state: Callable[[Path], Any] | None = None,
    size: int | None = None,
) -> Program:
    return Program(name, commands, rows, state, size, _from_rows(rows))


def tap_calendly(concurrency: int, name: str = "tap-calendly", size: int | None = None) -> Program:
    """Ours, as it is installed."""

    def commands(run: Run) -> list[list[str]]:
        settings = {"api_key": "key", "api_url": run.url, "concurrency": concurrency, "requests_per_minute": run.limit}
        config = run.file("tap.json", settings)
        state = ["--state", run.file("state.json", run.state)] if run.state else []
        scaled = ["/usr/bin/env", f"BENCH_WINDOW={run.window}", ours("python"), f"{FOLDER}/programs/ours_limited.py"]
        program = [ours("tap-calendly")] if run.window == Run.window else scaled
        return [[*program, "--config", config, "--catalog", str(CATALOG), *state]]

    return _writer(name, commands, state=outputs.last_state, size=size)


def tap_list() -> Program:
    """Ours: one list on tap_common."""
    return _writer("tap_common", lambda run: [_ours_list(run)])


def _ours_list(run: Run) -> list[str]:
    return _singer(ours("python"), "ours_list.py", run, api_key="key")


def _template(run: Run) -> list[str]:
    return _singer(python("template"), "template.py", run)


def template(name: str = "template tap", *, partitions: bool = True) -> Program:
    """The SDK's template."""
    settings = {} if partitions else {"partitions": False}
    return _writer(name, lambda run: [_singer(python("template"), "template.py", run, **settings)])


def dlt(name: str, **options: Any) -> Program:
    """The REST API source of dlt, into files or DuckDB."""
    options = {"destination": "filesystem", **options}

    def commands(run: Run) -> list[list[str]]:
        return [_script("dlt", "dlt_rest.py", url=run.url, work=run.work, folder=str(run.folder), **options)]

    if options["destination"] == "duckdb":
        return Program(name, commands)
    return _writer(name, commands, outputs.dlt_files, state=lambda _: None)


def airbyte(name: str, concurrency: int, *, budget: bool = False, **options: Any) -> Program:
    """A declarative connector."""

    def commands(run: Run) -> list[list[str]]:
        more = dict(options)
        if budget:
            more |= {"limit": run.limit, "window": int(run.window)}
        if run.state:
            more["state"] = run.file("state.json", run.state)
        folder = str(run.folder)
        return [
            _script(
                "airbyte", "airbyte_read.py", url=run.url, work=run.work, folder=folder, concurrency=concurrency, **more
            )
        ]

    return _writer(name, commands, outputs.airbyte, state=outputs.airbyte_state)


def msdk() -> Program:
    """A tap that is nothing but settings."""

    def commands(run: Run) -> list[list[str]]:
        stream = {
            "name": "rows",
            "path": "/rows",
            "params": {"count": 100},
            "records_path": "$.collection[*]",
            "primary_keys": ["id" if run.work == "flat" else "uri"],
        }
        settings = {
            "api_url": run.url,
            "pagination_request_style": "jsonpath_paginator",
            "next_page_token_path": "$.pagination.next_page_token",
            "pagination_next_page_param": "page_token",
            "streams": [stream],
        }
        return [[command("msdk", "tap-rest-api-msdk"), "--config", run.file("tap.json", settings)]]

    return _writer("tap-rest-api-msdk", commands)


def by_hand(threads: int, name: str = "by hand") -> Program:
    """The floor."""
    work = {"calendly": "calendly", "flat": "list", "nested": "list"}
    return _writer(
        name, lambda run: [_script("bench", "by_hand.py", url=run.url, work=work[run.work], threads=threads)]
    )


def _target(program: str, run: Run) -> list[str]:
    settings = {"filepath": str(run.folder / "warehouse.duckdb"), "default_target_schema": "loaded"}
    return [program, "--config", run.file("target.json", settings)]


def our_target() -> Program:
    """Our loader alone."""
    return Program("target-duckdb (ours)", lambda run: [_target(ours("target-duckdb"), run)])


def known_target() -> Program:
    """The loader on PyPI alone."""
    return Program("target-duckdb 0.8.0", lambda run: [_target(command("target", "target-duckdb"), run)])


def dlt_load(name: str, **options: Any) -> Program:
    """The DuckDB destination of dlt alone."""
    return Program(
        name, lambda run: [_script("dlt", "dlt_load.py", file=run.messages, folder=str(run.folder), **options)]
    )


def our_pipe() -> Program:
    """Ours, from the API into DuckDB."""
    return Program("ours | ours", lambda run: [_ours_list(run), _target(ours("target-duckdb"), run)])


def known_pipe() -> Program:
    """Earlier tools: a tap as the template writes it, and the loader on PyPI."""
    target = command("target", "target-duckdb")
    return Program("template tap | target-duckdb 0.8.0", lambda run: [_template(run), _target(target, run)])
