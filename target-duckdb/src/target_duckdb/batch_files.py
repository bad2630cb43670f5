"""Records of BATCH files, as JSON text.

JSON lines are read like RECORD messages, and give the same rows and errors. DuckDB's `read_json` is not exact: with
column types given, it reads 1.5 as 2 in a BIGINT, "12" as 12, true as 1, 1e400 as infinity in a DOUBLE and 1.50 as 1.5
in nested JSON, and refuses an object with a duplicate key. It would save about 0.6 seconds of processor
time in 200,000 records of ten columns, of the 1.4 that their load takes.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast
from urllib.parse import unquote, urlparse

import duckdb

from target_duckdb.columns import literal
from target_duckdb.errors import LoadError
from target_duckdb.lines import read_lines
from target_duckdb.printable import path_of, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ROWS_PER_FETCH = 100
"""Rows of a Parquet file per fetch."""
_PARQUET_CONFIG: dict[str, str | int | float | list[str]] = {
    "memory_limit": "512MB",
    "threads": 1,
    "autoinstall_known_extensions": False,
}
"""Configuration of the DuckDB that reads Parquet, of which a few megabytes may be gigabytes of rows."""


def read_batch_file(
    stream: str, url: str, encoding: Mapping[str, str | None], max_line_bytes: int
) -> Iterator[bytes | str]:
    """Yield each record of a local file as JSON text.

    Args:
        stream: Name of the stream, for the error.
        url: A `file://` URL, or a path.
        encoding: `format` (jsonl or parquet) and `compression` of JSON lines (gzip or none).
        max_line_bytes: Maximum bytes of a line.

    Raises:
        LoadError: The file cannot be read.
    """
    path = _path(stream, url)
    kind = encoding.get("format")
    if kind not in ("jsonl", "parquet"):  # a list, which is unhashable, may be sent
        raise LoadError(f"stream {quoted(stream)}: batch files of {_describe('format', kind)} cannot be read.")
    compression = encoding.get("compression")
    if kind == "jsonl" and compression not in (None, "none", "gzip"):
        raise LoadError(
            f"stream {quoted(stream)}: batch files of {_describe('compression', compression)} cannot be read."
        )
    try:
        if path.exists() and not path.is_file():  # a pipe or a device has no end
            raise LoadError(f"stream {quoted(stream)}: the batch file {path_of(path)} is not a regular file.")
        yield from _parquet(path) if kind == "parquet" else _lines(path, compression, max_line_bytes)
    except duckdb.OutOfMemoryException as error:
        raise LoadError(
            f"stream {quoted(stream)}: the batch file {path_of(path)} takes more than "
            f"{_PARQUET_CONFIG['memory_limit']} of memory. Write it in smaller row groups or as JSON lines."
        ) from error
    except (OSError, EOFError, ValueError, zlib.error, duckdb.Error) as error:  # ValueError: a path with a NUL in it
        reason = getattr(error, "strerror", None) or "it is damaged, or not in the format of its message"
        raise LoadError(f"stream {quoted(stream)}: the batch file {path_of(path)} cannot be read: {reason}.") from error


def _path(stream: str, url: str) -> Path:
    try:
        parts = urlparse(url)
    except ValueError:
        raise LoadError(f"stream {quoted(stream)}: the manifest of a BATCH message contains an invalid URL.") from None
    if parts.scheme not in {"", "file"}:
        raise LoadError(f"stream {quoted(stream)}: batch files of scheme {quoted(parts.scheme)} cannot be read.")
    if parts.scheme and parts.netloc not in {"", "localhost"}:
        raise LoadError(f"stream {quoted(stream)}: a batch file is on another machine, {quoted(parts.netloc)}.")
    return Path(unquote(parts.path) if parts.scheme else url)


def _describe(name: str, value: object) -> str:
    return f"{name} {quoted(value)}" if isinstance(value, str) else f"a {name} that is not a string"


def _lines(path: Path, compression: str | None, max_line_bytes: int) -> Iterator[bytes]:
    with cast("IO[bytes]", gzip.open(path)) if compression == "gzip" else path.open("rb") as file:
        found = read_lines(file, max_line_bytes)
        yield next(found, b"").removeprefix(codecs.BOM_UTF8)
        yield from found


def _parquet(path: Path) -> Iterator[str]:
    query = f"SELECT to_json(batch) FROM read_parquet({literal(str(path))}) AS batch"  # noqa: S608  # quoted
    with duckdb.connect(config=_PARQUET_CONFIG) as connection:
        connection.execute(query)
        while rows := connection.fetchmany(_ROWS_PER_FETCH):
            for (text,) in rows:
                yield text
