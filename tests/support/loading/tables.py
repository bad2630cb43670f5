"""The loader within this process, and its tables compared with each other."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import duckdb

from target_duckdb.target import TargetDuckDB

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SCHEMA = "loaded"
UNLIKE = {"_sdc_table_version", "_sdc_deleted_at"}
"""Columns that say when a row was loaded."""


def loader(file: Path, **settings: Any) -> TargetDuckDB:
    """The loader."""
    config = {"filepath": str(file), "default_target_schema": SCHEMA}
    return TargetDuckDB(config=config | settings)


def load(file: Path, lines: Iterable[bytes], **settings: Any) -> list[str]:
    """Load a whole run; returns the states that came out."""
    target = loader(file, **settings)
    out = io.StringIO()
    try:
        with redirect_stdout(out):
            target.load(lines)  # type: ignore[arg-type]  # lines are enough
    finally:
        target.warehouse.close()
    return out.getvalue().splitlines()


def unequal(file: Path, other: Path) -> list[str]:
    """The tables whose live rows differ between two files, or that only one of them has."""
    with duckdb.connect() as both:
        both.execute(f"ATTACH '{file}' AS a (READ_ONLY); ATTACH '{other}' AS b (READ_ONLY)")
        tables = {catalog: _tables(both, catalog) for catalog in "ab"}
        return sorted(
            name
            for name in tables["a"].keys() | tables["b"].keys()
            if tables["a"].get(name) != tables["b"].get(name) or not _same(both, name, tables["a"][name])
        )


def _tables(both: duckdb.DuckDBPyConnection, catalog: str) -> dict[str, frozenset[str]]:
    found = both.execute(
        "SELECT table_name, list(column_name) FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? "
        "GROUP BY table_name",
        [catalog, SCHEMA],
    )
    return {name: frozenset(columns) - UNLIKE for name, columns in found.fetchall()}


def _same(both: duckdb.DuckDBPyConnection, name: str, columns: Iterable[str]) -> bool:
    chosen = ", ".join(f'"{column}"' for column in sorted(columns))
    a, b = (f"SELECT {chosen} FROM {live(both, catalog, name)}" for catalog in "ab")  # noqa: S608  # our own names
    query = f"SELECT count(*) FROM (({a} EXCEPT ALL {b}) UNION ALL ({b} EXCEPT ALL {a}))"  # noqa: S608  # our own names
    return both.execute(query).fetchall() == [(0,)]


def live(connection: duckdb.DuckDBPyConnection, catalog: str, name: str) -> str:
    """SQL for the rows of a table that are not marked as gone."""
    table = f'{catalog}.{SCHEMA}."{name}"'
    columns = {row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall()}
    return f"(FROM {table} WHERE _sdc_deleted_at IS NULL)" if "_sdc_deleted_at" in columns else f"(FROM {table})"
