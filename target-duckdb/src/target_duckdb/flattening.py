"""Flattening of nested objects into columns, without losing a value.

The SDK's flattening loses values: of `anyOf` and `oneOf` it uses the first alternative and drops objects of the others;
it drops properties that are not in a nested schema, turns arrays into text, and warns about every null object. Only its
column names are used here.
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
    """A property, or the record itself, and the column of its value.

    Attributes:
        path: Names of the properties that lead to it.
        schema: Its JSON schema.
        fields: Properties with columns of their own; empty if the value is stored as a whole.
        name: Column of the value, or of its rest beside the fields.
    """

    path: tuple[str, ...]
    schema: Json
    fields: dict[str, Node] = field(default_factory=dict)
    name: str = ""

    def walk(self) -> Iterator[Node]:
        """Yield this node and all nodes within it, in the order of the schema."""
        yield self
        for inner in self.fields.values():
            yield from inner.walk()

    def spread(self, value: Json, row: dict[str, Json]) -> None:
        """Distribute a value over the columns of a row."""
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
    """Columns of a stream whose nested objects are flattened.

    A value is stored in the column of its path. Properties that are not in an object's schema, and values that are not
    objects, are stored as JSON in a column of the object's own path, which is created when the first one comes.

    Attributes:
        properties: Columns of the schema, with their JSON schemas.
        rests: Columns for the rest of an object.
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
        """Return the values of a record by column, without unknown properties."""
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
    """Return the properties of all objects that a schema allows, in any of its alternatives."""
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
