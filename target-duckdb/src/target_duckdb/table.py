"""One table: created and widened to fit a stream, merged with batches, cleared of what vanished."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb

from target_duckdb.columns import (
    Column,
    allows_nested,
    allows_null,
    column_type,
    converted,
    known_type,
    literal,
    own_name,
    quoted,
    short_type,
    widened,
)
from target_duckdb.errors import LoadError
from target_duckdb.sdk import METADATA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from target_duckdb.columns import Json

DELETED_AT = "_sdc_deleted_at"
VERSION = "_sdc_table_version"

_BATCH = "temp.main.batch"


@dataclass(frozen=True)
class Batch:
    """A file of staged rows, one JSON object a line.

    Attributes:
        path: The file.
        longest: Bytes of its longest line.
        version: Table version of its rows; None if they carry none, or have it among their values.
    """

    path: Path
    longest: int
    version: int | None


def _source(batch: Batch, columns: Sequence[Column]) -> str:
    """SQL that reads a batch's rows in their order, each value under its column's key."""
    names = ", ".join(f"{quoted(column.name)} AS {column.key}" for column in columns)
    types = ", ".join(f"{literal(column.name)}: {literal(column.read_as)}" for column in columns)
    largest = max(batch.longest + 1024, 1 << 20)
    return (
        f"(SELECT {names} FROM read_json({literal(str(batch.path))}, format = 'newline_delimited', records = true, "  # noqa: S608  # quoted
        f"columns = {{{types}}}, maximum_object_size = {largest}))"
    )


@dataclass
class Table:
    """A table in the file and its columns, which nobody else changes while the file is open.

    Attributes:
        stream: Name of the stream.
        name: Quoted name of the table with its catalog and schema.
        types: DuckDB type of each column; empty while the table does not exist.
    """

    stream: str
    name: str
    types: dict[str, str] = field(default_factory=dict)

    @classmethod
    def find(cls, connection: duckdb.DuckDBPyConnection, namespace: str, schema: str, stream: str) -> Table:
        """The stream's table as it stands in the file; the schema is created if it is missing."""
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {namespace}")
        rows = connection.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE database_name = current_database() "
            "AND lower(schema_name) = lower(?) ORDER BY column_index",
            [schema],
        ).fetchall()
        name = own_name(stream, {row[0] for row in rows})
        views = connection.execute(
            "SELECT view_name FROM duckdb_views() WHERE database_name = current_database() "
            "AND lower(schema_name) = lower(?)",
            [schema],
        ).fetchall()
        if (name,) in views or stream.lower() in {view.lower() for (view,) in views}:
            raise LoadError(
                f"stream {stream!r}: a view of that name stands in the schema {schema!r}, where its table would be. "
                "Rename or drop the view, or set default_target_schema to another schema."
            )
        types = {column: short_type(kind) for table, column, kind in rows if table == name}
        return cls(stream, f"{namespace}.{quoted(name)}", types)

    def evolve(
        self, connection: duckdb.DuckDBPyConnection, properties: Mapping[str, Json], keys: Sequence[str] = ()
    ) -> list[Column]:
        """Make a column for each property, wide enough for what it holds and for what the property allows."""
        columns = []
        for index, (source, schema) in enumerate(properties.items()):
            declared = column_type(schema)
            name = self._spelled(source) if source in METADATA else own_name(source, self.types)
            is_key = source in keys
            # In a key, text that looks like JSON stays what the next record is compared with.
            kind = self._ensure(connection, name, declared, nested=allows_nested(schema) and not is_key)
            takes_blanks = allows_null(schema) and not is_key
            columns.append(Column(f"c{index}", source, name, kind, declared, takes_blanks))
        return columns

    def _ensure(self, connection: duckdb.DuckDBPyConnection, name: str, declared: str, *, nested: bool = False) -> str:
        """Create or widen one column; returns its type."""
        column = quoted(name)
        if not self.types:
            connection.execute(f"CREATE TABLE {self.name} ({column} {declared})")
            self.types[name] = declared
        elif name not in self.types:
            statement = f"ALTER TABLE {self.name} ADD COLUMN {column} {declared}"
            self._alter(connection, statement, name, "added")
            self.types[name] = declared
        old = self.types[name]
        new = widened(known_type(old), declared)
        if (
            new == "DOUBLE"
            and known_type(old) in {"BIGINT", "HUGEINT"}
            and self._has_integers_beyond_double(connection, column)
        ):
            new = "VARCHAR"
        if new != old:
            statement = f"ALTER TABLE {self.name} ALTER {column} TYPE {new} USING "
            statement += converted(name, old, new, nested=nested)
            self._alter(connection, statement, name, f"widened from {old} to {new}")
        self.types[name] = new
        return new

    def _spelled(self, column: str) -> str:
        """The column as the table has it: another loader may have written it in capitals."""
        return next((name for name in self.types if name.lower() == column), column)

    def _alter(self, connection: duckdb.DuckDBPyConnection, statement: str, column: str, what: str) -> None:
        """Change a column; LoadError names what stands in the way."""
        found = connection.execute(
            "SELECT database_name, schema_name, table_name, index_name FROM duckdb_indexes() ORDER BY ALL"
        ).fetchall()
        try:
            connection.execute(statement)
        except (duckdb.BinderException, duckdb.CatalogException, duckdb.DependencyException) as error:
            own = self.name.lower()
            indexes = [index for *path, index in found if ".".join(map(quoted, path)).lower() == own]
            names = ", ".join(map(repr, indexes))
            cause = f"the index {names} depends" if len(indexes) == 1 else f"the indexes {names} depend"
            raise LoadError(
                f"stream {self.stream!r}, column {column!r}: the column cannot be {what} while "
                f"{cause if indexes else 'a constraint, a key or something else in the file depends'} on it or its "
                "table. Drop that, and run again."
            ) from error

    def _has_integers_beyond_double(self, connection: duckdb.DuckDBPyConnection, column: str) -> bool:
        exact = f"try_cast({column}::DOUBLE AS HUGEINT) IS NOT DISTINCT FROM {column}::HUGEINT"
        query = f"SELECT count(*) FROM {self.name} WHERE NOT ({exact})"  # noqa: S608  # names are quoted
        return bool(connection.execute(query).fetchall()[0][0])

    def merge(
        self,
        connection: duckdb.DuckDBPyConnection,
        batch: Batch,
        columns: Sequence[Column],
        keys: Sequence[str],
    ) -> None:
        """Write a batch: a row replaces the row with its key, the last of a key wins; without keys all are added."""
        staged = {column.key: column.expression(self.stream) for column in columns}
        names = {column.key: quoted(column.name) for column in columns}
        if batch.version is not None:
            self._ensure(connection, self._spelled(VERSION), "BIGINT")
            staged["v"], names["v"] = str(batch.version), quoted(VERSION)
        source = _source(batch, columns)
        values = ", ".join(f"{expression} AS {key}" for key, expression in staged.items())
        into = f"INSERT INTO {self.name} ({', '.join(names.values())})"
        if not keys:
            connection.execute(f"{into} SELECT {values} FROM {source}")  # noqa: S608  # names are quoted
            return
        matched = [column.key for key in keys for column in columns if column.source == key]
        equal = " AND ".join(f"old.{names[key]} = new.{key}" for key in matched)
        same = " AND ".join(f"old.{names[key]} IS NOT DISTINCT FROM new.{key}" for key in matched)
        empty = " OR ".join(f"new.{key} IS NULL" for key in matched)
        last = f"SELECT max(rowid) FROM {_BATCH} GROUP BY {', '.join(matched)}"  # noqa: S608  # only our own names
        delete = f"DELETE FROM {self.name} AS old USING {_BATCH} AS new WHERE"  # noqa: S608  # names are quoted
        for statement in (
            f"CREATE OR REPLACE TEMP TABLE {_BATCH} AS SELECT {values} FROM {source}",  # noqa: S608  # names are quoted
            # Where all keys of a batch lie beyond those of a part of the table, DuckDB skips that part, for `=` only.
            f"{delete} {equal}",
            f"{delete} ({empty}) AND {same}",
            f"{into} SELECT {', '.join(staged)} FROM {_BATCH} WHERE rowid IN ({last}) ORDER BY rowid",  # noqa: S608  # quoted
            f"DROP TABLE {_BATCH}",
        ):
            connection.execute(statement)

    def retire(self, connection: duckdb.DuckDBPyConnection, version: int, *, remove: bool) -> None:
        """Mark the rows of any other version, or of none, as deleted now, or remove them."""
        self._ensure(connection, self._spelled(VERSION), "BIGINT")
        self._ensure(connection, self._spelled(DELETED_AT), "TIMESTAMPTZ")
        other = f"{quoted(VERSION)} IS DISTINCT FROM {int(version)}"
        if remove:
            connection.execute(f"DELETE FROM {self.name} WHERE {other}")  # noqa: S608  # names are quoted
        else:
            connection.execute(
                f"UPDATE {self.name} SET {quoted(DELETED_AT)} = now() WHERE {other} AND {quoted(DELETED_AT)} IS NULL"  # noqa: S608  # names are quoted
            )

    def remove_deleted(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Remove the rows that are marked as deleted."""
        connection.execute(f"DELETE FROM {self.name} WHERE {quoted(DELETED_AT)} IS NOT NULL")  # noqa: S608  # quoted
