"""The sentences for what DuckDB refuses to write.

Its texts quote rows, in quotes or without, over several lines. So of an error its class alone is told, and of the table
what its catalog says: nothing is taken from the text but which of a few kinds of constraint it is about.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from target_duckdb.errors import LoadError
from target_duckdb.printable import named, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_duckdb.columns import Column
    from target_duckdb.existing import Existing

COPY = "Drop it, or copy the table without it (CREATE TABLE … AS FROM …), and run again."
_MOST_NAMED = 5
_KINDS = {  # how a text of DuckDB's begins -> type of the constraint in its catalog
    "CHECK constraint failed": "CHECK",
    "NOT NULL constraint failed": "NOT NULL",
    "Duplicate key": "UNIQUE",
    "PRIMARY KEY or UNIQUE constraint": "UNIQUE",
    "Violates foreign key": "FOREIGN KEY",
}
_GENERATED = "Constraint Error: Incorrect value for generated column"
_NO_MOMENT = re.compile(r"Invalid Input Error: (c\d+) is not (a date|a date-time)")
"""What `Column.expression` raises: the column's key, and what its value is not."""


@contextmanager
def told(existing: Existing, connection: duckdb.DuckDBPyConnection, columns: Sequence[Column] = ()) -> Iterator[None]:
    """Turn an error of DuckDB that is about rows into a LoadError with the stream, the table and the columns.

    Args:
        existing: The table.
        connection: The connection, in a transaction.
        columns: The columns that are written.
    """
    try:
        yield
    except (duckdb.DataError, duckdb.IntegrityError, duckdb.InvalidInputException) as error:
        raise LoadError(_sentence(error, existing, connection, columns)) from error


def _sentence(
    error: duckdb.Error, existing: Existing, connection: duckdb.DuckDBPyConnection, columns: Sequence[Column]
) -> str:
    stream, table = named(existing.stream), f"{printable(existing.schema)}.{printable(existing.table)}"
    text = str(error)
    if found := _NO_MOMENT.fullmatch(text):
        source = next(column.source for column in columns if column.key == found[1])
        return f"stream {stream}, column {named(source)}: a value is not {found[2]}."
    with connection.cursor() as apart:  # the error has ended the transaction
        constraints, generated = existing.constraints(apart), existing.generated(apart)
    if isinstance(error, duckdb.ConstraintException) and not text.startswith(_GENERATED):
        begin = text.removeprefix("Constraint Error: ")
        kind = next((kind for beginning, kind in _KINDS.items() if begin.startswith(beginning)), "")
        kinds = {"UNIQUE", "PRIMARY KEY"} if kind == "UNIQUE" else {kind}
        where = _list([str(one) for one in constraints if one.kind in kinds]) or kind or "of another kind"
        return f"stream {stream}: a row breaks a constraint of the table {table} ({where}). {COPY}"
    reasons = [f"the expression of the column {named(name)}" for name in generated]
    reasons += [f"the constraint {one}" for one in constraints if one.kind == "CHECK"]
    where = f" Perhaps it is {_list(reasons)}." if reasons else ""
    return (
        f"stream {stream}: DuckDB refused a row of the table {table} ({type(error).__name__}).{where} Run with "
        "TARGET_DUCKDB_LOGLEVEL=DEBUG to see DuckDB's own words, which quote values."
    )


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
