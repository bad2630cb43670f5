"""Stream maps: those of selected streams, and messages about invalid ones."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, Any

from singer_sdk.mapper import MAPPER_SOURCE_OPTION, PluginMapper

from tap_common.printable import quoted

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping

    from singer_sdk.singerlib.catalog import Catalog


def selected_stream_maps(maps: Mapping[str, Any], catalog: Catalog) -> dict[str, Any]:
    """Return the setting `stream_maps` without the maps of deselected streams.

    For a deselected stream, the SDK would create the map with a schema without columns, and fail for lack of its keys.
    A name with wildcards is replaced by the names of the selected streams that match.
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


def stream_map_error(config: Mapping[str, Any], catalog: Catalog, log: logging.Logger) -> str:
    """Return a message about invalid stream maps with the stream and the column.

    The SDK's messages name neither, and quote expressions. So each part is tried by itself; an error that only occurs
    with several parts is reported for the stream, or for the setting.
    """
    for place, part in _parts(config["stream_maps"]):
        try:
            mapper = PluginMapper(dict(config) | {"stream_maps": part}, log)
            mapper.register_raw_streams_from_catalog(catalog)
        except Exception as error:  # noqa: BLE001 - the SDK evaluates what the setting holds
            return f"Setting `stream_maps` is invalid: {place} is not valid in a stream map ({_kind(error)})."
    return "Setting `stream_maps` is invalid: its maps are not valid together."


def _parts(maps: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each column of each stream map with its place, then each stream map."""
    for stream, columns in maps.items():
        if isinstance(columns, dict):
            source = {name: columns[name] for name in (MAPPER_SOURCE_OPTION,) if name in columns}
            for column in columns.keys() - source.keys():
                yield f"{quoted(column)} of stream {quoted(stream)}", {stream: {**source, column: columns[column]}}
    for stream, columns in maps.items():
        yield quoted(stream), {stream: columns}


def _kind(error: Exception) -> str:
    return type(error.__cause__ or error).__name__
