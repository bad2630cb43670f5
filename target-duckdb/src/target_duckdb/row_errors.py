"""Messages for rows that DuckDB refuses to write.

DuckDB's own messages quote rows, with or without quotes, over several lines. Ours have the class of the error, and the
table's constraints from the catalog; only the kind of constraint is taken from DuckDB's message.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from target_duckdb.errors import LoadError
from target_duckdb.printable import printable, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_duckdb.columns import Column
    from target_duckdb.existing_table import ExistingTable

REMEDY = "Drop it, or copy the table without it (CREATE TABLE … AS FROM …), and run again."
_MOST_NAMED = 5
_KINDS = {  # beginning of DuckDB's message -> type of the constraint in its catalog
    "CHECK constraint failed": "CHECK",
    "NOT NULL constraint failed": "NOT NULL",
    "Duplicate key": "UNIQUE",
    "PRIMARY KEY or UNIQUE constraint": "UNIQUE",
    "Violates foreign key": "FOREIGN KEY",
}
_GENERATED = "Constraint Error: Incorrect value for generated column"
_NO_MOMENT = re.compile(r"Invalid Input Error: (c\d+) is not (a date|a date-time)")
"""Error of `Column.expression`: the column's key, and the type that its value lacks."""


@contextmanager
def explain_row_errors(
    existing: ExistingTable, connection: duckdb.DuckDBPyConnection, columns: Sequence[Column] = ()
) -> Iterator[None]:
    """Turn an error of DuckDB about a row into a LoadError with the stream, the table and the columns.

    Args:
        existing: The table.
        connection: The connection, in a transaction.
        columns: Columns of the rows.
    """
    try:
        yield
    except (duckdb.DataError, duckdb.IntegrityError, duckdb.InvalidInputException) as error:
        raise LoadError(_message(error, existing, connection, columns)) from error


def _message(
    error: duckdb.Error, existing: ExistingTable, connection: duckdb.DuckDBPyConnection, columns: Sequence[Column]
) -> str:
    stream, table = quoted(existing.stream), f"{printable(existing.schema)}.{printable(existing.table)}"
    text = str(error)
    if found := _NO_MOMENT.fullmatch(text):
        source = next(column.source for column in columns if column.key == found[1])
        return f"stream {stream}, column {quoted(source)}: a value is not {found[2]}."
    with connection.cursor() as apart:  # the error has ended the transaction
        constraints, generated = existing.constraints(apart), existing.generated_columns(apart)
    if isinstance(error, duckdb.ConstraintException) and not text.startswith(_GENERATED):
        begin = text.removeprefix("Constraint Error: ")
        kind = next((kind for beginning, kind in _KINDS.items() if begin.startswith(beginning)), "")
        kinds = {"UNIQUE", "PRIMARY KEY"} if kind == "UNIQUE" else {kind}
        where = _list([str(one) for one in constraints if one.kind in kinds]) or kind or "of another kind"
        return f"stream {stream}: a record violates a constraint of the table {table} ({where}). {REMEDY}"
    reasons = [f"the expression of the column {quoted(name)}" for name in generated]
    reasons += [f"the constraint {one}" for one in constraints if one.kind == "CHECK"]
    where = f" The cause may be {_list(reasons)}." if reasons else ""
    return (
        f"stream {stream}: DuckDB refused a record for the table {table} ({type(error).__name__}).{where} Run with "
        "TARGET_DUCKDB_LOGLEVEL=DEBUG to see DuckDB's own message, which quotes values."
    )


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
