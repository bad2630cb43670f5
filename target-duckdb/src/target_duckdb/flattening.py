"""Nested objects as columns of their own, without losing a value.

The SDK's flattening goes by the spelling of a schema: of `anyOf` and `oneOf` it takes the first alternative, and drops
the objects of records there; it drops what a nested object holds beyond its schema, turns arrays into text, and warns
of every object that is null. Only its names of columns are kept.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_duckdb.sdk import flat_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from target_duckdb.columns import Json


@dataclass
class Node:
    """A property, or a record, and where its value goes.

    Attributes:
        path: Names of the properties that lead to it.
        schema: Its JSON schema.
        fields: The properties that have columns of their own; none where the value is stored as a whole.
        name: Column of the value, or of what the fields do not hold of it.
    """

    path: tuple[str, ...]
    schema: Json
    fields: dict[str, Node] = field(default_factory=dict)
    name: str = ""

    def walk(self) -> Iterator[Node]:
        """This node and all within it, in the order of the schema."""
        yield self
        for inner in self.fields.values():
            yield from inner.walk()

    def spread(self, value: Json, row: dict[str, Json]) -> None:
        """Put a value into the columns of a row."""
        if not self.fields:
            row[self.name] = value
        elif isinstance(value, dict):
            rest = {}
            for name, item in value.items():
                if inner := self.fields.get(name):
                    inner.spread(item, row)
                else:
                    rest[name] = item
            if rest and self.path:
                row[self.name] = rest
        elif value is not None:
            row[self.name] = value


class Flattening:
    """The columns of a stream whose nested objects are spread over columns.

    A value goes to the column of its path. What an object holds beyond its schema, or an alternative that is no object,
    goes as JSON to a column of the object's own path, which is made when the first such value comes.

    Attributes:
        properties: Columns that the schema asks for, with their schemas.
        rests: Columns that hold the rest of an object.
    """

    def __init__(self, properties: Mapping[str, Json], depth: int, separator: str, longest: int) -> None:
        self._root = _node((), {"type": "object", "properties": properties}, depth + 1)
        self.properties: dict[str, Json] = {}
        self.rests: set[str] = set()
        nodes = [node for node in self._root.walk() if node.path]
        taken: set[str] = set()
        for node in sorted(nodes, key=lambda node: (len(node.path) > 1, bool(node.fields))):
            node.name = _unused(node.path, separator, longest, taken)
            taken.add(node.name)
            if node.fields:
                self.rests.add(node.name)
        self.properties = {node.name: node.schema for node in nodes if not node.fields}

    def row(self, record: Mapping[str, Json]) -> dict[str, Json]:
        """The values of a record by the columns that hold them, without those of unknown properties."""
        row: dict[str, Json] = {}
        if self._root.fields:
            self._root.spread(record, row)
        return row


def _unused(path: tuple[str, ...], separator: str, longest: int, taken: Iterable[str]) -> str:
    name = path[0] if len(path) == 1 else flat_name(path, separator, longest)
    return f"{name}_{binascii.crc32('.'.join(path).encode()):08x}" if name in taken else name


def _node(path: tuple[str, ...], schema: Json, depth: int) -> Node:
    fields = _fields(schema) if depth > 0 else {}
    return Node(path, schema, {name: _node((*path, name), inner, depth - 1) for name, inner in fields.items()})


def _fields(schema: Json) -> dict[str, Json]:
    """The properties of the objects that a schema allows, in whichever of its alternatives."""
    found: dict[str, Json] = {}
    for option in _objects(schema):
        for name, inner in option["properties"].items():
            known = found.get(name, inner)
            found[name] = inner if known == inner else {"anyOf": [known, inner]}
    return found


def _objects(schema: Json) -> Iterator[dict[str, Json]]:
    if not isinstance(schema, dict):
        return
    types = schema["type"] if isinstance(schema.get("type"), list) else [schema.get("type", "object")]
    if "object" in types and isinstance(schema.get("properties"), dict):
        yield schema
    if "type" not in schema:
        for union in ("anyOf", "oneOf", "allOf"):
            for option in schema[union] if isinstance(schema.get(union), list) else ():
                yield from _objects(option)
