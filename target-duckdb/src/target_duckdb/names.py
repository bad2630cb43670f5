"""Which table a stream has, and which column a property.

DuckDB does not tell `Id` from `id`, and other loaders make all names lower case: what matches but for case is taken. Of
several that differ only by case, one has the name, and each other one is stored as `id_<CRC-32 of its name>`, in every
run.
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


def suffixed(name: str) -> str:
    """Return the name of what cannot have its own: with the CRC-32 of it at the end."""
    return f"{name}_{binascii.crc32(name.encode()):08x}"


def table_of(stream: str, tables: Collection[str], others: Collection[str]) -> str:
    """Return the name of a stream's table.

    Args:
        stream: Name of the stream.
        tables: Names of the tables that there are.
        others: Tables that other streams of this run have.
    """
    free = sorted(set(tables) - set(others))
    # The suffix first: who has it had to give way to another stream in an earlier run.
    for name in (suffixed(stream), stream, *(name for name in free if name.lower() == stream.lower())):
        if name in free:
            return name
    in_the_way = {name.lower() for name in others}
    return suffixed(stream) if not stream or stream.lower() in in_the_way else stream


def columns_of(properties: Iterable[str], columns: Iterable[str]) -> dict[str, str]:
    """Return the column of each property, a different one for each.

    Args:
        properties: Names of the properties, in the schema's order.
        columns: Names of the columns that there are.
    """
    sources, there = list(properties), set(columns)
    by_case = {name.lower(): name for name in sorted(there, reverse=True)}
    found: dict[str, str] = {}
    taken: set[str] = set()

    def take(source: str, name: str | None) -> None:
        if name and source not in found and name.lower() not in taken:
            found[source] = name
            taken.add(name.lower())

    for source in sources:
        take(source, source if source in there else None)
    for source in sources:  # one that had to give way in an earlier run
        name = suffixed(source)
        take(source, name if name in there and name not in sources else None)
    for source in sources:
        take(source, by_case.get(source.lower()))
    for source in sources:
        take(source, source)
    for source in sources:
        name = source
        while source not in found:
            name = suffixed(name)
            take(source, name)
    return {source: found[source] for source in sources}


def old_table_of(stream: str) -> str:
    """Return the name of the table that PyPI's target-duckdb 0.8.0 has for a stream."""
    parts = stream.split("-")
    table = stream if len(parts) == 1 else "_".join(parts[1:] if len(parts) == 2 else parts[2:])  # noqa: PLR2004  # schema-table, or catalog-schema-table
    return table.replace(".", "_").replace("-", "_").lower()
