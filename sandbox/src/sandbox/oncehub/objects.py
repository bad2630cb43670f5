"""Single objects: found by id, shown, and expanded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.oncehub.collection import Gone
from sandbox.oncehub.endpoints import OBJECTS
from sandbox.oncehub.paging import Ordered
from sandbox.oncehub.refusals import invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sandbox.http import Row
    from sandbox.oncehub.collection import Collection
    from sandbox.oncehub.switches import Switches


def show(api: Switches, collection: Collection, entry: Any) -> Row:
    """Show an object, or the stub of a deleted one."""
    if isinstance(entry, Gone):
        return {"id": entry.ref, "object": collection.object, "deleted": True}
    return api.enrich(collection.name, collection.show(api, entry))


def find(api: Switches, collection: Collection, ref: str) -> Any:
    """Return the record or the stub with an id, or None if there never was one."""
    ordered = Ordered.of(api, collection)
    if ref in ordered.places:
        return ordered.entries[ordered.places[ref]]
    return next((one for one in collection.gone(api) if one.ref == ref), None)


def expanded(api: Switches, collection: Collection, row: Row, paths: Iterable[Sequence[str]]) -> Row:
    """Return a row in which ids are replaced by their objects.

    Raises:
        Refusal: a field cannot be expanded.
    """
    for field, *rest in paths:
        if field not in collection.references:
            raise invalid("expand", "This property cannot be expanded")
        value = row.get(field)
        ref = value["id"] if isinstance(value, dict) else value
        for name in collection.references[field]:
            entry = find(api, OBJECTS[name], ref) if ref else None
            if entry is not None:
                shown = value if isinstance(value, dict) else show(api, OBJECTS[name], entry)
                row |= {field: expanded(api, OBJECTS[name], shown, [rest] if rest else [])}
    return row
