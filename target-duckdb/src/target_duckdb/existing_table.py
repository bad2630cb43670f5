"""A table that is in the file already, perhaps of another loader, and its constraints that block a load."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from target_duckdb.columns import identifier
from target_duckdb.errors import LoadError
from target_duckdb.printable import printable, quoted
from target_duckdb.row_errors import REMEDY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

logger = logging.getLogger("target-duckdb")

_HERE = "database_name = current_database() AND lower(schema_name) = lower(?)"


class Constraint(NamedTuple):
    """A constraint of a table, without its expression, which may quote values.

    Attributes:
        kind: PRIMARY KEY, UNIQUE, NOT NULL, CHECK or FOREIGN KEY.
        columns: Its columns.
    """

    kind: str
    columns: Sequence[str]

    def __str__(self) -> str:
        return f"{self.kind} on {', '.join(map(quoted, self.columns))}" if self.columns else self.kind


@dataclass(frozen=True)
class ExistingTable:
    """A table and its dependents, as they were before the stream's SCHEMA message.

    Attributes:
        stream: Name of the stream.
        name: Quoted name with its catalog and schema.
        schema: Name of its schema.
        table: Name of the table.
    """

    stream: str
    name: str
    schema: str
    table: str

    def prepare(self, connection: duckdb.DuckDBPyConnection, keys: Sequence[str], changes: Mapping[str, str]) -> None:
        """Drop the constraints that block the stream's records: NOT NULL, and a primary key that is not the stream's.

        A primary key with a column to be widened is dropped, too, because DuckDB widens no column of a primary key. The
        loader itself keeps rows unique.

        Args:
            connection: The connection, in a transaction. In DuckDB 2 an error aborts it, so all is checked first.
            keys: Columns of the stream's key.
            changes: Columns to be widened, with their new types.

        Raises:
            LoadError: Another constraint, an index or a foreign key blocks the change.
        """
        self.check_widened(connection, changes)
        constraints = self.constraints(connection)
        others = [f"the constraint {one}" for one in constraints if one.kind not in {"PRIMARY KEY", "NOT NULL"}]
        dependents = self._dependents(connection)
        for one in constraints:
            if one.kind == "PRIMARY KEY" and (set(one.columns) & changes.keys() or set(one.columns) != set(keys)):
                for obstacle in others + dependents:
                    raise self._conflict(one.columns[0], "cannot stay in the primary key of the table", obstacle)
                self._drop_primary_key(connection)
                return
        for one in constraints:
            if one.kind == "NOT NULL" and not set(one.columns) <= set(keys):
                for obstacle in dependents:
                    raise self._conflict(one.columns[0], "has to take NULL", obstacle)
                connection.execute(f"ALTER TABLE {self.name} ALTER {identifier(one.columns[0])} DROP NOT NULL")

    def check_widened(self, connection: duckdb.DuckDBPyConnection, changes: Mapping[str, str]) -> None:
        """Raise LoadError if a constraint, an index or a foreign key blocks the widening of a column.

        Args:
            connection: The connection, in a transaction.
            changes: Columns to be widened, with their new types.
        """
        constraints = self.constraints(connection) if changes else []
        dependents = self._dependents(connection) if changes else []
        for column, kind in changes.items():
            own = [f"the constraint {one}" for one in constraints
                   if column in one.columns and one.kind not in {"PRIMARY KEY", "NOT NULL"}]  # fmt: skip
            for obstacle in own + dependents:
                raise self._conflict(column, f"has to become {kind}", obstacle)

    def primary_key(self, connection: duckdb.DuckDBPyConnection) -> set[str]:
        """Return the columns of the primary key."""
        return {name for one in self.constraints(connection) if one.kind == "PRIMARY KEY" for name in one.columns}

    def check_written(self, connection: duckdb.DuckDBPyConnection, columns: Iterable[str]) -> None:
        """Raise LoadError for a generated column."""
        for column in set(self.generated_columns(connection)) & set(columns):
            with connection.cursor() as apart:  # an error would abort the transaction
                try:
                    apart.execute(f"EXPLAIN INSERT INTO {self.name} ({identifier(column)}) SELECT NULL")  # quoted
                except duckdb.BinderException:
                    raise self._conflict(column, "has to take values", "the expression that generates it") from None

    def _conflict(self, column: str, purpose: str, obstacle: str) -> LoadError:
        return LoadError(
            f"stream {quoted(self.stream)}, column {quoted(column)}: it {purpose}, but {obstacle} of the table "
            f"{printable(self.schema)}.{printable(self.table)} prevents that. {REMEDY}"
        )

    def generated_columns(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """Return the columns that have an expression: generated ones, and those with a default."""
        query = (
            f"SELECT column_name FROM duckdb_columns() WHERE {_HERE} AND table_name = ? AND column_default IS NOT NULL"  # noqa: S608  # only ours
        )
        return [name for (name,) in connection.execute(query, [self.schema, self.table]).fetchall()]

    def constraints(self, connection: duckdb.DuckDBPyConnection) -> list[Constraint]:
        """Return the constraints of the table."""
        query = (
            "SELECT constraint_type, constraint_column_names FROM duckdb_constraints() "  # noqa: S608  # only ours
            f"WHERE {_HERE} AND table_name = ? ORDER BY constraint_index"
        )
        return [Constraint(*row) for row in connection.execute(query, [self.schema, self.table]).fetchall()]

    def _dependents(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """Return the indexes and foreign keys that stop DuckDB from altering the table."""
        query = f"SELECT index_name FROM duckdb_indexes() WHERE {_HERE} AND table_name = ? ORDER BY 1"  # noqa: S608  # only ours
        indexes = connection.execute(query, [self.schema, self.table]).fetchall()
        query = (
            "SELECT table_name FROM duckdb_constraints() "  # noqa: S608  # only ours
            f"WHERE {_HERE} AND constraint_type = 'FOREIGN KEY' AND referenced_table = ? ORDER BY 1"
        )
        references = connection.execute(query, [self.schema, self.table]).fetchall()
        return [f"the index {quoted(name)}" for (name,) in indexes] + [
            f"the foreign key of {quoted(name)}" for (name,) in references
        ]

    def _drop_primary_key(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Replace the table by a copy without its primary key and NOT NULL constraints; views stay valid."""
        logger.warning(
            "stream %s: the primary key of the table %s.%s is dropped: it is not the stream's, or has a column to be "
            "widened. Rows stay unique by the stream's key.",
            quoted(self.stream),
            printable(self.schema),
            printable(self.table),
        )
        copy = f"{self.name.removesuffix(identifier(self.table))}{identifier(f'{self.table}_without_key')}"
        connection.execute(f"CREATE TABLE {copy} AS FROM {self.name}")
        connection.execute(f"DROP TABLE {self.name}")
        connection.execute(f"ALTER TABLE {copy} RENAME TO {identifier(self.table)}")
