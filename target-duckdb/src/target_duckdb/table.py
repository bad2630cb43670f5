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
    quoted,
    short_type,
    widened,
)
from target_duckdb.errors import LoadError
from target_duckdb.existing import Existing
from target_duckdb.keys import has_several_spellings, identity
from target_duckdb.names import columns_of, old_table_of, table_of
from target_duckdb.printable import named, printable
from target_duckdb.refusals import told

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from target_duckdb.columns import Json
    from target_duckdb.warehouse import Warehouse

DELETED_AT = "_sdc_deleted_at"
VERSION = "_sdc_table_version"

_BATCH = "temp.main.batch"
_NOT_OURS = {"information_schema", "pg_catalog"}
"""Schemas of DuckDB's own, which take no table."""
_MOST_COLUMNS = 10_000
"""Columns of a table that are written in less than a gigabyte of memory."""
_MOST_COPIED = 1_000_000
"""Columns that DuckDB may copy, half a kilobyte each, to add columns to a table."""


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
    names = ", ".join(f"{quoted(column.staged)} AS {column.key}" for column in columns)
    types = ", ".join(f"{literal(column.staged)}: {literal(column.read_as)}" for column in columns)
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
        schema: Name of the schema.
        short_name: Name of the table.
        name: Quoted name of the table with its catalog and schema.
        types: DuckDB type of each column; empty while the table does not exist.
        free: Tables of the schema that no other stream of this run has.
        names: Column of each property of this run.
    """

    stream: str
    schema: str
    short_name: str
    name: str
    types: dict[str, str]
    free: Collection[str]
    names: dict[str, str] = field(default_factory=dict)

    @classmethod
    def find(
        cls, connection: duckdb.DuckDBPyConnection, warehouse: Warehouse, stream: str, others: Collection[str]
    ) -> Table:
        """Return the stream's table as it stands in the file; the schema is created if it is missing.

        Args:
            connection: The connection, in a transaction.
            warehouse: The file and the schema.
            stream: Name of the stream.
            others: Tables that other streams of this run have.

        Raises:
            LoadError: A view has the name of the table, or the schema cannot be.
        """
        namespace, schema = warehouse.namespace, warehouse.schema
        try:
            if schema.lower() in _NOT_OURS:
                raise duckdb.CatalogException(schema)  # noqa: TRY301  # as for any other that cannot be
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {namespace}")
        except (duckdb.CatalogException, duckdb.ParserException) as error:
            raise LoadError(
                f"DuckDB can have no schema {named(schema)} of the loader's. Set default_target_schema to another name."
            ) from error
        rows = connection.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE database_name = current_database() "
            "AND lower(schema_name) = lower(?) ORDER BY column_index",
            [schema],
        ).fetchall()
        views = connection.execute(
            "SELECT view_name FROM duckdb_views() WHERE database_name = current_database() "
            "AND lower(schema_name) = lower(?)",
            [schema],
        ).fetchall()
        there = {row[0] for row in rows} - {name for (name,) in views}
        name = table_of(stream, there, others)
        if view := next((view for (view,) in views if view.lower() == name.lower()), None):
            raise LoadError(
                f"stream {named(stream)}: a view of that name stands in the schema {named(schema)}. While "
                f"{printable(schema)}.{printable(view)} is a view, there can be no table. Rename or drop it, or "
                "set default_target_schema to another schema."
            )
        types = {column: short_type(kind) for table, column, kind in rows if table == name}
        return cls(stream, schema, name, f"{namespace}.{quoted(name)}", types, there - set(others))

    def evolve(
        self, connection: duckdb.DuckDBPyConnection, properties: Mapping[str, Json], keys: Sequence[str]
    ) -> list[Column]:
        """Make a column for each property, wide enough for what it holds and for what the property allows.

        Raises:
            LoadError: Something of the table is in the way, or it has too many columns; nothing is changed.
        """
        self.names = names = columns_of(properties, self.types, self.names)
        self._check_width(set(names.values()) - self.types.keys())
        declared = {source: column_type(schema) for source, schema in properties.items()}
        keyed = [names[key] for key in keys]
        if self.types:
            kinds = {name: self._wanted(connection, name, declared[source]) for source, name in names.items()}
            changes = {name: kind for name, kind in kinds.items() if kind != self.types.get(name, kind)}
            self._existing.check_written(connection, names.values())
            self._existing.prepare(connection, keyed, changes)
        else:
            self._check_old_name(connection, properties, keys)
            self._create(connection, {names[source]: kind for source, kind in declared.items()})
        # read_json does not tell two names apart that differ only by case, and takes no empty one, nor a NUL.
        by_source = "" not in names and "\0" not in "".join(names) and len({one.lower() for one in names}) == len(names)
        columns = []
        for index, (source, schema) in enumerate(properties.items()):
            name, is_key = names[source], source in keys
            # In a key, text that looks like JSON stays what the next record is compared with.
            nested = allows_nested(schema) and not is_key
            columns.append(
                Column(
                    key=f"c{index}",
                    source=source,
                    name=name,
                    staged=source if by_source else name,
                    type=self._ensure(connection, name, declared[source], is_key=is_key, nested=nested),
                    declared=declared[source],
                    is_key=is_key,
                    takes_blanks=allows_null(schema) and not is_key,
                )
            )
        return columns

    @property
    def _existing(self) -> Existing:
        return Existing(self.stream, self.name, self.schema, self.short_name)

    def _check_width(self, new: Collection[str]) -> None:
        """Raise LoadError for columns that take too much memory: of one that is added DuckDB copies all before it."""
        total = len(self.types) + len(new)
        if total > _MOST_COLUMNS:
            what = f"would have {total:,} columns, and {_MOST_COLUMNS:,} are the most that are loaded"
        elif self.types and total * len(new) > _MOST_COPIED:
            what = f"has {len(self.types):,} columns, to which a run cannot add {len(new):,} at once"
        else:
            return
        raise LoadError(
            f"stream {named(self.stream)}: the table {printable(self.schema)}.{printable(self.short_name)} {what}. "
            "Have the tap select fewer columns, flatten less, or set default_target_schema to another schema."
        )

    def _create(self, connection: duckdb.DuckDBPyConnection, columns: Mapping[str, str]) -> None:
        """Create the table, in one statement: each column that is added later has DuckDB copy all those before it."""
        if columns:
            listed = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
            connection.execute(f"CREATE TABLE {self.name} ({listed})")
            self.types = dict(columns)

    def _check_old_name(
        self, connection: duckdb.DuckDBPyConnection, properties: Mapping[str, Json], keys: Sequence[str]
    ) -> None:
        """Raise LoadError where target-duckdb 0.8.0 has kept the stream in a table of another name."""
        old = old_table_of(self.stream)
        if old == self.stream.lower() or old not in self.free:
            return
        columns = {
            name
            for (name,) in connection.execute(
                "SELECT column_name FROM duckdb_columns() WHERE database_name = current_database() "
                "AND lower(schema_name) = lower(?) AND table_name = ?",
                [self.schema, old],
            ).fetchall()
        }
        if Existing(self.stream, self.name, self.schema, old).primary_key(connection) != {key.lower() for key in keys}:
            return
        if not keys and columns != {name.lower() for name in properties}:
            return
        raise LoadError(
            f"stream {named(self.stream)}: there is no table {named(self.short_name)} in the schema "
            f"{named(self.schema)}, but {named(old)}, in which target-duckdb 0.8.0 keeps this stream. To go on "
            f"with it: ALTER TABLE {quoted(self.schema)}.{quoted(old)} RENAME TO {quoted(self.short_name)}. If it is "
            "another stream's: set default_target_schema to another schema."
        )

    def _wanted(self, connection: duckdb.DuckDBPyConnection, name: str, declared: str) -> str:
        """Return the type of a column that holds what it holds, and what the property allows."""
        if name not in self.types:
            return declared
        old = self.types[name]
        new = widened(known_type(old), declared)
        if (
            new == "DOUBLE"
            and known_type(old) in {"BIGINT", "HUGEINT"}
            and self._has_integers_beyond_double(connection, quoted(name))
        ):
            return "VARCHAR"
        return new

    def _ensure(
        self,
        connection: duckdb.DuckDBPyConnection,
        name: str,
        declared: str,
        *,
        is_key: bool = False,
        nested: bool = False,
    ) -> str:
        """Create or widen one column; returns its type."""
        column = quoted(name)
        new = self._wanted(connection, name, declared)
        if name not in self.types:
            connection.execute(f"ALTER TABLE {self.name} ADD COLUMN {column} {declared}")
        elif new != (old := self.types[name]):
            using = converted(name, old, new, is_key=is_key, nested=nested)
            connection.execute(f"ALTER TABLE {self.name} ALTER {column} TYPE {new} USING {using}")
        self.types[name] = new
        return new

    def _ensure_own(self, connection: duckdb.DuckDBPyConnection, column: str, declared: str) -> None:
        """Create or widen a column of the loader's own, which another loader may have spelt in capitals."""
        name = next((name for name in self.types if name.lower() == column), column)
        kind = self._wanted(connection, name, declared)
        if kind != self.types.get(name, kind):
            self._existing.check_widened(connection, {name: kind})
        self._ensure(connection, name, declared)

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
        """Write a batch: a row replaces the row with its key, the last of a key wins; without keys all are added.

        Raises:
            LoadError: A row breaks a constraint that somebody has given the table.
        """
        with told(self._existing, connection, columns):
            self._merge(connection, batch, columns, keys)

    def _merge(
        self,
        connection: duckdb.DuckDBPyConnection,
        batch: Batch,
        columns: Sequence[Column],
        keys: Sequence[str],
    ) -> None:
        staged = {column.key: column.expression() for column in columns}
        names = {column.key: quoted(column.name) for column in columns}
        if batch.version is not None:
            self._ensure_own(connection, VERSION, "BIGINT")
            staged["v"], names["v"] = str(batch.version), quoted(VERSION)
        source = _source(batch, columns)
        values = ", ".join(f"{expression} AS {key}" for key, expression in staged.items())
        into = f"INSERT INTO {self.name} ({', '.join(names.values())})"
        if not keys:
            connection.execute(f"{into} SELECT {values} FROM {source}")  # noqa: S608  # names are quoted
            return
        keyed = [column for key in keys for column in columns if column.source == key]
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {_BATCH} AS SELECT {values} FROM {source}")  # noqa: S608  # names are quoted
        old = {column.key: f"old.{quoted(column.name)}" for column in keyed}
        new = {column.key: f"new.{column.key}" for column in keyed}
        if self._has_several_spellings(connection, keyed):
            old, new = (
                {column.key: identity(side[column.key], column.type) for column in keyed} for side in (old, new)
            )
        equal = " AND ".join(f"{old[key]} = {new[key]}" for key in new)
        last = f"SELECT max(rowid) FROM {_BATCH} AS new GROUP BY {', '.join(new.values())}"  # noqa: S608  # only our own names
        for statement in (
            # Where all keys of a batch lie beyond those of a part of the table, DuckDB skips that part.
            f"DELETE FROM {self.name} AS old USING {_BATCH} AS new WHERE {equal}",  # noqa: S608  # names are quoted
            f"{into} SELECT {', '.join(staged)} FROM {_BATCH} WHERE rowid IN ({last}) ORDER BY rowid",  # noqa: S608  # quoted
            f"DROP TABLE {_BATCH}",
        ):
            connection.execute(statement)

    @staticmethod
    def _has_several_spellings(connection: duckdb.DuckDBPyConnection, keyed: Sequence[Column]) -> bool:
        """Whether a key in the batch may be spelt otherwise elsewhere; its identity costs more than a look at it."""
        tests = " OR ".join({has_several_spellings(column.key, column.type) for column in keyed})
        query = f"SELECT count(*) FROM (SELECT 1 FROM {_BATCH} WHERE {tests} LIMIT 1)"  # noqa: S608  # only our own names
        return bool(connection.execute(query).fetchall()[0][0])

    def retire(self, connection: duckdb.DuckDBPyConnection, version: int, *, remove: bool) -> None:
        """Mark the rows of any other version, or of none, as deleted now, or remove them."""
        self._ensure_own(connection, VERSION, "BIGINT")
        self._ensure_own(connection, DELETED_AT, "TIMESTAMPTZ")
        other = f"{quoted(VERSION)} IS DISTINCT FROM {int(version)}"
        with told(self._existing, connection):
            if remove:
                connection.execute(f"DELETE FROM {self.name} WHERE {other}")  # noqa: S608  # names are quoted
            else:
                marked = f"{quoted(DELETED_AT)} = now() WHERE {other} AND {quoted(DELETED_AT)} IS NULL"
                connection.execute(f"UPDATE {self.name} SET {marked}")  # noqa: S608  # names are quoted

    def remove_deleted(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Remove the rows that are marked as deleted."""
        with told(self._existing, connection):
            connection.execute(f"DELETE FROM {self.name} WHERE {quoted(DELETED_AT)} IS NOT NULL")  # noqa: S608  # quoted
