"""A table: created and widened for a stream, merged with batches, and cleared of deleted rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb

from target_duckdb.columns import (
    Column,
    allows_nested,
    allows_null,
    cast_expression,
    column_type,
    common_type,
    identifier,
    known_type,
    literal,
    short_type,
)
from target_duckdb.errors import LoadError
from target_duckdb.existing_table import ExistingTable
from target_duckdb.keys import has_several_spellings, identity
from target_duckdb.names import column_names, legacy_table_name, table_name
from target_duckdb.printable import printable, quoted
from target_duckdb.row_errors import explain_row_errors

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from target_duckdb.columns import Json
    from target_duckdb.warehouse import Warehouse

DELETED_AT = "_sdc_deleted_at"
VERSION = "_sdc_table_version"

_BATCH = "temp.main.batch"
_RESERVED_SCHEMAS = {"information_schema", "pg_catalog"}
"""Schemas of DuckDB itself, which can have no tables of ours."""
_MAX_COLUMNS = 10_000
"""Maximum columns of a table, which take less than a gigabyte of memory."""
_MAX_COPIED = 1_000_000
"""Maximum columns that DuckDB copies, half a kilobyte each, to add columns to a table."""


@dataclass(frozen=True)
class Batch:
    """A file of staged rows, one JSON object per line.

    Attributes:
        path: The file.
        longest: Bytes of the longest line.
        version: Table version of the rows; None if they have none, or have it among their values.
    """

    path: Path
    longest: int
    version: int | None


def _source(batch: Batch, columns: Sequence[Column]) -> str:
    """Return SQL that reads the rows of a batch in order, each value under its column's key."""
    names = ", ".join(f"{identifier(column.staged)} AS {column.key}" for column in columns)
    types = ", ".join(f"{literal(column.staged)}: {literal(column.read_as)}" for column in columns)
    largest = max(batch.longest + 1024, 1 << 20)
    return (
        f"(SELECT {names} FROM read_json({literal(str(batch.path))}, format = 'newline_delimited', records = true, "  # noqa: S608  # quoted
        f"columns = {{{types}}}, maximum_object_size = {largest}))"
    )


@dataclass
class Table:
    """A table in the file. Its columns do not change otherwise while the file is open.

    Attributes:
        stream: Name of the stream.
        schema: Name of the schema.
        short_name: Name of the table.
        name: Quoted name of the table with its catalog and schema.
        types: DuckDB type of each column; empty if the table does not exist yet.
        free: Tables of the schema that belong to no other stream of this run.
        names: Column of each property in this run.
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
        """Return the stream's table as it is in the file; create the schema if it is missing.

        Args:
            connection: The connection, in a transaction.
            warehouse: The file and the schema.
            stream: Name of the stream.
            others: Tables of other streams of this run.

        Raises:
            LoadError: A view has the name of the table, or the schema cannot be created.
        """
        namespace, schema = warehouse.namespace, warehouse.schema
        try:
            if schema.lower() in _RESERVED_SCHEMAS:
                raise duckdb.CatalogException(schema)  # noqa: TRY301  # as for any other invalid schema
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {namespace}")
        except (duckdb.CatalogException, duckdb.ParserException) as error:
            raise LoadError(
                f"DuckDB cannot create the schema {quoted(schema)}. Set default_target_schema to another name."
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
        name = table_name(stream, there, others)
        if view := next((view for (view,) in views if view.lower() == name.lower()), None):
            raise LoadError(
                f"stream {quoted(stream)}: {printable(schema)}.{printable(view)} is a view, so that there can be no "
                "table of that name. Rename or drop the view, or set default_target_schema to another schema."
            )
        types = {column: short_type(kind) for table, column, kind in rows if table == name}
        return cls(stream, schema, name, f"{namespace}.{identifier(name)}", types, there - set(others))

    def evolve(
        self, connection: duckdb.DuckDBPyConnection, properties: Mapping[str, Json], keys: Sequence[str]
    ) -> list[Column]:
        """Create or widen a column for each property, and return the columns.

        Raises:
            LoadError: A constraint or an index blocks a change, or the table has too many columns.
        """
        self.names = names = column_names(properties, self.types, self.names)
        self._check_width(set(names.values()) - self.types.keys())
        declared = {source: column_type(schema) for source, schema in properties.items()}
        keyed = [names[key] for key in keys]
        if self.types:
            kinds = {name: self._required_type(connection, name, declared[source]) for source, name in names.items()}
            changes = {name: kind for name, kind in kinds.items() if kind != self.types.get(name, kind)}
            self._existing.check_written(connection, names.values())
            self._existing.prepare(connection, keyed, changes)
        else:
            self._check_legacy_name(connection, properties, keys)
            self._create(connection, {names[source]: kind for source, kind in declared.items()})
        # read_json confuses names that differ only by case, and refuses an empty name and a NUL.
        by_source = "" not in names and "\0" not in "".join(names) and len({one.lower() for one in names}) == len(names)
        columns = []
        for index, (source, schema) in enumerate(properties.items()):
            name, is_key = names[source], source in keys
            # In a key, text that looks like JSON stays text, with which the next record is compared.
            nested = allows_nested(schema) and not is_key
            columns.append(
                Column(
                    key=f"c{index}",
                    source=source,
                    name=name,
                    staged=source if by_source else name,
                    type=self._ensure_column(connection, name, declared[source], is_key=is_key, nested=nested),
                    declared=declared[source],
                    is_key=is_key,
                    blank_is_null=allows_null(schema) and not is_key,
                )
            )
        return columns

    @property
    def _existing(self) -> ExistingTable:
        return ExistingTable(self.stream, self.name, self.schema, self.short_name)

    def _check_width(self, new: Collection[str]) -> None:
        """Raise LoadError for columns that take too much memory: DuckDB copies all columns to add one."""
        total = len(self.types) + len(new)
        if total > _MAX_COLUMNS:
            what = f"would have {total:,} columns; the maximum is {_MAX_COLUMNS:,}"
        elif self.types and total * len(new) > _MAX_COPIED:
            what = f"has {len(self.types):,} columns, to which {len(new):,} cannot be added at once"
        else:
            return
        raise LoadError(
            f"stream {quoted(self.stream)}: the table {printable(self.schema)}.{printable(self.short_name)} {what}. "
            "Select fewer columns in the tap, flatten less, or set default_target_schema to another schema."
        )

    def _create(self, connection: duckdb.DuckDBPyConnection, columns: Mapping[str, str]) -> None:
        """Create the table in one statement: for each column added later DuckDB copies all others."""
        if columns:
            listed = ", ".join(f"{identifier(name)} {kind}" for name, kind in columns.items())
            connection.execute(f"CREATE TABLE {self.name} ({listed})")
            self.types = dict(columns)

    def _check_legacy_name(
        self, connection: duckdb.DuckDBPyConnection, properties: Mapping[str, Json], keys: Sequence[str]
    ) -> None:
        """Raise LoadError if target-duckdb 0.8.0 has stored the stream in a table of another name."""
        old = legacy_table_name(self.stream)
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
        if ExistingTable(self.stream, self.name, self.schema, old).primary_key(connection) != {
            key.lower() for key in keys
        }:
            return
        if not keys and columns != {name.lower() for name in properties}:
            return
        raise LoadError(
            f"stream {quoted(self.stream)}: there is no table {quoted(self.short_name)} in the schema "
            f"{quoted(self.schema)}, but {quoted(old)}, in which target-duckdb 0.8.0 keeps this stream. To go on "
            f"with it: ALTER TABLE {identifier(self.schema)}.{identifier(old)} RENAME TO "
            f"{identifier(self.short_name)}. If it is another stream's: set default_target_schema to another schema."
        )

    def _required_type(self, connection: duckdb.DuckDBPyConnection, name: str, declared: str) -> str:
        """Return the type that a column needs for its values and those of the property."""
        if name not in self.types:
            return declared
        old = self.types[name]
        new = common_type(known_type(old), declared)
        if (
            new == "DOUBLE"
            and known_type(old) in {"BIGINT", "HUGEINT"}
            and self._has_integers_beyond_double(connection, identifier(name))
        ):
            return "VARCHAR"
        return new

    def _ensure_column(
        self,
        connection: duckdb.DuckDBPyConnection,
        name: str,
        declared: str,
        *,
        is_key: bool = False,
        nested: bool = False,
    ) -> str:
        """Create or widen a column, and return its type."""
        column = identifier(name)
        new = self._required_type(connection, name, declared)
        if name not in self.types:
            connection.execute(f"ALTER TABLE {self.name} ADD COLUMN {column} {declared}")
        elif new != (old := self.types[name]):
            using = cast_expression(name, old, new, is_key=is_key, nested=nested)
            connection.execute(f"ALTER TABLE {self.name} ALTER {column} TYPE {new} USING {using}")
        self.types[name] = new
        return new

    def _ensure_metadata_column(self, connection: duckdb.DuckDBPyConnection, column: str, declared: str) -> None:
        """Create or widen a metadata column, which another loader may have spelt in capitals."""
        name = next((name for name in self.types if name.lower() == column), column)
        kind = self._required_type(connection, name, declared)
        if kind != self.types.get(name, kind):
            self._existing.check_widened(connection, {name: kind})
        self._ensure_column(connection, name, declared)

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
        """Upsert the rows of a batch, the last row of a key; without keys, append them.

        Raises:
            LoadError: A row violates a constraint of the table.
        """
        with explain_row_errors(self._existing, connection, columns):
            self._merge(connection, batch, columns, keys)

    def _merge(
        self,
        connection: duckdb.DuckDBPyConnection,
        batch: Batch,
        columns: Sequence[Column],
        keys: Sequence[str],
    ) -> None:
        staged = {column.key: column.expression() for column in columns}
        names = {column.key: identifier(column.name) for column in columns}
        if batch.version is not None:
            self._ensure_metadata_column(connection, VERSION, "BIGINT")
            staged["v"], names["v"] = str(batch.version), identifier(VERSION)
        source = _source(batch, columns)
        values = ", ".join(f"{expression} AS {key}" for key, expression in staged.items())
        into = f"INSERT INTO {self.name} ({', '.join(names.values())})"
        if not keys:
            connection.execute(f"{into} SELECT {values} FROM {source}")  # noqa: S608  # names are quoted
            return
        keyed = [column for key in keys for column in columns if column.source == key]
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {_BATCH} AS SELECT {values} FROM {source}")  # noqa: S608  # names are quoted
        old = {column.key: f"old.{identifier(column.name)}" for column in keyed}
        new = {column.key: f"new.{column.key}" for column in keyed}
        if self._has_several_spellings(connection, keyed):
            old, new = (
                {column.key: identity(side[column.key], column.type) for column in keyed} for side in (old, new)
            )
        equal = " AND ".join(f"{old[key]} = {new[key]}" for key in new)
        last = f"SELECT max(rowid) FROM {_BATCH} AS new GROUP BY {', '.join(new.values())}"  # noqa: S608  # only our own names
        for statement in (
            # DuckDB skips the row groups of the table whose keys are all outside those of the batch.
            f"DELETE FROM {self.name} AS old USING {_BATCH} AS new WHERE {equal}",  # noqa: S608  # names are quoted
            f"{into} SELECT {', '.join(staged)} FROM {_BATCH} WHERE rowid IN ({last}) ORDER BY rowid",  # noqa: S608  # quoted
            f"DROP TABLE {_BATCH}",
        ):
            connection.execute(statement)

    @staticmethod
    def _has_several_spellings(connection: duckdb.DuckDBPyConnection, keyed: Sequence[Column]) -> bool:
        """Return whether a key in the batch may have other spellings; this is cheaper than to compare identities."""
        tests = " OR ".join({has_several_spellings(column.key, column.type) for column in keyed})
        query = f"SELECT count(*) FROM (SELECT 1 FROM {_BATCH} WHERE {tests} LIMIT 1)"  # noqa: S608  # only our own names
        return bool(connection.execute(query).fetchall()[0][0])

    def delete_other_versions(self, connection: duckdb.DuckDBPyConnection, version: int, *, remove: bool) -> None:
        """Soft-delete or delete the rows of any other version, and those without a version."""
        self._ensure_metadata_column(connection, VERSION, "BIGINT")
        self._ensure_metadata_column(connection, DELETED_AT, "TIMESTAMPTZ")
        other = f"{identifier(VERSION)} IS DISTINCT FROM {int(version)}"
        with explain_row_errors(self._existing, connection):
            if remove:
                connection.execute(f"DELETE FROM {self.name} WHERE {other}")  # noqa: S608  # names are quoted
            else:
                marked = f"{identifier(DELETED_AT)} = now() WHERE {other} AND {identifier(DELETED_AT)} IS NULL"
                connection.execute(f"UPDATE {self.name} SET {marked}")  # noqa: S608  # names are quoted

    def remove_deleted(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Delete the soft-deleted rows."""
        with explain_row_errors(self._existing, connection):
            connection.execute(f"DELETE FROM {self.name} WHERE {identifier(DELETED_AT)} IS NOT NULL")  # noqa: S608  # quoted
