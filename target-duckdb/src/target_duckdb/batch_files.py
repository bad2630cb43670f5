"""The records of BATCH files, as JSON text.

JSON lines are read like RECORD messages, and so give the same rows and the same errors. DuckDB's `read_json` is not
exact: with the types of the columns given it makes 2 of 1.5 in a BIGINT, 12 of "12", 1 of true, infinity of 1e400 in a
DOUBLE, 1.5 of 1.50 in nested JSON, and refuses an object with a key twice. It would save about 0.6 seconds of processor
time in 200,000 records of ten columns, of the 1.4 that their load takes.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast
from urllib.parse import unquote, urlparse

import duckdb

from target_duckdb.columns import literal
from target_duckdb.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MANY = 1000
"""Rows of a Parquet file to fetch at a time."""


def texts(
    stream: str, url: str, encoding: Mapping[str, str | None], connection: duckdb.DuckDBPyConnection
) -> Iterator[bytes | str]:
    """Each record of a file on this machine, as JSON text; LoadError when the file cannot be read.

    Args:
        stream: Name of the stream, for the error.
        url: A `file://` URL, or a path.
        encoding: `format`, jsonl or parquet, and `compression`, gzip or none, of JSON lines.
        connection: What reads Parquet.
    """
    try:
        parts = urlparse(url)
    except ValueError:
        raise LoadError(f"stream {stream!r}: the manifest of a BATCH message holds a text that is no URL.") from None
    if parts.scheme not in {"", "file"}:
        raise LoadError(f"stream {stream!r}: batch files of scheme {parts.scheme!r} cannot be read.")
    path = Path(unquote(parts.path) if parts.scheme else url)
    kind = encoding.get("format")
    if kind not in ("jsonl", "parquet"):  # a set could not be asked for a list
        raise LoadError(f"stream {stream!r}: batch files of {_named('format', kind)} cannot be read.")
    compression = encoding.get("compression")
    if kind == "jsonl" and compression not in (None, "none", "gzip"):
        raise LoadError(f"stream {stream!r}: batch files of {_named('compression', compression)} cannot be read.")
    try:
        yield from _parquet(path, connection) if kind == "parquet" else _lines(path, compression)
    except (OSError, EOFError, ValueError, zlib.error, duckdb.Error) as error:  # ValueError: a path with a NUL in it
        reason = getattr(error, "strerror", None) or "it is damaged, or not what its message says"
        raise LoadError(f"stream {stream!r}: the batch file {path} cannot be read: {reason}.") from error


def _named(what: str, kind: object) -> str:
    return f"{what} {kind!r}" if isinstance(kind, str) else f"a {what} that is no text"


def _lines(path: Path, compression: str | None) -> Iterator[bytes]:
    with path.open("rb") if compression != "gzip" else io.BufferedReader(cast("io.RawIOBase", gzip.open(path))) as file:
        lines = cast("IO[bytes]", file)
        yield next(lines, b"").removeprefix(codecs.BOM_UTF8)
        yield from lines


def _parquet(path: Path, connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    query = f"SELECT to_json(batch) FROM read_parquet({literal(str(path))}) AS batch"  # noqa: S608  # quoted
    with connection.cursor() as cursor:
        cursor.execute(query)
        while rows := cursor.fetchmany(_MANY):
            for (text,) in rows:
                yield text
