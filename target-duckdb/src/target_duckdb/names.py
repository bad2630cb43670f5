"""Names of tables for streams, and of columns for properties.

DuckDB's names are case-insensitive, and other loaders make all names lower case: an existing name that differs only by
case is used. Of several names that differ only by case, one is stored as it is, and each other as
`id_<CRC-32 of the name>`, in every run. So is a name that looks generated, an empty one, and one with a NUL.
"""

from __future__ import annotations

import binascii
from itertools import chain, count, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

_TRIED = 2
"""Generated names per name to look for: the second is used if another name is the first but for case."""
_NUL = "\N{SYMBOL FOR NULL}"


def suffixed(name: str, times: int = 0) -> str:
    """Return a name with the CRC-32 of the name and `times` NULs appended; a NUL, which DuckDB refuses, is replaced."""
    return f"{name.replace(chr(0), _NUL)}_{binascii.crc32(name.encode() + bytes(times)):08x}"


def _is_suffixed(name: str) -> bool:
    bases = (name[:-9], name[:-9].replace(_NUL, chr(0)))
    return any(name == suffixed(base, times) for base in bases for times in range(_TRIED))


def _is_plain(name: str) -> bool:
    """Return whether a name can be stored as it is: one that looks generated may be needed for another name."""
    return bool(name) and "\0" not in name and not _is_suffixed(name)


def _generated(name: str) -> Iterator[str]:
    """Return the generated names of a name, in order."""
    return (suffixed(name, times) for times in count())


def _names(name: str) -> Iterator[str]:
    """Return the name itself if it can be stored as it is, then its generated names."""
    return chain([name] if _is_plain(name) else [], _generated(name))


def _earlier(name: str, there: Collection[str]) -> str | None:
    """Return the generated name that an earlier run has stored, if any."""
    return next((one for one in islice(_generated(name), _TRIED) if one in there), None)


def table_name(stream: str, tables: Collection[str], others: Collection[str]) -> str:
    """Return the name of a stream's table.

    Args:
        stream: Name of the stream.
        tables: Existing tables.
        others: Tables of other streams of this run.
    """
    free = sorted(set(tables) - set(others))
    if name := _earlier(stream, free):
        return name
    alike = [name for name in free if _is_plain(name) and name.lower() == stream.lower()]
    if alike:
        return stream if stream in alike else alike[0]
    in_the_way = {name.lower() for name in (*tables, *others)}
    return next(name for name in _names(stream) if name.lower() not in in_the_way)


def column_names(
    properties: Iterable[str], columns: Iterable[str], known: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the column of each property, all of them different.

    Args:
        properties: Names of the properties, in the schema's order.
        columns: Existing columns.
        known: Columns of properties in this run so far.
    """
    sources, there = list(properties), set(columns)
    found = dict(known or {})
    taken = {name.lower() for name in found.values()}
    in_the_way = {name.lower() for name in there}
    by_case = {name.lower(): name for name in sorted(there, reverse=True) if _is_plain(name)}

    def take(source: str, name: str | None) -> None:
        if name and source not in found and name.lower() not in taken:
            found[source] = name
            taken.add(name.lower())

    plain = [source for source in sources if _is_plain(source)]
    for source in plain:
        take(source, source if source in there else None)
    for source in sources:  # one that was stored under a generated name in an earlier run
        take(source, _earlier(source, there))
    for source in plain:
        take(source, by_case.get(source.lower()))
    names = {source: _names(source) for source in sources}
    while missing := [source for source in sources if source not in found]:
        for source in missing:
            name = next(names[source])
            take(source, None if name.lower() in in_the_way else name)
    return {source: found[source] for source in sources}


def legacy_table_name(stream: str) -> str:
    """Return the name of the table that target-duckdb 0.8.0 on PyPI uses for a stream."""
    parts = stream.split("-")
    table = stream if len(parts) == 1 else "_".join(parts[1:] if len(parts) == 2 else parts[2:])  # noqa: PLR2004  # schema-table, or catalog-schema-table
    return table.replace(".", "_").replace("-", "_").lower()
