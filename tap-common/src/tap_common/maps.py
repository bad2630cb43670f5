"""Which stream maps apply."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, Any

from singer_sdk.mapper import MAPPER_SOURCE_OPTION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.singerlib.catalog import Catalog


def maps_of_selected(maps: Mapping[str, Any], catalog: Catalog) -> dict[str, Any]:
    """The setting `stream_maps` without the maps of streams that are not selected.

    The SDK makes every map, of a stream that is not selected with a schema without columns, and then misses its keys.
    A name with wildcards becomes those of the selected streams that it fits.
    """
    on = {entry.tap_stream_id: entry.metadata.resolve_selection().get((), True) for entry in catalog.streams}
    found: dict[str, Any] = {}
    for name, wanted in maps.items():
        source = wanted.get(MAPPER_SOURCE_OPTION) if isinstance(wanted, dict) else None
        if source is None and set(name) & set("*?["):
            found |= {stream: wanted for stream in fnmatch.filter(on, name) if on[stream]}
        elif on.get(source or name, True):
            found[name] = wanted
    return found
