"""Which stream maps apply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.mapper import MAPPER_SOURCE_OPTION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.singerlib.catalog import Catalog


def maps_of_selected(maps: Mapping[str, Any], catalog: Catalog) -> dict[str, Any]:
    """The setting `stream_maps` without the maps of streams that are not selected.

    The SDK makes every map, of a stream that is not selected with a schema without columns, and then misses its keys.
    """
    off = {entry.tap_stream_id for entry in catalog.streams if not entry.metadata.resolve_selection().get((), True)}

    def source(name: str) -> str:
        return str(maps[name].get(MAPPER_SOURCE_OPTION, name)) if isinstance(maps[name], dict) else name

    return {name: wanted for name, wanted in maps.items() if source(name) not in off}
