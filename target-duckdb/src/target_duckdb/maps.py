"""What is wrong with stream maps that the SDK cannot make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.mapper import MAPPER_SOURCE_OPTION, PluginMapper

from target_duckdb.printable import named

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping

    from target_duckdb.columns import Json


def fault(config: Mapping[str, Any], log: logging.Logger, message: Mapping[str, Json] | None = None) -> str:
    """Return the sentence about stream maps that the SDK cannot make: which stream, and which of its columns.

    Its own texts quote expressions, and not all name their stream. Each part is tried by itself; what fails only beside
    others is said of the setting.

    Args:
        config: The settings.
        log: The logger of the loader.
        message: The SCHEMA message that they are made for, if there is one yet.
    """
    for place, part in _parts(config["stream_maps"]):
        try:
            mapper = PluginMapper(dict(config) | {"stream_maps": part}, log)
            if message:
                mapper.register_raw_stream_schema(
                    message["stream"], message["schema"], message.get("key_properties") or []
                )
        except Exception as error:  # noqa: BLE001  # the SDK evaluates what the setting holds
            kind = type(error.__cause__ or error).__name__
            return f"The setting 'stream_maps' cannot be used: {place} is not what a stream map may hold ({kind})."
    return "The setting 'stream_maps' cannot be used: its parts do not fit together, or not the schema of the stream."


def _parts(maps: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return each column of each stream map with its place, then each stream map."""
    for stream, columns in maps.items():
        if isinstance(columns, dict):
            source = {name: columns[name] for name in (MAPPER_SOURCE_OPTION,) if name in columns}
            for column in columns.keys() - source.keys():
                yield f"{named(column)} of stream {named(stream)}", {stream: {**source, column: columns[column]}}
    for stream, columns in maps.items():
        yield named(stream), {stream: columns}
