"""The records of BATCH files, as JSON text.

JSON lines are read like RECORD messages, and so give the same rows and the same errors. DuckDB's `read_json` is not
exact: with the types of the columns given it makes 2 of 1.5 in a BIGINT, 12 of "12", 1 of true, infinity of 1e400 in a
DOUBLE, 1.5 of 1.50 in nested JSON, and refuses an object with a key twice. It would save about 0.6 seconds of processor
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
from target_duckdb.lines import lines
from target_duckdb.printable import named, path_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MANY = 100
"""Rows of a Parquet file to fetch at a time."""
_PARQUET: dict[str, str | int | float | list[str]] = {
    "memory_limit": "512MB",
    "threads": 1,
    "autoinstall_known_extensions": False,
}
"""What reads Parquet: a few megabytes of it may be gigabytes of rows."""


def texts(stream: str, url: str, encoding: Mapping[str, str | None], longest: int) -> Iterator[bytes | str]:
    """Return each record of a file on this machine, as JSON text; LoadError when the file cannot be read.

    Args:
        stream: Name of the stream, for the error.
        url: A `file://` URL, or a path.
        encoding: `format`, jsonl or parquet, and `compression`, gzip or none, of JSON lines.
        longest: Bytes of a line after which no more of it is read.
    """
    path = _path(stream, url)
    kind = encoding.get("format")
    if kind not in ("jsonl", "parquet"):  # a set could not be asked for a list
        raise LoadError(f"stream {named(stream)}: batch files of {_what('format', kind)} cannot be read.")
    compression = encoding.get("compression")
    if kind == "jsonl" and compression not in (None, "none", "gzip"):
        raise LoadError(f"stream {named(stream)}: batch files of {_what('compression', compression)} cannot be read.")
    try:
        if path.exists() and not path.is_file():  # a pipe or a device has no end
            raise LoadError(f"stream {named(stream)}: the batch file {path_of(path)} is no file, but something else.")
        yield from _parquet(path) if kind == "parquet" else _lines(path, compression, longest)
    except duckdb.OutOfMemoryException as error:
        raise LoadError(
            f"stream {named(stream)}: the batch file {path_of(path)} takes more than {_PARQUET['memory_limit']} of "
            "memory. Write it in smaller row groups, or as JSON lines."
        ) from error
    except (OSError, EOFError, ValueError, zlib.error, duckdb.Error) as error:  # ValueError: a path with a NUL in it
        reason = getattr(error, "strerror", None) or "it is damaged, or not what its message says"
        raise LoadError(f"stream {named(stream)}: the batch file {path_of(path)} cannot be read: {reason}.") from error


def _path(stream: str, url: str) -> Path:
    try:
        parts = urlparse(url)
    except ValueError:
        raise LoadError(
            f"stream {named(stream)}: the manifest of a BATCH message holds a text that is no URL."
        ) from None
    if parts.scheme not in {"", "file"}:
        raise LoadError(f"stream {named(stream)}: batch files of scheme {named(parts.scheme)} cannot be read.")
    if parts.scheme and parts.netloc not in {"", "localhost"}:
        raise LoadError(f"stream {named(stream)}: a batch file is on another machine, {named(parts.netloc)}.")
    return Path(unquote(parts.path) if parts.scheme else url)


def _what(what: str, kind: object) -> str:
    return f"{what} {named(kind)}" if isinstance(kind, str) else f"a {what} that is no text"


def _lines(path: Path, compression: str | None, longest: int) -> Iterator[bytes]:
    with cast("IO[bytes]", gzip.open(path)) if compression == "gzip" else path.open("rb") as file:
        of_file = lines(file, longest)
        yield next(of_file, b"").removeprefix(codecs.BOM_UTF8)
        yield from of_file


def _parquet(path: Path) -> Iterator[str]:
    query = f"SELECT to_json(batch) FROM read_parquet({literal(str(path))}) AS batch"  # noqa: S608  # quoted
    with duckdb.connect(config=_PARQUET) as connection:
        connection.execute(query)
        while rows := connection.fetchmany(_MANY):
            for (text,) in rows:
                yield text
