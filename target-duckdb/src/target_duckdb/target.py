"""The target: passes messages to the sinks, and writes a STATE once all records before it are committed."""

from __future__ import annotations

import os
import sys
from typing import IO, TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk.exceptions import ConfigValidationError, RecordsWithoutSchemaException
from singer_sdk.helpers.capabilities import PluginCapabilities, TargetCapabilities
from singer_sdk.mapper import CustomStreamMap, RemoveRecordTransform
from typing_extensions import override

from target_duckdb.batch_files import read_batch_file
from target_duckdb.command import CommandLine
from target_duckdb.errors import LoadError, TruncatedInputError
from target_duckdb.lines import UNCHECKED_BYTES, line_error
from target_duckdb.maps import stream_map_error
from target_duckdb.missing_tables import MissingTables
from target_duckdb.printable import path_of, quoted
from target_duckdb.reader import MessageReader, decode_record
from target_duckdb.sdk import explain_map_errors, without_flattening
from target_duckdb.settings import (
    LOCK_TIMEOUT,
    MAX_LINE_BYTES,
    SETTINGS,
    STORAGE_COMPATIBILITY_VERSION,
    from_existing_loader,
    resolve_aliases,
    validate,
    with_defaults,
)
from target_duckdb.sink import DuckDBSink, StreamProgress
from target_duckdb.warehouse import Warehouse, database_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.sinks import Sink

    from target_duckdb.reader import RecordHandler

_STATE_EVERY = 10.0
"""Seconds after the last STATE from which the next one is written at once, and not at the end of the input."""
_OUTPUT_ERROR = (
    "The state cannot be written to standard output: {}. Loaded rows are kept; run again with the last state."
)


class TargetDuckDB(CommandLine):
    """Singer target for DuckDB that loads every row, exactly.

    Attributes:
        warehouse: The DuckDB file.
        missing_tables: Streams of the tap's state whose tables are missing.
        progress: Progress of each stream in this run.
        max_line_bytes: Maximum bytes of a line.
        flattening: Depth, separator and maximum name length of flattened columns; None if flattening is off.
        version: Table version of the current message, if it has one.
        staged_bytes: Bytes of the staged rows of all streams.
        max_staged_bytes: Bytes of staged rows at which the largest batch is written.
    """

    name = "target-duckdb"
    package_name = "scheduling-target-duckdb"
    config_jsonschema: ClassVar[dict[str, Any]] = SETTINGS
    default_sink_class = DuckDBSink
    message_reader_class = MessageReader
    capabilities: ClassVar[list[Any]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.BATCH,
        PluginCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.STRUCTURED_LOGGING,
        TargetCapabilities.VALIDATE_RECORDS,
        TargetCapabilities.HARD_DELETE,
        TargetCapabilities.TARGET_SCHEMA,
    ]

    max_staged_bytes = 4 << 20

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not (self.config.get("filepath") or "").strip():
            complaint = "Setting `filepath` is missing: the path of the DuckDB file."
            raise ConfigValidationError(complaint, errors=[complaint], schema=SETTINGS)
        self.max_line_bytes = self.config.get("max_line_bytes") or MAX_LINE_BYTES
        self.flattening = without_flattening(self.mapper)
        self.max_parallelism = 1  # one connection, one thread
        self.warehouse = Warehouse(
            database_path(self.config["filepath"]),
            self.config["default_target_schema"],
            float(self.config.get("lock_timeout", LOCK_TIMEOUT)),
        )
        self.warehouse.storage = self.config.get("storage_compatibility_version") or STORAGE_COMPATIBILITY_VERSION
        self.missing_tables = MissingTables(self.warehouse, fails=self.config.get("on_missing_table") == "fail")
        self.progress: dict[str, StreamProgress] = {}
        self.version: int | None = None
        self._open_sinks: dict[str, DuckDBSink] = {}
        self._early_versions: dict[str, int] = {}  # of streams whose SCHEMA has not come yet
        self.staged_bytes = 0
        # The SDK's steps between a message and its sink take most of the time and do nothing without these settings.
        steps = ("stream_maps", "flattening_enabled", "validate_records")
        self._reads_json = not any(self.config.get(name) for name in steps)
        self._record_handlers: dict[str, RecordHandler] = {}
        if isinstance(self.message_reader, MessageReader):
            self.message_reader.record_handlers = self._record_handlers
            self.message_reader.max_line_bytes = self.max_line_bytes
            self.message_reader.on_interval = self._handle_max_record_age

    @property
    @override
    def config(self) -> Mapping[str, Any]:
        """The settings, aliases resolved."""
        return with_defaults(super().config)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Resolve aliases, read the environment, and check the result; the SDK's check would quote values."""
        self.append_builtin_config(SETTINGS)
        config = resolve_aliases(self._config)
        self._config = from_existing_loader(resolve_aliases(config | self.from_environment()))
        self._config, complaints = validate(self._config, SETTINGS)
        if raise_errors and complaints:
            raise ConfigValidationError("Config validation failed", errors=complaints, schema=SETTINGS)
        return []

    @override
    def setup_mapper(self) -> None:
        """Make the stream maps; raise LoadError if they are not valid."""
        try:
            super().setup_mapper()
        except Exception as error:  # the SDK evaluates the setting
            if not self.config.get("stream_maps"):
                raise LoadError(
                    f"The settings that begin with `flattening_` cannot be used ({type(error).__name__}): with "
                    "flattening_enabled, flattening_max_depth is needed, and names must be long enough to differ."
                ) from error
            raise LoadError(stream_map_error(self.config, self.logger)) from error

    @override
    def get_sink(self, stream_name: str, **kwargs: Any) -> Sink:
        """Return the sink of a stream, opened here because the SDK logs an error of `setup` a second time."""
        sink = cast("DuckDBSink", super().get_sink(stream_name, **kwargs))
        if not sink.is_open:
            sink.open()
        return sink

    def sources(self, name: str) -> list[str]:
        """Return the tap's streams that the stream maps turn into a stream."""
        mapped = self.mapper.stream_maps.items()
        kept = ((source, one) for source, maps in mapped for one in maps if not isinstance(one, RemoveRecordTransform))
        return [source for source, one in kept if one.stream_alias == name]

    def register_sink(self, sink: DuckDBSink) -> None:
        """Make a sink the one of its stream, after its predecessor's rows are written, so that order is kept."""
        if predecessor := self._open_sinks.get(sink.stream_name):
            self.drain_one(predecessor)
        self._open_sinks[sink.stream_name] = sink
        if self._reads_json:
            self._record_handlers[sink.stream_name] = sink.stage_json

    def drain_full(self, sink: DuckDBSink) -> None:
        """Write the rows of a sink if it is full, else those of the sink that holds the most bytes."""
        largest = max(self._open_sinks.values(), key=lambda sink: len(sink.staged))
        self.drain_one(sink if sink.is_full else largest)

    @override
    def _assert_sink_exists(self, stream_name: str) -> None:
        if not self.sink_exists(stream_name):
            raise RecordsWithoutSchemaException(
                f"stream {quoted(stream_name)}: a RECORD message came before its SCHEMA message, a bug of the tap."
            )

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        stream = message_dict["stream"]
        try:
            super()._process_schema_message(message_dict)
        except LoadError:
            raise
        except Exception as error:  # an expression may raise anything
            if not self.config.get("stream_maps"):
                raise
            raise LoadError(stream_map_error(self.config, self.logger, message_dict)) from error
        for stream_map in self.mapper.stream_maps[stream]:
            if isinstance(stream_map, CustomStreamMap):
                explain_map_errors(stream_map)
        if stream in self._early_versions:
            self._activate(stream, self._early_versions.pop(stream))

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        self.version = message_dict.get("version")
        try:
            super()._process_record_message(message_dict)
        except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            if not self.config.get("stream_maps"):
                raise
            raise LoadError(
                f"Setting `stream_maps`: the map of stream {quoted(message_dict['stream'])} fails on a record "
                f"({type(error).__name__})."
            ) from error

    @override
    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        """Load each record of the BATCH files like a RECORD message with this message's version."""
        stream, encoding = message_dict["stream"], message_dict["encoding"]
        if stream not in self.mapper.stream_maps:
            self._assert_sink_exists(stream)
        version, extracted = message_dict.get("version"), message_dict.get("time_extracted")
        handle = self._record_handlers.get(stream)
        for url in message_dict["manifest"]:
            for number, text in enumerate(read_batch_file(stream, url, encoding, self.max_line_bytes), start=1):
                problem = line_error(text, self.max_line_bytes, '{"record":') if len(text) > UNCHECKED_BYTES else ""
                if not problem and handle and handle(text, version, extracted):
                    continue
                where = f"stream {quoted(stream)}: record {number} of the batch file {path_of(url)}"
                if problem:
                    raise LoadError(f"{where} {problem}")
                if text.strip():
                    self._process_record_message({**message_dict, "record": decode_record(text, where)})
        self._handle_max_record_age()

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Activate a version, without the SDK's warning about missing metadata columns.

        The version of a stream whose SCHEMA has not come yet waits for it.
        """
        stream, version = message_dict["stream"], message_dict["version"]
        if stream in self.mapper.stream_maps:
            self._activate(stream, version)
        else:
            self._early_versions[stream] = version

    def _activate(self, stream: str, version: int) -> None:
        for stream_map in self.mapper.stream_maps[stream]:
            if sink := self._open_sinks.get(stream_map.stream_alias):
                sink.check_first_version(version)
                if sink.process_activate_version_messages:
                    sink.activate_version(version)

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        """Keep a STATE; if the last one was written a while ago, drain all sinks and write it."""
        if not self.mapper.stream_maps:
            self.missing_tables.start(message_dict["value"])
        super()._process_state_message(message_dict)
        if self._max_record_age_in_minutes * 60 >= _STATE_EVERY:
            self.drain_all()

    @override
    def _write_state_message(self, state: dict[str, Any]) -> None:
        """Write a STATE; raise LoadError if standard output does not take it."""
        if self.missing_tables.withholds_state(self.mapper.stream_maps):
            return
        try:
            super()._write_state_message(state)
        except AttributeError:  # sys.stdout is None if it was closed
            raise LoadError(_OUTPUT_ERROR.format("it is closed")) from None
        except OSError as error:
            # At its end Python would flush once more, and print an error.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise LoadError(_OUTPUT_ERROR.format(error.strerror)) from error

    @override
    def process_endofpipe(self) -> None:
        """Drain all sinks, apply pending versions, write the last STATE, close the file, and log the number of rows."""
        for sink in self._open_sinks.values():
            self.drain_one(sink)
            if sink.progress.pending_version is not None:
                self._apply_pending_version(sink)
        for stream in self._early_versions:
            self.logger.warning(
                "stream %s: ACTIVATE_VERSION is ignored, because no SCHEMA message came.", quoted(stream)
            )
        self.missing_tables.finish()
        super().process_endofpipe()
        self.warehouse.close()
        for stream, progress in self.progress.items():
            self.logger.info("stream %s: %d rows loaded.", quoted(stream), progress.rows)

    def _apply_pending_version(self, sink: DuckDBSink) -> None:
        """Apply an ACTIVATE_VERSION that came before its records, if the tap completed.

        A completed tap ends with a STATE. An interrupted one has sent only some of the records, so that its version
        would delete the others. Since some taps write a STATE when interrupted, rows are soft-deleted here even with
        `hard_delete`, which their next record undoes; they are deleted only if the stream sent no record at all.
        """
        if isinstance(self.message_reader, MessageReader) and self.message_reader.last_type == "STATE":
            sink.delete_other_versions(remove=bool(self.config.get("hard_delete")) and not sink.progress.versions)
        else:
            self.logger.warning(
                "stream %s: ACTIVATE_VERSION is ignored, because the input did not end with a STATE; no row is "
                "soft-deleted.",
                quoted(sink.stream_name),
            )

    def load(self, file_input: IO[str] | None = None) -> None:
        """Load all messages; of a truncated input, those before its end.

        Raises:
            TruncatedInputError: The input ends within a line.
            LoadError: The load cannot go on.
            SystemExit: A signal has come; the open transaction is rolled back.
        """
        try:
            try:
                self.listen(file_input)
            except TruncatedInputError:
                self.drain_all()
                raise
        except RecursionError:  # of a STATE; the reader handles those of other messages
            raise LoadError("The last STATE is nested too deeply to be written. All records are loaded.") from None
        finally:
            self.missing_tables.warn()
            self._end_with_signal()

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the SDK's settings, except the load method: rows with a key are merged, rows without are added."""
        super().append_builtin_config(config_jsonschema)
        config_jsonschema["properties"].pop("load_method", None)
