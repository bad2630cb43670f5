"""Singer messages, loads and read-backs for the tests."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import duckdb

from target_duckdb.target import TargetDuckDB

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

Message = dict[str, Any]
Json = Any

TEXT = {"type": ["null", "string"]}
INTEGER = {"type": ["null", "integer"]}
NUMBER = {"type": ["null", "number"]}
MOMENT = {"type": ["null", "string"], "format": "date-time"}


def schema(stream: str, properties: dict[str, Json], keys: Sequence[str] = ("id",)) -> Message:
    """A SCHEMA message."""
    return {"type": "SCHEMA", "stream": stream, "schema": {"properties": properties}, "key_properties": list(keys)}


def record(stream: str, version: int | None = None, **values: Json) -> Message:
    """A RECORD message."""
    message = {"type": "RECORD", "stream": stream, "record": values}
    return message if version is None else message | {"version": version}


def activate(stream: str, version: int) -> Message:
    """An ACTIVATE_VERSION message."""
    return {"type": "ACTIVATE_VERSION", "stream": stream, "version": version}


def state(value: Json = None) -> Message:
    """A STATE message."""
    return {"type": "STATE", "value": {"done": True} if value is None else value}


def text_of(messages: Iterable[Message | str]) -> str:
    """The messages, one a line; a string stands for itself."""
    return "".join(f"{message if isinstance(message, str) else json.dumps(message)}\n" for message in messages)


def load(file: Path, messages: Iterable[Message | str], **settings: Json) -> list[str]:
    """Load messages within this process; returns the states that came out."""
    target = TargetDuckDB(config={"filepath": str(file), **settings})
    out = io.StringIO()
    try:
        with redirect_stdout(out):
            target.listen(io.StringIO(text_of(messages)))
    finally:
        target.warehouse.close()
    return out.getvalue().splitlines()


def command(config: Path, file: Path, **settings: Json) -> list[str]:
    """The command line of a target that loads into `file`; its settings are written to `config`."""
    config.write_text(json.dumps({"filepath": str(file), **settings}))
    return [sys.executable, "-m", "target_duckdb", "--config", str(config)]


def run(tmp_path: Path, messages: Iterable[Message | str], **settings: Json) -> subprocess.CompletedProcess[str]:
    """Load messages into `tmp_path/a.duckdb` by the command line."""
    argv = command(tmp_path / "config.json", tmp_path / "a.duckdb", **settings)
    return subprocess.run(argv, input=text_of(messages), capture_output=True, text=True, check=False)


def complaints(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Texts of the error lines of a run, after checking that it failed without a traceback."""
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return [line.rsplit(" | ", 1)[1] for line in done.stderr.splitlines() if "| ERROR " in line]


def query(file: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a query; times come back in UTC."""
    with duckdb.connect(file) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(sql).fetchall()


def types(file: Path, table: str) -> dict[str, str]:
    """Columns of a table in order, with their types."""
    found = query(file, f"SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = '{table}'")  # noqa: S608  # the test's own name
    return dict(found)
