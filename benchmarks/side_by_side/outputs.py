"""Output of a program: read, counted, and compared with the expected one."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import duckdb
import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    Key = tuple[str, str]
    """Stream, and the last part of what identifies a row in it."""

KEYS = {"scheduled_events": "uri", "event_invitees": "uri"}
"""The column that identifies a row; that of `rows` is its `uri`, or its `id` where it has none."""


class _Message(msgspec.Struct):
    type: str
    stream: str = ""
    record: msgspec.Raw = msgspec.Raw()


class _AirbyteRow(msgspec.Struct):
    stream: str
    data: msgspec.Raw


class _Identity(msgspec.Struct):
    uri: str | None = None
    id: str | None = None


def singer(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Stream and text of each RECORD on standard output."""
    decode = msgspec.json.Decoder(_Message).decode
    with (folder / "stdout").open("rb") as file:
        for line in file:
            message = decode(line)
            if message.type == "RECORD":
                yield message.stream, bytes(message.record)


def airbyte(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The same of an Airbyte connector."""
    decode = msgspec.json.Decoder(_Message).decode
    inner = msgspec.json.Decoder(_AirbyteRow).decode
    with (folder / "stdout").open("rb") as file:
        for line in file:
            message = decode(line)
            if message.type == "RECORD":
                row = inner(message.record)
                yield row.stream, bytes(row.data)


def dlt_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Rows of the JSONL files of dlt's filesystem destination; of the last load where a folder has several."""
    for table in sorted((folder / "files/loaded").iterdir()):
        if table.name in ("rows", *KEYS):
            for file in table.glob("*.jsonl"):
                yield from ((table.name, line) for line in file.read_bytes().splitlines())


def identified(rows: Iterable[tuple[str, bytes]]) -> Iterator[Key]:
    """Stream and key of each row."""
    decode = msgspec.json.Decoder(_Identity).decode
    for stream, text in rows:
        row = decode(text)
        yield stream, last_part(row.uri or row.id or "")


def tables(folder: Path) -> Iterator[Key]:
    """Table and key of each row in the folder's DuckDB file."""
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        found = connection.execute(
            "select table_schema, table_name, list(column_name) from information_schema.columns "
            "where table_name in ('rows', 'scheduled_events', 'event_invitees') group by all"
        ).fetchall()
        for schema, table, columns in found:
            key = "uri" if "uri" in columns else "id"
            for (value,) in connection.execute(f'select "{key}" from "{schema}"."{table}"').fetchall():  # noqa: S608 - names of our own
                yield table, last_part(value)


def last_part(identity: str) -> str:
    """Return the last segment of a URI; an id is returned as it is."""
    return identity.rpartition("/")[2]


def summary(keys: Iterable[Key]) -> dict[str, Any]:
    """Return the number of rows, and a digest of their keys in any order."""
    texts = sorted(f"{stream} {key}" for stream, key in keys)
    return {"rows": len(texts), "digest": sha256("\n".join(texts).encode()).hexdigest()[:16]}


def failure(codes: Iterable[int]) -> str:
    """Empty where all processes of a program ended well."""
    failed = [code for code in codes if code]
    return f"failed (exit code {failed[0]})" if failed else ""


def verdict(found: Mapping[str, Any], expected: Mapping[str, Any], codes: Iterable[int]) -> str:
    """Empty where the result is right; else what is wrong with it."""
    if failed := failure(codes):
        return failed
    if found["rows"] != expected["rows"]:
        return f"{found['rows']:,} rows instead of {expected['rows']:,}"
    return "" if found["digest"] == expected["digest"] else "other rows"


def arrived(rows: Iterable[tuple[str, bytes]], changes: Iterable[tuple[str, list[list[str]]]]) -> dict[str, list[int]]:
    """For each kind of change, how many there were and how many arrived with all their rows."""
    wanted = {(stream, mark) for _, marks in changes for stream, mark in marks}
    seen: set[tuple[str, str]] = set()
    for stream, row in rows:
        text = row.decode()
        seen |= {(stream, mark) for name, mark in wanted if name == stream and mark in text}
    kinds: dict[str, list[int]] = {}
    for kind, marks in changes:
        count = kinds.setdefault(kind, [0, 0])
        count[1] += 1
        count[0] += all((stream, mark) in seen for stream, mark in marks)
    return kinds


def last_state(folder: Path) -> Any:
    """The value of the last Singer STATE."""
    state = None
    with (folder / "stdout").open("rb") as file:
        for line in file:
            if line.startswith(b'{"type":"STATE"'):
                state = json.loads(line)["value"]
    return state


def airbyte_state(folder: Path) -> list[Any]:
    """The last state of each stream, as a platform hands it to the next run."""
    states: dict[str, Any] = {}
    with (folder / "stdout").open("rb") as file:
        for line in file:
            if line.startswith(b'{"type":"STATE"'):
                state = json.loads(line)["state"]
                states[state["stream"]["stream_descriptor"]["name"]] = {"type": "STREAM", "stream": state["stream"]}
    return list(states.values())
