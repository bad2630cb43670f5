"""Stream maps that apply, and faults of those that cannot."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, Any

from singer_sdk.mapper import MAPPER_SOURCE_OPTION, PluginMapper

from tap_common.printable import quoted

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping

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


def fault(config: Mapping[str, Any], catalog: Catalog, log: logging.Logger) -> str:
    """The sentence about stream maps that the SDK cannot make: which stream, and which of its columns.

    Its own texts name neither, and quote expressions. Each part is tried by itself; what fails only beside others is
    said of the stream, or of the setting.
    """
    for place, part in _parts(config["stream_maps"]):
        try:
            mapper = PluginMapper(dict(config) | {"stream_maps": part}, log)
            mapper.register_raw_streams_from_catalog(catalog)
        except Exception as error:  # noqa: BLE001 - the SDK evaluates what the setting holds
            return f"Setting `stream_maps` cannot be used: {place} is not what a stream map may hold ({_kind(error)})."
    return "Setting `stream_maps` cannot be used: its parts do not fit together."


def _parts(maps: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each column of each stream map with its place, then each stream map."""
    for stream, columns in maps.items():
        if isinstance(columns, dict):
            source = {name: columns[name] for name in (MAPPER_SOURCE_OPTION,) if name in columns}
            for column in columns.keys() - source.keys():
                yield f"{quoted(column)} of stream {quoted(stream)}", {stream: {**source, column: columns[column]}}
    for stream, columns in maps.items():
        yield quoted(stream), {stream: columns}


def _kind(error: Exception) -> str:
    return type(error.__cause__ or error).__name__
