"""Relations between the tables of a tap: as a Mermaid diagram, and as a list to join by.

A relation is what a stream declares (`parent_keys`), or a text column that is named after another stream: `event_type`,
`event_type_id` or `event_type_uri` is a key of `event_types`, and `contact` one of `contacts`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from api import Api
    from tap_common.stream import APIStream

_IDENTITIES = ("uri", "id")
_OTHERS = {
    "tap-bookings": {"owner": ("users", "id")},
    "tap-calendly": {"user": ("organization_memberships", "user.uri")},
    "tap-luma": {
        "event_details.id": ("events", "api_id"),
        "organization_events.calendar": ("organization_calendars", "id"),
    },
}
"""References whose name does not say which stream they refer to, by name, or by stream and name."""


@dataclass(frozen=True)
class Relation:
    """A column whose values are found in a column of another stream."""

    stream: str
    column: str
    target: str
    target_column: str
    """A path, such as `user.uri`, where it is a field of an object."""


def relations(api: Api) -> list[Relation]:
    """Return the relations between a tap's streams, in the order of the streams; what a stream declares comes first."""
    streams = cast("list[APIStream]", list(api.tap(config={}, validate_config=False).streams.values()))
    found: dict[tuple[str, str], Relation] = {}
    for stream in streams:
        for relation in (*_declared(stream, streams), *_named(stream, streams)):
            found.setdefault((stream.name, _base(relation.column)), relation)
    return list(found.values())


def diagram(api: Api) -> str:
    """Return an entity-relationship diagram of the tables that have relations."""
    lines = [f"    {one.target} ||--o{{ {one.stream} : {one.column}" for one in relations(api)]
    return "\n".join(["```mermaid", "erDiagram", *lines, "```"])


def joins(api: Api) -> str:
    """Return a table of the columns to join by."""
    lines = [f"| `{one.stream}.{one.column}` | `{one.target}.{one.target_column}` |" for one in relations(api)]
    return "\n".join(["| column | refers to |", "|---|---|", *lines])


def _declared(stream: APIStream, streams: Sequence[APIStream]) -> Iterator[Relation]:
    parent = next((one for one in streams if type(one) is stream.parent_stream_type), None)
    if parent is None:
        return
    found = [
        Relation(stream.name, column, parent.name, of_parent)
        for column, of_parent in stream.parent_keys.items()
        if column in stream.schema["properties"]
        and of_parent.rpartition(".")[2] in (*parent.primary_keys, *_IDENTITIES)
    ]
    yield from sorted(found, key=lambda one: one.target_column not in parent.primary_keys)


def _named(stream: APIStream, streams: Sequence[APIStream]) -> Iterator[Relation]:
    others = [one for one in streams if one is not stream and len(one.primary_keys) == 1]
    for column, definition in stream.schema["properties"].items():
        if "string" not in definition["type"] or not _refers(column, definition):
            continue
        base = _base(column)
        exceptions = _OTHERS.get(stream.tap_name, {})
        if target := exceptions.get(f"{stream.name}.{base}", exceptions.get(base)):
            name, identity = target
        elif matching := [one for one in others if _named_after(base, _singular(one.name))]:
            best = min(matching, key=lambda one: (_singular(one.name) != base, len(one.name)))
            name, identity = best.name, best.primary_keys[0]
        else:
            continue
        if not (column.endswith("_id") and identity.endswith("uri")):  # the last segment of a URI is no URI
            yield Relation(stream.name, column, name, identity)


def _refers(column: str, definition: Mapping[str, object]) -> bool:
    return bool(column.endswith(("_id", "_uri")) or re.match("(URI|Id)\\b", str(definition.get("description"))))


def _base(column: str) -> str:
    return re.sub("(_api)?_(id|uri)$", "", column)


def _singular(name: str) -> str:
    return name.removesuffix("s")


def _named_after(base: str, singular: str) -> bool:
    return base == singular or singular.endswith(f"_{base}") or base.endswith(f"_{singular}")
