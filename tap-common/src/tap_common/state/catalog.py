"""Catalogs that lack columns: those of another version of the tap, or shortened by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.catalog import Metadata
from singer_sdk.singerlib.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from singer_sdk.singerlib.catalog import CatalogEntry


def leave_out_unlisted(entry: CatalogEntry, schema: Mapping[str, Any], keys: Collection[str]) -> list[str]:
    """Deselect the columns of a stream that its catalog entry does not list; return their names, such as `email`.

    SCHEMA messages have the columns of the catalog, so records must not have others. `keys` are the primary and
    replication keys; they are added if the entry lacks them. An entry without any column, such as one written by hand
    for its selection, gets all columns.
    """
    listed = entry.schema.to_dict()
    properties: dict[str, Any] = listed.get("properties") or {}
    if not properties:
        entry.schema = Schema.from_dict(dict(schema))
        return []
    own = schema["properties"]
    missing = [key for key in keys if key in own and key not in properties]
    if missing or listed.get("required"):
        listed["properties"] = properties = {**{key: own[key] for key in missing}, **properties}
        # A column that this version does not have is in none of its records.
        listed["required"] = [name for name in listed.get("required") or () if name in own]
        entry.schema = Schema.from_dict(listed)
    unlisted = list(_unlisted(own, properties, ()))
    for breadcrumb in unlisted:
        entry.metadata[breadcrumb] = Metadata(inclusion=Metadata.InclusionType.AVAILABLE, selected=False)
    return [".".join(breadcrumb[1::2]) for breadcrumb in unlisted]


def _unlisted(own: Mapping[str, Any], listed: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the breadcrumbs of properties that a catalog does not list, nested ones included."""
    for name, column in own.items():
        breadcrumb = (*path, "properties", name)
        if name not in listed:
            yield breadcrumb
        # An object listed without properties is listed with all of them.
        elif (known := listed[name].get("properties")) is not None:
            yield from _unlisted(column.get("properties") or {}, known, breadcrumb)
