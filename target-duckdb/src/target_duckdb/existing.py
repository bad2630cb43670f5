"""A table that is in the file already, perhaps of another loader: what it has that a load would fail at."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from target_duckdb.columns import quoted
from target_duckdb.errors import LoadError
from target_duckdb.printable import named, printable
from target_duckdb.refusals import COPY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

logger = logging.getLogger("target-duckdb")

_HERE = "database_name = current_database() AND lower(schema_name) = lower(?)"


class Constraint(NamedTuple):
    """A constraint of a table: its own text may quote values.

    Attributes:
        kind: PRIMARY KEY, UNIQUE, NOT NULL, CHECK or FOREIGN KEY.
        columns: Its columns.
    """

    kind: str
    columns: Sequence[str]

    def __str__(self) -> str:
        return f"{self.kind} on {', '.join(map(named, self.columns))}" if self.columns else self.kind


@dataclass(frozen=True)
class Existing:
    """A table and what depends on it, as it stood before the stream's schema came.

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
        """Take away what would refuse the stream's rows: NOT NULL, and a primary key that is not the stream's.

        A primary key goes, too, where its columns have to become wider, which DuckDB does to no column of one. The
        loader keeps rows unique by itself.

        Args:
            connection: The connection, in a transaction: in DuckDB 2 an error ends it, so all is looked at beforehand.
            keys: Columns of the stream's key.
            changes: The columns that become wider, and the type that each will have.

        Raises:
            LoadError: Something else is in the way; it is not the loader's to take away.
        """
        self.check_widened(connection, changes)
        constraints = self.constraints(connection)
        others = [f"the constraint {one}" for one in constraints if one.kind not in {"PRIMARY KEY", "NOT NULL"}]
        dependents = self._dependents(connection)
        for one in constraints:
            if one.kind == "PRIMARY KEY" and (set(one.columns) & changes.keys() or set(one.columns) != set(keys)):
                for obstacle in others + dependents:
                    raise self._refusal(one.columns[0], "cannot stay in the primary key of the table", obstacle)
                self._give_up_key(connection)
                return
        for one in constraints:
            if one.kind == "NOT NULL" and not set(one.columns) <= set(keys):
                for obstacle in dependents:
                    raise self._refusal(one.columns[0], "has to take NULL", obstacle)
                connection.execute(f"ALTER TABLE {self.name} ALTER {quoted(one.columns[0])} DROP NOT NULL")

    def check_widened(self, connection: duckdb.DuckDBPyConnection, changes: Mapping[str, str]) -> None:
        """Raise LoadError where something is in the way of columns that become wider.

        Args:
            connection: The connection, in a transaction.
            changes: The columns, and the type that each will have.
        """
        constraints = self.constraints(connection) if changes else []
        dependents = self._dependents(connection) if changes else []
        for column, kind in changes.items():
            own = [f"the constraint {one}" for one in constraints
                   if column in one.columns and one.kind not in {"PRIMARY KEY", "NOT NULL"}]  # fmt: skip
            for obstacle in own + dependents:
                raise self._refusal(column, f"has to become {kind}", obstacle)

    def primary_key(self, connection: duckdb.DuckDBPyConnection) -> set[str]:
        """Return the columns of the primary key, none where there is none."""
        return {name for one in self.constraints(connection) if one.kind == "PRIMARY KEY" for name in one.columns}

    def check_written(self, connection: duckdb.DuckDBPyConnection, columns: Iterable[str]) -> None:
        """Raise LoadError for a column that DuckDB computes by itself."""
        for column in set(self.generated(connection)) & set(columns):
            with connection.cursor() as apart:  # an error would end the transaction
                try:
                    apart.execute(f"EXPLAIN INSERT INTO {self.name} ({quoted(column)}) SELECT NULL")  # quoted
                except duckdb.BinderException:
                    raise self._refusal(column, "has to take values", "the expression that generates it") from None

    def _refusal(self, column: str, purpose: str, obstacle: str) -> LoadError:
        return LoadError(
            f"stream {named(self.stream)}, column {named(column)}: it {purpose}, but {obstacle} of the table "
            f"{printable(self.schema)}.{printable(self.table)} is in the way. {COPY}"
        )

    def generated(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """Return the columns that have an expression, of which a default is one."""
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
        """Return the indexes and foreign keys that let DuckDB change no column of the table."""
        query = f"SELECT index_name FROM duckdb_indexes() WHERE {_HERE} AND table_name = ? ORDER BY 1"  # noqa: S608  # only ours
        indexes = connection.execute(query, [self.schema, self.table]).fetchall()
        query = (
            "SELECT table_name FROM duckdb_constraints() "  # noqa: S608  # only ours
            f"WHERE {_HERE} AND constraint_type = 'FOREIGN KEY' AND referenced_table = ? ORDER BY 1"
        )
        references = connection.execute(query, [self.schema, self.table]).fetchall()
        return [f"the index {named(name)}" for (name,) in indexes] + [
            f"the foreign key of {named(name)}" for (name,) in references
        ]

    def _give_up_key(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Copy the table without its primary key, and its NOT NULL; views stay as they are."""
        logger.warning(
            "stream %s: the table %s.%s gives up its primary key, which is not the stream's, or has to become wider. "
            "Rows stay unique by the stream's key.",
            named(self.stream),
            printable(self.schema),
            printable(self.table),
        )
        copy = f"{self.name.removesuffix(quoted(self.table))}{quoted(f'{self.table}_without_key')}"
        connection.execute(f"CREATE TABLE {copy} AS FROM {self.name}")
        connection.execute(f"DROP TABLE {self.name}")
        connection.execute(f"ALTER TABLE {copy} RENAME TO {quoted(self.table)}")
