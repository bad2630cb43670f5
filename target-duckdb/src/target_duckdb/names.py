"""Which table a stream has, and which column a property.

DuckDB does not tell `Id` from `id`, and other loaders make all names lower case: what matches but for case is taken. Of
several that differ only by case, one has the name, and each other one is stored as `id_<CRC-32 of its name>`, in every
run. So is a name that looks like one of these, an empty one, and one with a NUL.
"""

from __future__ import annotations

import binascii
from itertools import chain, count, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

_TRIED = 2
"""Generated names of one name that are looked for: the second is for where another has the first but for case."""
_NUL = "\N{SYMBOL FOR NULL}"


def suffixed(name: str, times: int = 0) -> str:
    """Return a name with the CRC-32 of it, and of so many NULs, at the end; DuckDB takes no NUL in one."""
    return f"{name.replace(chr(0), _NUL)}_{binascii.crc32(name.encode() + bytes(times)):08x}"


def _is_suffixed(name: str) -> bool:
    bases = (name[:-9], name[:-9].replace(_NUL, chr(0)))
    return any(name == suffixed(base, times) for base in bases for times in range(_TRIED))


def _is_plain(name: str) -> bool:
    """Whether it can be stored under its own name: one that looks generated may be needed by another."""
    return bool(name) and "\0" not in name and not _is_suffixed(name)


def _generated(name: str) -> Iterator[str]:
    """The names that stand for one that cannot have its own, in their order."""
    return (suffixed(name, times) for times in count())


def _names(name: str) -> Iterator[str]:
    """Its own name if it can have that, then those that are generated."""
    return chain([name] if _is_plain(name) else [], _generated(name))


def _earlier(name: str, there: Collection[str]) -> str | None:
    """Return the generated name under which something was stored in an earlier run, if it was."""
    return next((one for one in islice(_generated(name), _TRIED) if one in there), None)


def table_of(stream: str, tables: Collection[str], others: Collection[str]) -> str:
    """Return the name of a stream's table.

    Args:
        stream: Name of the stream.
        tables: Names of the tables that there are.
        others: Tables that other streams of this run have.
    """
    free = sorted(set(tables) - set(others))
    if name := _earlier(stream, free):
        return name
    alike = [name for name in free if _is_plain(name) and name.lower() == stream.lower()]
    if alike:
        return stream if stream in alike else alike[0]
    in_the_way = {name.lower() for name in (*tables, *others)}
    return next(name for name in _names(stream) if name.lower() not in in_the_way)


def columns_of(
    properties: Iterable[str], columns: Iterable[str], known: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the column of each property, a different one for each.

    Args:
        properties: Names of the properties, in the schema's order.
        columns: Names of the columns that there are.
        known: Columns that properties have already in this run.
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
    for source in sources:  # one that had to give way in an earlier run
        take(source, _earlier(source, there))
    for source in plain:
        take(source, by_case.get(source.lower()))
    names = {source: _names(source) for source in sources}
    while missing := [source for source in sources if source not in found]:
        for source in missing:
            name = next(names[source])
            take(source, None if name.lower() in in_the_way else name)
    return {source: found[source] for source in sources}


def old_table_of(stream: str) -> str:
    """Return the name of the table that PyPI's target-duckdb 0.8.0 has for a stream."""
    parts = stream.split("-")
    table = stream if len(parts) == 1 else "_".join(parts[1:] if len(parts) == 2 else parts[2:])  # noqa: PLR2004  # schema-table, or catalog-schema-table
    return table.replace(".", "_").replace("-", "_").lower()
