"""The DuckDB file: opened once the lock is free, written in transactions, its errors turned into sentences."""

from __future__ import annotations

import logging
import re
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from target_duckdb.columns import quoted
from target_duckdb.errors import LoadError
from target_duckdb.printable import named, path_of, printable
from target_duckdb.settings import STORAGE_COMPATIBILITY_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

logger = logging.getLogger("target-duckdb")

POLL = 0.25
"""Seconds between two attempts at a file that another process holds."""

_SETTINGS = """
    SET TimeZone = 'UTC';
    SET autoinstall_known_extensions = false;
    SET threads = 1;  -- for batches of this size more of them take more processor time and memory, and save none
    SET checkpoint_threshold = '64MB';  -- each checkpoint writes the last rows of a table once more
"""
_LOCKED = "Could not set lock"
_VERSION_AT = slice(52, 84)
"""Bytes of a file that hold the version of the DuckDB that made it."""
_NO_FILE = re.compile(r":memory:|[A-Za-z0-9_]{2,}:|[A-Za-z][A-Za-z0-9+.-]*://")
"""What DuckDB would take for a database of another kind: in memory, at MotherDuck, behind a URL, of an extension."""
_REASONS = {  # part of DuckDB's message -> what to tell
    "not a valid DuckDB": "{path} is not a DuckDB database. Set filepath to another file.",
    "newer version of DuckDB": "{path} was written by DuckDB {writer}, which is newer than {version}, the one that is "
    "installed. Upgrade duckdb, or set filepath to another file.",
    "version number": "{path} was written by DuckDB {writer}, and {version}, the one that is "
    "installed, cannot read it. Install another version of duckdb, or set filepath to another file.",
    "not a known DuckDB version": "storage_compatibility_version is not a version that DuckDB {version} knows. Set it "
    "to one such as v1.0.0, or to latest.",
    "Corrupt database file": "{path} is damaged. Restore it from a backup, or set filepath to another file.",
    "No space left": "No space is left on the disk of {path} or of the temporary files. Nothing of this batch is kept.",
    "File too large": "{path} or a temporary file has reached the largest size allowed. Nothing of this batch is kept.",
    "Permission denied": "{path} must not be opened or written by this user. Change its permissions, or filepath.",
    "read-only": "{path} must not be written by this user. Change its permissions, or filepath.",
    "Is a directory": "{path} is a folder. Set filepath to a file.",
}


def sentence(error: duckdb.Error | OSError, path: Path) -> str:
    """Return what went wrong with the file; of the text of an error of DuckDB, which may quote a row, nothing."""
    if not isinstance(error, duckdb.DataError | duckdb.IntegrityError):
        text = str(error)
        for part, reason in _REASONS.items():
            if part in text:
                return reason.format(path=path_of(path), version=duckdb.__version__, writer=_writer(path))
    if isinstance(error, OSError) and error.strerror:
        of = f" at {path_of(error.filename)}" if error.filename else ""
        return f"Writing to {path_of(path)} failed{of}: {error.strerror}."
    return (
        f"Writing to {path_of(path)} failed ({type(error).__name__}). Run with TARGET_DUCKDB_LOGLEVEL=DEBUG to see "
        "DuckDB's own words, which may quote values."
    )


def file_of(setting: str) -> Path:
    """The path of the file that the setting `filepath` names; LoadError where it is none that rows would be kept in."""
    kind = _NO_FILE.match(setting)
    if kind:
        raise LoadError(
            f"The setting 'filepath' begins with {named(kind[0])}, which is no file on this machine: rows are loaded "
            "into a DuckDB file alone. Set filepath to its path."
        )
    path = Path(setting)
    if "\0" in setting:
        raise LoadError("The setting 'filepath' holds the character NUL, which no path has.")
    with suppress(OSError):  # of a path that is too long, which DuckDB tells of
        if path.is_dir():
            raise LoadError(_REASONS["Is a directory"].format(path=path_of(path)))
        if path.exists() and not path.is_file():  # DuckDB would read a pipe, and wait for ever
            raise LoadError(f"{path_of(path)} is no file, but something else. Set filepath to a file.")
    return path


def _holder(text: str) -> tuple[str, str]:
    """The process that holds the file, from DuckDB's message, and a sentence that names its program."""
    found = re.search(r"(?:held in (?P<program>[^\n]+?) )?\(?PID (?P<number>\d+)\)?", text)
    if not found:
        return "another process", ""
    program = printable(_program(int(found["number"])) or Path(found["program"] or "").name)
    return f"another process (PID {found['number']})", f" Its program is {program}." if program else ""


def _program(number: int) -> str:
    """Name of the program of a process: what a Python runs, where that shows; empty where this system does not tell.

    Other words of a command line are not repeated: they may be secrets.
    """
    try:
        words = Path(f"/proc/{number}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ""
    name = Path(words[0]).name
    if not name.startswith("python"):
        return name
    if words[1:2] == ["-m"]:
        return " ".join([name, *words[1:3]])
    run = words[1] if len(words) > 1 and not words[1].startswith("-") else ""
    return Path(run).name or name


def _writer(path: Path) -> str:
    """Return the version of DuckDB that made a file, from its header."""
    try:
        with path.open("rb") as file:
            header = file.read(_VERSION_AT.stop)
    except OSError:
        header = b""
    told = header[_VERSION_AT].rstrip(b"\0").decode("ascii", "replace").removeprefix("v")
    return printable(told) or "of an unknown version"


class Warehouse:
    """One connection to the file, used by one thread.

    Attributes:
        path: The DuckDB file.
        schema: Schema that holds the tables.
        storage: Oldest DuckDB that can open the file, if it is a new one.
    """

    def __init__(
        self,
        path: Path,
        schema: str,
        lock_timeout: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.path = path
        self.schema = schema
        self._lock_timeout = lock_timeout
        self.storage = STORAGE_COMPATIBILITY_VERSION
        self._clock = clock
        self._sleep = sleep
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._writing = False

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection, opened at first use; LoadError when it cannot be."""
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    @property
    def namespace(self) -> str:
        """Catalog and schema, quoted, to stand in front of a table's name."""
        catalog = self.connection.execute("SELECT current_database()").fetchall()[0][0]
        return f"{quoted(catalog)}.{quoted(self.schema)}"

    def _open(self) -> duckdb.DuckDBPyConnection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = self._opened()
            connection.execute(_SETTINGS)
        except (duckdb.Error, OSError) as error:
            raise LoadError(sentence(error, self.path)) from error
        return connection

    def _opened(self) -> duckdb.DuckDBPyConnection:
        deadline = self._clock() + self._lock_timeout
        waiting = False
        while True:
            try:
                return duckdb.connect(self.path, config={"storage_compatibility_version": self.storage})
            except duckdb.IOException as error:
                if _LOCKED not in str(error):
                    raise
                by, program = _holder(str(error))
                if self._clock() >= deadline:
                    raise LoadError(
                        f"{path_of(self.path)} is still held by {by} after {self._lock_timeout:g} seconds.{program} "
                        "Close that process, or raise lock_timeout, and run again."
                    ) from error
            if not waiting:
                logger.warning(
                    "%s is held by %s; waiting up to %g seconds.%s", path_of(self.path), by, self._lock_timeout, program
                )
                waiting = True
            self._sleep(POLL)

    def tables(self) -> set[str]:
        """Names of the tables of the schema."""
        query = (
            "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() "
            "AND lower(schema_name) = lower(?)"
        )
        return {name for (name,) in self.connection.execute(query, [self.schema]).fetchall()}

    @contextmanager
    def transaction(self, *, keep: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
        """All or nothing: committed at the end, rolled back on any error; DuckDB's errors come out as LoadError.

        A second transaction inside the first is refused: it can only come from a signal that arrived during a write.

        Args:
            keep: Whether to commit at all.
        """
        if self._writing:
            raise LoadError(f"Interrupted while writing to {path_of(self.path)}. Nothing of this batch is kept.")
        connection = self.connection
        self._writing = True
        try:
            connection.execute("BEGIN TRANSACTION")
            try:
                yield connection
                connection.execute("COMMIT" if keep else "ROLLBACK")
            except BaseException:
                self._roll_back(connection)
                raise
        except (duckdb.Error, OSError) as error:
            raise LoadError(sentence(error, self.path)) from error
        finally:
            self._writing = False

    @staticmethod
    def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
        try:
            connection.execute("ROLLBACK")
        except duckdb.Error:  # a failed COMMIT has rolled back already
            logger.debug("Nothing left to roll back.")

    def close(self) -> None:
        """Close the file, if it is open, and so free its lock."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
