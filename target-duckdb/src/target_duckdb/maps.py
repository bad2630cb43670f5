"""Faults of stream maps that the SDK cannot make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.mapper import MAPPER_SOURCE_OPTION, PluginMapper

from target_duckdb.printable import quoted

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping

    from target_duckdb.columns import Json


def stream_map_error(config: Mapping[str, Any], log: logging.Logger, message: Mapping[str, Json] | None = None) -> str:
    """Return a sentence that names the stream and the column whose map the SDK cannot make.

    The SDK's own messages quote expressions, and not all name their stream. Each part is tried on its own; where every
    part works, the sentence names the setting only.

    Args:
        config: The settings.
        log: The logger of the loader.
        message: The SCHEMA message of the stream, if one has come.
    """
    for place, part in _parts(config["stream_maps"]):
        try:
            mapper = PluginMapper(dict(config) | {"stream_maps": part}, log)
            if message:
                mapper.register_raw_stream_schema(
                    message["stream"], message["schema"], message.get("key_properties") or []
                )
        except Exception as error:  # noqa: BLE001  # the SDK evaluates the setting
            kind = type(error.__cause__ or error).__name__
            return f"Setting `stream_maps` is invalid: {place} is not valid in a stream map ({kind})."
    return "Setting `stream_maps` is invalid: its maps are not valid together."


def _parts(maps: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each column of each stream map with its place, then each stream map."""
    for stream, columns in maps.items():
        if isinstance(columns, dict):
            source = {name: columns[name] for name in (MAPPER_SOURCE_OPTION,) if name in columns}
            for column in columns.keys() - source.keys():
                yield f"{quoted(column)} of stream {quoted(stream)}", {stream: {**source, column: columns[column]}}
    for stream, columns in maps.items():
        yield quoted(stream), {stream: columns}
